#include <fmt/format.h>

#include "platform/file.h"
#include "platform/file_time.h"
#include "platform/windows_api.h"

namespace gpulse {

Expected<Timestamp> last_written(const std::filesystem::path& file) {
  const windows::Handle handle(CreateFileW(windows::openable(file).c_str(), FILE_READ_ATTRIBUTES,
                                           windows::kShareAll, nullptr, OPEN_EXISTING,
                                           FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  FILETIME written{};
  if (!handle || GetFileTime(handle.get(), nullptr, nullptr, &written) == 0) {
    return input_error(
        fmt::format("cannot look at {}: {}", display(file), windows::message_of(GetLastError())));
  }
  return windows::timestamp_of(written);
}

}  // namespace gpulse
