#include "influxdb/line_ranges.h"

#include <gtest/gtest.h>

#include <utility>

#include "influxdb/retry_pause.h"

namespace gpulse {
namespace {

using Bounds = std::vector<std::pair<std::size_t, std::size_t>>;

Bounds drained(LineRanges& ranges) {
  Bounds out;
  while (!ranges.empty()) {
    const LineRange range = ranges.take();
    out.emplace_back(range.from, range.until);
  }
  return out;
}

Bounds around(const std::vector<std::size_t>& bad) {
  LineRanges ranges;
  ranges.assign(100, 5);
  ranges.put_back_halves(ranges.take(), 5);
  EXPECT_EQ(ranges.take().until, 50U);
  ranges.put_back_around(ranges.take(), bad);  // lines 50 to 99
  return drained(ranges);
}

TEST(LineRanges, HalvesComeFrontFirst) {
  LineRanges ranges;
  ranges.assign(5, 5);
  ranges.put_back_halves(ranges.take(), 2);
  const LineRange first = ranges.take();
  EXPECT_EQ(first.server_errors_max, 2);
  ranges.put_back(first);
  EXPECT_EQ(drained(ranges), (Bounds{{0, 2}, {2, 5}}));
}

TEST(LineRanges, NamedLinesStandAlone) {
  EXPECT_EQ(around({0, 3, 4, 49}),
            (Bounds{{50, 51}, {51, 53}, {53, 54}, {54, 55}, {55, 99}, {99, 100}}));
  EXPECT_EQ(around({10, 50, 700}), (Bounds{{50, 60}, {60, 61}, {61, 100}}));
  EXPECT_EQ(around({}), (Bounds{{50, 75}, {75, 100}}));
  EXPECT_EQ(around({50}), (Bounds{{50, 75}, {75, 100}}));
}

TEST(RetryPause, GrowsIsJitteredAndHonoursTheServer) {
  using std::chrono::milliseconds;
  RetryPause pause(milliseconds(100), milliseconds(1000));
  for (const int whole : {100, 200, 400, 800, 1000, 1000}) {
    const auto next = pause.next(std::nullopt);
    EXPECT_GE(next, milliseconds(whole / 2));
    EXPECT_LE(next, milliseconds(whole));
  }
  EXPECT_EQ(pause.next(7), milliseconds(7000));
  EXPECT_EQ(pause.next(4'000'000'000U), milliseconds(300'000));
  pause.reset();
  EXPECT_LE(pause.next(0), milliseconds(100));
}

}  // namespace
}  // namespace gpulse
