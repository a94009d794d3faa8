// Counts as people read them.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

namespace gpulse {

// "1 row", "2 rows"; `many` is what the plural is called where an s does not do: "2 copies".
[[nodiscard]] inline std::string plural(std::integral auto count, std::string_view one,
                                        std::string_view many = {}) {
  if (count == 1) return fmt::format("{} {}", count, one);
  return many.empty() ? fmt::format("{} {}s", count, one) : fmt::format("{} {}", count, many);
}

}  // namespace gpulse
