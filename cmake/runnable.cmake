# gpulse_runnable(VARIABLE TARGET): what a test script can start as the program TARGET: the program
# itself, or for Windows a script that runs it under Wine.
function(gpulse_runnable variable target)
  if(NOT WIN32)
    set(${variable} $<TARGET_FILE:${target}> PARENT_SCOPE)
    return()
  endif()
  set(script ${CMAKE_BINARY_DIR}/run/${target})
  file(GENERATE OUTPUT ${script} CONTENT
    "#!/bin/sh\nexec '${PROJECT_SOURCE_DIR}/tests/windows/wine.sh' '$<TARGET_FILE:${target}>' \"$@\"\n"
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                     WORLD_EXECUTE)
  set(${variable} ${script} PARENT_SCOPE)
endfunction()
