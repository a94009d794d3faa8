// Which of the sources that a place holds are a log's. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpulse {

// The identity that a log has by its content: without what a rewriting ("~2") or a replay
// ("@20261124T090000.000Z#2") puts behind it.
[[nodiscard]] std::string_view stem_of(std::string_view source);
[[nodiscard]] bool is_replay(std::string_view source);

struct SourceChoice {
  std::string own;                   // under which the log itself is there; empty: it is not
  std::vector<std::string> replays;  // in order of their names, and so of their starts
  std::vector<std::string> earlier;  // what the log held before it was rewritten in place
};

// `present` may hold sources of other logs. The log as it is now is the newest generation.
[[nodiscard]] SourceChoice choose_sources(std::string_view stem,
                                          std::span<const std::string> present);

}  // namespace gpulse
