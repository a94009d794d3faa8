#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>

#include "platform/local_time_zone.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;

// ".../zoneinfo/Europe/Berlin" ends in the name; the data base also comes in two variants whose
// folders stand in front. What is no such path stays as it is.
std::string name_in_path(std::string_view path) {
  constexpr std::string_view kFolder = "zoneinfo/";
  const auto at = path.rfind(kFolder);
  if (at != std::string_view::npos) path.remove_prefix(at + kFolder.size());
  for (const std::string_view variant : {"posix/", "right/"}) {
    if (path.starts_with(variant)) path.remove_prefix(variant.size());
  }
  return std::string(path);
}

std::string first_word(const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  in >> word;
  return word;
}

}  // namespace

std::string time_zone_name_from(const char* tz, const fs::path& etc) {
  if (tz != nullptr) {
    std::string_view value = tz;
    if (value.starts_with(':')) value.remove_prefix(1);
    return value.empty() ? "UTC" : name_in_path(value);
  }
  std::error_code error;
  const fs::path localtime = etc / "localtime";
  const fs::path target = fs::read_symlink(localtime, error);
  if (!error && target.native().find("zoneinfo/") != std::string::npos) {
    return name_in_path(target.native());
  }
  if (std::string name = first_word(etc / "timezone"); !name.empty()) return name;
  return fs::exists(localtime, error) ? localtime.string() : "UTC";
}

std::string local_time_zone_name() { return time_zone_name_from(std::getenv("TZ"), "/etc"); }

}  // namespace gpulse
