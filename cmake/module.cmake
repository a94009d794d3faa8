# gpulse_module(NAME [LINK library...]): one folder of src/ as a static library gpulse_NAME, and its
# *_test.cpp as one test program NAME_test. A file belongs to the module whose folder it stands in,
# so a new one is picked up without being listed.
function(gpulse_module name)
  cmake_parse_arguments(arg "" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
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
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE gpulse_${name} ${arg_TEST_LINK} gpulse_options GTest::gtest_main)
    if(GPULSE_SANITIZE)
      # A test's own code runs once: to optimise it under a sanitizer takes longer than it saves.
      target_compile_options(${name}_test PRIVATE -O0)
    endif()
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES
      ENVIRONMENT "GPULSE_REAL_LOGS=$ENV{GPULSE_REAL_LOGS}" TIMEOUT 600)
  endif()
endfunction()
