#include "platform/secret_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace gpulse {
namespace {

class SecretFile : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "gpulse_secret_file_test";
  const std::filesystem::path file = folder / "token";
};

TEST_F(SecretFile, ThatIsNoneIsRefused) {
  for (const auto& path : {file, folder}) {
    const auto checked = check_secret_file(path, "token file");
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().kind, ErrorKind::usage);
    EXPECT_NE(checked.error().message.find("the token file "), std::string::npos);
    EXPECT_NE(checked.error().message.find("is no file that can be read"), std::string::npos);
  }
}

TEST_F(SecretFile, KeptToItsOwnerIsTaken) {
  std::ofstream(file) << "secret";
  ASSERT_TRUE(keep_to_owner(file).has_value());
  EXPECT_FALSE(other_readers(file).has_value());
  EXPECT_TRUE(check_secret_file(file, "token file").has_value());
  std::string text;
  std::ifstream(file) >> text;
  EXPECT_EQ(text, "secret");
}

TEST_F(SecretFile, ComesIntoAFolderThatIsKeptToItsOwner) {
  ASSERT_TRUE(keep_to_owner(folder).has_value());
  EXPECT_FALSE(other_readers(folder).has_value());
  std::ofstream(file) << "secret";
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(SecretFile, ThatIsNotThereCannotBeKept) {
  const auto kept = keep_to_owner(file);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(kept.error().kind, ErrorKind::operation);
  EXPECT_NE(kept.error().message.find("cannot keep"), std::string::npos);
}

}  // namespace
}  // namespace gpulse
