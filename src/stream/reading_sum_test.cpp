#include "stream/reading_sum.h"

#include <gtest/gtest.h>

#include <random>

namespace gpulse {
namespace {

ReadingSum sum_of(const ReadingColumn& column) {
  ReadingSum sum;
  sum.add(column, 0, column.size());
  return sum;
}

TEST(ReadingSum, AbsentReadingsAreNotZero) {
  ReadingColumn column(1);
  column.push(630, 1);
  column.push_absent();
  column.push(640, 1);
  const WindowStatistics got = sum_of(column).statistics();
  EXPECT_EQ(got.count, 2);
  EXPECT_EQ(got.mean, 63.5);
  EXPECT_EQ(got.min, 63.0);
  EXPECT_EQ(got.max, 64.0);
}

TEST(ReadingSum, NoReadingAtAll) {
  ReadingColumn column;
  for (int i = 0; i < 20; ++i) column.push_absent();
  EXPECT_EQ(sum_of(column).statistics().count, 0);
}

TEST(ReadingSum, NegativeReadingsAloneHaveANegativeMaximum) {
  ReadingColumn column;
  column.push_absent();
  column.push(-5, 0);
  column.push(-7, 0);
  const WindowStatistics got = sum_of(column).statistics();
  EXPECT_EQ(got.max, -5);
  EXPECT_EQ(got.min, -7);
}

// 0.1 has no exact double; ten million of them summed as doubles are off in the tenth digit.
TEST(ReadingSum, MeanIsExactOverManyReadings) {
  ReadingColumn column(1);
  for (int i = 0; i < 1'000'000; ++i) column.push(1, 1);
  EXPECT_EQ(sum_of(column).statistics().mean, 0.1);
}

TEST(ReadingSum, LargeCountsDoNotOverflow) {
  constexpr std::int64_t kLarge = (std::int64_t{1} << 53) - 1;
  ReadingColumn column;
  for (int i = 0; i < 5000; ++i) column.push(kLarge, 0);
  const WindowStatistics got = sum_of(column).statistics();
  EXPECT_EQ(got.mean, static_cast<double>(kLarge));
  EXPECT_EQ(got.max, static_cast<double>(kLarge));
}

struct Reading {
  std::int64_t count;
  int decimals;
  bool is_double;
};

void push(ReadingColumn& column, const Reading& reading) {
  if (reading.is_double) {
    column.push_double(1e300 / static_cast<double>(reading.count * 2 + 1));
  } else {
    column.push(reading.count, reading.decimals);
  }
}

// A column's width and decimals depend on what else is in its batch; the result must not.
TEST(ReadingSum, SameForEveryCutWhenColumnsGrowDecimalsAndWiden) {
  std::mt19937 random(7);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 300; ++round) {
    std::vector<Reading> readings;
    for (int i = 0; i < 40; ++i) {
      const bool wide = below(20) == 0;
      readings.push_back(
          {wide ? (std::int64_t{1} << (31 + below(22))) - below(1000) : below(100'000),
           below(4) == 0 ? below(10) : 1, below(60) == 0});
    }
    ReadingColumn whole(1);
    for (const Reading& reading : readings) push(whole, reading);
    const WindowStatistics expected = sum_of(whole).statistics();

    ReadingSum sum;
    for (std::size_t i = 0; i < readings.size();) {
      ReadingColumn part(1);
      for (int n = 1 + below(9); n > 0 && i < readings.size(); --n) push(part, readings[i++]);
      sum.add(part, 0, part.size());
      StateWriter writer;
      sum.save(writer);
      const std::string state = writer.take();
      StateReader reader(state);
      sum = ReadingSum::load(reader, 40);
      ASSERT_TRUE(reader.done());
    }
    const WindowStatistics got = sum.statistics();
    EXPECT_EQ(got.count, expected.count);
    EXPECT_EQ(got.mean, expected.mean);
    EXPECT_EQ(got.min, expected.min);
    EXPECT_EQ(got.max, expected.max);
  }
}

TEST(ReadingSum, ATypicalStateIsSmall) {
  ReadingColumn column(1);
  for (int i = 0; i < 30; ++i) column.push(630 + i, 1);
  StateWriter writer;
  sum_of(column).save(writer);
  EXPECT_LE(writer.take().size(), 9U);
}

}  // namespace
}  // namespace gpulse
