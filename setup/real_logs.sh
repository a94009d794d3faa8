# shellcheck shell=bash
# Sourced at the root of the tree. Owners' logs are not part of the project; where none are named, those
# beside it are taken. Tests of them are skipped without any, and real_logs_told says so.
if [ -z "${GPULSE_REAL_LOGS:-}" ] && [ -d ../shared/data/gpuz ]; then
  GPULSE_REAL_LOGS=$(cd ../shared/data/gpuz && pwd)
  export GPULSE_REAL_LOGS
fi

# The closing line about them.
real_logs_told() {
  if [ -d "${GPULSE_REAL_LOGS:-}" ]; then
    echo "real logs: $(find "$GPULSE_REAL_LOGS" -maxdepth 1 -name '*.txt' | wc -l) tested"
  else
    echo "REAL LOGS NOT THERE: their tests were skipped (GPULSE_REAL_LOGS names no folder)"
  fi
}
