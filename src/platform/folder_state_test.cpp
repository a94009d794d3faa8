#include "platform/folder_state.h"

#include <gtest/gtest.h>

#include <fstream>

#include "platform/file.h"

namespace gpulse {
namespace {

class FolderState : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("gpulse-state-") +
       testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(FolderState, OfWhatWeMadeIsOurs) {
  const auto access = path_access(folder_);
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_TRUE(access->writable && access->ours);
  EXPECT_FALSE(access->owner.empty());
  EXPECT_FALSE(path_access(folder_ / "nothing"));
}

TEST_F(FolderState, TellsWhoHoldsALock) {
  const auto file = folder_ / "lock";
  EXPECT_EQ(lock_holder(file), std::nullopt);
  {
    const auto lock = FolderLock::take(file);
    ASSERT_TRUE(lock);
    EXPECT_GT(lock_holder(file).value_or(0), 0);
  }
  EXPECT_EQ(lock_holder(file), std::nullopt);
}

}  // namespace
}  // namespace gpulse
