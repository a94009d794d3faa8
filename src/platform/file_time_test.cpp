#include "platform/file_time.h"

#include <gtest/gtest.h>

#include <fstream>

namespace gpulse {
namespace {

TEST(FileTime, OfAFileThatIsStillOpen) {
  const auto file = std::filesystem::path(testing::TempDir()) / "file_time_test.txt";
  const auto before = std::chrono::floor<std::chrono::seconds>(system_clock().now());
  std::ofstream writer(file);
  writer << "a row" << std::flush;
  const auto written = last_written(file);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_GE(*written, before - std::chrono::seconds{2});
  EXPECT_LE(*written, system_clock().now() + std::chrono::seconds{2});
  writer.close();
  std::filesystem::remove(file);
  EXPECT_EQ(last_written(file).error().kind, ErrorKind::input);
}

}  // namespace
}  // namespace gpulse
