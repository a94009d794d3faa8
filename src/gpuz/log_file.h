// A whole log from a file, start to end.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "gpuz/log_reader.h"
#include "platform/file.h"

namespace gpulse {

// Reads all of `file` through `reader`, which may be at a position, and closes it. `progress` is called
// after each chunk with the bytes read so far and returns false to stop there, which is no error; the
// reader is not closed then. A file in which nothing of a GPU-Z log was found is an input error that
// says what it begins with.
[[nodiscard]] Expected<void> read_log_file(
    const ReadFile& file, LogReader& reader, LogReceiver& receiver,
    const std::function<bool(std::int64_t bytes)>& progress = [](std::int64_t) { return true; });

// The first line of a file, as it can be shown in a message: cut, and without control characters.
[[nodiscard]] std::string first_words(std::string_view bytes);

// "is no GPU-Z log: ..." with what was found and what a log looks like; `start` is its first bytes.
[[nodiscard]] Error not_a_log(std::string_view name, std::string_view start);

}  // namespace gpulse
