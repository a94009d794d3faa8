# Warnings are errors, in our own code only: third-party headers come in as SYSTEM.
add_library(gpulse_options INTERFACE)
target_compile_options(gpulse_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Wconversion -Wsign-conversion -Woverloaded-virtual -Wdouble-promotion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 sees dangling pointers and null accesses in inlined std::string, std::vector and Asio
  # coroutines that are not there (GCC bugs 105329, 105562, 107138).
  target_compile_options(gpulse_options INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
    -Wno-mismatched-new-delete)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's std::stable_sort calls what it itself calls deprecated.
  target_compile_options(gpulse_options INTERFACE -Wno-deprecated-declarations)
endif()
if(WIN32)
  # Windows 10; its headers without what only old code wants, and without macros called min and max.
  target_compile_definitions(gpulse_options INTERFACE
    _WIN32_WINNT=0x0A00 WIN32_LEAN_AND_MEAN NOMINMAX UNICODE _UNICODE)
  # libstdc++ 12's own semaphore loses wake-ups where there is no futex: it looks before it locks. A
  # std::stop_callback that went while it was called waited for ever, and so did whoever stopped the program.
  add_compile_definitions(_GLIBCXX_USE_POSIX_SEMAPHORE=1)
endif()
target_include_directories(gpulse_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
# Line tables cost nothing at run time and turn a crash report into one that can be read.
add_compile_options($<$<CONFIG:Release>:-g1>)
if(GPULSE_SANITIZE)
  # Line tables are all that a sanitizer's report needs; full debug information costs a quarter of the build.
  add_compile_options(-fsanitize=${GPULSE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=${GPULSE_SANITIZE})
endif()
if(GPULSE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc says that it cannot follow the fences which Asio puts around handlers; the mutexes beside them it
  # can, and those are what order our data.
  add_compile_options(-Wno-tsan)
endif()
if(GPULSE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
