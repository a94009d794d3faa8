#include <windows.h>
// After windows.h, whose types it uses.
#include <shellapi.h>

#include <fcntl.h>
#include <io.h>

#include <cstdio>
#include <cstdlib>

#include "platform/program_start.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

// The console stays when this program has gone, and is put back as it was.
struct Console {
  UINT code_page = GetConsoleOutputCP();
  DWORD input = 0;
  bool has_input = GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &input) != 0;
  DWORD output = 0;
  bool has_output = GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &output) != 0;

  void put_back() const {
    if (code_page != 0) SetConsoleOutputCP(code_page);
    if (has_input) SetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), input);
    if (has_output) SetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), output);
  }
};

void prepare_console() {
  static const Console before;
  static_cast<void>(std::atexit([] { before.put_back(); }));
  // What other libraries print goes to the console as bytes.
  SetConsoleOutputCP(CP_UTF8);
  // A click would begin to select text, and hold up every line that is written, and its writer.
  if (before.has_input) {
    SetConsoleMode(GetStdHandle(STD_INPUT_HANDLE),
                   (before.input & ~DWORD{ENABLE_QUICK_EDIT_MODE}) | ENABLE_EXTENDED_FLAGS);
  }
}

}  // namespace

std::vector<std::string> start_program(int argc, char** argv) {
  for (std::FILE* const stream : {stdin, stdout, stderr}) _setmode(_fileno(stream), _O_BINARY);
  prepare_console();
  // A card reader without a card is an error to be told, and not a box to be clicked away.
  SetErrorMode(GetErrorMode() | SEM_FAILCRITICALERRORS);
  int count = 0;
  wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count);
  if (wide == nullptr || argc < 1) return {argv, argv};
  std::vector<std::string> arguments;
  for (int i = 1; i < count; ++i) arguments.push_back(windows::utf8(wide[i]));
  LocalFree(wide);
  return arguments;
}

}  // namespace gpulse
