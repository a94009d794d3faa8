#include "query/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "query/test_history.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using test::at;
using test::every_second;
using test::kAbsent;
using test::TestHistory;

const AlertRule kGpuRule{"gpu_temperature", 85, 82, seconds{10}, Severity::warning};
const AlertRule kFanRule{"fan1_speed_rpm", 500, 600, seconds{10}, Severity::warning};

RangeStatistics statistics_of(const TestHistory& history, double from, double to,
                              std::vector<AlertRule> rules = {kGpuRule}) {
  auto result = range_statistics(history, history.device(), {at(from), at(to)}, rules);
  EXPECT_TRUE(result);
  return *result;
}

MetricStatistics metric_of(const std::vector<double>& readings, int decimals = 1) {
  TestHistory history(7);
  history.set_decimals("gpu_temperature", decimals);
  history.add(every_second(0, {"gpu_temperature"}, {readings}));
  return statistics_of(history, 0, 1e6).metrics.at(0);
}

// As numpy.quantile(readings, 0.95) does it.
double slow_p95(std::vector<double> readings) {
  std::ranges::sort(readings);
  const double rank = 0.95 * static_cast<double>(readings.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const double high = readings[std::min(below + 1, readings.size() - 1)];
  return std::lerp(readings[below], high, rank - std::floor(rank));
}

TEST(Statistics, FirstLastMinMaxWithTheirTimes) {
  const auto metric = metric_of({kAbsent, 60.5, 59.0, 70.5, 59.0, 70.5, 61.0, kAbsent});
  EXPECT_EQ(metric.rows, 8);
  EXPECT_EQ(metric.absent, 2);
  EXPECT_EQ(metric.count, 6);
  EXPECT_FALSE(metric.constant);
  EXPECT_EQ(metric.first->value, 60.5);
  EXPECT_EQ(metric.first->time, at(1));
  EXPECT_EQ(metric.last->value, 61.0);
  EXPECT_EQ(metric.last->time, at(6));
  EXPECT_EQ(metric.min->value, 59.0);
  EXPECT_EQ(metric.min->time, at(2));
  EXPECT_EQ(metric.max->value, 70.5);
  EXPECT_EQ(metric.max->time, at(3));
  EXPECT_DOUBLE_EQ(*metric.mean, 380.5 / 6);
}

TEST(Statistics, AllAbsentHasNoNumbers) {
  const auto metric = metric_of({kAbsent, kAbsent});
  EXPECT_EQ(metric.rows, 2);
  EXPECT_EQ(metric.absent, 2);
  EXPECT_FALSE(metric.constant);
  EXPECT_FALSE(metric.first || metric.last || metric.min || metric.max);
  EXPECT_FALSE(metric.mean || metric.p95);
}

TEST(Statistics, ConstantSaysSo) {
  EXPECT_TRUE(metric_of({0, 0, kAbsent, 0}).constant);
  EXPECT_TRUE(metric_of({5}).constant);
}

TEST(Statistics, PercentileIsNumpys) {
  // numpy.quantile([1, 2, 3, 4], 0.95) and numpy.quantile(range(21), 0.95)
  EXPECT_DOUBLE_EQ(*metric_of({4, 1, 3, 2}).p95, 3.8499999999999996);
  std::vector<double> upto20(21);
  std::ranges::generate(upto20, [value = 0.0]() mutable { return value++; });
  EXPECT_EQ(*metric_of(upto20).p95, 19);
  EXPECT_EQ(*metric_of({7.5}).p95, 7.5);
}

// As when a row with more decimals arrives while the statistics are made.
TEST(Statistics, WrongDecimalsChangeNothing) {
  const auto metric = metric_of({1, 2, 2.25, 2.75, 10}, 0);
  EXPECT_EQ(*metric.mean, 3.6);
  EXPECT_DOUBLE_EQ(*metric.p95, 8.55);
}

TEST(Statistics, MeanOfTenthsIsExact) {
  EXPECT_EQ(*metric_of(std::vector<double>(1000, 0.1)).mean, 0.1);
}

// Widths that fit the counting window, that outgrow it, that have too many decimals for it, and
// that no whole number holds.
TEST(Statistics, EqualsSlowStatisticsForAnyReadings) {
  struct Case {
    double low, high;
    int decimals;
  };
  for (const Case& test : {Case{20, 90, 1}, Case{-40, 40, 0}, Case{0, 4e6, 0}, Case{0, 2000, 3},
                           Case{-1e6, 1e6, 1}, Case{0, 1, 12}, Case{-1e17, 1e17, 0}}) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> any(test.low, test.high);
    std::vector<double> readings(3001);
    const double scale = std::pow(10, test.decimals);
    for (double& reading : readings) reading = std::round(any(random) * scale) / scale;
    const auto metric = metric_of(readings, test.decimals);
    double sum = 0;
    for (const double reading : readings) sum += reading;
    EXPECT_EQ(metric.count, 3001);
    EXPECT_NEAR(*metric.mean, sum / 3001, 1e-12 * test.high);
    EXPECT_NEAR(*metric.p95, slow_p95(readings), 1e-12 * test.high) << test.low << " " << test.high;
    EXPECT_EQ(metric.min->value, std::ranges::min(readings));
    EXPECT_EQ(metric.max->value, std::ranges::max(readings));
  }
}

