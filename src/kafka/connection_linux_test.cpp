#include <gtest/gtest.h>

#include <cstdlib>

#include "kafka/connection.h"

namespace gpulse {
namespace {

TEST(KafkaPasswordOnLinux, WithoutAFileComesFromTheEnvironment) {
  ASSERT_EQ(::setenv("GPULSE_KAFKA_PASSWORD", "from outside", 1), 0);
  EXPECT_EQ(read_kafka_password({}).value(), "from outside");
  ASSERT_EQ(::unsetenv("GPULSE_KAFKA_PASSWORD"), 0);
  EXPECT_EQ(read_kafka_password({}).value(), "");
}

}  // namespace
}  // namespace gpulse
