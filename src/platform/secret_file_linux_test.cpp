#include <gtest/gtest.h>

#include <fstream>

#include "platform/secret_file.h"

namespace gpulse {
namespace {

TEST(SecretFileModes, OthersAreToldWithTheCure) {
  using std::filesystem::perms;
  const auto file = std::filesystem::path(testing::TempDir()) / "gpulse_secret_file_modes";
  std::ofstream(file) << "secret";
  for (const perms more : {perms::group_read, perms::others_read, perms::group_write}) {
    std::filesystem::permissions(file, perms::owner_read | more);
    const auto others = other_readers(file);
    ASSERT_TRUE(others.has_value());
    EXPECT_EQ(others->who, "others");
    EXPECT_EQ(others->cure, "chmod 600 " + file.string());
  }
  ASSERT_TRUE(keep_to_owner(file).has_value());
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms::owner_read | perms::owner_write);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace gpulse
