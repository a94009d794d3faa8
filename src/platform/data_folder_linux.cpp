#include <cstdlib>

#include "platform/data_folder.h"

namespace gpulse {

namespace fs = std::filesystem;

Expected<fs::path> data_folder_from(const char* data_home, const char* home) {
  // The XDG specification has a relative path ignored.
  if (data_home != nullptr && fs::path(data_home).is_absolute()) {
    return fs::path(data_home) / "gpulse";
  }
  if (home != nullptr && fs::path(home).is_absolute()) {
    return fs::path(home) / ".local" / "share" / "gpulse";
  }
  return usage_error("no home folder to keep data in (HOME is not set); name one with --data DIR");
}

Expected<fs::path> default_data_folder() {
  return data_folder_from(std::getenv("XDG_DATA_HOME"), std::getenv("HOME"));
}

}  // namespace gpulse
