// What the three answers share.
#include <gtest/gtest.h>

#include "query/test_answers.h"

namespace gpulse {
namespace {

using test::at;
using test::every_second;
using test::TestHistory;

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