TEST(Statistics, TimeAboveARuleIsThatOfItsRows) {
  TestHistory history(3);
  auto session =
      every_second(0, {"gpu_temperature"}, {{80, 86, 87, kAbsent, 86, 85, 90, 80, 80, 80, 80, 80}});
  for (std::size_t row = 7; row < 12; ++row) session.times[row] += seconds{30};
  history.add(session);
  const auto above = statistics_of(history, 0, 100).metrics[0].above.at(0);
  EXPECT_EQ(above.rule.name(), "gpu_temperature > 85");
  const microseconds limit = 3 * microseconds{41'000'000} / 11;  // the gap limit: 3 usual steps
  EXPECT_NEAR(static_cast<double>(above.duration.count()),
              static_cast<double>((seconds{3} + limit).count()), 5);
  EXPECT_EQ(above.first, at(1));
  EXPECT_EQ(above.last, at(6));
  ASSERT_EQ(above.spans.size(), 3U);
  EXPECT_EQ(above.spans[0], (TimeRange{at(1), at(3)}));
  EXPECT_EQ(above.spans[1], (TimeRange{at(4), at(5)}));
  EXPECT_EQ(above.spans[2].from, at(6));
}

TEST(Statistics, NeverAboveARuleIsListedWithZero) {
  const auto metric = metric_of({85, 85, 20});
  ASSERT_EQ(metric.above.size(), 1U);
  EXPECT_EQ(metric.above[0].duration.count(), 0);
  EXPECT_FALSE(metric.above[0].first || metric.above[0].last);
  EXPECT_TRUE(metric.above[0].spans.empty());
}

TEST(Statistics, RuleForTooLittleIsMirrored) {
  TestHistory history;
  history.add(every_second(0, {"fan1_speed_rpm"}, {{1000, 500, 499, 0, 1000}}));
  const auto above = statistics_of(history, 0, 10, {kFanRule}).metrics[0].above.at(0);
  EXPECT_EQ(above.duration, seconds{2});
  EXPECT_EQ(above.first, at(2));
}

TEST(Statistics, SpansAreTheFirstFifty) {
  std::vector<double> readings;
  for (int row = 0; row < 400; ++row) readings.push_back(row % 2 == 0 ? 90 : 20);
  const auto above = metric_of(readings).above.at(0);
  EXPECT_EQ(above.spans.size(), 50U);
  EXPECT_EQ(above.spans[49], (TimeRange{at(98), at(99)}));
  EXPECT_EQ(above.duration, seconds{200});
  EXPECT_EQ(above.last, at(398));
}

TEST(Statistics, SessionsWithoutAColumnDoNotCountAsAbsent) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load", "gpu_clock"}, {{1, 2}, {3, 4}}));
  history.add(every_second(10, {"gpu_load"}, {{5, kAbsent, 6}}));
  const auto result = statistics_of(history, 0, 100);
  EXPECT_EQ(result.rows, 5);
  EXPECT_EQ(result.duration, seconds{5});
  EXPECT_EQ(result.metrics[0].rows, 5);
  EXPECT_EQ(result.metrics[0].absent, 1);
  EXPECT_EQ(result.metrics[1].rows, 2);
  // A metric without rows in the range is left out.
  EXPECT_EQ(statistics_of(history, 10, 100).metrics.size(), 1U);
  EXPECT_TRUE(statistics_of(history, 50, 60).metrics.empty());
}

TEST(Statistics, BitMaskValuesComeLongestFirst) {
  TestHistory history;
  history.add(every_second(0, {"perfcap_reason"}, {{0, 16, 16, 1, 16, 1, kAbsent}}));
  const auto metric = statistics_of(history, 0, 10).metrics[0];
  ASSERT_EQ(metric.values.size(), 3U);
  EXPECT_EQ(metric.values[0].value, 16);
  EXPECT_EQ(metric.values[0].duration, seconds{3});
  EXPECT_EQ(metric.values[1].value, 1);
  EXPECT_EQ(metric.values[1].duration, seconds{2});
  EXPECT_EQ(metric.values[2].value, 0);
}

