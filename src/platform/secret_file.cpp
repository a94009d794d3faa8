#include "platform/secret_file.h"

#include <fmt/format.h>

#include "platform/file.h"

namespace gpulse {

Expected<void> check_secret_file(const std::filesystem::path& file, std::string_view what) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (error || !std::filesystem::is_regular_file(status)) {
    return usage_error(fmt::format("the {} {} is no file that can be read", what, display(file)));
  }
  // Windows keeps access lists instead, and shows all three groups the owner's bits.
  constexpr bool kHasModes = std::filesystem::path::preferred_separator == '/';
  constexpr auto kOthers = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  if (kHasModes && (status.permissions() & kOthers) != std::filesystem::perms::none) {
    return usage_error(
        fmt::format("others may read the {} {}: chmod 600 {}", what, display(file), display(file)));
  }
  return {};
}

}  // namespace gpulse
