// What the page asks, on real GPU-Z logs. The numbers were computed apart from this code, from the
// text of the logs.
#include <gtest/gtest.h>

#include <limits>

#include "query/answers.h"
#include "query/series.h"
#include "query/statistics.h"
#include "query/test_logs.h"

namespace gpulse {
namespace {

using std::chrono::seconds;
using test::TestHistory;

constexpr std::string_view kNoLogs = "GPULSE_REAL_LOGS names no folder with this log";

class RealLogs : public testing::Test {
 protected:
  static Answers ask(const TestHistory& log, DeviceState state, std::string_view from = "",
                     std::string_view to = "") {
    const DeviceRecord device = log.device(state);
    const TimeRange range{from.empty() ? device.first : *parse_timestamp(from),
                          to.empty() ? device.last : *parse_timestamp(to)};
    return *answer_questions(log, device, {range, default_alert_rules(), *TimeZone::find("UTC")});
  }

  static const MetricStatistics& metric(const RangeStatistics& statistics, std::string_view name) {
    return *std::ranges::find_if(statistics.metrics, [&](const MetricStatistics& entry) {
      return entry.metric.name == name;
    });
  }
};

TEST_F(RealLogs, NvidiaAnswers) {
  const auto log = test::read_real_log("nvidia-2023.txt");
  if (!log) GTEST_SKIP() << kNoLogs;
  const Answers live = ask(*log, DeviceState::live);
  EXPECT_EQ(live.too_hot.sentence, "No, CPU 25.0 °C under its 80 °C rule");
  EXPECT_EQ(live.too_hot.level, AnswerLevel::ok);
  EXPECT_EQ(
      live.too_hot.evidence,
      "GPU 40.4, hot spot 50.8 · hottest in range CPU 82.0 at 11:23:07, over its rule for 1 s");
  EXPECT_EQ(live.held_back.sentence, "No, not once in 1 h 20 min");
  EXPECT_EQ(live.held_back.evidence,
            "PerfCap says Util in all 4\u202f826 rows, also at 99 % load: nothing limits it");
  EXPECT_EQ(live.what_changed.sentence, "Load fell 99 → 29 % at 11:23:45");
  EXPECT_EQ(live.what_changed.evidence,
            "board 220 → 52 W · hot spot 80 → 50 °C in 3 min · clock 1\u202f980 → 420 MHz");
  EXPECT_EQ(ask(*log, DeviceState::stale).too_hot.sentence, "Not known now. Last seen 40.4 °C");
  EXPECT_EQ(ask(*log, DeviceState::ended).too_hot.sentence,
            "No, but CPU reached 82.0 °C at 11:23:07");
  // In the very second in which the CPU read 82 °C.
  const Answers then = ask(*log, DeviceState::live, "2023-06-16T10:17:08Z", "2023-06-16T11:23:07Z");
  EXPECT_EQ(then.too_hot.question, "Was it too hot?");
}

TEST_F(RealLogs, AmdAnswers) {
  const auto log = test::read_real_log("amd-2020-restarts.txt");
  if (!log) GTEST_SKIP() << kNoLogs;
  const Answers all = ask(*log, DeviceState::ended);
  EXPECT_EQ(all.too_hot.sentence, "No, hot spot stayed 10.0 °C under its 100 °C rule");
  EXPECT_EQ(all.held_back.sentence, "This log cannot say");
  EXPECT_EQ(all.held_back.evidence, "no PerfCap column in it");
  EXPECT_EQ(all.what_changed.sentence, "Load rose 2 → 97 % on 16 Mar at 17:18:19");
  const Answers first =
      ask(*log, DeviceState::ended, "2020-03-16T17:13:05Z", "2020-03-16T17:20:25Z");
  EXPECT_EQ(first.what_changed.sentence, "Load rose 2 → 97 % at 17:18:19");
  EXPECT_EQ(first.what_changed.evidence,
            "chip 23 → 180 W · hot spot 53 → 87 °C in 41 s · clock 904 → 2\u202f002 MHz");
  const Answers restarts =
      ask(*log, DeviceState::ended, "2020-03-17T18:38:41Z", "2020-03-17T18:49:41Z");
  EXPECT_EQ(restarts.what_changed.sentence, "Logging began again, twice");
  EXPECT_EQ(restarts.what_changed.evidence, "at 18:41:54 after 9 s, 18:47:06 after 5 s");
}

TEST_F(RealLogs, OldAnswers) {
  const auto log = test::read_real_log("legacy-2017-lf.txt");
  if (!log) GTEST_SKIP() << kNoLogs;
  const Answers answers = ask(*log, DeviceState::ended);
  EXPECT_EQ(answers.too_hot.sentence, "No, GPU stayed 34.0 °C under its 85 °C rule");
  EXPECT_EQ(answers.held_back.sentence, "This log cannot say");
  EXPECT_EQ(answers.what_changed.sentence, "Nothing since logging began at 15:37:57");
}

TEST_F(RealLogs, NvidiaStatistics) {
  const auto log = test::read_real_log("nvidia-2023.txt");
  if (!log) GTEST_SKIP() << kNoLogs;
  const DeviceRecord device = log->device();
  const auto statistics =
      *range_statistics(*log, device, {device.first, device.last}, default_alert_rules());
  EXPECT_EQ(statistics.rows, 4826);
  const auto& cpu = metric(statistics, "cpu_temperature");
  EXPECT_EQ(cpu.max->value, 82.0);
  EXPECT_EQ(cpu.max->time, *parse_timestamp("2023-06-16T11:23:07Z"));
  EXPECT_EQ(cpu.above.at(0).duration, seconds{1});
  const auto& hot_spot = metric(statistics, "hot_spot_temperature");
  EXPECT_EQ(hot_spot.absent, 1);
  EXPECT_NEAR(*hot_spot.mean, 75.98729533678757, 1e-9);
  EXPECT_NEAR(*hot_spot.p95, 81.7, 1e-9);
  EXPECT_TRUE(metric(statistics, "fan1_speed_rpm").constant);
  ASSERT_TRUE(statistics.limits);
  EXPECT_EQ(statistics.limits->limited.count(), 0);
}

TEST_F(RealLogs, SeriesHoldEveryLogsExtremes) {
  for (const auto* name : {"nvidia-2023.txt", "amd-2020-restarts.txt"}) {
    const auto log = test::read_real_log(name);
    if (!log) GTEST_SKIP() << kNoLogs;
    const DeviceRecord device = log->device();
    const auto statistics = *range_statistics(*log, device, {device.first, device.last}, {});
    std::vector<std::string> metrics;
    for (const auto& entry : device.metrics) metrics.push_back(entry.name);
    const auto series = *query_series(*log, device, {metrics, device.first, device.last, 300});
    for (const MetricSeries& thinned : series.series) {
      EXPECT_LE(thinned.times.size(), 300U);
      if (thinned.kind == MetricKind::bitmask) continue;
      const MetricStatistics& whole = metric(statistics, thinned.metric.name);
      double min = std::numeric_limits<double>::infinity();
      double max = -min;
      std::int64_t count = 0;
      for (std::size_t entry = 0; entry < thinned.times.size(); ++entry) {
        count += thinned.counts[entry];
        min = std::fmin(min, thinned.min[entry]);
        max = std::fmax(max, thinned.max[entry]);
      }
      EXPECT_EQ(count, whole.count) << thinned.metric.name;
      EXPECT_EQ(min, whole.min->value) << thinned.metric.name;
      EXPECT_EQ(max, whole.max->value) << thinned.metric.name;
    }
  }
}

}  // namespace
}  // namespace gpulse
