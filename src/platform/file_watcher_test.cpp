#include "platform/file_watcher.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using Woken = FileWatcher::Woken;

// Long enough for a machine under load; what should come comes at once.
constexpr auto kPatience = 20s;

class FileWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void append(const std::filesystem::path& file) {
    std::ofstream(file, std::ios::app) << "text";
  }

  // Takes what is waiting, so that the next wait is for something new.
  static void settle(FileWatcher& watcher) {
    while (watcher.wait(0ms) == Woken::changed) {
    }
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("gpulse-watcher-") +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::filesystem::path file_ = folder_ / "the log.txt";
};

TEST_F(FileWatcherTest, WritesWakeAndOtherFilesDoNot) {
  append(file_);
  const auto watcher = FileWatcher::watch(file_);
  EXPECT_TRUE(watcher->rearm());
  settle(*watcher);
  append(folder_ / "another");
  EXPECT_EQ(watcher->wait(0ms), Woken::timed_out);
  const std::jthread writer([&] { append(file_); });
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
}

TEST_F(FileWatcherTest, WhatHappenedBeforeTheWaitIsNotMissed) {
  append(file_);
  const auto watcher = FileWatcher::watch(file_);
  append(file_);
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
}

TEST_F(FileWatcherTest, TheNamesComingAndGoingWakes) {
  const auto watcher = FileWatcher::watch(file_);
  EXPECT_TRUE(watcher->rearm());  // that it is missing is no reason: its coming is told
  append(file_);
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
  EXPECT_TRUE(watcher->rearm());
  settle(*watcher);
  std::filesystem::rename(file_, folder_ / "renamed");
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
  settle(*watcher);
  append(folder_ / "renamed");  // it is watched under whatever name it has
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
  settle(*watcher);
  append(folder_ / "other");
  std::filesystem::rename(folder_ / "other", file_);
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
  settle(*watcher);
  std::filesystem::remove(file_);
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
}

TEST_F(FileWatcherTest, AFileThatWasReplacedIsWatchedNoMore) {
  append(file_);
  const auto watcher = FileWatcher::watch(file_);
  std::filesystem::rename(file_, folder_ / "renamed");
  append(file_);
  EXPECT_TRUE(watcher->rearm());
  settle(*watcher);
  append(folder_ / "renamed");
  EXPECT_EQ(watcher->wait(0ms), Woken::timed_out);
  append(file_);
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
}

TEST_F(FileWatcherTest, AFolderThatComesLaterIsWatchedOnceAsked) {
  const auto file = folder_ / "later" / "log.txt";
  const auto watcher = FileWatcher::watch(file);
  EXPECT_FALSE(watcher->rearm());
  std::filesystem::create_directory(file.parent_path());
  EXPECT_TRUE(watcher->rearm());
  append(file);
  EXPECT_EQ(watcher->wait(kPatience), Woken::changed);
}

TEST_F(FileWatcherTest, CallsEndTheWaitUnderWayOrTheNext) {
  const auto watcher = FileWatcher::watch(file_);
  watcher->wake();
  EXPECT_EQ(watcher->wait(kPatience), Woken::called);
  EXPECT_EQ(watcher->wait(0ms), Woken::timed_out);
  const std::jthread caller([&] { watcher->wake(); });
  EXPECT_EQ(watcher->wait(kPatience), Woken::called);
}

TEST_F(FileWatcherTest, AWaitIsAsLongAsAskedDespiteOtherFiles) {
  append(file_);
  const auto watcher = FileWatcher::watch(file_);
  settle(*watcher);
  const std::jthread busy([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) append(folder_ / "another");
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(watcher->wait(50ms), Woken::timed_out);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 50ms);
}

}  // namespace
}  // namespace gpulse
