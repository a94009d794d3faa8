#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "platform/file.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

using windows::Handle;

class FileOnWindows : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(path_) << "first"; }
  void TearDown() override { std::filesystem::remove(path_); }

  [[nodiscard]] Handle open_as_writer(DWORD sharing) const {
    return Handle(CreateFileW(path_.c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, sharing,
                              nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
  }
  static std::string text_of(const ReadFile& file) {
    std::string text(10, '?');
    text.resize(file.read_at(0, text).value_or(0));
    return text;
  }

  const std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) / u8"gpulse-Größe 温度.txt";
};

// Every combination of what a writer may leave to others, nothing among them.
TEST_F(FileOnWindows, NoWriterIsHinderedByWhatIsOpenHere) {
  const auto file = ReadFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  for (DWORD sharing = 0; sharing <= windows::kShareAll; ++sharing) {
    const Handle writer = open_as_writer(sharing);
    EXPECT_TRUE(writer) << "sharing " << sharing << ": " << windows::message_of(GetLastError());
    EXPECT_EQ(file->size(), 5) << "sharing " << sharing;
  }
}

TEST_F(FileOnWindows, WhatAWriterKeepsToItselfIsAnErrorUntilItLetsGo) {
  const auto file = ReadFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  {
    const Handle writer = open_as_writer(0);
    ASSERT_TRUE(writer);
    std::string text(10, '?');
    const auto got = file->read_at(0, text);
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().retryable);
    const auto second = ReadFile::open(path_);
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().message.contains("open in another program"))
        << second.error().message;
  }
  EXPECT_EQ(text_of(*file), "first");
}

TEST_F(FileOnWindows, ItsNameCanBeTakenAwayAndGivenToAnother) {
  const auto file = ReadFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  const auto moved = path_.parent_path() / "gpulse-moved.txt";
  std::filesystem::rename(path_, moved);
  EXPECT_EQ(text_of(*file), "first");
  std::ofstream(path_) << "second";
  EXPECT_NE(identity_of(path_), file->identity());
  EXPECT_EQ(text_of(*file), "first");
  // Gone: as if it had been emptied.
  std::filesystem::remove(moved);
  EXPECT_EQ(file->size(), 0);
  EXPECT_EQ(text_of(*file), "");
}

TEST_F(FileOnWindows, ItCanBeReplacedByAnother) {
  const auto file = ReadFile::open(path_);
  ASSERT_TRUE(file) << file.error().message;
  const auto other = path_.parent_path() / "gpulse-other.txt";
  std::ofstream(other) << "second";
  EXPECT_NE(MoveFileExW(other.c_str(), path_.c_str(), MOVEFILE_REPLACE_EXISTING), 0)
      << windows::message_of(GetLastError());
  EXPECT_NE(identity_of(path_), file->identity());
}

TEST_F(FileOnWindows, LongPathsOpen) {
  std::vector<std::filesystem::path> folders{path_.parent_path() / "gpulse-long"};
  while (folders.back().native().size() < 300) {
    folders.push_back(folders.back() / std::string(100, 'a'));
  }
  for (const auto& folder : folders) {
    CreateDirectoryW(windows::openable(folder).c_str(), nullptr);
  }
  const auto path = folders.back() / "log.txt";
  {
    const Handle made(CreateFileW(windows::openable(path).c_str(), GENERIC_WRITE, 0, nullptr,
                                  CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
    ASSERT_TRUE(made) << windows::message_of(GetLastError());
  }
  {
    const auto file = ReadFile::open(path);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->size(), 0);
  }
  EXPECT_NE(DeleteFileW(windows::openable(path).c_str()), 0);
  for (; !folders.empty(); folders.pop_back()) {
    EXPECT_NE(RemoveDirectoryW(windows::openable(folders.back()).c_str()), 0);
  }
}

class MoveFile : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(from_) << "new";
    std::ofstream(to_) << "old";
    reader_ = Handle(CreateFileW(to_.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                                 0, nullptr));
    ASSERT_TRUE(reader_);
  }
  void TearDown() override {
    reader_ = Handle();
    std::filesystem::remove(from_);
    std::filesystem::remove(to_);
  }
  [[nodiscard]] std::string target() const {
    std::string text;
    std::ifstream(to_) >> text;
    return text;
  }

  const std::filesystem::path from_ =
      std::filesystem::path(testing::TempDir()) / "gpulse_move_from";
  const std::filesystem::path to_ = std::filesystem::path(testing::TempDir()) / "gpulse_move_to";
  Handle reader_;
};

TEST_F(MoveFile, OntoOneThatStaysOpenIsGivenUpAfterASecond) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  EXPECT_TRUE(move_file(from_, to_));
  EXPECT_GE(Clock::now() - began, std::chrono::milliseconds{900});
  EXPECT_EQ(target(), "old");
  EXPECT_TRUE(std::filesystem::exists(from_));
}

TEST_F(MoveFile, OntoOneThatIsClosedMeanwhileIsDone) {
  std::promise<void> begun;
  const std::jthread leaves([&] {
    begun.get_future().wait();
    Sleep(100);  // the moment is what is tested: some tries later
    reader_ = Handle();
  });
  begun.set_value();
  EXPECT_FALSE(move_file(from_, to_));
  EXPECT_EQ(target(), "new");
}

TEST(Display, ANameThatIsNoUtf16IsShownAllTheSame) {
  EXPECT_EQ(display(L"C:\\\xD83D cut.txt"), "C:\\\uFFFD cut.txt");
}

TEST(OnlineOnly, IsNoFileOfThisMachine) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gpulse_here.txt";
  std::ofstream(file) << "here";
  EXPECT_FALSE(is_online_only(file));
  // A placeholder's mark, which any file may have.
  ASSERT_NE(SetFileAttributesW(file.c_str(), FILE_ATTRIBUTE_OFFLINE), 0);
  const bool kept = (GetFileAttributesW(file.c_str()) & FILE_ATTRIBUTE_OFFLINE) != 0;
  EXPECT_EQ(is_online_only(file), kept);  // Wine keeps no such mark
  std::filesystem::remove(file);
  EXPECT_FALSE(is_online_only(file));
}

}  // namespace
}  // namespace gpulse
