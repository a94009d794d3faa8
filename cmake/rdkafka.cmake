# gpulse_rdkafka: Kafka's C library, static and built once per user by fetch_rdkafka.sh, or Debian's.
option(GPULSE_SYSTEM_RDKAFKA
  "Use Debian's librdkafka-dev, whose 2.0.2 cannot log in to Kafka 4 by SCRAM" OFF)

if(TARGET gpulse_rdkafka)
  return()
endif()
if(GPULSE_SYSTEM_RDKAFKA)
  add_library(gpulse_rdkafka INTERFACE)
  find_path(RDKAFKA_INCLUDE_DIR librdkafka/rdkafka.h REQUIRED)
  find_library(RDKAFKA_LIBRARY rdkafka REQUIRED)
  target_include_directories(gpulse_rdkafka SYSTEM INTERFACE ${RDKAFKA_INCLUDE_DIR})
  target_link_libraries(gpulse_rdkafka INTERFACE ${RDKAFKA_LIBRARY})
  return()
endif()

set(rdkafka_script ${PROJECT_SOURCE_DIR}/cmake/fetch_rdkafka.sh)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rdkafka_script})
set(rdkafka_options)
if(WIN32)
  # SASL is Windows' own there, and snappy is left out unless asked for.
  cmake_path(GET GPULSE_WINDOWS_LIBRARIES FILENAME rdkafka_for)
  set(rdkafka_options ${rdkafka_for} -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE}
    -DGPULSE_WINDOWS_LIBRARIES=${GPULSE_WINDOWS_LIBRARIES} -DOPENSSL_ROOT_DIR=${GPULSE_WINDOWS_LIBRARIES}
    -DOPENSSL_USE_STATIC_LIBS=ON -DWITH_SASL=ON -DWITH_SNAPPY=ON)
endif()
# At configure time, so that several build trees do not build it at once.
execute_process(COMMAND ${rdkafka_script} ${rdkafka_options}
  OUTPUT_VARIABLE rdkafka OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE rdkafka_result)
if(NOT rdkafka_result EQUAL 0)
  message(FATAL_ERROR "No librdkafka: see the lines above.")
endif()
set(GPULSE_RDKAFKA ${rdkafka} CACHE INTERNAL "Folder of the librdkafka that is linked")
# An imported archive, whose libraries come behind it on the linker's line.
add_library(gpulse_rdkafka STATIC IMPORTED GLOBAL)
set_target_properties(gpulse_rdkafka PROPERTIES IMPORTED_LOCATION ${rdkafka}/lib/librdkafka.a)
target_include_directories(gpulse_rdkafka SYSTEM INTERFACE ${rdkafka}/include)
target_compile_definitions(gpulse_rdkafka INTERFACE LIBRDKAFKA_STATICLIB)
target_link_libraries(gpulse_rdkafka INTERFACE
  OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB ${ZSTD_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS} m)
if(WIN32)
  target_link_libraries(gpulse_rdkafka INTERFACE secur32 crypt32)
endif()
