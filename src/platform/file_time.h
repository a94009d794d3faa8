// When a file was last written.
#pragma once

#include <filesystem>

#include "telemetry/error.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// As the file itself has it, also while its writer holds it open: a folder's listing may be late
// then. An input error when there is no such file, or when it may not be read. Any thread.
[[nodiscard]] Expected<Timestamp> last_written(const std::filesystem::path& file);

}  // namespace gpulse
