#!/usr/bin/env bash
# Runs one step of the front door: one line on the screen, everything the command says in a log.
#
#   setup/step.sh NAME COMMAND...
#
# On a terminal the line follows the command's last words until it ends. A failure shows the log's end.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
name=$1
shift
. setup/real_logs.sh
mkdir -p build/log
log=build/log/${name// /-}.log
began=$(date +%s%N)

"$@" </dev/null >"$log" 2>&1 &
command=$!
trap 'kill $command 2>/dev/null; exit 130' INT TERM
if [ -t 1 ]; then
  width=$(($(tput cols 2>/dev/null || echo 80) - 28))
  while kill -0 $command 2>/dev/null; do
    printf '\r  %-22s … %s\033[K' "$name" "$(tail -n 1 "$log" | tr -d '\r\033' | cut -c "1-$width")"
    sleep 0.3
  done
  printf '\r\033[K'
fi
wait $command
status=$?

seconds=$(awk -v ns=$(($(date +%s%N) - began)) 'BEGIN { printf "%.1f", ns / 1e9 }')
if [ $status = 0 ]; then
  printf '  %-22s ok      %7s s\n' "$name" "$seconds"
else
  printf '  %-22s FAILED  %7s s   %s\n' "$name" "$seconds" "$log"
  # Compilers and test runners name the culprit early and then go on; so not only the last lines.
  grep -n -m 20 -E 'error[: ]|FAILED|\*\*\*Failed|not ok|ERROR:|runtime error|SUMMARY:' "$log" | cut -c 1-240
  echo "  … the last lines:"
  tail -n 25 "$log" | cut -c 1-240
fi
exit $status
