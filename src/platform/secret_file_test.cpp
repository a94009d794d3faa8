#include "platform/secret_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "platform/file.h"

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
  EXPECT_EQ(read_secret_file(file, "token file").value(), "secret");
}

TEST_F(SecretFile, HoldsOneLineAsAnyEditorSavesIt) {
  using namespace std::string_literals;
  const auto read = [&](const std::string& bytes) {
    std::filesystem::remove(file);
    std::ofstream(file, std::ios::binary) << bytes;
    EXPECT_TRUE(keep_to_owner(file).has_value());
    return read_secret_file(file, "token file");
  };
  EXPECT_EQ(read("pass w\xC3\xB6rd\r\n").value(), "pass w\xC3\xB6rd");
  EXPECT_EQ(read("\xEF\xBB\xBFtoken\n\n").value(), "token");
  EXPECT_EQ(read("\xFF\xFEt\0o\0\r\0\n\0"s).value(), "to");
  EXPECT_EQ(read("\xFE\xFF\0t\0o"s).value(), "to");
  EXPECT_EQ(read(std::string(kSecretBytesMax, 'x')).value(), std::string(kSecretBytesMax, 'x'));
  const auto reason = [&](const std::string& bytes) {
    const auto secret = read(bytes);
    return secret ? "none" : secret.error().message.substr(display(file).size() + 16);
  };
  EXPECT_EQ(reason("\xFF\xFEt\0\xF6\0\x34\x12"s), "is UTF-16: save it as UTF-8");
  EXPECT_EQ(reason("\xFF\xFEt"s), "is UTF-16: save it as UTF-8");
  EXPECT_EQ(reason("\xEF\xBB\xBF\r\n"), "is empty");
  EXPECT_EQ(reason(""), "is empty");
  EXPECT_EQ(reason("\ntoken"), "must hold one line");
  EXPECT_EQ(reason("two\nlines"), "must hold one line");
  EXPECT_EQ(reason(std::string(kSecretBytesMax + 1, 'x')), "is too long for one");
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
