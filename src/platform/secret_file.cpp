#include "platform/secret_file.h"

#include <fmt/format.h>

#include "platform/file.h"

namespace gpulse {

Expected<void> check_secret_file(const std::filesystem::path& file, std::string_view what) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(file, error);
  if (error || !is_file) {
    return usage_error(fmt::format("the {} {} is no file that can be read", what, display(file)));
  }
  if (const auto others = other_readers(file)) {
    return usage_error(
        fmt::format("{} may read the {} {}: {}", others->who, what, display(file), others->cure));
  }
  return {};
}

}  // namespace gpulse
