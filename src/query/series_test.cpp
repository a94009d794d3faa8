#include "query/series.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "query/test_history.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;
using test::at;
using test::every_second;
using test::kAbsent;
using test::TestHistory;

SeriesResult query(const TestHistory& history, std::vector<std::string> metrics, double from,
                   double to, std::size_t points) {
  auto result =
      query_series(history, history.device(), {std::move(metrics), at(from), at(to), points});
  EXPECT_TRUE(result) << result.error().message;
  return *result;
}

std::string error_of(const TestHistory& history, const SeriesRequest& request) {
  auto result = query_series(history, history.device(), request);
  EXPECT_FALSE(result);
  if (result) return "";
  EXPECT_EQ(result.error().kind, ErrorKind::usage);
  return result.error().message;
}

double seconds_of(const MetricSeries& series, std::int64_t value) {
  microseconds sum{0};
  for (const auto& entry : series.values) {
    if (entry.value != value) continue;
    for (const auto duration : entry.durations) sum += duration;
  }
  return std::chrono::duration<double>(sum).count();
}

TEST(Series, RawRowsAreTheReadings) {
  TestHistory history;
  history.add(every_second(0, {"gpu_temperature"}, {{50.0, kAbsent, 52.5}}));
  const auto result = query(history, {"gpu_temperature"}, 0, 2, 10);
  EXPECT_TRUE(result.raw);
  const MetricSeries& series = result.series.at(0);
  EXPECT_EQ(series.times, (std::vector{at(0), at(1), at(2)}));
  EXPECT_EQ(series.counts, (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(series.min[0], 50.0);
  EXPECT_TRUE(std::isnan(series.min[1]) && std::isnan(series.max[1]) && std::isnan(series.mean[1]));
  EXPECT_EQ(series.max[2], 52.5);
  EXPECT_EQ(series.mean[2], 52.5);
}

TEST(Series, RangeIncludesBothEnds) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{0, 1, 2, 3, 4}}));
  EXPECT_EQ(query(history, {"gpu_load"}, 1, 3, 10).series[0].mean, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(query(history, {"gpu_load"}, 1, 3, 2).series[0].mean, (std::vector<double>{1, 2.5}));
}

TEST(Series, ColumnsKeepExtremesMeansAndCounts) {
  TestHistory history;
  history.add(
      every_second(0, {"gpu_temperature"}, {{1, 9, kAbsent, 5, kAbsent, kAbsent, 7, 7, kAbsent}}));
  const auto result = query(history, {"gpu_temperature"}, 0, 8.999, 3);
  EXPECT_FALSE(result.raw);
  const MetricSeries& series = result.series.at(0);
  EXPECT_EQ(series.times, (std::vector{at(0), at(2.999), at(5.999)}));
  EXPECT_EQ(series.counts, (std::vector<std::int64_t>{2, 1, 2}));
  EXPECT_EQ(series.min, (std::vector<double>{1, 5, 7}));
  EXPECT_EQ(series.max, (std::vector<double>{9, 5, 7}));
  EXPECT_EQ(series.mean, (std::vector<double>{5, 5, 7}));
}

TEST(Series, ColumnWithoutReadingIsNull) {
  TestHistory history;
  history.add(every_second(0, {"gpu_temperature"}, {{1, 1, kAbsent, kAbsent, 1, 1}}));
  const auto series = query(history, {"gpu_temperature"}, 0, 5.999, 3).series[0];
  EXPECT_EQ(series.counts, (std::vector<std::int64_t>{2, 0, 2}));
  EXPECT_TRUE(std::isnan(series.mean[1]));
}

TEST(Series, GapInRawIsHalfWayBetweenItsRows) {
  TestHistory history;
  auto session = every_second(0, {"gpu_load"}, {{1, 2, 3, 4}});
  session.times[3] = at(22);  // usual step 22/3 s, so a gap is more than 22 s
  history.add(session).add(every_second(100, {"gpu_load"}, {{5, 6}}));
  const auto series = query(history, {"gpu_load"}, 0, 200, 10).series[0];
  EXPECT_EQ(series.times, (std::vector{at(0), at(1), at(2), at(22), at(61), at(100), at(101)}));
  EXPECT_EQ(series.counts, (std::vector<std::int64_t>{1, 1, 1, 1, 0, 1, 1}));
}

