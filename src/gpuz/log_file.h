// A whole log from a file, start to end.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gpuz/log_reader.h"
#include "platform/file.h"

namespace gpulse {

// Reads all of `file` through `reader`, which may be at a position, and closes it. `progress` is
// called after each chunk with the bytes read so far and returns false to stop there, which is no
// error; the reader is not closed then. A file in which nothing of a GPU-Z log was found is an
// input error that says what it begins with.
[[nodiscard]] Expected<void> read_log_file(
    const ReadFile& file, LogReader& reader, LogReceiver& receiver,
    const std::function<bool(std::int64_t bytes)>& progress = [](std::int64_t) { return true; });

// A hash of the bytes before `position`, at most kTailHashBytes of them: tells a log that grew from
// one that was rewritten.
[[nodiscard]] Expected<std::uint64_t> hash_before(const ReadFile& file, std::int64_t position);
inline constexpr std::int64_t kTailHashBytes = 4096;

// The identity that a log has by its content, without any suffix; none while it holds no row under
// a heading. A file that begins with something else is searched for a heading in its first MiB
// alone.
struct Identified {
  std::optional<std::string> source;
  bool has_header = false;
  std::string start;  // its first bytes, for a message
};
[[nodiscard]] Expected<Identified> identify_log(const ReadFile& file);

// Whether it is a log, or may become one: it holds no line yet, or was emptied under its writer and
// has lost its heading.
[[nodiscard]] bool may_be_log(const Identified& identified);

// The first line of a file, as it can be shown in a message: cut, and without control characters.
[[nodiscard]] std::string first_words(std::string_view bytes);

// "is no GPU-Z log: ..." with what was found and what a log looks like; `start` is its first bytes.
[[nodiscard]] Error not_a_log(std::string_view name, std::string_view start);

}  // namespace gpulse
