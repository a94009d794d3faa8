#include "platform/process_stats.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace gpulse {
namespace {

ProcessStats stats() {
  const auto now = process_stats();
  if (!now) throw std::runtime_error(now.error().message);
  return *now;
}

TEST(ProcessStats, CpuTimeGrowsWithWork) {
  const auto before = stats().cpu;
  volatile std::uint64_t sum = 0;
  // Some milliseconds of work; ends by itself where the clock of usage is a coarse one.
  std::uint64_t rounds = 0;
  for (; stats().cpu == before && rounds < 1'000'000; ++rounds) {
    for (std::uint64_t i = 0; i < 100'000; ++i) sum = sum + i;
  }
  EXPECT_GT(stats().cpu, before);
  EXPECT_LT(stats().cpu, std::chrono::hours{1});
}

TEST(ProcessStats, ResidentMemoryGrowsWhenTouched) {
  constexpr std::int64_t kBytes = 64 << 20;
  const auto before = stats().resident_bytes;
  const std::vector<char> touched(kBytes, 'x');
  EXPECT_GT(stats().resident_bytes, before + kBytes / 2);
  EXPECT_EQ(touched.back(), 'x');
}

TEST(ProcessStats, OpenFilesAreCounted) {
  const auto before = stats().open_files;
  if (before == 0 && std::filesystem::path::preferred_separator != '/') {
    GTEST_SKIP() << "Wine does not count them";
  }
  const auto path = std::filesystem::path(testing::TempDir()) / "gpulse-open";
  {
    const std::ofstream one(path);
    const std::ofstream two(path);
    EXPECT_EQ(stats().open_files, before + 2);
  }
  std::filesystem::remove(path);
}

TEST(ProcessStats, StartedNotLongAgo) {
  const auto age = system_clock().now() - stats().started;
  EXPECT_GE(age, std::chrono::seconds{-2});
  EXPECT_LT(age, std::chrono::hours{1});
}

}  // namespace
}  // namespace gpulse
