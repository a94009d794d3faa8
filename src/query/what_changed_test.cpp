// "What changed?"
#include <gtest/gtest.h>

#include "query/test_answers.h"

namespace gpulse {
namespace {

using std::chrono::minutes;
using test::ask;
using test::at;
using test::every_second;
using test::repeated;
using test::TestHistory;
using test::then;
using test::time_of;

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

}  // namespace
}  // namespace gpulse
