// Where one UTF-8 sequence ends, for writers that must not pass on what is none.
#pragma once

#include <cstddef>
#include <string_view>

namespace gpulse {

// What stands for bytes that are no UTF-8: U+FFFD.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// The length of the well-formed UTF-8 sequence that begins at `at`, or 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

}  // namespace gpulse
