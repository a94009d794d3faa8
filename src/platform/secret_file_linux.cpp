#include <fmt/format.h>

#include "platform/file.h"
#include "platform/secret_file.h"

namespace gpulse {

namespace fs = std::filesystem;

std::optional<OtherReaders> other_readers(const fs::path& file) {
  constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!error && (status.permissions() & kOthers) == fs::perms::none) return std::nullopt;
  return OtherReaders{"others", fmt::format("chmod 600 {}", display(file))};
}

Expected<void> keep_to_owner(const fs::path& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  const auto mode = folder ? fs::perms::owner_all : fs::perms::owner_read | fs::perms::owner_write;
  if (!error) fs::permissions(path, mode, error);
  if (!error) return {};
  return operation_error(
      fmt::format("cannot keep {} to its owner: {}", display(path), error.message()));
}

}  // namespace gpulse
