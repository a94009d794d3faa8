#include "telemetry/value_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace gpulse {
namespace {

ReadingColumn column_of(const std::vector<std::int64_t>& counts, int decimals) {
  ReadingColumn column(decimals);
  for (const std::int64_t count : counts) column.push(count, decimals);
  return column;
}

TEST(ValueCounts, SummarisesReadings) {
  ValueCounts counts;
  ReadingColumn column = column_of({10, 20, 30, 40}, 1);
  column.push_absent();
  counts.add(column);
  const auto summary = counts.summary();
  EXPECT_EQ(summary.count, 4);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.max, 4);
  EXPECT_EQ(summary.mean, 2.5);
  EXPECT_NEAR(summary.stddev, std::sqrt(5.0 / 3), 1e-15);
  EXPECT_EQ(counts.quantile(0), 1);
  EXPECT_EQ(counts.quantile(0.5), 2.5);
  EXPECT_EQ(counts.quantile(1), 4);
}

TEST(ValueCounts, HasNothingOfAbsentReadings) {
  ValueCounts counts;
  ReadingColumn column;
  column.push_absent();
  counts.add(column);
  EXPECT_EQ(counts.summary().count, 0);
  EXPECT_TRUE(counts.sorted().empty());
  counts.add(column_of({7}, 0));
  EXPECT_EQ(counts.summary().count, 1);
  EXPECT_EQ(counts.summary().stddev, 0);
  EXPECT_EQ(counts.quantile(0.95), 7);
}

TEST(ValueCounts, OneValueWrittenInTwoWaysIsOne) {
  ValueCounts counts;
  counts.add(column_of({630, 631}, 1));
  counts.add(column_of({6300, 63}, 2));
  counts.add(column_of({63}, 0));
  const auto values = counts.sorted();
  ASSERT_EQ(values.size(), 3U);
  EXPECT_EQ(values[0], std::pair(0.63, std::int64_t{1}));
  EXPECT_EQ(values[1], std::pair(63.0, std::int64_t{3}));
  EXPECT_EQ(values[2], std::pair(63.1, std::int64_t{1}));
}

// Whatever the batches, their decimals and their widths: as if all readings had been sorted.
TEST(ValueCounts, IsWhatSortingAllReadingsGives) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 200; ++round) {
    ValueCounts counts;
    std::vector<double> all;
    for (int batch = 0; batch < 6; ++batch) {
      const auto decimals = static_cast<int>(random() % 3);
      const std::int64_t range = random() % 5 == 0 ? 3'000'000'000 : 400;
      ReadingColumn column(decimals);
      for (int i = 0; i < 30; ++i) {
        if (random() % 7 == 0) {
          column.push_absent();
          continue;
        }
        column.push(static_cast<std::int64_t>(random() % 1000) * range / 1000 - range / 3,
                    decimals);
        all.push_back(column.value(column.size() - 1));
      }
      if (random() % 10 == 0) {
        column.push_double(0.1234567890123);
        all.push_back(0.1234567890123);
      }
      counts.add(column);
    }
    std::ranges::sort(all);
    long double sum = 0;
    for (const double value : all) sum += static_cast<long double>(value);
    const auto summary = counts.summary();
    ASSERT_EQ(summary.count, static_cast<std::int64_t>(all.size()));
    ASSERT_EQ(summary.min, all.front());
    ASSERT_EQ(summary.max, all.back());
    const auto mean = static_cast<double>(sum / static_cast<long double>(all.size()));
    ASSERT_NEAR(summary.mean, mean, 1e-9 * (1 + std::abs(mean)));
    for (const double q : {0.0, 0.05, 0.5, 0.95, 0.99, 1.0}) {
      const double at = q * static_cast<double>(all.size() - 1);
      const auto below = static_cast<std::size_t>(at);
      const double high = all[std::min(below + 1, all.size() - 1)];
      const double expected = all[below] + (high - all[below]) * (at - static_cast<double>(below));
      ASSERT_EQ(counts.quantile(q), expected) << q;
    }
  }
}

}  // namespace
}  // namespace gpulse
