#!/usr/bin/env bash
# Runs every fuzz target for some seconds each, two at a time: fuzz/run_all.sh SECONDS
#
# New inputs go to build/fuzz/corpus/NAME, beside the seeds in fuzz/corpus/NAME; an input that broke
# something is kept in build/fuzz/broken/ and named.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
seconds=$1
broken=build/fuzz/broken
mkdir -p "$broken" build/log
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1

# Tells the target's result in one line, or three when something broke.
run() {
  local name=$1 corpus=build/fuzz/corpus/$1 log=build/log/fuzz-$1.log
  mkdir -p "$corpus" "fuzz/corpus/$name"
  if "build/fuzz/fuzz/${name}_fuzz" "$corpus" "fuzz/corpus/$name" -max_total_time="$seconds" \
      -timeout=10 -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$broken/$name-" \
      -print_final_stats=1 >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    printf 'fuzz: %-18s held for %9d inputs, %7d a second\n' "$name" "$runs" "$speed"
  else
    printf 'fuzz: %-18s BROKEN: %s\n%s\n      the log:   %s\n' "$name" \
      "$(grep -E 'ERROR:|runtime error|^fuzz: ' "$log" | head -n 1)" \
      "$(sed -n 's/^.*Test unit written to /      the input: /p' "$log")" "$log"
    return 1
  fi
}
export -f run
export seconds broken

for source in fuzz/*_fuzz.cpp; do
  basename "$source" _fuzz.cpp
done | xargs --max-procs=2 -I{} bash -c 'run {}'
