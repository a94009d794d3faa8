// Files that hold a password or a token.
#pragma once

#include <filesystem>
#include <string_view>

#include "telemetry/error.h"

namespace gpulse {

// That there is such a file, and that none but its owner can read it. `what` names it: "token
// file". Usage errors that say what to do.
[[nodiscard]] Expected<void> check_secret_file(const std::filesystem::path& file,
                                               std::string_view what);

}  // namespace gpulse
