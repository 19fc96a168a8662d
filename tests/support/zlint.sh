#!/usr/bin/env bash
# Builds zlint into the virtual environment, where a Go toolchain is; the version is the one that certs-fixtures/verifiers names.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -x .venv/bin/zlint ] && exit 0
if ! command -v go >/dev/null; then
    echo "zlint.sh: no Go toolchain here: zlint's cells of the matrix are skipped, and say so"
    exit 0
fi
GOBIN="$PWD/.venv/bin" GOPATH="$PWD/.venv/go" GOFLAGS="-mod=mod -modcacherw" go install github.com/zmap/zlint/v3/cmd/zlint@v3.6.4
