#include "stream/alert.h"

#include <gtest/gtest.h>

#include <map>

#include "stream/test_rows.h"

namespace gpulse {
namespace {

using std::chrono::seconds;

const AlertRule kHot{"gpu_temperature", 85, 82, seconds{10}, Severity::warning};

struct Fixture {
  explicit Fixture(std::vector<AlertRule> rules = {kHot}) : alerts(std::move(rules)) {}

  // One row with one reading (or none) as a batch of its own.
  void row(std::int64_t second, std::optional<std::int64_t> tenths, std::int64_t session = 1) {
    alerts.push(test_batch({{session, at_second(second), {tenths}}}, 0, 1, layout), out);
  }
  std::vector<Alert> take() { return std::exchange(out, {}); }

  LayoutPtr layout = test_layout({"gpu_temperature"});
  AlertEvaluator alerts;
  std::vector<Alert> out;
};

TEST(Alert, DefaultRulesAreThoseOfTheTable) {
  std::vector<std::string> names;
  for (const auto& rule : default_alert_rules()) names.push_back(rule.name());
  EXPECT_EQ(names, (std::vector<std::string>{
                       "hot_spot_temperature > 100", "memory_temperature > 100",
                       "hottest_memory_chip_temperature > 100", "gpu_temperature > 85",
                       "cpu_temperature > 80", "board_power_draw > 300", "gpu_load > 95"}));
}

TEST(Alert, BeginsWithTheFirstReadingBeyondOnceItHeldLongEnough) {
  Fixture f;
  f.row(100, 850);
  f.row(101, 851);
  f.row(105, 870);
  f.row(110, 860);
  EXPECT_TRUE(f.take().empty()) << "9 s";
  f.row(111, 855);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].began, at_second(101));
  EXPECT_FALSE(out[0].ended);
  EXPECT_EQ(out[0].peak, 87.0);
  EXPECT_EQ(out[0].peak_at, at_second(105));
  EXPECT_EQ(out[0].rule.name(), "gpu_temperature > 85");
}

TEST(Alert, AReadingAtTheLimitBeforeItHeldStartsOver) {
  Fixture f;
  f.row(100, 860);
  f.row(105, 850);
  f.row(110, 860);
  f.row(115, 860);
  EXPECT_TRUE(f.take().empty());
  f.row(120, 860);
  EXPECT_EQ(f.take().at(0).began, at_second(110));
}

TEST(Alert, EndsOnlyBelowTheRelease) {
  Fixture f;
  f.row(100, 860);
  f.row(110, 860);
  f.take();
  f.row(111, 830);
  f.row(112, 820);
  EXPECT_TRUE(f.take().empty()) << "82.0 is not below 82";
  f.row(113, 819);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].ended, at_second(113));
  EXPECT_EQ(out[0].end_reason, AlertEnd::released);
  EXPECT_EQ(out[0].began, at_second(100));
  f.row(114, 860);
  f.row(123, 860);
  EXPECT_TRUE(f.take().empty()) << "it holds anew";
}

TEST(Alert, AbsentReadingsNeitherStartNorEnd) {
  Fixture f;
  f.row(99, std::nullopt);
  f.row(100, 860);
  f.row(105, std::nullopt);
  f.row(110, 860);
  ASSERT_EQ(f.take().size(), 1U);
  f.row(111, std::nullopt);
  EXPECT_TRUE(f.take().empty());
}

// The count of an absent reading is 0, which is below any such limit.
TEST(Alert, AbsentReadingsAreNotZeroForATooLittleRule) {
  Fixture f({{"gpu_temperature", 20, 25, seconds{0}, Severity::critical}});
  f.row(100, std::nullopt);
  EXPECT_TRUE(f.take().empty());
  f.row(101, 199);
  f.row(102, 150);
  f.row(103, 250);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[1].peak, 15.0);
  EXPECT_FALSE(out[1].ended) << "25.0 is not above 25";
  EXPECT_EQ(out[0].rule.name(), "gpu_temperature < 20");
  f.row(104, 251);
  EXPECT_EQ(f.take().at(0).ended, at_second(104));
}

TEST(Alert, TheEndOfASessionEndsItAtItsLastRow) {
  Fixture f;
  f.row(100, 860);
  f.row(110, 860);
  f.row(111, std::nullopt);
  f.take();
  f.row(500, 860, 2);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].ended, at_second(111));
  EXPECT_EQ(out[0].end_reason, AlertEnd::session_ended);
  EXPECT_EQ(out[0].session, 1);
  f.row(509, 860, 2);
  f.alerts.flush(f.out);
  EXPECT_TRUE(f.take().empty()) << "what had not held long enough is no alert";
}

