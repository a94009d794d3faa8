#include "query/answers.h"

#include <gtest/gtest.h>

#include <random>

#include "query/test_history.h"

namespace gpulse {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::at;
using test::every_second;
using test::kAbsent;
using test::TestHistory;

std::vector<double> repeated(std::size_t rows, double value) {
  return std::vector<double>(rows, value);
}

std::vector<double> then(std::vector<double> first, const std::vector<double>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

struct Ask {
  DeviceState state = DeviceState::live;
  std::optional<TimeRange> range = std::nullopt;
  bool past = false;
};

// at(0) is 13:46:40 in UTC.
Answers ask(TestHistory& history, const Ask& how = {}) {
  for (const auto* metric : {"gpu_temperature", "hot_spot_temperature", "cpu_temperature"}) {
    history.set_decimals(metric, 1);
  }
  const DeviceRecord device = history.device(how.state);
  const TimeRange range = how.range.value_or(TimeRange{device.first, device.last});
  auto answers = answer_questions(history, device,
                                  {range, default_alert_rules(), *TimeZone::find("UTC"), how.past});
  EXPECT_TRUE(answers) << answers.error().message;
  return *std::move(answers);
}

double number_of(const Answer& answer, std::string_view name) {
  for (const Fact& fact : answer.facts) {
    if (fact.name == name) return std::get<double>(fact.value);
  }
  ADD_FAILURE() << "no fact " << name;
  return 0;
}

Timestamp time_of(const Answer& answer, std::string_view name) {
  for (const Fact& fact : answer.facts) {
    if (fact.name == name) return std::get<Timestamp>(fact.value);
  }
  ADD_FAILURE() << "no fact " << name;
  return {};
}

TestHistory temperatures(const std::vector<double>& gpu, const std::vector<double>& hot_spot,
                         const std::vector<double>& cpu) {
  TestHistory history;
  history.add(every_second(0, {"gpu_temperature", "hot_spot_temperature", "cpu_temperature"},
                           {gpu, hot_spot, cpu}));
  return history;
}

TEST(TooHot, NearestToItsOwnRuleIsSaid) {
  auto history = temperatures({60, 63, 40.4}, {70, 82, 50.8}, {70, 60, 55});
  const Answer answer = ask(history).too_hot;
  EXPECT_EQ(answer.question, "Too hot?");
  EXPECT_EQ(answer.level, AnswerLevel::ok);
  EXPECT_EQ(answer.sentence, "No, CPU 25.0 °C under its 80 °C rule");
  EXPECT_EQ(answer.evidence, "GPU 40.4, hot spot 50.8 · hottest in range CPU 70.0 at 13:46:40");
  EXPECT_EQ(number_of(answer, "distance"), 25);
  EXPECT_EQ(number_of(answer, "limit"), 80);
}

TEST(TooHot, WithinFiveDegreesIsNear) {
  auto history = temperatures({79.9, 80}, {20, 20}, {20, 20});
  EXPECT_EQ(ask(history).too_hot.level, AnswerLevel::near);
  EXPECT_EQ(ask(history).too_hot.sentence, "No, GPU 5.0 °C under its 85 °C rule");
  auto cooler = temperatures({79.9, 79.9}, {20, 20}, {20, 20});
  EXPECT_EQ(ask(cooler).too_hot.level, AnswerLevel::ok);
}

TEST(TooHot, OverNowIsYesHoweverBriefly) {
  auto history = temperatures({63.6, 63.6, 63.6}, {20, 20, 20}, {70, 81, 82});
  const Answer answer = ask(history).too_hot;
  EXPECT_EQ(answer.level, AnswerLevel::over);
  EXPECT_EQ(answer.sentence, "Yes, CPU 82.0 °C, its rule is 80");
  EXPECT_EQ(answer.evidence, "since 13:46:41, ends below 78 · GPU 63.6 is well under its own 85");
  EXPECT_EQ(time_of(answer, "since"), at(1));
}

TEST(TooHot, FurthestOverIsSaidFirst) {
  auto history = temperatures({86, 86}, {20, 20}, {81, 90});
  const Answer answer = ask(history).too_hot;
  EXPECT_EQ(answer.sentence, "Yes, CPU 90.0 °C, its rule is 80");
  EXPECT_EQ(answer.evidence, "since 13:46:40, ends below 78 · GPU 86.0 is over its own 85");
}

TEST(TooHot, ASecondOverARuleOfTenIsNoNotNow) {
  auto history = temperatures({40, 40, 40}, {50, 50, 50}, {70, 82, 55});
  const Answer answer = ask(history).too_hot;
  EXPECT_EQ(answer.level, AnswerLevel::ok);
  EXPECT_EQ(answer.sentence, "No, CPU 25.0 °C under its 80 °C rule");
  EXPECT_EQ(
      answer.evidence,
      "GPU 40.0, hot spot 50.0 · hottest in range CPU 82.0 at 13:46:41, over its rule for 1 s");
}

TEST(TooHot, WasOverForAsLongAsItsRuleAsks) {
  // Ten seconds from the first to the last reading over it, with an absent one between.
  auto cpu = repeated(30, 60);
  for (std::size_t row = 5; row <= 15; ++row) cpu[row] = row == 9 ? 83 : row == 10 ? kAbsent : 81;
  auto history = temperatures(repeated(30, 40), repeated(30, 50), cpu);
  const Answer answer = ask(history).too_hot;
  EXPECT_EQ(answer.level, AnswerLevel::was_over);
  EXPECT_EQ(answer.sentence, "Not now. CPU reached 83.0 °C at 13:46:49");
  EXPECT_EQ(answer.evidence, "over its 80 °C rule for 10 s · GPU 40.0, hot spot 50.0");
  cpu[15] = 80;
  auto shorter = temperatures(repeated(30, 40), repeated(30, 50), cpu);
  EXPECT_EQ(ask(shorter).too_hot.level, AnswerLevel::ok);
}

TEST(TooHot, AReadingThatWasNotOverEndsTheHold) {
  auto cpu = repeated(40, 81);
  for (std::size_t row = 9; row < 40; row += 10) cpu[row] = 80;
  cpu.back() = 60;
  auto history = temperatures(repeated(40, 40), repeated(40, 50), cpu);
  EXPECT_EQ(ask(history).too_hot.level, AnswerLevel::ok);
}

TEST(TooHot, OfThePastTheWholeRangeCounts) {
  auto history = temperatures({60, 67, 40}, {70, 90, 50}, {35, 40.3, 30});
  const Answer answer = ask(history, {DeviceState::ended}).too_hot;
  EXPECT_EQ(answer.question, "Was it too hot?");
  EXPECT_EQ(answer.level, AnswerLevel::ok);
  EXPECT_EQ(answer.sentence, "No, hot spot stayed 10.0 °C under its 100 °C rule");
  EXPECT_EQ(answer.evidence, "hot spot reached 90.0 at 13:46:41 · GPU 67.0, CPU 40.3 at most");
  EXPECT_EQ(ask(history, {.past = true}).too_hot.sentence, answer.sentence);

  auto spike = temperatures({60, 67, 40}, {70, 90, 50}, {35, 82, 30});
  EXPECT_EQ(ask(spike, {DeviceState::ended}).too_hot.sentence,
            "No, but CPU reached 82.0 °C at 13:46:41");
  EXPECT_EQ(ask(spike, {DeviceState::ended}).too_hot.level, AnswerLevel::near);

  auto hot = temperatures(repeated(20, 86), repeated(20, 50), repeated(20, 50));
  EXPECT_EQ(ask(hot, {DeviceState::ended}).too_hot.sentence,
            "Yes, GPU reached 86.0 °C at 13:46:40");
  EXPECT_EQ(ask(hot, {DeviceState::ended}).too_hot.level, AnswerLevel::was_over);
}

TEST(TooHot, StaleIsNotKnownNow) {
  auto history = temperatures({60, 63, 40.4}, {70, 82, 50.8}, {70, 60, 55});
  const Answer answer = ask(history, {DeviceState::stale}).too_hot;
  EXPECT_EQ(answer.level, AnswerLevel::unknown);
  EXPECT_EQ(answer.sentence, "Not known now. Last seen 40.4 °C");
  EXPECT_EQ(answer.evidence, "at 13:46:42. Is GPU-Z still open, with Log to file ticked?");
}

// A range that ends before the newest rows is about the past, whatever the device does now.
TEST(TooHot, AnEarlierRangeOfALiveDeviceIsPast) {
  auto history = temperatures(repeated(100, 40), repeated(100, 50), repeated(100, 50));
  EXPECT_EQ(ask(history, {.range = TimeRange{at(0), at(50)}}).too_hot.question, "Was it too hot?");
  EXPECT_EQ(ask(history, {.range = TimeRange{at(0), at(90)}}).too_hot.question, "Too hot?");
  EXPECT_EQ(ask(history, {DeviceState::stale, TimeRange{at(0), at(50)}}).too_hot.sentence,
            "No, CPU stayed 30.0 °C under its 80 °C rule");
}

// A sensor that fell silent must not be told as if it were now.
TEST(TooHot, SilentSensorIsNotNow) {
  auto history = temperatures(repeated(60, 40), repeated(60, 50),
                              then(repeated(30, 79), repeated(30, kAbsent)));
  EXPECT_EQ(ask(history).too_hot.sentence, "No, GPU 45.0 °C under its 85 °C rule");
  auto silent = temperatures(then(repeated(30, 40), repeated(30, kAbsent)), repeated(60, kAbsent),
                             repeated(60, kAbsent));
  EXPECT_EQ(ask(silent).too_hot.sentence, "Not known now. Last seen 40.0 °C");
  EXPECT_EQ(ask(silent).too_hot.evidence, "at 13:47:09");
}

TEST(TooHot, WithoutTemperatureItSaysWhichIsMissing) {
  TestHistory load;
  load.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  EXPECT_EQ(ask(load).too_hot.sentence, "No temperature in this log");
  EXPECT_EQ(ask(load).too_hot.level, AnswerLevel::unknown);
  TestHistory other;
  other.add(every_second(0, {"pcb_temperature"}, {{40, 41}}));
  EXPECT_EQ(ask(other).too_hot.sentence, "No rule for a temperature in this log");
  auto history = temperatures({40, 40}, {50, 50}, {50, 50});
  EXPECT_EQ(ask(history, {.range = TimeRange{at(100), at(200)}}).too_hot.sentence,
            "No temperature in this range");
}

TEST(TooHot, BelowZeroHasATrueMinus) {
  TestHistory history;
  history.add(every_second(0, {"cpu_temperature"}, {{-12, -12.5}}));
  EXPECT_EQ(ask(history, {DeviceState::stale}).too_hot.sentence,
            "Not known now. Last seen \u221212.5 °C");
}

TestHistory perfcap(const std::vector<double>& values, double load = 99) {
  TestHistory history;
  history.add(
      every_second(0, {"gpu_load", "perfcap_reason"}, {repeated(values.size(), load), values}));
  return history;
}

TEST(HeldBack, UtilisationIsNoLimit) {
  auto history = perfcap(repeated(4826, 16));
  const Answer answer = ask(history).held_back;
  EXPECT_EQ(answer.question, "Held back?");
  EXPECT_EQ(answer.level, AnswerLevel::ok);
  EXPECT_EQ(answer.sentence, "No, not once in 1 h 20 min");
  EXPECT_EQ(answer.evidence,
            "PerfCap says Util in all 4\u202f826 rows, also at 99 % load: nothing limits it");
  auto idle = perfcap({0, 0, 16, kAbsent}, 3);
  EXPECT_EQ(ask(idle).held_back.evidence,
            "PerfCap says nothing or Util in all 3 rows that say: nothing limits it");
}

TEST(HeldBack, ShareAndLargestReason) {
  // 43 of 100 s limited: 38 by power, 10 by heat, 5 of them at once; Util beside does not hide it.
  auto values = repeated(100, 16);
  for (std::size_t row = 0; row < 38; ++row) values[row] = 1;
  for (std::size_t row = 33; row < 43; ++row) values[row] = row < 38 ? 3 : 18;
  auto history = perfcap(values);
  const Answer answer = ask(history).held_back;
  EXPECT_EQ(answer.level, AnswerLevel::limited);
  EXPECT_EQ(answer.sentence, "Yes, 43 % of the time, mostly by power");
  EXPECT_EQ(answer.evidence, "power 38 s, thermal 10 s · last at 13:47:23");
  EXPECT_DOUBLE_EQ(number_of(answer, "share"), 0.43);
}

TEST(HeldBack, OneReasonIsNotMostly) {
  for (const auto& [bit, reason] : {std::pair{1, "power"},
                                    {2, "heat"},
                                    {4, "reliability voltage"},
                                    {8, "operating voltage"},
                                    {32, "SLI"}}) {
    auto history = perfcap(then(repeated(50, bit), repeated(50, 0)));
    EXPECT_EQ(ask(history).held_back.sentence, std::string("Yes, 50 % of the time, by ") + reason);
  }
}

TEST(HeldBack, SmallSharesAreSaidInSeconds) {
  auto history = perfcap(then(repeated(12, 1), repeated(4814, 0)));
  EXPECT_EQ(ask(history).held_back.sentence, "Yes, for 12 s in 1 h 20 min, by power");
}

TEST(HeldBack, NearlyAllIsNotAll) {
  auto all = perfcap(repeated(1000, 1));
  EXPECT_EQ(ask(all).held_back.sentence, "Yes, all the time, by power");
  auto nearly = perfcap(then(repeated(999, 1), {0}));
  EXPECT_EQ(ask(nearly).held_back.sentence, "Yes, over 99 % of the time, by power");
}

TEST(HeldBack, WithoutTheColumnThisLogCannotSay) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  EXPECT_EQ(ask(history).held_back.level, AnswerLevel::unknown);
  EXPECT_EQ(ask(history).held_back.sentence, "This log cannot say");
  EXPECT_EQ(ask(history).held_back.evidence, "no PerfCap column in it");
  auto silent = perfcap({kAbsent, kAbsent});
  EXPECT_EQ(ask(silent).held_back.evidence, "no reading in its PerfCap column");
  EXPECT_EQ(ask(silent, {.range = TimeRange{at(50), at(60)}}).held_back.evidence,
            "no row in this range");
  EXPECT_EQ(ask(history, {DeviceState::ended}).held_back.question, "Was it held back?");
}

TEST(HeldBack, SessionsWithoutTheColumnAreMentioned) {
  auto history = perfcap(repeated(600, 16));
  history.add(every_second(1000, {"gpu_load"}, {repeated(300, 50)}));
  EXPECT_EQ(ask(history).held_back.sentence, "No, not once in 10 min");
  EXPECT_TRUE(ask(history).held_back.evidence.ends_with("· no PerfCap in 5 min of the range"));
}

TestHistory gaming(const std::vector<double>& load, const std::vector<double>& power,
                   const std::vector<double>& hot_spot, const std::vector<double>& clock) {
  TestHistory history;
  history.add(every_second(0, {"gpu_clock", "hot_spot_temperature", "gpu_load", "board_power_draw"},
                           {clock, hot_spot, load, power}));
  return history;
}

TEST(WhatChanged, LoadStepWithWhatElseMoved) {
  std::vector<double> hot_spot = repeated(600, 80);
  for (int row = 0; row < 600; ++row) hot_spot.push_back(std::max(50.0, 80 - row / 8.0));
  auto history = gaming(then(repeated(600, 99), repeated(600, 31)),
                        then(repeated(600, 221), repeated(600, 52)), hot_spot,
                        then(repeated(600, 1980), repeated(600, 420)));
  const Answer answer = ask(history).what_changed;
  EXPECT_EQ(answer.question, "What changed?");
  EXPECT_EQ(answer.level, AnswerLevel::ok);
  EXPECT_EQ(answer.sentence, "Load fell 99 → 31 % at 13:56:40");
  EXPECT_EQ(answer.evidence,
            "board 221 → 52 W · hot spot 80 → 50 °C in 4 min · clock 1\u202f980 → 420 MHz");
  EXPECT_EQ(answer.zoom, (TimeRange{at(600) - minutes{2}, at(600) + minutes{4}}));
  EXPECT_EQ(time_of(answer, "at"), at(600));
}

TEST(WhatChanged, WhatDidNotMoveIsNotEvidence) {
  auto history = gaming(then(repeated(100, 50), repeated(100, 90)), repeated(200, 150),
                        repeated(200, 60), repeated(200, 1980));
  EXPECT_EQ(ask(history).what_changed.sentence, "Load rose 50 → 90 % at 13:48:20");
  EXPECT_EQ(ask(history).what_changed.evidence, "");
}

TEST(WhatChanged, MostRecentOfTheLargeSteps) {
  const auto with_last = [](double level) {
    auto load = then(then(repeated(100, 0), repeated(100, 98)), repeated(100, level));
    auto history = gaming(load, repeated(300, 100), repeated(300, 60), repeated(300, 1980));
    return ask(history).what_changed.sentence;
  };
  EXPECT_EQ(with_last(48), "Load fell 98 → 48 % at 13:50:00");
  EXPECT_EQ(with_last(50), "Load rose 0 → 98 % at 13:48:20");
}

TEST(WhatChanged, PowerCountsAtEqualLoadAlone) {
  auto history = gaming(repeated(200, 99), then(repeated(100, 220), repeated(100, 180)),
                        repeated(200, 60), then(repeated(100, 1980), repeated(100, 1650)));
  const Answer answer = ask(history).what_changed;
  EXPECT_EQ(answer.sentence, "Board power fell 220 → 180 W at 13:48:20, at equal load");
  EXPECT_EQ(answer.evidence, "clock 1\u202f980 → 1\u202f650 MHz");
}

TEST(WhatChanged, SmallStepsOfPowerAreNone) {
  auto small = gaming(repeated(200, 99), then(repeated(100, 220), repeated(100, 190)),
                      repeated(200, 60), repeated(200, 1980));
  EXPECT_EQ(ask(small).what_changed.sentence, "Nothing since logging began at 13:46:40");
  auto idle = gaming(repeated(200, 2), then(repeated(100, 8), repeated(100, 23)), repeated(200, 60),
                     repeated(200, 1980));
  EXPECT_EQ(ask(idle).what_changed.sentence, "Nothing since logging began at 13:46:40");
}

TEST(WhatChanged, WithoutLoadPowerIsTakenAsItIs) {
  TestHistory history;
  history.add(
      every_second(0, {"gpu_chip_power_draw"}, {then(repeated(100, 10), repeated(100, 150))}));
  EXPECT_EQ(ask(history).what_changed.sentence, "Chip power rose 10 → 150 W at 13:48:20");
}

TEST(WhatChanged, SessionsBeginAgain) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {repeated(60, 1)}));
  history.add(every_second(69, {"gpu_load"}, {repeated(60, 1)}));
  const Answer once = ask(history).what_changed;
  EXPECT_EQ(once.sentence, "Logging began again at 13:47:49");
  EXPECT_EQ(once.evidence, "10 s without a row");
  EXPECT_EQ(once.zoom, (TimeRange{at(0), at(128)}));
  history.add(every_second(134, {"gpu_load"}, {repeated(60, 1)}));
  EXPECT_EQ(ask(history).what_changed.sentence, "Logging began again, twice");
  EXPECT_EQ(ask(history).what_changed.evidence, "at 13:47:49 after 10 s, 13:48:54 after 6 s");
  history.add(every_second(200, {"gpu_load"}, {repeated(60, 1)}));
  EXPECT_EQ(ask(history).what_changed.sentence, "Logging began again, 3 times");
  EXPECT_EQ(ask(history).what_changed.evidence, "last at 13:48:54 after 6 s, 13:50:00 after 7 s");
  // Sessions before the range are not in it.
  EXPECT_EQ(ask(history, {.range = TimeRange{at(200), at(259)}}).what_changed.sentence,
            "Nothing since logging began at 13:50:00");
}

