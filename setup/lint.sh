#!/usr/bin/env bash
# `make lint`: all checks run; the first failure does not hide the others.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
failed=0
step() { setup/step.sh "$@" || failed=1; }

# Ours only: embedded files are generated, and a build tree has no sources.
mapfile -d '' sources < <(git ls-files -z --cached --others --exclude-standard '*.cpp' '*.h')
mapfile -d '' scripts < <(git ls-files -z --cached --others --exclude-standard '*.sh' .ci/run)

step "lint clang-format" clang-format-19 --dry-run -Werror "${sources[@]}"
step "lint clang-tidy" run-clang-tidy-19 -quiet -j "$(nproc)" -p build/release \
  "^$PWD/(src|tests|bench)/.*\.cpp$"
step "lint shellcheck" shellcheck "${scripts[@]}"
[ -f web/package.json ] && step "lint page" npm run --prefix web --silent check
exit $failed
