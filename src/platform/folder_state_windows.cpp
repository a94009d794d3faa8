#include <windows.h>
// After windows.h, whose types it uses.
#include <aclapi.h>

#include <fmt/format.h>

#include <io.h>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "platform/file.h"
#include "platform/folder_state.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

using windows::Handle;
using windows::kShareAll;

// Asked by opening, since access lists, read-only marks and shares all have a say.
bool can_write(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  const Handle handle(CreateFileW(windows::openable(path).c_str(),
                                  folder ? FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY : GENERIC_WRITE,
                                  kShareAll, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS,
                                  nullptr));
  return handle || GetLastError() == ERROR_SHARING_VIOLATION;
}

}  // namespace

Expected<PathAccess> path_access(const std::filesystem::path& path) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  std::wstring name = windows::openable(path);
  const DWORD code = GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION,
                                           &owner, nullptr, nullptr, nullptr, &descriptor);
  if (code != ERROR_SUCCESS) {
    return operation_error(
        fmt::format("cannot look at {}: {}", display(path), windows::message_of(code)));
  }
  std::vector<std::byte> own = windows::own_sid();
  PathAccess access{.writable = can_write(path),
                    .ours = !own.empty() && EqualSid(owner, own.data()) != 0,
                    .owner = windows::account_name(owner)};
  // What a member of the administrators makes may belong to the group.
  access.ours =
      access.ours || (IsWellKnownSid(owner, WinBuiltinAdministratorsSid) != 0 && access.writable);
  LocalFree(descriptor);
  return access;
}

// FolderLock writes the number of its process into the file, and empties it when it lets go; after
// a process that was killed the number is of none, or of one that is another program.
std::optional<int> lock_holder(const std::filesystem::path& path) {
  const auto file = ReadFile::open(path);
  std::array<char, 16> text{};
  const auto got = file ? file->read_at(0, text) : Expected<std::size_t>(0);
  DWORD number = 0;
  if (!got || std::from_chars(text.data(), text.data() + *got, number).ec != std::errc{}) {
    return std::nullopt;
  }
  const Handle process(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, number));
  DWORD state = 0;
  if (!process || GetExitCodeProcess(process.get(), &state) == 0 || state != STILL_ACTIVE) {
    return std::nullopt;
  }
  const auto program = [](HANDLE of) {
    std::array<wchar_t, 32768> name{};
    auto length = static_cast<DWORD>(name.size());
    return QueryFullProcessImageNameW(of, 0, name.data(), &length) != 0
               ? std::filesystem::path(name.data(), name.data() + length).filename()
               : std::filesystem::path();
  };
  if (program(process.get()) != program(GetCurrentProcess())) return std::nullopt;
  return static_cast<int>(number);
}

// The time service tells it to administrators only.
std::optional<bool> clock_is_synchronised() { return std::nullopt; }

bool output_takes_colours() {
  const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
  DWORD mode = 0;
  return std::getenv("NO_COLOR") == nullptr && GetConsoleMode(output, &mode) != 0 &&
         SetConsoleMode(output, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

}  // namespace gpulse
