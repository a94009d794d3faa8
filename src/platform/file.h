// Files as the store and the reader of logs need them. Paths are std::filesystem::path throughout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include "telemetry/error.h"

namespace gpulse {

// A file open for reading, in a way that hinders nobody: others may write, rename and delete it.
// Any thread; reads are at explicit places.
class ReadFile {
 public:
  // An input error says what is there instead of a readable file (nothing, a folder, no
  // permission); it is retryable where another program keeps the file to itself for now (Windows).
  [[nodiscard]] static Expected<ReadFile> open(const std::filesystem::path& path);
  ~ReadFile();
  ReadFile(ReadFile&& other) noexcept;
  ReadFile& operator=(ReadFile&& other) noexcept;

  [[nodiscard]] Expected<std::int64_t> size() const;
  // Fills `buffer` from `offset` on; returns the bytes read, fewer only at the end of the file.
  [[nodiscard]] Expected<std::size_t> read_at(std::int64_t offset, std::span<char> buffer) const;
  // Tells two files apart even when one has taken the other's name.
  struct Identity {
    std::uint64_t volume = 0;
    std::uint64_t file = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  [[nodiscard]] Identity identity() const { return identity_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  ReadFile(std::filesystem::path path, std::intptr_t handle, Identity identity);

  std::filesystem::path path_;
  std::intptr_t handle_;
  Identity identity_;
};

// The identity of what `path` names now; none when there is no such file.
[[nodiscard]] Expected<ReadFile::Identity> identity_of(const std::filesystem::path& path);

// Returns when what a file holds, or the names in a folder, are on the disk itself and not just
// promised.
[[nodiscard]] Expected<void> flush_to_disk(const std::filesystem::path& path);

// Keeps a second program out of a folder: an exclusive lock on the file `path`, made if missing,
// let go when the object (or the process, however it ends) goes.
class FolderLock {
 public:
  // An operation error when another process holds it.
  [[nodiscard]] static Expected<FolderLock> take(const std::filesystem::path& path);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(std::intptr_t handle) : handle_(handle) {}
  std::intptr_t handle_;
};

// From the root on, without "." and "..". What std::filesystem::absolute gives, which takes the
// name of a Windows share for a folder of the current drive.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& path);

// As std::filesystem::rename, over what is there. On Windows it is tried for a second while another
// program (a scanner, a backup, a second start of this one) has one of the two open.
[[nodiscard]] std::error_code move_file(const std::filesystem::path& from,
                                        const std::filesystem::path& to);

// Whether to read a file would have it fetched from elsewhere first, as OneDrive's that are only
// online. Windows only; false elsewhere, and for what is not there.
[[nodiscard]] bool is_online_only(const std::filesystem::path& file);

// A path as people read it, UTF-8; what is none in it becomes U+FFFD on Windows.
[[nodiscard]] std::string display(const std::filesystem::path& path);

}  // namespace gpulse
