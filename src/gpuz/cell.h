// One cell and one date of a GPU-Z log, read the slow and general way.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gpulse {

// A decimal number as its text has it: count / 10^decimals. Where that would not be the double
// nearest to the text (a count beyond 2^53, or more than 9 decimals), that double comes as
// `approximate`.
struct Reading {
  std::int64_t count = 0;
  int decimals = 0;
  std::optional<double> approximate;
};

// None when the cell is blank, "-", or anything but [+-]digits[.digits] between blanks.
[[nodiscard]] std::optional<Reading> parse_reading(std::string_view cell);

// "2023-06-16 10:17:08" between blanks, as seconds of the wall clock since 1970-01-01 00:00:00.
// None when it is not of that form or no such date exists.
[[nodiscard]] std::optional<std::int64_t> parse_local_time(std::string_view cell);

}  // namespace gpulse
