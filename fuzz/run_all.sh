#!/usr/bin/env bash
# Runs every fuzz target for some seconds each: fuzz/run_all.sh SECONDS
#
# New inputs go to build/fuzz/corpus/NAME, beside the seeds in fuzz/corpus/NAME; an input that broke
# something is kept in build/fuzz/broken/ and named.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
seconds=$1
broken=build/fuzz/broken
mkdir -p "$broken" build/log
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1
failed=0

for source in fuzz/*_fuzz.cpp; do
  name=$(basename "$source" _fuzz.cpp)
  corpus=build/fuzz/corpus/$name
  log=build/log/fuzz-$name.log
  mkdir -p "$corpus" "fuzz/corpus/$name"
  if "build/fuzz/fuzz/${name}_fuzz" "$corpus" "fuzz/corpus/$name" -max_total_time="$seconds" \
      -timeout=10 -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$broken/$name-" \
      -print_final_stats=1 >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    printf 'fuzz: %-18s held for %9d inputs, %7d a second\n' "$name" "$runs" "$speed"
  else
    failed=1
    printf 'fuzz: %-18s BROKEN: %s\n' "$name" "$(grep -E 'ERROR:|runtime error|^fuzz: ' "$log" | head -n 1)"
    sed -n 's/^.*Test unit written to /      the input: /p' "$log"
    echo "      the log:   $log"
  fi
done
exit $failed
