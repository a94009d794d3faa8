#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "influxdb/endpoint.h"

namespace gpulse {
namespace {

TEST(InfluxTokenOnLinux, OfAFileThatOthersCanReadIsRefusedWithTheCure) {
  using std::filesystem::perms;
  const InfluxOptions options{
      "influxdb://h/a/b", std::filesystem::path(testing::TempDir()) / "gpulse-token-of-many", {}};
  std::ofstream(options.token_file) << "abc==\n";
  std::filesystem::permissions(options.token_file,
                               perms::owner_read | perms::owner_write | perms::group_read);
  const auto open = open_endpoint(options, nullptr);
  ASSERT_FALSE(open.has_value());
  EXPECT_NE(open.error().message.find("chmod 600"), std::string::npos);
  EXPECT_FALSE(validate(options).has_value());
  std::filesystem::remove(options.token_file);
}

}  // namespace
}  // namespace gpulse
