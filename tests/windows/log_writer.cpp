// A program that writes a log as a Windows program does, told what to do line by line on standard
// input; it answers each line with "ok", or "error CODE" by Windows' number for what went wrong:
//
//   open SHARING PATH   for writing at the end, made when missing; SHARING of the letters r (read),
//                       w (write), d (delete) that others may, or "-" for none
//   write BYTES         and then so many bytes
//   truncate | rewind | close
//   rename PATH PATH | replace PATH PATH | delete PATH
//
// Paths hold no blanks. The file stays open until "close".
#include <windows.h>

#include <fcntl.h>
#include <io.h>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

namespace {

HANDLE g_file = INVALID_HANDLE_VALUE;

std::wstring wide(const std::string& text) {
  std::wstring result(text.size(), L'\0');
  result.resize(static_cast<std::size_t>(
      MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), result.data(),
                          static_cast<int>(result.size()))));
  return result;
}

bool open(const std::string& sharing, const std::string& path) {
  DWORD share = 0;
  if (sharing.contains('r')) share |= FILE_SHARE_READ;
  if (sharing.contains('w')) share |= FILE_SHARE_WRITE;
  if (sharing.contains('d')) share |= FILE_SHARE_DELETE;
  g_file = CreateFileW(wide(path).c_str(), GENERIC_WRITE | DELETE, share, nullptr, OPEN_ALWAYS,
                       FILE_ATTRIBUTE_NORMAL, nullptr);
  return g_file != INVALID_HANDLE_VALUE &&
         SetFilePointer(g_file, 0, nullptr, FILE_END) != INVALID_SET_FILE_POINTER;
}

bool write(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(bytes));
  DWORD written = 0;
  return WriteFile(g_file, text.data(), static_cast<DWORD>(bytes), &written, nullptr) != 0 &&
         written == bytes;
}

bool truncate() {
  return SetFilePointer(g_file, 0, nullptr, FILE_BEGIN) == 0 && SetEndOfFile(g_file) != 0;
}

bool close() { return CloseHandle(std::exchange(g_file, INVALID_HANDLE_VALUE)) != 0; }

bool obey(std::istringstream& line) {
  std::string what;
  std::string first;
  std::string second;
  line >> what >> first >> second;
  if (what == "open") return open(first, second);
  if (what == "write") return write(std::stoul(first));
  if (what == "truncate") return truncate();
  if (what == "rewind") return SetFilePointer(g_file, 0, nullptr, FILE_BEGIN) == 0;
  if (what == "close") return close();
  if (what == "rename") return MoveFileW(wide(first).c_str(), wide(second).c_str()) != 0;
  if (what == "replace") {
    return MoveFileExW(wide(first).c_str(), wide(second).c_str(), MOVEFILE_REPLACE_EXISTING) != 0;
  }
  if (what == "delete") return DeleteFileW(wide(first).c_str()) != 0;
  SetLastError(ERROR_INVALID_FUNCTION);
  return false;
}

}  // namespace

int main() {
  for (std::FILE* const stream : {stdin, stdout}) _setmode(_fileno(stream), _O_BINARY);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    if (obey(words)) {
      std::cout << "ok" << std::endl;
    } else {
      std::cout << "error " << GetLastError() << std::endl;
    }
  }
  return 0;
}
