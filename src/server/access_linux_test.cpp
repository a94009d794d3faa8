#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/access.h"

namespace gpulse {
namespace {

TEST(TokenFileOnLinux, ThatOthersCanReadIsRefusedWithTheCure) {
  using std::filesystem::perms;
  const auto file = std::filesystem::path(testing::TempDir()) / "gpulse_access_token_of_many";
  std::ofstream(file) << "0123456789abcdef";
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write | perms::group_read);
  const auto token = read_token_file(file);
  ASSERT_FALSE(token.has_value());
  EXPECT_NE(token.error().message.find("chmod 600"), std::string::npos);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace gpulse
