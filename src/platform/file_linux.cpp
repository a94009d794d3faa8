#include "platform/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace gpulse {
namespace {

constexpr std::intptr_t kClosed = -1;

std::string reason() { return std::strerror(errno); }  // NOLINT(concurrency-mt-unsafe): glibc's is

std::unexpected<Error> open_error(const std::filesystem::path& path) {
  const std::string name = display(path);
  switch (errno) {
    case ENOENT: return input_error(fmt::format("there is no file {}", name));
    case EACCES:
      return input_error(
          fmt::format("{} may not be read by this user: check its permissions", name));
    default: return input_error(fmt::format("cannot open {}: {}", name, reason()));
  }
}

}  // namespace

ReadFile::ReadFile(std::filesystem::path path, std::intptr_t handle, Identity identity)
    : path_(std::move(path)), handle_(handle), identity_(identity) {}

ReadFile::~ReadFile() {
  if (handle_ != kClosed) ::close(static_cast<int>(handle_));
}

ReadFile::ReadFile(ReadFile&& other) noexcept
    : path_(std::move(other.path_)),
      handle_(std::exchange(other.handle_, kClosed)),
      identity_(other.identity_) {}

ReadFile& ReadFile::operator=(ReadFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(handle_, other.handle_);
  std::swap(identity_, other.identity_);
  return *this;
}

Expected<ReadFile> ReadFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: a pipe without a writer would hang the open; a regular file does not mind.
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (handle < 0) return open_error(path);
  struct stat status{};
  if (::fstat(handle, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(handle);
    return input_error(fmt::format("{} is {}, no file: name the log itself", display(path),
                                   S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe"));
  }
  return ReadFile(path, handle, {status.st_dev, status.st_ino});
}

Expected<std::int64_t> ReadFile::size() const {
  struct stat status{};
  if (::fstat(static_cast<int>(handle_), &status) != 0) {
    return operation_error(fmt::format("cannot ask the size of {}: {}", display(path_), reason()),
                           true);
  }
  return status.st_size;
}

Expected<std::size_t> ReadFile::read_at(std::int64_t offset, std::span<char> buffer) const {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::pread(static_cast<int>(handle_), buffer.data() + done,
                                buffer.size() - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return operation_error(
          fmt::format("cannot read {} at byte {}: {}", display(path_), offset, reason()), true);
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Expected<ReadFile::Identity> identity_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return open_error(path);
  return ReadFile::Identity{status.st_dev, status.st_ino};
}

Expected<void> flush_to_disk(const std::filesystem::path& path) {
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = handle >= 0 && ::fsync(handle) == 0;
  const std::string why = reason();
  if (handle >= 0) ::close(handle);
  if (flushed) return {};
  return operation_error(fmt::format("cannot flush {} to the disk: {}", display(path), why), true);
}

Expected<FolderLock> FolderLock::take(const std::filesystem::path& path) {
  const int handle = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (handle < 0) {
    return operation_error(fmt::format("cannot make the lock {}: {}", display(path), reason()));
  }
  if (::flock(handle, LOCK_EX | LOCK_NB) != 0) {
    const bool held = errno == EWOULDBLOCK;
    const std::string why = reason();
    ::close(handle);
    return operation_error(held ? "another gpulse is using this data folder"
                                : fmt::format("cannot lock {}: {}", display(path), why));
  }
  return FolderLock(handle);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : handle_(std::exchange(other.handle_, kClosed)) {}

FolderLock::~FolderLock() {
  if (handle_ != kClosed) ::close(static_cast<int>(handle_));
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return error ? path : whole.lexically_normal();
}

std::error_code move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  return error;
}

bool is_online_only(const std::filesystem::path& /*file*/) { return false; }

std::string display(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace gpulse