const LimitLaneStatistics& lane(const RangeStatistics& statistics, LimitLane lane) {
  return statistics.limits->lanes.at(static_cast<std::size_t>(lane));
}

TEST(Statistics, LanesMayOverlap) {
  TestHistory history(2);
  history.add(every_second(
      0, {"gpu_load", "perfcap_reason"},
      {{99, 99, 99, 99, 5, 5, 10, kAbsent, 99, 5}, {1, 3, 2, 17, 0, 16, 16, 16, kAbsent, 44}}));
  const auto result = statistics_of(history, 0, 100);
  EXPECT_EQ(result.limits->duration, seconds{9});
  EXPECT_EQ(result.limits->limited, seconds{5});
  EXPECT_EQ(lane(result, LimitLane::power).duration, seconds{3});
  EXPECT_EQ(lane(result, LimitLane::power).spans,
            (std::vector{TimeRange{at(0), at(2)}, TimeRange{at(3), at(4)}}));
  EXPECT_EQ(lane(result, LimitLane::thermal).duration, seconds{2});
  EXPECT_DOUBLE_EQ(lane(result, LimitLane::thermal).share, 2.0 / 9);
  EXPECT_EQ(lane(result, LimitLane::reliability_voltage).duration, seconds{1});
  EXPECT_EQ(lane(result, LimitLane::operating_voltage).duration, seconds{1});
  EXPECT_EQ(lane(result, LimitLane::sli).duration, seconds{1});
  EXPECT_EQ(lane(result, LimitLane::idle).duration, seconds{2});
  EXPECT_EQ(lane(result, LimitLane::not_limited).duration, seconds{2});
  EXPECT_EQ(lane(result, LimitLane::not_limited).lane, LimitLane::not_limited);
}

TEST(Statistics, WithoutLoadNothingIsIdle) {
  TestHistory history;
  history.add(every_second(0, {"perfcap_reason"}, {{16, 0}}));
  const auto result = statistics_of(history, 0, 10);
  EXPECT_EQ(lane(result, LimitLane::idle).duration.count(), 0);
  EXPECT_EQ(lane(result, LimitLane::not_limited).share, 1);
}

TEST(Statistics, WithoutPerfcapThereAreNoLanes) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load", "perfcap_reason"}, {{1, 2}, {kAbsent, kAbsent}}));
  EXPECT_FALSE(statistics_of(history, 0, 10).limits);
}

TEST(Statistics, LanesOfManySpansCloseTheShortestPauses) {
  for (const int changes : {600, 9000}) {
    std::vector<double> perfcap;
    for (int change = 0; change < changes; ++change) {
      const int pause = change % 100 == 0 ? 30 : 1;
      perfcap.insert(perfcap.end(), static_cast<std::size_t>(pause), 0);
      perfcap.push_back(1);
    }
    TestHistory history;
    history.add(every_second(0, {"perfcap_reason"}, {perfcap}));
    const auto result = statistics_of(history, 0, 1e6);
    const auto& power = lane(result, LimitLane::power);
    EXPECT_TRUE(power.cut);
    EXPECT_EQ(power.spans.size(), kLimitSpansMax);
    EXPECT_EQ(power.duration, seconds{changes});
    EXPECT_EQ(power.spans.front().from, at(30));
    EXPECT_EQ(power.spans.back().to, at(static_cast<double>(perfcap.size())));
    for (std::size_t next = 1; next < power.spans.size(); ++next) {
      EXPECT_LT(power.spans[next - 1].to, power.spans[next].from);
    }
  }
}

TEST(Statistics, OneLaneIsOneSpan) {
  TestHistory history(5);
  history.add(every_second(0, {"perfcap_reason"}, {std::vector<double>(50, 16)}));
  const auto result = statistics_of(history, 0, 100);
  EXPECT_EQ(lane(result, LimitLane::not_limited).spans, (std::vector{TimeRange{at(0), at(50)}}));
  EXPECT_FALSE(lane(result, LimitLane::not_limited).cut);
}

TEST(Statistics, RefusesABackwardRange) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  const auto result = range_statistics(history, history.device(), {at(1), at(0)}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::usage);
}

TEST(Statistics, StoreThatCannotReadSaysSo) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  history.fail();
  const auto result = range_statistics(history, history.device(), {at(0), at(1)}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "cannot read the statistics: the disk is gone");
}

}  // namespace
}  // namespace gpulse
