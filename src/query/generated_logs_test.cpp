// The answers against what the generator says that it put into its logs.
#include <gtest/gtest.h>

#include <sstream>

#include "gpuz/log_generator.h"
#include "query/answers.h"
#include "query/row_walk.h"
#include "query/step_evidence.h"
#include "query/steps.h"
#include "query/test_logs.h"

namespace gpulse {
namespace {

using std::chrono::seconds;

struct MadeLog {
  test::TestHistory history;
  std::vector<Label> labels;
  Facts facts;
};

MadeLog make_log(Scenario scenario, std::uint64_t seed, ColumnSet columns = ColumnSet::nvidia) {
  GeneratorOptions options;
  options.seed = seed;
  options.scenarios = {scenario};
  options.columns = columns;
  LogGenerator generator(options);
  std::string text;
  std::vector<Label> labels;
  while (generator.next(text)) {
    for (auto& label : generator.take_labels()) labels.push_back(std::move(label));
  }
  for (auto& label : generator.take_labels()) labels.push_back(std::move(label));
  std::istringstream lines(text);
  return {test::read_log(lines), std::move(labels), generator.facts()};
}

Answers ask(const MadeLog& log) {
  const DeviceRecord device = log.history.device(DeviceState::ended);
  return *answer_questions(
      log.history, device,
      {{device.first, device.last}, default_alert_rules(), *TimeZone::find("UTC")});
}

Timestamp utc(LocalTime time) { return Timestamp{time.time_since_epoch()}; }

template <class T>
T fact(const Answer& answer, std::string_view name) {
  for (const Fact& fact : answer.facts) {
    if (fact.name == name) return std::get<T>(fact.value);
  }
  ADD_FAILURE() << "no fact " << name << " in: " << answer.sentence;
  return T{};
}

class GeneratedLogs : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, GeneratedLogs, testing::Range<std::uint64_t>(1, 7));

TEST_P(GeneratedLogs, HeldBackTellsTheShareAndTheReason) {
  for (const auto& [scenario, reason] :
       {std::pair{Scenario::power_throttle, "power"}, {Scenario::thermal_throttle, "thermal"}}) {
    const MadeLog log = make_log(scenario, GetParam());
    std::uint64_t rows = 0;
    std::uint64_t limited = 0;
    for (std::size_t value = 0; value < log.facts.perfcap_rows.size(); ++value) {
      rows += log.facts.perfcap_rows[value];
      if ((value & 47U) != 0) limited += log.facts.perfcap_rows[value];
    }
    const Answer answer = ask(log).held_back;
    EXPECT_EQ(answer.level, AnswerLevel::limited);
    EXPECT_EQ(fact<std::string>(answer, "reason"), reason);
    EXPECT_NEAR(fact<double>(answer, "share"),
                static_cast<double>(limited) / static_cast<double>(rows), 0.002);
  }
}

TEST_P(GeneratedLogs, HottestIsTheLogs) {
  const MadeLog log = make_log(Scenario::gaming, GetParam());
  const Answer answer = ask(log).too_hot;
  const auto metric = fact<std::string>(answer, "metric");
  const auto facts = std::ranges::find(log.facts.metrics, metric, &MetricFacts::metric);
  ASSERT_NE(facts, log.facts.metrics.end());
  EXPECT_DOUBLE_EQ(fact<double>(answer, "hottest"), facts->max / std::pow(10, facts->decimals));
  EXPECT_EQ(fact<Timestamp>(answer, "hottest_at"), std::chrono::floor<seconds>(utc(facts->max_at)));
}

// Readings in [from, to), present ones.
std::vector<double> readings_of(const MadeLog& log, const std::string& metric, Timestamp from,
                                Timestamp to) {
  std::vector<double> out;
  EXPECT_TRUE(
      log.history.scan({{"rig", "gpu0"}, from, to - seconds{1}, {metric}}, [&](const Block& block) {
        std::ranges::copy_if(block.values[0], std::back_inserter(out),
                             [](double r) { return r == r; });
        return true;
      }));
  return out;
}

Timestamp row_before(const MadeLog& log, Timestamp time) {
  Timestamp row;
  EXPECT_TRUE(
      log.history.scan({{"rig", "gpu0"}, time - std::chrono::hours{1}, time - seconds{1}, {}},
                       [&](const Block& block) {
                         row = block.times.back();
                         return true;
                       }));
  return row;
}

double spread(const std::vector<double>& readings) {
  return std::ranges::max(readings) - std::ranges::min(readings);
}

// A power limit that sets in while load stays as it is must be found at its row; its steps are
// where power really changed.
TEST_P(GeneratedLogs, PowerLimitIsFoundWhereItSetsIn) {
  const MadeLog log = make_log(Scenario::power_throttle, GetParam());
  const DeviceRecord device = log.history.device();
  StepFinder finder(StepSize{kPowerStepWatts, kPowerStepShare});
  ASSERT_TRUE(walk_rows(
      log.history, {device.device, device.first, device.last, {"board_power_draw", "gpu_load"}},
      [&](const TimedBlock& block) {
        finder.add(block, "board_power_draw", block.values[0], block.values[1]);
      }));
  const auto steps = std::move(finder).finish();
  for (const Label& label : log.labels) {
    if (label.kind != "power_limit") continue;
    const Timestamp begin = utc(label.begin);
    const auto load = readings_of(log, "gpu_load", begin - seconds{30}, begin + seconds{30});
    const auto before = readings_of(log, "board_power_draw", begin - seconds{30}, begin);
    if (spread(load) > 15 || before.back() < label.magnitude * 1.18) continue;
    const bool found = std::ranges::any_of(steps, [&](const Step& step) {
      return step.time - begin <= seconds{1} && begin - step.time <= seconds{1};
    });
    EXPECT_TRUE(found) << to_rfc3339(begin);
  }
}

// Whatever step is told: the readings right before it are nearer to the old level than those right
// after, and the levels are those of the log.
TEST_P(GeneratedLogs, ToldStepIsInTheLog) {
  for (const auto scenario :
       {Scenario::idle, Scenario::gaming, Scenario::mixed, Scenario::gaps, Scenario::restarts}) {
    for (const auto columns : {ColumnSet::nvidia, ColumnSet::amd}) {
      const MadeLog log = make_log(scenario, GetParam(), columns);
      const Answer answer = ask(log).what_changed;
      if (!answer.zoom || fact<std::string>(answer, "metric") != "gpu_load") continue;
      const auto at = fact<Timestamp>(answer, "at");
      // Up to the row before, which a pause may part from it.
      const Timestamp previous = row_before(log, at);
      auto before = readings_of(log, "gpu_load", previous - seconds{29}, previous + seconds{1});
      auto after = readings_of(log, "gpu_load", at, at + seconds{30});
      const double first = after.front();
      const double old_level = median_of(before);
      const double new_level = median_of(after);
      EXPECT_EQ(fact<double>(answer, "before"), old_level) << answer.sentence;
      EXPECT_EQ(fact<double>(answer, "after"), new_level) << answer.sentence;
      EXPECT_GE(std::abs(new_level - old_level), 20);
      EXPECT_LT(std::abs(first - new_level), std::abs(first - old_level)) << answer.sentence;
    }
  }
}

}  // namespace
}  // namespace gpulse
