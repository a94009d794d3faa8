# gpulse_embed(TARGET SYMBOL FILE): links FILE's bytes into TARGET, to be read by
#   extern "C" const unsigned char SYMBOL[]; extern "C" const unsigned char SYMBOL_end[];
# A zero byte follows the last one, so that text can be read as a C string.
function(gpulse_embed target symbol file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.cpp)
  if(WIN32)
    set(section ".section .rdata,\\\"dr\\\"")
  else()
    set(section ".section .rodata")
  endif()
  file(CONFIGURE OUTPUT ${source} CONTENT [[
asm("@section@\n.balign 16\n.globl @symbol@\n@symbol@:\n.incbin \"@file@\"\n"
    ".globl @symbol@_end\n@symbol@_end:\n.byte 0\n.text\n");
]] @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
