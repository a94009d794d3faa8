#include "platform/host_name.h"

#include <gtest/gtest.h>

#include <fstream>

namespace gpulse {
namespace {

TEST(HostName, IsTheSystemsOwn) {
  std::ifstream in("/proc/sys/kernel/hostname");
  std::string name;
  ASSERT_TRUE(in >> name);
  EXPECT_EQ(host_name(), name);
}

}  // namespace
}  // namespace gpulse
