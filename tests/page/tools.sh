#!/usr/bin/env bash
# Fetches playwright-core and axe-core as package-lock.json pins them; does nothing when that was done.
set -euo pipefail
cd "$(dirname "$0")"
stamp=node_modules/.gpulse-installed
[ "$stamp" -nt package-lock.json ] && [ "$stamp" -nt package.json ] && exit 0
echo "page tests: fetching their tools with npm"
npm ci --no-audit --no-fund </dev/null >/dev/null
touch "$stamp"
