#!/usr/bin/env bash
# `make test`: every stage, its time, and the first failure named. `--all` adds what takes too long for each change.
set -uo pipefail
cd "$(dirname "$0")/../.."
bin=.venv/bin
unset PYTHONDONTWRITEBYTECODE # compiled modules are part of a quick start
failed=()

stage() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    "$@" || failed+=("$name")
    echo "== $name: $((SECONDS - start)) s"
}

quick="not e2e and not chaos and not postgres and not slow"
slow=" and not slow"
[ "${1:-}" = --all ] && quick="not e2e and not chaos and not postgres" && slow=""

stage "tools from Debian" bash tests/support/system.sh postgresql knot strace openssl curl gnutls
if [ "${1:-}" = --all ]; then
    stage "Java" bash tests/support/system.sh java
    stage "zlint" bash tests/support/zlint.sh
fi
stage "ruff" $bin/ruff check .
stage "format" $bin/ruff format --check .
stage "import contracts" $bin/lint-imports
stage "types" $bin/mypy
stage "unit and API" $bin/pytest -q -n 2 -m "$quick"
stage "PostgreSQL" $bin/pytest -q -n 2 -m "postgres$slow"
stage "end to end" $bin/pytest -q -m "e2e$slow"
stage "kills" $bin/pytest -q -m "chaos$slow"

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "all stages passed in $SECONDS s"
