#!/bin/sh
# wine.sh PROGRAM.exe [ARGUMENT...]: runs a Windows program under Wine, in a Windows of its own
# (GPULSE_WINEPREFIX, else build/windows/wine), which is made at the first call. The process that starts
# is the program's: a signal to it is one to the program.
set -eu

WINEPREFIX=${GPULSE_WINEPREFIX:-$(cd "$(dirname "$0")/../.." && pwd)/build/windows/wine}
export WINEPREFIX WINEDEBUG="${WINEDEBUG:--all}"
# Under another locale Wine garbles what is not ASCII on the command line and in names of files.
export LANG=C.UTF-8
unset LC_ALL LC_CTYPE DISPLAY WAYLAND_DISPLAY
wine=/usr/lib/wine/wine64
if [ ! -x "$wine" ]; then
  echo "wine.sh: there is no $wine; setup/setup.sh test-windows installs it" >&2
  exit 127
fi
if [ ! -f "$WINEPREFIX/made" ]; then
  mkdir -p "$WINEPREFIX"
  (
    flock 9
    [ -f "$WINEPREFIX/made" ] || { "$wine" wineboot -i </dev/null >/dev/null 2>&1 9>&- && : >"$WINEPREFIX/made"; }
  ) 9>"$WINEPREFIX.lock"
fi
exec "$wine" "$@"
