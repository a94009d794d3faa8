#include "telemetry/sample_batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace gpulse {
namespace {

// As a reader pushes a cell's text of at most 15 digits.
void push_text(ReadingColumn& column, std::string text) {
  const auto point = text.find('.');
  const int decimals = point == std::string::npos ? 0 : static_cast<int>(text.size() - point - 1);
  if (point != std::string::npos) text.erase(point, 1);
  column.push(std::strtoll(text.c_str(), nullptr, 10), decimals);
}

TEST(ReadingColumn, KeepsReadingsWhileItsDecimalsGrow) {
  ReadingColumn column;
  for (const char* text : {"63.0", "63.25", "63", "-0.5", "63.125"}) push_text(column, text);
  EXPECT_EQ(column.decimals(), 3);
  EXPECT_TRUE(column.is_32_bit());
  EXPECT_EQ(column.count(0), 63000);
  EXPECT_EQ(column.value(1), 63.25);
  EXPECT_EQ(column.value(2), 63);
  EXPECT_EQ(column.value(3), -0.5);
}

TEST(ReadingColumn, WidensAtTheEdgesOf32Bits) {
  ReadingColumn column;
  column.push(std::numeric_limits<std::int32_t>::max(), 0);
  column.push(std::numeric_limits<std::int32_t>::min(), 0);
  EXPECT_TRUE(column.is_32_bit());
  column.push(std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1, 0);
  EXPECT_FALSE(column.is_32_bit());
  EXPECT_FALSE(column.is_double());
  EXPECT_EQ(column.value(0), 2147483647.0);
  EXPECT_EQ(column.value(1), -2147483648.0);
  EXPECT_EQ(column.value(2), 2147483648.0);
}

// Scaled by the new decimals the old counts would leave 53 bits.
TEST(ReadingColumn, BecomesDoublesRatherThanRound) {
  ReadingColumn column;
  column.push(9'007'199'254'740'991, 0);
  column.push_absent();
  column.push(5, 1);
  EXPECT_TRUE(column.is_double());
  EXPECT_EQ(column.value(0), 9'007'199'254'740'991.0);
  EXPECT_FALSE(column.present(1));
  EXPECT_TRUE(std::isnan(column.value(1)));
  EXPECT_EQ(column.value(2), 0.5);
}

TEST(ReadingColumn, ResetMakesItNarrowAgain) {
  ReadingColumn column;
  column.push_double(1e300);
  column.reset(2);
  EXPECT_TRUE(column.is_32_bit());
  EXPECT_EQ(column.size(), 0U);
  EXPECT_EQ(column.decimals(), 2);
}

TEST(ReadingColumn, GrownRowsAreAbsentUntilMarked) {
  ReadingColumn column(1);
  column.push(15, 1);
  std::int32_t* const counts = column.grow(3);
  counts[0] = 20;
  counts[1] = 25;
  column.shrink(3);
  EXPECT_FALSE(column.present(1));
  column.mark_present(1);
  EXPECT_EQ(column.size(), 3U);
  EXPECT_EQ(column.value(0), 1.5);
  EXPECT_EQ(column.value(2), 2.5);
}

std::string random_text(std::mt19937_64& random) {
  std::string text = random() % 4 == 0 ? "-" : "";
  const std::size_t digits = 1 + random() % 15;
  const std::size_t point = random() % 16;
  for (std::size_t i = 0; i < digits; ++i) {
    if (i == point && i > 0 && digits - i <= 9) text += '.';
    text += static_cast<char>('0' + random() % 10);
  }
  return text;
}

// Whatever came before and after it in its column, and through append().
TEST(ReadingColumn, ValueIsTheDoubleOfTheTextForAnyFifteenDigits) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    ReadingColumn column(static_cast<int>(random() % 3));
    std::vector<std::string> texts;
    for (int i = 0; i < 20; ++i) {
      texts.push_back(random() % 6 == 0 ? "" : random_text(random));
      if (texts.back().empty()) {
        column.push_absent();
      } else {
        push_text(column, texts.back());
      }
    }
    ReadingColumn copy(static_cast<int>(random() % 3));
    copy.append(column, 0, 7);
    copy.append(column, 7, 20);
    for (std::size_t row = 0; row < texts.size(); ++row) {
      ASSERT_EQ(column.present(row), !texts[row].empty());
      ASSERT_EQ(copy.present(row), !texts[row].empty());
      if (texts[row].empty()) continue;
      ASSERT_EQ(column.value(row), std::strtod(texts[row].c_str(), nullptr)) << texts[row];
      ASSERT_EQ(copy.value(row), column.value(row)) << texts[row];
    }
  }
}

TEST(SampleBatch, SliceTakesRowsAndMovesTheirTimes) {
  SampleBatch batch{{"rig", "gpu0"}, "source", 7, std::make_shared<const Layout>(), {}, {}, {}};
  batch.columns.resize(1);
  for (int row = 0; row < 5; ++row) {
    batch.times.push_back(from_microseconds(std::int64_t{row} * 1000));
    batch.offsets.push_back(std::int64_t{row} * 100);
    row == 3 ? batch.columns[0].push_absent() : batch.columns[0].push(row, 0);
  }
  const SampleBatch part = slice(batch, 2, 4, std::chrono::microseconds{50});
  EXPECT_EQ(part.rows(), 2U);
  EXPECT_EQ(part.session, 7);
  EXPECT_EQ(part.layout, batch.layout);
  EXPECT_EQ(to_microseconds(part.times[0]), 2050);
  EXPECT_EQ(part.offsets[1], 300);
  EXPECT_EQ(part.columns[0].value(0), 2);
  EXPECT_FALSE(part.columns[0].present(1));
}

}  // namespace
}  // namespace gpulse