TEST(WhatChanged, NothingIsSaidAsNothing) {
  auto history =
      gaming(repeated(1200, 99), repeated(1200, 220), repeated(1200, 60), repeated(1200, 1980));
  const Answer answer = ask(history, {.range = TimeRange{at(300), at(1199)}}).what_changed;
  EXPECT_EQ(answer.level, AnswerLevel::ok);
  EXPECT_EQ(answer.sentence, "Nothing in 15 min");
  EXPECT_EQ(answer.evidence, "load 99 % · board 220 W");
  EXPECT_FALSE(answer.zoom);
}

TEST(WhatChanged, WithoutLoadAndPowerThisLogCannotSay) {
  TestHistory history;
  history.add(every_second(0, {"gpu_temperature"}, {{40, 41}}));
  EXPECT_EQ(ask(history).what_changed.level, AnswerLevel::unknown);
  EXPECT_EQ(ask(history).what_changed.sentence, "This log cannot say");
  EXPECT_EQ(ask(history, {.range = TimeRange{at(50), at(60)}}).what_changed.sentence,
            "No row in this range");
}

TEST(WhatChanged, DatesAreAddedToLongRanges) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {then(repeated(100, 0), repeated(100, 99))}));
  history.add(every_second(200'000, {"gpu_load"}, {repeated(100, 99)}));
  EXPECT_EQ(ask(history).what_changed.sentence, "Load rose 0 → 99 % on 12 Jan at 13:48:20");
}

// Temperature is followed up to the next step only.
TEST(WhatChanged, EvidenceEndsAtTheNextStep) {
  auto history = gaming(
      then(then(repeated(100, 0), repeated(100, 98)), repeated(400, 60)), repeated(600, 100),
      then(then(repeated(100, 40), repeated(100, 70)), repeated(400, 45)), repeated(600, 1980));
  EXPECT_EQ(ask(history).what_changed.sentence, "Load rose 0 → 98 % at 13:48:20");
  EXPECT_EQ(ask(history).what_changed.evidence, "hot spot 40 → 70 °C");
}

TEST(Answers, RefuseABackwardRangeAndSayWhatFailed) {
  TestHistory history;
  history.add(every_second(0, {"gpu_load"}, {{1, 2}}));
  const auto zone = *TimeZone::find("UTC");
  auto backward =
      answer_questions(history, history.device(), {{at(1), at(0)}, default_alert_rules(), zone});
  ASSERT_FALSE(backward);
  EXPECT_EQ(backward.error().kind, ErrorKind::usage);
  history.fail();
  auto failed =
      answer_questions(history, history.device(), {{at(0), at(1)}, default_alert_rules(), zone});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "cannot answer: the disk is gone");
}

TEST(Answers, LevelsHaveTheirWords) {
  EXPECT_EQ(to_string(AnswerLevel::was_over), "was_over");
  EXPECT_EQ(to_string(AnswerLevel::limited), "limited");
  EXPECT_EQ(to_string(AnswerLevel::unknown), "unknown");
}

}  // namespace
}  // namespace gpulse
