#include <windows.h>
// After windows.h, whose types it uses.
#include <shellapi.h>

#include <fcntl.h>
#include <io.h>

#include <cstdio>

#include "platform/program_start.h"
#include "platform/windows_api.h"

namespace gpulse {

std::vector<std::string> start_program(int argc, char** argv) {
  for (std::FILE* const stream : {stdin, stdout, stderr}) _setmode(_fileno(stream), _O_BINARY);
  // What other libraries print goes to the console as bytes.
  SetConsoleOutputCP(CP_UTF8);
  int count = 0;
  wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count);
  if (wide == nullptr || argc < 1) return {argv, argv};
  std::vector<std::string> arguments;
  for (int i = 1; i < count; ++i) arguments.push_back(windows::utf8(wide[i]));
  LocalFree(wide);
  return arguments;
}

}  // namespace gpulse
