#!/usr/bin/env bash
# Installs the generator of API clients that tests/integration/test_api_client.py runs, in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
TARGET=.tools/client
command -v uv >/dev/null 2>&1 || export PATH="$PWD/.tools/bin:$PATH" # scripts/setup.sh puts it there
[ -x "$TARGET/bin/python" ] || uv venv --quiet --python "$PYTHON" "$TARGET"
uv pip sync --quiet --python "$TARGET/bin/python" --require-hashes requirements/client.txt
