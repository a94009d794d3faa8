#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "platform/file.h"
#include "platform/file_time.h"

namespace gpulse {

Expected<Timestamp> last_written(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    return input_error(
        fmt::format("cannot look at {}: {}", display(file), std::system_category().message(errno)));
  }
  return Timestamp{std::chrono::seconds{status.st_mtim.tv_sec} +
                   std::chrono::microseconds{status.st_mtim.tv_nsec / 1000}};
}

}  // namespace gpulse
