#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "platform/file.h"

namespace gpulse {
namespace {

TEST(FileOnLinux, APipeIsNoFileAndIsNotWaitedFor) {
  const auto path = std::filesystem::path(testing::TempDir()) / "gpulse-file-pipe";
  std::filesystem::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto pipe = ReadFile::open(path);
  ASSERT_FALSE(pipe);
  EXPECT_TRUE(pipe.error().message.contains("pipe"));
  std::filesystem::remove(path);
}

TEST(FileOnLinux, WhatIsOpenCanBeReadWhenItsLastNameIsGone) {
  const auto path = std::filesystem::path(testing::TempDir()) / "gpulse-file-removed";
  std::ofstream(path) << "first";
  const auto file = ReadFile::open(path);
  ASSERT_TRUE(file);
  std::filesystem::remove(path);
  std::array<char, 10> text{};
  EXPECT_EQ(file->read_at(0, text), 5U);
  EXPECT_EQ(std::string_view(text.data(), 5), "first");
}

}  // namespace
}  // namespace gpulse
