# gpulse_rdkafka: Kafka's C library, static and built once per user by fetch_rdkafka.sh, or Debian's.
option(GPULSE_SYSTEM_RDKAFKA
  "Use Debian's librdkafka-dev, whose 2.0.2 cannot log in to Kafka 4 by SCRAM" OFF)

if(TARGET gpulse_rdkafka)
  return()
endif()
add_library(gpulse_rdkafka INTERFACE)
if(GPULSE_SYSTEM_RDKAFKA)
  find_path(RDKAFKA_INCLUDE_DIR librdkafka/rdkafka.h REQUIRED)
  find_library(RDKAFKA_LIBRARY rdkafka REQUIRED)
  target_include_directories(gpulse_rdkafka SYSTEM INTERFACE ${RDKAFKA_INCLUDE_DIR})
  target_link_libraries(gpulse_rdkafka INTERFACE ${RDKAFKA_LIBRARY})
  return()
endif()

set(rdkafka_script ${PROJECT_SOURCE_DIR}/cmake/fetch_rdkafka.sh)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rdkafka_script})
# At configure time, so that several build trees do not build it at once.
execute_process(COMMAND ${rdkafka_script}
  OUTPUT_VARIABLE rdkafka OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE rdkafka_result)
if(NOT rdkafka_result EQUAL 0)
  message(FATAL_ERROR "No librdkafka: see the lines above.")
endif()
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
target_include_directories(gpulse_rdkafka SYSTEM INTERFACE ${rdkafka}/include)
target_compile_definitions(gpulse_rdkafka INTERFACE LIBRDKAFKA_STATICLIB)
target_link_libraries(gpulse_rdkafka INTERFACE ${rdkafka}/lib/librdkafka.a
  OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB ${ZSTD_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS} m)