TEST(Series, StepOverTheGapLimitIsAGapWithinASession) {
  TestHistory history;
  std::vector<double> load(100, 50);
  auto session = every_second(0, {"gpu_load"}, {load});
  for (std::size_t row = 50; row < 100; ++row) session.times[row] += std::chrono::seconds{9};
  history.add(session);
  const auto raw = query(history, {"gpu_load"}, 0, 200, 101);
  ASSERT_TRUE(raw.raw);
  EXPECT_EQ(raw.series[0].times.at(50), at(54));
  EXPECT_EQ(raw.series[0].counts.at(50), 0);
  // One entry less: the gap no longer has room, so columns it is.
  EXPECT_FALSE(query(history, {"gpu_load"}, 0, 200, 100).raw);
}

TEST(Series, GapInColumnsIsInTheFirstEmptyColumn) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {std::vector<double>(10, 1)}));
  history.add(every_second(60, {"gpu_load"}, {std::vector<double>(10, 2)}));
  const auto result = query(history, {"gpu_load"}, 0, 69.999, 7);
  EXPECT_FALSE(result.raw);
  EXPECT_EQ(result.series[0].times, (std::vector{at(0), at(9.999), at(59.999)}));
  EXPECT_EQ(result.series[0].counts, (std::vector<std::int64_t>{10, 0, 10}));
}

TEST(Series, SlowRowsLeaveEmptyColumnsThatAreNoGaps) {
  TestHistory history;
  test::TestSession session{{"gpu_load"}, {}, {{}}, "log"};
  for (int row = 0; row < 20; ++row) {
    session.times.push_back(at(row < 10 ? row : row * 4 - 30));
    session.columns[0].push_back(row);
  }
  history.add(session);
  const auto result = query(history, {"gpu_load"}, 0, 46, 19);  // columns of 2.4 s, steps of 4 s
  EXPECT_FALSE(result.raw);
  for (const auto count : result.series[0].counts) EXPECT_GT(count, 0);
}

TEST(Series, SessionWithoutTheColumnIsAGap) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load", "gpu_clock"}, {{1, 1}, {2, 2}}));
  history.add(every_second(10, {"gpu_clock"}, {{3, 3}}));
  history.add(every_second(20, {"gpu_load", "gpu_clock"}, {{4, 4}, {5, 5}}));
  const auto result = query(history, {"gpu_load", "gpu_clock"}, 0, 30, 100);
  EXPECT_EQ(result.series[0].counts, (std::vector<std::int64_t>{1, 1, 0, 1, 1}));
  EXPECT_EQ(result.series[0].times[2], at(10.5));
  EXPECT_EQ(result.series[1].counts, (std::vector<std::int64_t>{1, 1, 0, 1, 1, 0, 1, 1}));
}

TEST(Series, OverlappingSessionsComeInOrderOfTime) {
  TestHistory history;
  auto other = every_second(0.5, {"gpu_load"}, {{4, 5, 6}});
  other.source = "other";
  history.add(every_second(0, {"gpu_load"}, {{1, 2, 3}})).add(other);
  const auto raw = query(history, {"gpu_load"}, 0, 10, 100).series[0];
  EXPECT_TRUE(std::ranges::is_sorted(raw.times));
  EXPECT_EQ(std::ranges::count(raw.counts, 1), 6);
  const auto columns = query(history, {"gpu_load"}, 0, 3, 3).series[0];
  EXPECT_EQ(columns.counts, (std::vector<std::int64_t>{2, 2, 2}));
}

