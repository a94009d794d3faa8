#include <gtest/gtest.h>

#include "platform/data_folder.h"
#include "platform/host_name.h"

namespace gpulse {
namespace {

TEST(HostNameOnWindows, IsSet) { EXPECT_FALSE(host_name().empty()); }

TEST(DataFolderOnWindows, IsTheUsersOwn) {
  const auto folder = default_data_folder();
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(folder->filename(), "gpulse");
  EXPECT_TRUE(std::filesystem::is_directory(folder->parent_path()));
}

}  // namespace
}  // namespace gpulse