TEST(Alert, AMovedPeakIsToldOnceAPush) {
  Fixture f;
  f.row(100, 860);
  f.row(110, 860);
  f.take();
  std::vector<TestRow> rows;
  for (int i = 0; i < 5; ++i) rows.push_back({1, at_second(111 + i), {870 + i}});
  f.alerts.push(test_batch(rows, 0, rows.size(), f.layout), f.out);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].peak, 87.4);
  f.row(120, 874);
  EXPECT_TRUE(f.take().empty()) << "the first of equal peaks stays";
}

TEST(Alert, AMetricThatTheLayoutLacksIsNoMatter) {
  Fixture f({{"board_power_draw", 300, 290, seconds{10}, Severity::warning}});
  f.row(100, 9000);
  f.row(200, 9000);
  EXPECT_TRUE(f.take().empty());
}

std::string text_of(const Alert& alert) {
  return to_rfc3339(alert.began) + " to " + (alert.ended ? to_rfc3339(*alert.ended) : "-") + " " +
         std::string(alert.end_reason ? to_string(*alert.end_reason) : "") + " " +
         std::to_string(alert.peak) + " at " + to_rfc3339(alert.peak_at);
}

// The last state of each alert, which is what a store keeps.
std::map<std::string, std::string> last_states(const std::vector<Alert>& alerts) {
  std::map<std::string, std::string> states;
  for (const auto& alert : alerts) {
    states[std::to_string(alert.session) + " " + alert.rule.name() + " " +
           to_rfc3339(alert.began)] = text_of(alert);
  }
  return states;
}

TEST(Alert, SameHoweverTheRowsAreCutAndWhereverItIsKilledAndRestored) {
  std::mt19937 random(11);
  const auto layout = test_layout({"gpu_temperature", "cpu_temperature", "fan1_speed_rpm"});
  const std::vector<AlertRule> rules{kHot,
                                     {"cpu_temperature", 85, 84, seconds{3}, Severity::warning},
                                     {"cpu_temperature", 86, 83, seconds{0}, Severity::critical},
                                     {"fan1_speed_rpm", 83, 84, seconds{4}, Severity::info}};
  std::size_t seen = 0;
  for (int round = 0; round < 60; ++round) {
    const auto rows = random_rows(1'500, 3, random);
    std::vector<Alert> expected;
    AlertEvaluator undisturbed(rules);
    for (const auto& [from, to] : random_cuts(rows, 4'000, random)) {
      undisturbed.push(test_batch(rows, from, to, layout), expected);
    }
    undisturbed.flush(expected);

    std::vector<Alert> got;
    AlertEvaluator running(rules);
    for (const auto& [from, to] : random_cuts(rows, 90, random)) {
      AlertEvaluator restarted(rules);
      ASSERT_TRUE(restarted.restore(running.save()));
      restarted.push(test_batch(rows, from, to, layout), got);
      running = std::move(restarted);
    }
    running.flush(got);
    ASSERT_EQ(last_states(got), last_states(expected)) << "round " << round;
    seen += last_states(expected).size();
  }
  EXPECT_GT(seen, 1'000U);
}

TEST(Alert, UnderOtherRulesWhatIsGoneIsDroppedAndWhatIsNewIsIdle) {
  Fixture f;
  f.row(100, 860);
  f.row(110, 860);
  f.take();
  AlertEvaluator restarted({{"gpu_temperature", 50, 45, seconds{0}, Severity::info}});
  ASSERT_TRUE(restarted.restore(f.alerts.save()));
  restarted.flush(f.out);
  EXPECT_TRUE(f.take().empty());
}

TEST(Alert, ADamagedStateIsAnErrorOrAStateNeverACrash) {
  Fixture f;
  f.row(100, 860);
  f.row(110, 860);
  const std::string whole = f.alerts.save();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(AlertEvaluator({kHot}).restore(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(AlertEvaluator({kHot}).restore(whole + "x"));
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    AlertEvaluator alerts({kHot});
    const bool taken = alerts.restore(damaged).has_value();
    std::vector<Alert> out;
    alerts.flush(out);
    EXPECT_TRUE(taken || out.empty());
  }
}

TEST(Severity, IsReadAsItIsWritten) {
  for (const auto severity : {Severity::info, Severity::warning, Severity::critical}) {
    EXPECT_EQ(parse_severity(to_string(severity)), severity);
  }
  EXPECT_FALSE(parse_severity("fatal"));
}

}  // namespace
}  // namespace gpulse