TEST(Series, BitMaskSecondsFollowTheRows) {
  TestHistory history;
  auto session = every_second(0, {"perfcap_reason"}, {std::vector<double>(60, 16)});
  session.columns[0][10] = 1;
  session.columns[0][11] = kAbsent;
  session.columns[0][12] = 3;
  for (std::size_t row = 30; row < 60; ++row) session.times[row] += std::chrono::seconds{20};
  history.add(session);
  for (const std::size_t points : {100U, 7U}) {
    const auto series = query(history, {"perfcap_reason"}, 0, 200, points).series[0];
    EXPECT_TRUE(series.min.empty() && series.max.empty() && series.mean.empty());
    EXPECT_DOUBLE_EQ(seconds_of(series, 1), 1);
    EXPECT_DOUBLE_EQ(seconds_of(series, 3), 1);
    // 56 rows of 1 s, one cut at the gap limit of 5 s, and the last for the usual step of 79/59 s
    EXPECT_NEAR(seconds_of(series, 16), 55 + 5 + 79.0 / 59, 1e-5);
    for (const auto& value : series.values) EXPECT_EQ(value.durations.size(), series.times.size());
  }
}

TEST(Series, LastRowOfTheRangeStandsUntilTheRowBehindIt) {
  TestHistory history;
  auto session = every_second(0, {"perfcap_reason"}, {std::vector<double>(20, 1)});
  for (std::size_t row = 10; row < 20; ++row) session.times[row] += std::chrono::seconds{2};
  history.add(session);
  EXPECT_DOUBLE_EQ(seconds_of(query(history, {"perfcap_reason"}, 9, 9, 10).series[0], 1), 3);
}

TEST(Series, EmptyRangeAndMissingColumnAreEmpty) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  const auto result = query(history, {"gpu_load", "gpu_clock"}, 50, 60, 10);
  ASSERT_EQ(result.series.size(), 2U);
  EXPECT_TRUE(result.series[0].times.empty());
  EXPECT_TRUE(result.series[1].times.empty());
  EXPECT_EQ(result.series[1].metric.unit, "MHz");
}

TEST(Series, RefusesWhatMakesNoSense) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load", "sensor_9"}, {{1, 2}, {1, 2}}));
  EXPECT_EQ(error_of(history, {{"gpu_laod"}, at(0), at(1), 10}), "unknown metric 'gpu_laod'");
  EXPECT_EQ(error_of(history, {{"gpu_load"}, at(1), at(0), 10}), "'from' is after 'to'");
  EXPECT_EQ(error_of(history, {{"gpu_load"}, at(0), at(1), 1}),
            "points is 1, but must be from 2 to 20000");
  EXPECT_EQ(error_of(history, {{"gpu_load"}, at(0), at(1), 20'001}),
            "points is 20001, but must be from 2 to 20000");
  EXPECT_EQ(query(history, {"sensor_9"}, 0, 1, 10).series[0].counts.size(), 2U);
}

TEST(Series, StoreThatCannotReadSaysSo) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  history.fail();
  const auto result = query_series(history, history.device(), {{"gpu_load"}, at(0), at(1), 10});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "cannot read the series: the disk is gone");
}

// Any history, thinned to any number of points: never more entries than asked, all readings counted
// once, extremes kept, times ascending, and the cut into blocks without effect.
class SeriesProperty : public testing::TestWithParam<unsigned> {};

test::TestSession random_session(std::mt19937& random, double begin) {
  std::uniform_int_distribution<int> step(1, 400);
  std::uniform_int_distribution<int> reading(-200, 2000);
  test::TestSession session{{"gpu_temperature"}, {}, {{}}, "log"};
  double now = begin;
  const int rows = std::uniform_int_distribution<int>(1, 500)(random);
  for (int row = 0; row < rows; ++row) {
    session.times.push_back(at(now));
    session.columns[0].push_back(reading(random) < 0 ? kAbsent : reading(random) / 10.0);
    now += step(random) == 1 ? 40 : step(random) <= 10 ? 0.000001 : 1;
  }
  return session;
}

