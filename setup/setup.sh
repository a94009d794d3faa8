#!/usr/bin/env bash
# Installs what the given sections of debian-packages.txt name and this machine lacks, and fetches the
# page's build tools. Says what it does; does nothing, in well under a second, when all is there.
#
#   setup/setup.sh run [test] [lint] [bench] [stack]
set -euo pipefail
cd "$(dirname "$0")/.."
list=setup/debian-packages.txt
mkdir -p build/log

# "package program version" of every entry in a section; the last two are "-" where there is no stand-in.
entries() {
  awk -v wanted="$1" '
    { sub(/#.*/, "") }
    /^\[/ { gsub(/[][ ]/, ""); section = $0; next }
    NF && section == wanted { print $1, ($2 == "|" ? $3 : "-"), ($2 == "|" ? $4 : "-") }' "$list"
}

# Whether PATH has the program in that version or a later one.
stands_in() {
  command -v "$1" >/dev/null || return 1
  local version
  version=$("$1" --version 2>/dev/null | grep -oE -m 1 '[0-9]+(\.[0-9]+)*' | head -n 1)
  printf '%s\n' "$2" "${version:-0}" | sort -V -C
}

missing_packages() {
  local section package program version
  local -A status
  # One call for all packages that dpkg has ever heard of: a call each would cost half a second.
  while read -r package version; do status[$package]=$version; done \
    < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
  for section in "$@"; do
    while read -r package program version; do
      [ "${status[$package]:-}" = installed ] && continue
      [ "$program" != - ] && stands_in "$program" "$version" && continue
      echo "$package"
    done < <(entries "$section")
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local log=build/log/setup-apt.log
  echo "set-up: installing $# Debian packages: $*"
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    echo "set-up: that needs root and there is no sudo; run as root: apt-get install $*" >&2
    return 1
  fi
  if ! { as_root apt-get -q -o DPkg::Lock::Timeout=300 update &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
       } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "set-up: apt-get failed; all it said is in $log" >&2
    return 1
  fi
}

mapfile -t missing < <(missing_packages "${@:-run}")
[ "${#missing[@]}" = 0 ] || install_packages "${missing[@]}"
# The servers' own set-up has nothing to do with the page, and brings no npm.
case " ${*:-run} " in *" run "* | *" test "*) setup/npm_tools.sh web "the page's build tools" ;; esac
