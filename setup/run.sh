#!/usr/bin/env bash
# The main job: the dashboard on the given log, or on a sample that is made for it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then exec build/gpulse run "$@"; fi
exec build/gpulse run
