// "Too hot?"
#include <gtest/gtest.h>

#include "query/test_answers.h"

namespace gpulse {
namespace {

using test::ask;
using test::at;
using test::every_second;
using test::kAbsent;
using test::number_of;
using test::repeated;
using test::TestHistory;
using test::then;
using test::time_of;

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

}  // namespace
}  // namespace gpulse
