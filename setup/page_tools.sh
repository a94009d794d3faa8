#!/usr/bin/env bash
# Fetches what the page is built and tested with, as web/package-lock.json pins it. Does nothing when
# that was done. Called by set-up, and by CMake for those who come without make.
#
# `npm install --no-save`, not `npm ci`: both take what the lock file says, but ci empties node_modules
# under whoever uses it, and npm 11's refuses lock files without every other platform's binaries.
set -euo pipefail
cd "$(dirname "$0")/../web"
stamp=node_modules/.gpulse-installed
[ "$stamp" -nt package-lock.json ] && [ "$stamp" -nt package.json ] && exit 0

log=../build/log/setup-npm.log
mkdir -p "$(dirname "$log")"
echo "set-up: fetching the page's build tools with npm"
if ! npm install --no-save --no-audit --no-fund </dev/null >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "set-up: npm failed; all it said is in build/log/setup-npm.log" >&2
  exit 1
fi
touch "$stamp"
