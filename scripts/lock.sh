#!/usr/bin/env bash
# Pins and hashes what each part installs. No download address is recorded.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  local out=$1; shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command "make lock" "$@" pyproject.toml --output-file "requirements/$out.txt"
}
compile edge --extra edge
compile hub --extra hub
compile dev --extra dev
