#include "platform/data_folder.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

TEST(DataFolder, TheDataHomeComesFirst) {
  EXPECT_EQ(data_folder_from("/srv/data", "/home/ann"), "/srv/data/gpulse");
}

TEST(DataFolder, ElseInTheHome) {
  EXPECT_EQ(data_folder_from(nullptr, "/home/ann"), "/home/ann/.local/share/gpulse");
  EXPECT_EQ(data_folder_from("", "/home/ann"), "/home/ann/.local/share/gpulse");
  EXPECT_EQ(data_folder_from("relative", "/home/ann"), "/home/ann/.local/share/gpulse");
}

TEST(DataFolder, WithoutAHomeItSaysWhatToDo) {
  for (const char* home : {static_cast<const char*>(nullptr), ""}) {
    const auto folder = data_folder_from(nullptr, home);
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().kind, ErrorKind::usage);
    EXPECT_TRUE(folder.error().message.contains("--data"));
  }
}

}  // namespace
}  // namespace gpulse
