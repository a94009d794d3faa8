#include "platform/file.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <optional>

namespace gpulse {
namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("gpulse-file-") +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

std::string read(const ReadFile& file, std::int64_t offset, std::size_t bytes) {
  std::string text(bytes, '?');
  const auto got = file.read_at(offset, text);
  EXPECT_TRUE(got);
  text.resize(got.value_or(0));
  return text;
}

TEST_F(FileTest, ReadsAtAnyPlaceAndStopsAtTheEnd) {
  const auto file = ReadFile::open(write("a", "0123456789"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 10);
  EXPECT_EQ(read(*file, 0, 4), "0123");
  EXPECT_EQ(read(*file, 8, 4), "89");
  EXPECT_EQ(read(*file, 10, 4), "");
  EXPECT_EQ(read(*file, 1000, 4), "");
}

TEST_F(FileTest, SaysWhatIsThereInsteadOfAFile) {
  const auto missing = ReadFile::open(folder_ / "nothing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::input);
  EXPECT_TRUE(missing.error().message.contains("there is no file"));
  const auto folder = ReadFile::open(folder_);
  ASSERT_FALSE(folder);
  EXPECT_TRUE(folder.error().message.contains("a folder"));
}

TEST_F(FileTest, StaysTheFileItIsWhenItsNameGoes) {
  const auto path = write("a", "first");
  const auto file = ReadFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(identity_of(path), file->identity());
  std::filesystem::rename(path, folder_ / "b");
  EXPECT_FALSE(identity_of(path));
  EXPECT_EQ(identity_of(folder_ / "b"), file->identity());
  write("a", "second");
  EXPECT_NE(identity_of(path), file->identity());
  EXPECT_EQ(read(*file, 0, 10), "first");
}

TEST_F(FileTest, WhatIsWrittenAfterOpeningIsSeen) {
  const auto path = write("a", "one");
  const auto file = ReadFile::open(path);
  ASSERT_TRUE(file);
  std::ofstream(path, std::ios::app) << " two";
  EXPECT_EQ(file->size(), 7);
  EXPECT_EQ(read(*file, 3, 10), " two");
  std::filesystem::resize_file(path, 0);
  EXPECT_EQ(file->size(), 0);
  EXPECT_EQ(read(*file, 0, 10), "");
}

TEST_F(FileTest, AMovedFileIsOpenOnce) {
  auto file = ReadFile::open(write("a", "text"));
  ASSERT_TRUE(file);
  auto other = ReadFile::open(write("b", "other"));
  ASSERT_TRUE(other);
  ReadFile moved = std::move(*file);
  moved = std::move(*other);
  EXPECT_EQ(read(moved, 0, 10), "other");
}

TEST_F(FileTest, AFolderIsLockedForOneUntilItGoes) {
  auto first = FolderLock::take(folder_ / "lock");
  ASSERT_TRUE(first);
  const auto second = FolderLock::take(folder_ / "lock");
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().message.contains("another gpulse"));
  {
    const FolderLock moved = std::move(*first);
    EXPECT_FALSE(FolderLock::take(folder_ / "lock"));
  }
  EXPECT_TRUE(FolderLock::take(folder_ / "lock"));
  EXPECT_FALSE(FolderLock::take(folder_ / "nowhere" / "lock"));
}

TEST_F(FileTest, PathsAreShownAsUtf8) {
  EXPECT_EQ(display(std::filesystem::path(u8"Übung/löß.txt")), "Übung/löß.txt");
}

}  // namespace
}  // namespace gpulse
