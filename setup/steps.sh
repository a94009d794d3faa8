# shellcheck shell=bash
# Sourced at the root of the tree by those who run tests: a failed step does not hide those after it, and the
# runners' own closing lines come last and stand in a file.
#
#   steps_begin FILE         the file for the closing lines
#   step NAME COMMAND...     what has to be done first
#   tests NAME COMMAND...    a runner of tests: its closing lines are kept
#   tell WORDS...            a closing line of our own
#   steps_end TARGET         shows the closing lines and the minutes; its status tells whether all passed

steps_begin() {
  steps_began=$SECONDS
  steps_failed=()
  steps_closing=$1
  mkdir -p "$(dirname "$steps_closing")"
  : >"$steps_closing"
  # The moments at which tests kill something are those of the commit.
  export GPULSE_FAULT_SEED=${GPULSE_FAULT_SEED:-$((16#$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1)))}
}

step() {
  setup/step.sh "$@" && return 0
  steps_failed+=("$1")
  return 1
}

# The lines by which ctest, GoogleTest, Node's runner, unittest, the fuzzers and our own scripts tell their
# results, and name what failed.
runners_words='tests passed|tests failed out of|Total Test time|^[[:space:]]+[0-9]+ - |^\[  (PASSED|FAILED)  \]'
runners_words+='|^(#|ℹ) (tests|pass|fail)|^Ran [0-9]+ tests? |^OK|^ *FAILED|[0-9]+ of [0-9]+ passed|^fuzz: '

tests() {
  step "$@"
  local status=$?
  {
    echo "$1:"
    grep -E "$runners_words" "build/log/${1// /-}.log" 2>/dev/null | tail -n 12 | sed 's/^ */  /' | grep . ||
      echo "  (no closing line: it did not get that far)"
  } >>"$steps_closing"
  return $status
}

tell() {
  echo "$*" >>"$steps_closing"
}

steps_end() {
  . setup/real_logs.sh
  tell "$(real_logs_told)"
  echo
  cat "$steps_closing"
  echo
  local minutes
  minutes=$(awk -v s=$((SECONDS - steps_began)) 'BEGIN { printf "%.1f", s / 60 }')
  if [ ${#steps_failed[@]} = 0 ]; then
    echo "$1: passed in $minutes minutes"
    return 0
  fi
  printf '%s: FAILED after %s minutes:' "$1" "$minutes"
  printf ' [%s]' "${steps_failed[@]}"
  echo
  return 1
}
