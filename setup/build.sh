#!/usr/bin/env bash
# Configures a preset when it never was, and builds it: setup/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
if command -v ccache >/dev/null; then
  # Paths below the tree do not count, so that another checkout of the same sources hits, too.
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
fi
# ninja itself runs CMake again when a CMakeLists.txt changed; the presets it does not know about.
if [ ! -f "build/$preset/build.ninja" ] || [ CMakePresets.json -nt "build/$preset/build.ninja" ]; then
  cmake --preset "$preset"
fi
cmake --build --preset "$preset" ${1:+--target "$@"}
