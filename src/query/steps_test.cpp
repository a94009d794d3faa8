#include "query/steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "query/test_history.h"

namespace gpulse {
namespace {

using std::chrono::seconds;
using test::at;
using test::every_second;
using test::kAbsent;
using test::TestHistory;

std::vector<Step> steps_of(const TestHistory& history, StepSize size, bool with_load = false) {
  StepFinder finder(size);
  const std::vector<std::string> metrics{"board_power_draw", "gpu_load"};
  const auto walked = walk_rows(
      history, {{"rig", "gpu0"}, at(-1e6), at(1e6), metrics}, [&](const TimedBlock& block) {
        const auto load = with_load ? block.values[1] : std::span<const double>{};
        finder.add(block, metrics[0], block.values[0], load);
      });
  EXPECT_TRUE(walked);
  return std::move(finder).finish();
}

std::vector<Step> steps_of(const std::vector<double>& readings, double least = 20,
                           std::size_t block_rows = 4096) {
  TestHistory history(block_rows);
  history.add(every_second(0, {"board_power_draw"}, {readings}));
  return steps_of(history, {least, 0});
}

// `length` readings about `level`, in whole numbers.
void level(std::vector<double>& readings, int length, double level, double noise,
           std::mt19937& random) {
  std::normal_distribution<double> about(level, noise);
  for (int row = 0; row < length; ++row) readings.push_back(std::round(about(random)));
}

TEST(Steps, StepIsAtItsFirstRow) {
  std::vector<double> readings(60, 99);
  readings.insert(readings.end(), 60, 31);
  const auto steps = steps_of(readings);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].time, at(60));
  EXPECT_EQ(steps[0].before, 99);
  EXPECT_EQ(steps[0].after, 31);
  EXPECT_EQ(steps[0].metric, "board_power_draw");
}

// Medians are flat for 15 s around a step; its instant must not be anywhere in there.
TEST(Steps, InstantIsFoundThroughNoise) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> readings;
    const int begin = 60 + round;
    level(readings, begin, 20, 4, random);
    level(readings, 100, 70, 6, random);
    level(readings, 100, 30, 5, random);
    const auto steps = steps_of(readings);
    ASSERT_EQ(steps.size(), 2U);
    EXPECT_EQ(steps[0].time, at(begin));
    EXPECT_EQ(steps[1].time, at(begin + 100));
  }
}

TEST(Steps, RampWithinSecondsIsOneStep) {
  std::vector<double> readings(60, 10);
  for (const double reading : {30, 50, 70}) readings.push_back(reading);
  readings.insert(readings.end(), 60, 90);
  const auto steps = steps_of(readings);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_GE(steps[0].time, at(60));
  EXPECT_LE(steps[0].time, at(63));
}

TEST(Steps, NoiseIsNoStep) {
  std::mt19937 random(2);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> readings(3000);
    for (double& reading : readings) {
      reading = std::uniform_int_distribution<int>(0, 100)(random);
    }
    EXPECT_TRUE(steps_of(readings).empty());
  }
}

TEST(Steps, BurstsAndDipsAreNoSteps) {
  std::vector<double> readings(600, 99);
  for (const std::size_t begin : {100U, 200U, 300U, 400U}) {
    std::fill_n(readings.begin() + static_cast<std::ptrdiff_t>(begin), 12, 0);
  }
  EXPECT_TRUE(steps_of(readings).empty());
}

TEST(Steps, ShortDutyCycleIsNoStep) {
  std::vector<double> readings;
  for (int row = 0; row < 1200; ++row) readings.push_back(row / 10 % 2 == 0 ? 99 : 0);
  EXPECT_TRUE(steps_of(readings).empty());
}

TEST(Steps, SmallerThanTheLeastIsNone) {
  std::vector<double> readings(60, 50);
  readings.insert(readings.end(), 60, 69);
  EXPECT_TRUE(steps_of(readings).empty());
  EXPECT_EQ(steps_of(readings, 19).size(), 1U);
}

TEST(Steps, SizeMayBeAShareOfTheValueBefore) {
  TestHistory history;
  std::vector<double> readings(60, 220);
  readings.insert(readings.end(), 60, 190);
  history.add(every_second(0, {"board_power_draw"}, {readings}));
  EXPECT_TRUE(steps_of(history, {10, 0.15}).empty());
  EXPECT_EQ(steps_of(history, {10, 0.13}).size(), 1U);
}

TEST(Steps, NeedsReadingsOnBothSides) {
  std::vector<double> early(20, 0);
  early.insert(early.end(), 100, 99);
  EXPECT_TRUE(steps_of(early).empty());
  std::vector<double> late(100, 0);
  late.insert(late.end(), 20, 99);
  EXPECT_TRUE(steps_of(late).empty());
  late.insert(late.end(), 5, 99);
  EXPECT_EQ(steps_of(late).size(), 1U);
}

