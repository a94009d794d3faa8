#!/usr/bin/env bash
# Configures a preset when it never was, and builds it: setup/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=ccache
# ninja itself runs CMake again when a CMakeLists.txt changed; the presets it does not know about.
if [ ! -f "build/$preset/build.ninja" ] || [ CMakePresets.json -nt "build/$preset/build.ninja" ]; then
  cmake --preset "$preset"
fi
cmake --build --preset "$preset" ${1:+--target "$@"}
