#!/usr/bin/env bash
# Installs Debian packages, or says plainly which are missing and how to get them.
set -euo pipefail
if ! command -v apt-get >/dev/null 2>&1; then
  echo "These system packages are missing and this machine has no apt: $*. Install them (Debian's names) and run again." >&2
  exit 1
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "As root, run: apt-get install -y $*" >&2; exit 1; }
  sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && exit 0
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
