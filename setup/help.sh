#!/usr/bin/env bash
# Prints the targets of the Makefile with the text behind their "##".
set -euo pipefail
bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'; fi

target() {
  awk -v name="$1" -v bold="$bold" -v plain="$plain" -F ':.*## ' \
    '$1 == name { printf "  %smake %-12s%s %s\n", bold, $1, plain, $2 }' "$makefile"
}

makefile=$1
printf '\n  %sgpulse%s  %sfrom a GPU-Z log to a live dashboard%s\n\n' "$bold" "$plain" "$dim" "$plain"
for name in run build; do target $name; done
printf '\n'
for name in test test-tsan test-faults fuzz bench; do target $name; done
printf '\n'
for name in stack test-stack telegraf; do target $name; done
printf '\n'
for name in format lint clean help; do target $name; done
printf '\n  %sEverything is built in build/; each step leaves what it said in build/log/.%s\n\n' "$dim" "$plain"
