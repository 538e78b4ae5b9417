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
# The generator of API clients that a test runs: what it needs is at odds with ours, so it has an environment of its own.
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
  --custom-compile-command "make lock" requirements/client.in --output-file requirements/client.txt
