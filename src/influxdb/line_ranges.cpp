#include "influxdb/line_ranges.h"

#include <algorithm>

namespace gpulse {

void LineRanges::add(std::size_t from, std::size_t until, int server_errors_max) {
  if (from < until) ranges_.push_back({from, until, server_errors_max});
}

void LineRanges::assign(std::size_t lines, int server_errors_max) {
  ranges_.clear();
  add(0, lines, server_errors_max);
}

LineRange LineRanges::take() {
  const LineRange range = ranges_.back();
  ranges_.pop_back();
  return range;
}

void LineRanges::put_back_halves(const LineRange& range, int server_errors_max) {
  const std::size_t middle = range.from + range.size() / 2;
  add(middle, range.until, server_errors_max);
  add(range.from, middle, server_errors_max);
}

void LineRanges::put_back_around(const LineRange& range, std::span<const std::size_t> bad) {
  const auto inside = std::ranges::lower_bound(bad, range.size()) - bad.begin();
  if (inside == 0) {
    put_back_halves(range, range.server_errors_max);
    return;
  }
  std::size_t until = range.until;
  for (auto i = static_cast<std::size_t>(inside); i-- > 0;) {
    const std::size_t at = range.from + bad[i];
    add(at + 1, until, range.server_errors_max);
    add(at, at + 1, range.server_errors_max);
    until = at;
  }
  add(range.from, until, range.server_errors_max);
}

}  // namespace gpulse