TEST_P(SeriesProperty, Holds) {
  std::mt19937 random(GetParam());
  TestHistory history(static_cast<std::size_t>(std::uniform_int_distribution<int>(1, 200)(random)));
  TestHistory whole;
  std::vector<double> readings;
  double begin = 0;
  const int sessions = std::uniform_int_distribution<int>(1, 6)(random);
  for (int session = 0; session < sessions; ++session) {
    auto rows = random_session(random, begin);
    begin = std::chrono::duration<double>(rows.times.back() - at(0)).count() +
            std::uniform_real_distribution<>(-20, 600)(random);
    for (const double value : rows.columns[0]) {
      if (!std::isnan(value)) readings.push_back(value);
    }
    history.add(rows);
    whole.add(rows);
  }
  const DeviceRecord device = history.device();
  const auto points = static_cast<std::size_t>(std::uniform_int_distribution<int>(2, 1500)(random));
  const SeriesRequest request{{"gpu_temperature"}, device.first, device.last, points};
  const auto result = query_series(history, device, request);
  ASSERT_TRUE(result);
  const MetricSeries& series = result->series[0];

  EXPECT_LE(series.times.size(), points);
  EXPECT_TRUE(std::ranges::is_sorted(series.times));
  std::int64_t count = 0;
  double sum = 0;
  std::vector<double> low;
  std::vector<double> high;
  for (std::size_t entry = 0; entry < series.times.size(); ++entry) {
    count += series.counts[entry];
    if (series.counts[entry] == 0) continue;
    sum += series.mean[entry] * static_cast<double>(series.counts[entry]);
    low.push_back(series.min[entry]);
    high.push_back(series.max[entry]);
    EXPECT_LE(series.min[entry], series.mean[entry] + 1e-9);
    EXPECT_GE(series.max[entry], series.mean[entry] - 1e-9);
  }
  EXPECT_EQ(count, static_cast<std::int64_t>(readings.size()));
  if (!readings.empty()) {
    EXPECT_EQ(std::ranges::min(low), std::ranges::min(readings));
    EXPECT_EQ(std::ranges::max(high), std::ranges::max(readings));
    EXPECT_NEAR(sum, std::accumulate(readings.begin(), readings.end(), 0.0), 1e-6);
  }
  const auto uncut = query_series(whole, device, request);
  EXPECT_EQ(uncut->raw, result->raw);
  EXPECT_EQ(uncut->series[0].times, series.times);
  EXPECT_EQ(uncut->series[0].counts, series.counts);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SeriesProperty, testing::Range(0U, 60U));

// Against columns computed row by row, the slow way.
TEST(Series, EqualsRowByRowColumns) {
  std::mt19937 random(7);
  std::vector<double> readings(5000);
  for (auto& value : readings) value = std::uniform_int_distribution<int>(200, 900)(random) / 10.0;
  TestHistory history(333);
  history.add(every_second(0, {"gpu_temperature"}, {readings}));
  const std::size_t points = 321;
  const auto series = query(history, {"gpu_temperature"}, 0, 4999, points).series[0];
  std::vector<std::vector<double>> columns(points);
  for (std::size_t row = 0; row < readings.size(); ++row) {
    std::size_t column = points - 1;
    while (column > 0 && static_cast<std::int64_t>(row) * 1000 <
                             static_cast<std::int64_t>(column) * 4'999'000 / 321) {
      --column;
    }
    columns[column].push_back(readings[row]);
  }
  ASSERT_EQ(series.times.size(), points);
  for (std::size_t column = 0; column < points; ++column) {
    EXPECT_EQ(series.min[column], std::ranges::min(columns[column]));
    EXPECT_EQ(series.max[column], std::ranges::max(columns[column]));
    double sum = 0;
    for (const double value : columns[column]) sum += value;
    EXPECT_NEAR(series.mean[column], sum / static_cast<double>(columns[column].size()), 1e-12);
  }
}

}  // namespace
}  // namespace gpulse
