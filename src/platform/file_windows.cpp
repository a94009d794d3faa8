#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "platform/file.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

using windows::Handle;
using windows::kShareAll;
using windows::message_of;
using windows::openable;

// May ask for size and identity, but neither read nor write: Windows holds that against nobody,
// whatever sharing another program asks for. Nothing is held open between calls: an open file can
// be neither replaced nor, on older systems, deleted and made again at once.
constexpr DWORD kLookOnly = FILE_READ_ATTRIBUTES | SYNCHRONIZE;

// A writer that lets nobody else read mostly does so for a moment only.
constexpr int kSharingRetries = 50;
constexpr DWORD kSharingRetryMilliseconds = 5;

// A ReadFile's handle: it opens its file anew for every call.
constexpr std::intptr_t kHeldByNobody = 0;

HANDLE handle_of(std::intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

Handle open_to_look(const std::filesystem::path& path) {
  // FILE_FLAG_BACKUP_SEMANTICS: a folder opens, too, and can be told from a file.
  return Handle(CreateFileW(openable(path).c_str(), kLookOnly, kShareAll, nullptr, OPEN_EXISTING,
                            FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

std::unexpected<Error> open_error(const std::filesystem::path& path, DWORD code) {
  const std::string name = display(path);
  switch (code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: return input_error(fmt::format("there is no file {}", name));
    case ERROR_ACCESS_DENIED:
      return input_error(
          fmt::format("{} may not be read by this user: check its permissions", name));
    case ERROR_SHARING_VIOLATION:
      return std::unexpected(Error{
          ErrorKind::input,
          fmt::format("{} is open in another program, which lets nobody read it meanwhile", name),
          true});
    default: return input_error(fmt::format("cannot open {}: {}", name, message_of(code)));
  }
}

// The 64-bit number of NTFS; ReFS has 128 bits, folded.
Expected<ReadFile::Identity> identity_of_open(HANDLE handle, const std::filesystem::path& path) {
  FILE_ID_INFO wide_id{};
  if (GetFileInformationByHandleEx(handle, FileIdInfo, &wide_id, sizeof wide_id) != 0) {
    std::uint64_t file = 0;
    for (std::size_t i = 0; i < sizeof wide_id.FileId.Identifier; ++i) {
      file ^= std::uint64_t{wide_id.FileId.Identifier[i]} << (8 * (i % 8));
    }
    return ReadFile::Identity{wide_id.VolumeSerialNumber, file};
  }
  BY_HANDLE_FILE_INFORMATION info{};
  if (GetFileInformationByHandle(handle, &info) == 0) return open_error(path, GetLastError());
  return ReadFile::Identity{info.dwVolumeSerialNumber,
                            std::uint64_t{info.nFileIndexHigh} << 32 | info.nFileIndexLow};
}

// By its number, on the same volume: it has lost its name, or its name belongs to another file.
Handle open_by_number(const ReadFile::Identity& identity, const std::filesystem::path& path,
                      DWORD access) {
  const auto folder = path.parent_path().empty() ? "." : path.parent_path();
  const Handle beside(CreateFileW(openable(folder).c_str(), FILE_LIST_DIRECTORY, kShareAll, nullptr,
                                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  FILE_ID_DESCRIPTOR number{};
  number.dwSize = sizeof number;
  number.Type = FileIdType;
  number.FileId.QuadPart = static_cast<std::int64_t>(identity.file);
  return Handle(OpenFileById(beside.get(), &number, access, kShareAll, nullptr, 0));
}

bool is_file(const Handle& handle, const ReadFile::Identity& wanted,
             const std::filesystem::path& path) {
  const auto identity = identity_of_open(handle.get(), path);
  return identity && *identity == wanted;
}

// The file that was at `path` when it got this identity, wherever it is now. Null with
// GetLastError() set: ERROR_FILE_NOT_FOUND when it is gone.
Handle open_again(const std::filesystem::path& path, const ReadFile::Identity& identity,
                  DWORD access) {
  for (int tries = 0;; ++tries) {
    Handle handle(CreateFileW(openable(path).c_str(), access, kShareAll, nullptr, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    const DWORD code = handle ? ERROR_SUCCESS : GetLastError();
    if (handle && is_file(handle, identity, path)) return handle;
    if (code != ERROR_SHARING_VIOLATION) {
      handle = open_by_number(identity, path, access);
      if (handle && is_file(handle, identity, path)) return handle;
      // No error: the name is another file's now.
      const bool gone = code == ERROR_SUCCESS || code == ERROR_PATH_NOT_FOUND;
      SetLastError(gone ? ERROR_FILE_NOT_FOUND : code);
      return {};
    }
    if (tries == kSharingRetries) {
      SetLastError(code);
      return {};
    }
    Sleep(kSharingRetryMilliseconds);  // nothing tells when another program lets go
  }
}

}  // namespace

ReadFile::ReadFile(std::filesystem::path path, std::intptr_t handle, Identity identity)
    : path_(std::move(path)), handle_(handle), identity_(identity) {}
ReadFile::~ReadFile() = default;
ReadFile::ReadFile(ReadFile&& other) noexcept = default;
ReadFile& ReadFile::operator=(ReadFile&& other) noexcept = default;

Expected<ReadFile> ReadFile::open(const std::filesystem::path& path) {
  const Handle handle = open_to_look(path);
  if (!handle) return open_error(path, GetLastError());
  FILE_STANDARD_INFO standard{};
  const bool on_disk =
      GetFileType(handle.get()) == FILE_TYPE_DISK &&
      GetFileInformationByHandleEx(handle.get(), FileStandardInfo, &standard, sizeof standard) != 0;
  if (!on_disk || standard.Directory != FALSE) {
    return input_error(fmt::format("{} is {}, no file: name the log itself", display(path),
                                   on_disk ? "a folder" : "a device or pipe"));
  }
  const auto identity = identity_of_open(handle.get(), path);
  if (!identity) return std::unexpected(identity.error());
  if (!open_again(path, *identity, GENERIC_READ)) return open_error(path, GetLastError());
  return ReadFile(path, kHeldByNobody, *identity);
}

// A file that is gone is as one that was emptied: its bytes are nowhere.
Expected<std::int64_t> ReadFile::size() const {
  LARGE_INTEGER size{};
  const Handle handle = open_again(path_, identity_, kLookOnly);
  if (handle && GetFileSizeEx(handle.get(), &size) != 0) return size.QuadPart;
  const DWORD code = GetLastError();
  if (!handle && code == ERROR_FILE_NOT_FOUND) return 0;
  return operation_error(
      fmt::format("cannot ask the size of {}: {}", display(path_), message_of(code)), true);
}

Expected<std::size_t> ReadFile::read_at(std::int64_t offset, std::span<char> buffer) const {
  const auto failed = [&](DWORD code) {
    return operation_error(
        fmt::format("cannot read {} at byte {}: {}", display(path_), offset, message_of(code)),
        true);
  };
  const Handle handle = open_again(path_, identity_, GENERIC_READ);
  if (!handle) {
    const DWORD code = GetLastError();
    if (code == ERROR_FILE_NOT_FOUND) return 0;
    return failed(code);
  }
  constexpr std::size_t kAtOnce = std::size_t{1} << 30;
  std::size_t done = 0;
  while (done < buffer.size()) {
    const std::uint64_t at = static_cast<std::uint64_t>(offset) + done;
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(at);
    place.OffsetHigh = static_cast<DWORD>(at >> 32);
    DWORD got = 0;
    if (::ReadFile(handle.get(), buffer.data() + done,
                   static_cast<DWORD>(std::min(buffer.size() - done, kAtOnce)), &got,
                   &place) == 0) {
      const DWORD code = GetLastError();
      if (code == ERROR_HANDLE_EOF) break;
      return failed(code);
    }
    if (got == 0) break;
    done += got;
  }
  return done;
}

Expected<ReadFile::Identity> identity_of(const std::filesystem::path& path) {
  const Handle handle = open_to_look(path);
  if (!handle) return open_error(path, GetLastError());
  return identity_of_open(handle.get(), path);
}

Expected<void> flush_to_disk(const std::filesystem::path& path) {
  const Handle handle(CreateFileW(openable(path).c_str(), GENERIC_WRITE, kShareAll, nullptr,
                                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  if (handle && FlushFileBuffers(handle.get()) != 0) return {};
  const DWORD code = GetLastError();
  // NTFS keeps names in its journal and takes no orders about them.
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return {};
  return operation_error(
      fmt::format("cannot flush {} to the disk: {}", display(path), message_of(code)), true);
}

// Open for writing, and shared with readers alone: a second one asks for writing, too, and is
// refused. The process's number stands in it for lock_holder().
Expected<FolderLock> FolderLock::take(const std::filesystem::path& path) {
  Handle handle(CreateFileW(openable(path).c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ,
                            nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!handle) {
    const DWORD code = GetLastError();
    if (code == ERROR_SHARING_VIOLATION) {
      return operation_error("another gpulse is using this data folder");
    }
    return operation_error(
        fmt::format("cannot make the lock {}: {}", display(path), message_of(code)));
  }
  const std::string number = std::to_string(GetCurrentProcessId());
  DWORD written = 0;
  if (SetEndOfFile(handle.get()) == 0 ||
      WriteFile(handle.get(), number.data(), static_cast<DWORD>(number.size()), &written,
                nullptr) == 0) {
    return operation_error(
        fmt::format("cannot write the lock {}: {}", display(path), message_of(GetLastError())));
  }
  return FolderLock(reinterpret_cast<std::intptr_t>(handle.release()));
}

FolderLock::FolderLock(FolderLock&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}

FolderLock::~FolderLock() {
  const Handle closed(handle_of(handle_));
  if (!closed) return;
  SetFilePointer(closed.get(), 0, nullptr, FILE_BEGIN);
  SetEndOfFile(closed.get());
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::wstring whole(path.native().size() + MAX_PATH, L'\0');
  DWORD length = 0;
  while ((length = GetFullPathNameW(path.c_str(), static_cast<DWORD>(whole.size()), whole.data(),
                                    nullptr)) > whole.size()) {
    whole.resize(length);
  }
  return length == 0 ? path : std::filesystem::path(whole.substr(0, length));
}

std::error_code move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  constexpr DWORD kPauseMs = 10;
  for (int tries = 100;; --tries) {
    if (MoveFileExW(windows::openable(from).c_str(), windows::openable(to).c_str(),
                    MOVEFILE_REPLACE_EXISTING) != 0) {
      return {};
    }
    const DWORD code = GetLastError();
    if ((code != ERROR_ACCESS_DENIED && code != ERROR_SHARING_VIOLATION) || tries == 0) {
      return {static_cast<int>(code), std::system_category()};
    }
    Sleep(kPauseMs);
  }
}

// Newer than mingw-w64's headers.
constexpr DWORD kRecallOnOpen = 0x40000;         // FILE_ATTRIBUTE_RECALL_ON_OPEN
constexpr DWORD kRecallOnDataAccess = 0x400000;  // FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS

bool is_online_only(const std::filesystem::path& file) {
  const DWORD attributes = GetFileAttributesW(windows::openable(file).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES &&
         (attributes & (FILE_ATTRIBUTE_OFFLINE | kRecallOnOpen | kRecallOnDataAccess)) != 0;
}

// Not by u8string(), which throws for a name that is no UTF-16, as a title cut within an emoji.
std::string display(const std::filesystem::path& path) { return windows::utf8(path.native()); }

}  // namespace gpulse
