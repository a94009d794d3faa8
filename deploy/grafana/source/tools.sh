#!/usr/bin/env bash
# Fetches what the dashboards are made with, as package-lock.json pins it; does nothing when that was done.
set -euo pipefail
cd "$(dirname "$0")"
stamp=node_modules/.gpulse-installed
[ "$stamp" -nt package-lock.json ] && [ "$stamp" -nt package.json ] && exit 0
echo "Grafana: fetching what its dashboards are made with, by npm"
npm ci --no-audit --no-fund </dev/null >/dev/null
touch "$stamp"
