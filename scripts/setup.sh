#!/usr/bin/env bash
# Makes .venv from the pinned, hashed requirements. Needs Python 3.11+ and pip; installs the two Debian
# libraries that opencv-python links, where apt is there, and says what to install where it is not.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

"$PYTHON" - <<'PY' || { echo "gatehouse needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
PY

missing=()
/sbin/ldconfig -p 2>/dev/null | grep -q 'libGL\.so\.1' || missing+=(libgl1)
/sbin/ldconfig -p 2>/dev/null | grep -q 'libxcb\.so\.1' || missing+=(libxcb1)
if [ ${#missing[@]} -gt 0 ]; then scripts/apt.sh "${missing[@]}"; fi

if ! command -v uv >/dev/null 2>&1; then
  # uv goes into an environment of its own, so that nothing is installed into the system's Python.
  [ -x .tools/bin/uv ] || { "$PYTHON" -m venv .tools && .tools/bin/pip install --quiet uv; }
  export PATH="$PWD/.tools/bin:$PATH"
fi
[ -x .venv/bin/python ] || uv venv --quiet --python "$PYTHON" .venv
uv pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.txt
uv pip install --quiet --python .venv/bin/python --no-deps --editable .
echo "gatehouse is installed in .venv: $(.venv/bin/gatehouse version 2>/dev/null || echo 'run make setup again')"
