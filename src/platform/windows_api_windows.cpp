#include "platform/windows_api.h"

// After windows.h, whose types it uses.
#include <sddl.h>

#include <array>
#include <cstring>

#include "platform/file.h"

namespace gpulse::windows {

std::wstring wide(std::string_view utf8) {
  const auto bytes = static_cast<int>(utf8.size());
  std::wstring text(utf8.size(), L'\0');
  const int made = MultiByteToWideChar(CP_UTF8, 0, utf8.data(), bytes, text.data(),
                                       static_cast<int>(text.size()));
  text.resize(static_cast<std::size_t>(made));
  return text;
}

std::string utf8(std::wstring_view wide) {
  constexpr std::size_t kBytesPerUnitMax = 3;
  std::string text(wide.size() * kBytesPerUnitMax, '\0');
  const int made =
      WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(wide.size()), text.data(),
                          static_cast<int>(text.size()), nullptr, nullptr);
  text.resize(static_cast<std::size_t>(made));
  return text;
}

std::string message_of(DWORD code) {
  std::array<wchar_t, 512> text{};
  const DWORD length = FormatMessageW(
      FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
      nullptr, code, 0, text.data(), static_cast<DWORD>(text.size()), nullptr);
  std::string message = utf8({text.data(), length});
  message.erase(message.find_last_not_of(" .") + 1);
  return message.empty() ? "Windows error " + std::to_string(code) : message;
}

std::vector<std::byte> own_sid() {
  HANDLE opened = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened) == 0) return {};
  const Handle token(opened);
  DWORD bytes = 0;
  GetTokenInformation(token.get(), TokenUser, nullptr, 0, &bytes);
  std::vector<std::byte> user(bytes);
  if (GetTokenInformation(token.get(), TokenUser, user.data(), bytes, &bytes) == 0) return {};
  TOKEN_USER head;
  std::memcpy(&head, user.data(), sizeof head);
  std::vector<std::byte> sid(GetLengthSid(head.User.Sid));
  if (CopySid(static_cast<DWORD>(sid.size()), sid.data(), head.User.Sid) == 0) return {};
  return sid;
}

std::string account_name(PSID sid) {
  std::array<wchar_t, 257> name{};
  std::array<wchar_t, 257> domain{};
  auto name_size = static_cast<DWORD>(name.size());
  auto domain_size = static_cast<DWORD>(domain.size());
  SID_NAME_USE use{};
  if (LookupAccountSidW(nullptr, sid, name.data(), &name_size, domain.data(), &domain_size, &use) !=
      0) {
    const std::string account = utf8(name.data());
    return domain[0] == 0 ? account : utf8(domain.data()) + '\\' + account;
  }
  wchar_t* number = nullptr;
  if (ConvertSidToStringSidW(sid, &number) == 0) return "somebody";
  std::string text = utf8(number);
  LocalFree(number);
  return text;
}

std::chrono::microseconds microseconds_of(const FILETIME& time) {
  constexpr std::int64_t kTicksAMicrosecond = 10;
  const auto ticks =
      static_cast<std::int64_t>(std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime);
  return std::chrono::microseconds{ticks / kTicksAMicrosecond};
}

Timestamp timestamp_of(const FILETIME& time) {
  constexpr std::chrono::sys_days kEpoch = std::chrono::January / 1 / 1601;
  return Timestamp{kEpoch + microseconds_of(time)};
}

std::wstring openable(const std::filesystem::path& path) {
  constexpr std::size_t kPlainMax = 248;  // a folder's; a file's is 260
  const std::wstring text = absolute_path(path).native();
  if (text.size() < kPlainMax) return path.native();
  if (text.starts_with(LR"(\\?\)") || text.starts_with(LR"(\\.\)")) return text;
  if (text.starts_with(LR"(\\)")) return LR"(\\?\UNC\)" + text.substr(2);
  return LR"(\\?\)" + text;
}

}  // namespace gpulse::windows
