# Windows programs from Debian's mingw-w64: 64-bit, POSIX threads, for Windows 10 and later. Always the
# -posix compilers: only those have std::thread.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
# Nothing of this machine's own: what fetch_libraries.sh built, and what Debian has for mingw-w64.
set(CMAKE_FIND_ROOT_PATH ${GPULSE_WINDOWS_LIBRARIES} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# One file, which needs nothing but Windows' own libraries.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
