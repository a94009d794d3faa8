#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kafka/connection.h"

namespace gpulse {
namespace {

TEST(KafkaPasswordOnLinux, WithoutAFileComesFromTheEnvironment) {
  ASSERT_EQ(::setenv("GPULSE_KAFKA_PASSWORD", "from outside", 1), 0);
  EXPECT_EQ(read_kafka_password({}).value(), "from outside");
  ASSERT_EQ(::unsetenv("GPULSE_KAFKA_PASSWORD"), 0);
  EXPECT_EQ(read_kafka_password({}).value(), "");
}

TEST(KafkaPasswordOnLinux, OfAFileThatOthersCanReadIsRefusedWithTheCure) {
  using std::filesystem::perms;
  const auto file = std::filesystem::path(testing::TempDir()) / "gpulse-password-of-many";
  std::ofstream(file) << "secret\n";
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write | perms::group_read);
  const auto password = read_kafka_password(file);
  ASSERT_FALSE(password);
  EXPECT_NE(password.error().message.find("chmod 600"), std::string::npos);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace gpulse
