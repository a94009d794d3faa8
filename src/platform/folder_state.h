// What the system says of a folder and of the machine's clock, for who looks from outside.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "telemetry/error.h"

namespace gpulse {

// A file or folder as this user meets it.
struct PathAccess {
  bool writable = false;
  bool ours = false;
  std::string owner;  // a name, or its number when nobody is called so
};

// An operation error when there is nothing at `path`. Any thread.
[[nodiscard]] Expected<PathAccess> path_access(const std::filesystem::path& path);

// The process that holds the FolderLock on the file `path`; looks only, and hinders nobody who is
// about to take it. None when it is free, or where the system does not tell.
[[nodiscard]] std::optional<int> lock_holder(const std::filesystem::path& path);

// Whether something (NTP, mostly) keeps the machine's clock right; nothing where that is not known.
[[nodiscard]] std::optional<bool> clock_is_synchronised();

// Whether standard output is a terminal, and the user does not forbid colours (NO_COLOR).
[[nodiscard]] bool output_takes_colours();

}  // namespace gpulse
