# gpulse_web(TARGET): builds the page in web/ and links it into TARGET as gpulse_web_pack, in the form
# of pack_web.py. With GPULSE_WEB=OFF the pack is empty, and the server says so.
function(gpulse_web target)
  set(pack ${CMAKE_CURRENT_BINARY_DIR}/web.pack)
  if(NOT GPULSE_WEB)
    file(CONFIGURE OUTPUT ${pack} CONTENT "" @ONLY)
    gpulse_embed(${target} gpulse_web_pack ${pack})
    return()
  endif()
  find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
  find_program(NPM_EXECUTABLE npm REQUIRED)
  set(web ${PROJECT_SOURCE_DIR}/web)
  set(built ${CMAKE_CURRENT_BINARY_DIR}/web)
  # At configure time, so that several build trees do not fetch at once.
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/setup/npm_tools.sh web "the page's build tools"
    RESULT_VARIABLE fetched)
  if(NOT fetched EQUAL 0)
    message(FATAL_ERROR "The page's build tools are missing: see the lines above.")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${web}/package.json ${web}/package-lock.json)
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS
    ${web}/src/* ${web}/public/* ${web}/index.html ${web}/*.json ${web}/*.ts)
  list(FILTER inputs EXCLUDE REGEX "/node_modules/|/dist/")

  add_custom_command(OUTPUT ${pack}
    COMMAND ${NPM_EXECUTABLE} run --silent build -- --outDir ${built} --emptyOutDir --logLevel warn
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/cmake/pack_web.py ${built} ${pack}
    DEPENDS ${inputs} ${PROJECT_SOURCE_DIR}/cmake/pack_web.py
    WORKING_DIRECTORY ${web}
    COMMENT "Building the page" VERBATIM)
  target_sources(${target} PRIVATE ${pack})
  gpulse_embed(${target} gpulse_web_pack ${pack})
endfunction()
