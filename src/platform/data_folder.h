// Where the program keeps its data when it is not told.
#pragma once

#include <filesystem>

#include "telemetry/error.h"

namespace gpulse {

// The user's own: on Linux $XDG_DATA_HOME/gpulse, else ~/.local/share/gpulse. It need not exist and
// is not made here. A usage error, which names --data, if there is no home either. Reads the
// environment: not while another thread changes it.
[[nodiscard]] Expected<std::filesystem::path> default_data_folder();

// The same from values of XDG_DATA_HOME and HOME (nullptr: not set). Linux only.
[[nodiscard]] Expected<std::filesystem::path> data_folder_from(const char* data_home,
                                                               const char* home);

}  // namespace gpulse
