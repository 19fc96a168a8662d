#!/usr/bin/env bash
# Makes .venv from the locked requirements. Usage: setup.sh runtime|dev
set -euo pipefail
kind=$1
python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "setup: installing Python 3.11 with venv from Debian"
    apt-get update -qq && apt-get install -y -qq python3.11 python3.11-venv
    python=$(command -v python3.11)
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: keystead needs Python 3.11 or newer, $python is older" >&2; exit 1; }
[ -x .venv/bin/python ] || "$python" -m venv .venv
# setuptools is in the dev lock; the runtime needs it once, to put the command `keystead` in place.
.venv/bin/python -m pip install -q --require-hashes -r "requirements/$kind.txt"
if [ "$kind" = runtime ]; then
    .venv/bin/python -m pip install -q --require-hashes -r requirements/build.txt
fi
.venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
.venv/bin/python -m compileall -q acm ca kms validation foundation server || true
touch ".venv/.$kind"
[ "$kind" = runtime ] || touch .venv/.runtime
