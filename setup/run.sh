#!/usr/bin/env bash
# The main job: the dashboard on the given log, or on a sample that is made for it and played as if it
# were being written, with two hours of history before it. What a played sample leaves goes with the
# next one, so that the page shows one card and not its past lives.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$1
shift
if [ -n "$log" ]; then exec build/gpulse run "$log" "$@"; fi
sample="build/sample/GPU-Z Sensor Log.txt"
if [ ! -f "$sample" ] || [ build/gpulse -nt "$sample" ]; then
  mkdir -p build/sample
  build/gpulse generate --scenario idle,gaming,power-throttle,mixed,gaming --duration 3h --seed 7 \
    --out "$sample" --labels build/sample/labels.json
fi
rm -rf build/sample/data
exec build/gpulse run "$sample" --replay 1 --history 2h --loop --data build/sample/data "$@"
