// "Held back?"
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

}  // namespace
}  // namespace gpulse
