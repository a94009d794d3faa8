#!/usr/bin/env bash
# Fetches what a folder's package-lock.json pins, with npm; does nothing when that was done.
#
#   setup/npm_tools.sh FOLDER WHAT
#
# `npm install --no-save`, not `npm ci`: both take what the lock file says, but ci empties node_modules
# under whoever uses it, and npm 11's refuses lock files without every other platform's binaries.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
what=$2
stamp=$folder/node_modules/.gpulse-installed
[ "$stamp" -nt "$folder/package-lock.json" ] && [ "$stamp" -nt "$folder/package.json" ] && exit 0

log=build/log/setup-npm.log
mkdir -p "$(dirname "$log")"
echo "set-up: fetching $what with npm"
if ! (cd "$folder" && npm install --no-save --no-audit --no-fund) </dev/null >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "set-up: npm failed; all it said is in build/log/setup-npm.log" >&2
  exit 1
fi
touch "$stamp"
