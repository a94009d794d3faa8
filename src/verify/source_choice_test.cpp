#include "verify/source_choice.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

using Names = std::vector<std::string>;

TEST(SourceChoice, TheNewestGenerationIsTheLogItself) {
  const Names present{"aa~2", "bb", "aa", "aa~10", "aa~9"};
  const SourceChoice choice = choose_sources("aa", present);
  EXPECT_EQ(choice.own, "aa~10");
  EXPECT_EQ(choice.earlier, (Names{"aa~2", "aa", "aa~9"}));
  EXPECT_TRUE(choice.replays.empty());
}

TEST(SourceChoice, ReplaysAreNotTheLogItself) {
  const Names present{"aa@20261124T090000.000Z#2", "aa@20261124T090000.000Z",
                      "bb@20261124T090000.000Z"};
  const SourceChoice choice = choose_sources("aa", present);
  EXPECT_EQ(choice.own, "");
  EXPECT_EQ(choice.replays, (Names{"aa@20261124T090000.000Z", "aa@20261124T090000.000Z#2"}));
}

TEST(SourceChoice, ALogThatIsNotThereHasNone) {
  const SourceChoice choice = choose_sources("aa", Names{"aab", "b"});
  EXPECT_EQ(choice.own, "");
  EXPECT_TRUE(choice.replays.empty());
}

}  // namespace
}  // namespace gpulse