TEST(Steps, SessionsAreNotBridged) {
  TestHistory history;
  history.add(every_second(0, {"board_power_draw"}, {std::vector<double>(100, 0)}));
  history.add(every_second(100, {"board_power_draw"}, {std::vector<double>(100, 99)}));
  EXPECT_TRUE(steps_of(history, {20, 0}).empty());
}

TEST(Steps, APauseWithinASessionIsBridged) {
  TestHistory history;
  std::vector<double> readings(100, 0);
  readings.insert(readings.end(), 100, 99);
  auto session = every_second(0, {"board_power_draw"}, {readings});
  for (std::size_t row = 100; row < 200; ++row) session.times[row] += seconds{60};
  history.add(session);
  const auto steps = steps_of(history, {20, 0});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].time, at(160));
  EXPECT_EQ(steps[0].previous, at(99));
}

TEST(Steps, AbsentReadingsAreNeitherLevel) {
  std::vector<double> readings(60, 99);
  readings.insert(readings.end(), 5, kAbsent);
  readings.insert(readings.end(), 60, 31);
  const auto steps = steps_of(readings);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].time, at(65));
}

TEST(Steps, SlowLogsAreLookedAtOverTenRows) {
  TestHistory history;
  test::TestSession session{{"board_power_draw"}, {}, {{}}, "log"};
  for (int row = 0; row < 60; ++row) {
    session.times.push_back(at(row * 20));
    session.columns[0].push_back(row < 30 ? 5 : 80);
  }
  history.add(session);
  const auto steps = steps_of(history, {20, 0});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].time, at(600));
  EXPECT_EQ(steps[0].window, seconds{200});
}

TEST(Steps, EqualLoadIsAskedForWhereLoadIsGiven) {
  const auto power_steps = [](double load_before, double load_after) {
    std::vector<double> power(60, 220);
    power.insert(power.end(), 60, 150);
    std::vector<double> load(60, load_before);
    load.insert(load.end(), 60, load_after);
    TestHistory history;
    history.add(every_second(0, {"board_power_draw", "gpu_load"}, {power, load}));
    return steps_of(history, {10, 0.15}, true).size();
  };
  EXPECT_EQ(power_steps(99, 99), 1U);
  EXPECT_EQ(power_steps(99, 90), 1U);
  EXPECT_EQ(power_steps(99, 89), 0U);
  EXPECT_EQ(power_steps(5, 5), 0U) << "at idle power hops, and that is no news";
}

// Long sessions are read piece by piece, and cut into blocks as it comes.
TEST(Steps, HowRowsComeChangesNothing) {
  std::mt19937 random(5);
  std::vector<double> readings;
  std::vector<Timestamp> expected;
  while (readings.size() < 100'000) {
    const double before = readings.empty() ? 100 : readings.back();
    const int length = std::uniform_int_distribution<int>(70, 6000)(random);
    if (!readings.empty()) expected.push_back(at(static_cast<double>(readings.size())));
    level(readings, length, before > 50 ? 10 : 90, 5, random);
  }
  std::vector<Timestamp> found;
  for (const Step& step : steps_of(readings)) found.push_back(step.time);
  EXPECT_EQ(found, expected);
  for (const std::size_t block_rows : {1U, 7U, 1000U}) {
    std::vector<Timestamp> cut;
    for (const Step& step : steps_of(readings, 20, block_rows)) cut.push_back(step.time);
    EXPECT_EQ(cut, expected) << block_rows;
  }
}

// Sliding medians against medians taken anew.
TEST(StepWindow, EqualsSortedMedians) {
  std::mt19937 random(9);
  std::vector<double> column(500);
  for (double& reading : column) {
    const int value = std::uniform_int_distribution<int>(-3, 20)(random);
    reading = value < 0 ? kAbsent : value;
  }
  StepWindow window;
  std::size_t begin = 0;
  std::size_t end = 0;
  while (end < column.size()) {
    begin = std::min(begin + static_cast<std::size_t>(random() % 4), end);
    end = std::min(end + static_cast<std::size_t>(random() % 9), column.size());
    if (random() % 20 == 0) begin = end = std::min(end + 30, column.size());
    end = std::min(end + 1, column.size());
    window.move(column, begin, end);
    std::vector<double> part;
    for (std::size_t row = begin; row < end; ++row) {
      if (column[row] == column[row]) part.push_back(column[row]);
    }
    ASSERT_EQ(window.count(), part.size());
    if (part.empty()) continue;
    ASSERT_EQ(window.median(), median_of(part));
  }
}

}  // namespace
}  // namespace gpulse
