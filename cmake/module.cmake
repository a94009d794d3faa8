# A target whose code waits more than it works: to optimise it under a sanitizer takes longer than its
# tests save. Not under a fuzzer, which runs it for long.
function(gpulse_waits target)
  if(GPULSE_SANITIZE AND NOT GPULSE_FUZZ)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# A target whose own code runs once, as a test's does and what reads a command line: to optimise it in
# full takes longer than it saves.
function(gpulse_runs_once target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  gpulse_waits(${target})
endfunction()

# gpulse_module(NAME [WAITS] [LINK library...]): one folder of src/ as a static library gpulse_NAME, and
# its *_test.cpp as one test program NAME_test. A file belongs to the module whose folder it stands in,
# so a new one is picked up without being listed. What is for one system ends in _linux or _windows.
# WAITS: on networks and files, more than it works.
function(gpulse_module name)
  cmake_parse_arguments(arg "WAITS" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  if(WIN32)
    list(FILTER sources EXCLUDE REGEX "_linux(_test)?\\.cpp$")
  else()
    list(FILTER sources EXCLUDE REGEX "_windows(_test)?\\.cpp$")
  endif()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    add_library(gpulse_${name} INTERFACE)
    target_link_libraries(gpulse_${name} INTERFACE gpulse_options ${arg_LINK})
  else()
    add_library(gpulse_${name} STATIC ${sources})
    target_link_libraries(gpulse_${name} PUBLIC ${arg_LINK} PRIVATE gpulse_options)
    target_include_directories(gpulse_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    if(arg_WAITS)
      gpulse_waits(gpulse_${name})
    endif()
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE gpulse_${name} ${arg_TEST_LINK} gpulse_options GTest::gtest_main)
    gpulse_runs_once(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 600)
    if(WIN32)
      # Wine may end a program that crashed as if all were well.
      set_tests_properties(${name} PROPERTIES FAIL_REGULAR_EXPRESSION "Unhandled (page fault|exception)")
    endif()
  endif()
endfunction()
