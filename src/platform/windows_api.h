// What the Windows side of this module shares. Included by *_windows.cpp alone.
#pragma once

#include <windows.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/timestamp.h"

namespace gpulse::windows {

// A kernel object's handle, closed with it. Invalid: INVALID_HANDLE_VALUE or null.
class Handle {
 public:
  Handle() = default;
  explicit Handle(HANDLE handle) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (handle_ != nullptr) CloseHandle(handle_);
  }

  explicit operator bool() const { return handle_ != nullptr; }
  [[nodiscard]] HANDLE get() const { return handle_; }
  HANDLE release() { return std::exchange(handle_, nullptr); }

 private:
  HANDLE handle_ = nullptr;
};

// Others may read, write, rename and delete what we have open.
constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

[[nodiscard]] std::wstring wide(std::string_view utf8);
// What is no valid UTF-16 becomes U+FFFD.
[[nodiscard]] std::string utf8(std::wstring_view wide);

// The system's words for an error code, without a full stop at their end.
[[nodiscard]] std::string message_of(DWORD code);

// The SID of the user as whom this process runs: data() is a PSID. Empty when the system does not
// tell.
[[nodiscard]] std::vector<std::byte> own_sid();
// "PC\anna"; "S-1-5-…" for whom the system has no name.
[[nodiscard]] std::string account_name(PSID sid);

// Of a point in time; Windows counts tenths of a microsecond since 1601.
[[nodiscard]] Timestamp timestamp_of(const FILETIME& time);
// Of a length of time.
[[nodiscard]] std::chrono::microseconds microseconds_of(const FILETIME& time);

// As CreateFileW takes it at any length: from 248 characters on absolute and behind "\\?\", which
// needs no setting in the registry.
[[nodiscard]] std::wstring openable(const std::filesystem::path& path);

}  // namespace gpulse::windows
