#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "platform/file.h"
#include "platform/folder_state.h"

namespace gpulse {
namespace {

std::string name_of(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (getpwuid_r(user, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) {
    return std::to_string(user);
  }
  return found->pw_name;
}

}  // namespace

Expected<PathAccess> path_access(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return operation_error(
        fmt::format("cannot look at {}: {}", display(path), std::system_category().message(errno)));
  }
  return PathAccess{.writable = ::access(path.c_str(), W_OK) == 0,
                    .ours = status.st_uid == ::geteuid(),
                    .owner = name_of(status.st_uid)};
}

std::optional<int> lock_holder(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    // "7: FLOCK  ADVISORY  WRITE 14953 fe:00:9986931 0 EOF"
    std::istringstream words(line);
    std::string number;
    std::string kind;
    std::string mode;
    std::string access;
    std::string file;
    int process = 0;
    if (words >> number >> kind >> mode >> access >> process >> file && kind == "FLOCK" &&
        file == wanted) {
      return process;
    }
  }
  return std::nullopt;
}

std::optional<bool> clock_is_synchronised() {
  timex state{};
  if (::adjtimex(&state) < 0) return std::nullopt;
  return (state.status & STA_UNSYNC) == 0;
}

bool output_takes_colours() {
  return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

}  // namespace gpulse
