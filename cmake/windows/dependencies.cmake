# What cmake/dependencies.cmake finds on Debian, for gpulse.exe: static libraries from
# fetch_libraries.sh, under the same names.
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/fetch_libraries.sh
  OUTPUT_VARIABLE GPULSE_WINDOWS_LIBRARIES OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE windows_libraries_result)
if(NOT windows_libraries_result EQUAL 0)
  message(FATAL_ERROR "No libraries for Windows: see the lines above.")
endif()
foreach(file Cargo.toml Cargo.lock CMakeLists.txt fetch_libraries.sh)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/${file})
endforeach()
find_package(Threads REQUIRED)
# By their places, not by find_package(), whose results a build tree would keep when the folder changes.
set(windows_include ${GPULSE_WINDOWS_LIBRARIES}/include)
set(TOMLPLUSPLUS_INCLUDE_DIR ${windows_include})
set(XXHASH_INCLUDE_DIR ${windows_include})
set(LIBDEFLATE_INCLUDE_DIR ${windows_include})
set(LIBDEFLATE_LIBRARY ${GPULSE_WINDOWS_LIBRARIES}/lib/libdeflate.a)
set(ZSTD_LIBRARY ${GPULSE_WINDOWS_LIBRARIES}/lib/libzstd.a)

# gpulse_windows_library(TARGET [ARCHIVE file] [LINK library...] [DEFINE definition...]): without a file
# it is of headers alone.
function(gpulse_windows_library name)
  cmake_parse_arguments(arg "" "ARCHIVE" "LINK;DEFINE" ${ARGN})
  if(arg_ARCHIVE)
    cmake_path(ABSOLUTE_PATH arg_ARCHIVE BASE_DIRECTORY ${GPULSE_WINDOWS_LIBRARIES}/lib)
    add_library(${name} STATIC IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${arg_ARCHIVE})
  else()
    add_library(${name} INTERFACE IMPORTED GLOBAL)
  endif()
  target_include_directories(${name} SYSTEM INTERFACE ${windows_include})
  target_compile_definitions(${name} INTERFACE ${arg_DEFINE})
  target_link_libraries(${name} INTERFACE ${arg_LINK})
endfunction()
add_library(gpulse_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cpp)
target_include_directories(gpulse_fmt SYSTEM PUBLIC ${windows_include})
add_library(fmt::fmt ALIAS gpulse_fmt)
gpulse_windows_library(spdlog::spdlog LINK fmt::fmt DEFINE SPDLOG_FMT_EXTERNAL)
gpulse_windows_library(CLI11::CLI11)
# Left to itself Asio takes POSIX threads in files that have seen <pthread.h> before it, and Windows'
# in others, which gives its inline classes two layouts in one program.
gpulse_windows_library(Boost::headers LINK ws2_32 mswsock Threads::Threads DEFINE BOOST_ASIO_HAS_PTHREADS=1)
gpulse_windows_library(simdjson::simdjson ARCHIVE libsimdjson.a)
gpulse_windows_library(SQLite::SQLite3 ARCHIVE libsqlite3.a)
# OpenSSL asks Windows for sockets, certificates and random numbers.
gpulse_windows_library(OpenSSL::Crypto ARCHIVE libcrypto.a LINK ws2_32 crypt32 bcrypt)
gpulse_windows_library(OpenSSL::SSL ARCHIVE libssl.a LINK OpenSSL::Crypto)
gpulse_windows_library(GTest::gtest ARCHIVE libgtest.a LINK Threads::Threads)
gpulse_windows_library(GTest::gtest_main ARCHIVE libgtest_main.a LINK GTest::gtest)
# Debian's; found by name it would be the one for its DLL.
gpulse_windows_library(ZLIB::ZLIB ARCHIVE /usr/x86_64-w64-mingw32/lib/libz.a)
# Unit tests run under Wine.
set(CMAKE_CROSSCOMPILING_EMULATOR ${PROJECT_SOURCE_DIR}/tests/windows/wine.sh)
