// Files that hold a password or a token. All calls: any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/error.h"

namespace gpulse {

// Who can read a file beside its owner.
struct OtherReaders {
  std::string who;   // "others", "BUILTIN\Users"
  std::string cure;  // the command that ends it
};

// None: its owner alone can; on Windows also this user, the system and its administrators, from
// whom nothing can be kept. A file that does not tell is everyone's.
[[nodiscard]] std::optional<OtherReaders> other_readers(const std::filesystem::path& file);

// That there is such a file, and that it has no other readers. `what` names it: "token file". Usage
// errors that say what to do.
[[nodiscard]] Expected<void> check_secret_file(const std::filesystem::path& file,
                                               std::string_view what);

// The one line of such a file, checked as above, without its end. A byte order mark is no part of
// it, and of UTF-16, which PowerShell's > writes, ASCII is read. Usage errors: those above, nothing
// in it, more than a line, more than kSecretBytesMax.
[[nodiscard]] Expected<std::string> read_secret_file(const std::filesystem::path& file,
                                                     std::string_view what);
inline constexpr std::size_t kSecretBytesMax = 4096;

// From now on a file is this user's alone, or a folder with what comes into it: mode 0600 or 0700,
// on Windows an access list that takes nothing over from its folder. Operation errors.
[[nodiscard]] Expected<void> keep_to_owner(const std::filesystem::path& path);

}  // namespace gpulse
