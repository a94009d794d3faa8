#include "server/spool_file.h"

#include <array>
#include <random>
#include <utility>

#include "platform/file.h"

namespace gpulse {
namespace {

constexpr std::string_view kPartial = ".part";

std::string shown(const std::filesystem::path& path) {
  const auto utf8 = path.u8string();
  return {utf8.begin(), utf8.end()};
}

// Unlike a counter, it cannot meet a file of an earlier run.
std::string random_name() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string out = "upload-";
  for (int i = 0; i < 16; ++i) out += kHex[random() % kHex.size()];
  return out + ".log" + std::string(kPartial);
}

}  // namespace

Expected<SpoolFile> SpoolFile::create(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return operation_error("cannot make the folder " + shown(folder) + ": " + error.message());
  }
  std::filesystem::path path = folder / random_name();
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  if (!stream) return operation_error("cannot write " + shown(path), true);
  return SpoolFile(std::move(path), std::move(stream));
}

void SpoolFile::remove_partial(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() != kPartial) continue;
    std::error_code ignored;  // it will be tried again at the next start
    std::filesystem::remove(at->path(), ignored);
  }
}

SpoolFile::SpoolFile(SpoolFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), stream_(std::move(other.stream_)) {}

SpoolFile::~SpoolFile() {
  if (path_.empty()) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

Expected<void> SpoolFile::write(std::span<const char> bytes) {
  if (stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return {};
  return operation_error("cannot write the upload to " + shown(path_) + ": is the disk full?",
                         true);
}

Expected<std::filesystem::path> SpoolFile::finish() {
  stream_.close();
  if (!stream_) {
    return operation_error("cannot write the upload to " + shown(path_) + ": is the disk full?",
                           true);
  }
  // Whoever is told that it was taken may delete their own.
  if (auto flushed = flush_to_disk(path_); !flushed) return std::unexpected(flushed.error());
  std::filesystem::path whole = path_;
  whole.replace_extension();
  if (const auto error = move_file(path_, whole)) {
    return operation_error("cannot rename " + shown(path_) + ": " + error.message(), true);
  }
  path_ = whole;
  if (auto flushed = flush_to_disk(path_.parent_path()); !flushed) {
    return std::unexpected(flushed.error());
  }
  return whole;
}

}  // namespace gpulse
