#include "kafka/connection.h"

#include <gtest/gtest.h>

#include <fstream>

#include "platform/secret_file.h"

namespace gpulse {
namespace {

KafkaConnection login() {
  KafkaConnection connection = *parse_kafka_address("kafka://broker/gpu-metrics");
  connection.security = KafkaSecurity::sasl_tls;
  connection.user = "collector";
  connection.password = "secret";
  return connection;
}

// The message of the refusal, or "" when there is none.
std::string refusal(const KafkaConnection& connection) {
  const auto valid = validate(connection);
  return valid ? "" : valid.error().message;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(KafkaAddress, TakesSeveralBrokersAndFillsInThePort) {
  const auto connection =
      parse_kafka_address("kafka://one,two:9094,[::1],[fe80::2]:9095/gpu-metrics");
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->brokers,
            (std::vector<std::string>{"one:9092", "two:9094", "[::1]:9092", "[fe80::2]:9095"}));
  EXPECT_EQ(connection->topic, "gpu-metrics");
  EXPECT_EQ(refusal(*connection), "");
}

TEST(KafkaAddress, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"http://host/topic", "does not begin with kafka://"},
      {"kafka://host", "topic is missing"},
      {"kafka://host/", "1 to 249"},
      {"kafka://host/a/b", "1 to 249"},
      {"kafka://host/..", "1 to 249"},
      {"kafka:///topic", "host is missing"},
      {"kafka://a,,b/topic", "host is missing"},
      {"kafka://a:0/topic", "port between"},
      {"kafka://a:65536/topic", "port between"},
      {"kafka://a:9x/topic", "port between"},
      {"kafka://fe80::1/topic", "brackets"},
      {"kafka://[::1/topic", "lacks its ]"},
  };
  for (const auto& [address, part] : cases) {
    const auto connection = parse_kafka_address(address);
    ASSERT_FALSE(connection) << address;
    EXPECT_EQ(connection.error().kind, ErrorKind::usage);
    EXPECT_TRUE(contains(connection.error().message, part))
        << address << ": " << connection.error().message;
  }
}

TEST(KafkaAddress, APasswordInItIsRefusedAndNotRepeated) {
  const auto connection = parse_kafka_address("kafka://user:hunter2@host/topic");
  ASSERT_FALSE(connection);
  EXPECT_FALSE(contains(connection.error().message, "hunter2"));
}

TEST(KafkaConnection, PartsThatDoNotGoTogetherAreNamed) {
  EXPECT_EQ(refusal(login()), "");
  KafkaConnection connection = login();
  connection.mechanism = KafkaMechanism::plain;
  EXPECT_EQ(refusal(connection), "");
  connection.security = KafkaSecurity::plaintext;
  EXPECT_TRUE(contains(refusal(connection), "needs the security sasl-tls"));
  connection.security = KafkaSecurity::tls;
  EXPECT_TRUE(contains(refusal(connection), "needs the security sasl-tls"));
  connection = login();
  connection.user.clear();
  EXPECT_TRUE(contains(refusal(connection), "needs a Kafka user"));
  connection = login();
  connection.password.clear();
  EXPECT_TRUE(contains(refusal(connection), "GPULSE_KAFKA_PASSWORD"));
  connection = login();
  connection.certificate_file = "client.pem";
  EXPECT_TRUE(contains(refusal(connection), "needs its key file"));
  connection = *parse_kafka_address("kafka://broker/gpu-metrics");
  connection.ca_file = "ca.pem";
  EXPECT_TRUE(contains(refusal(connection), "security is plaintext"));
}

TEST(KafkaWords, AreThoseOfTheOptions) {
  EXPECT_EQ(parse_kafka_security("sasl-tls"), KafkaSecurity::sasl_tls);
  EXPECT_EQ(parse_kafka_security("SASL_SSL"), std::nullopt);
  EXPECT_EQ(parse_kafka_mechanism("scram-sha-256"), KafkaMechanism::scram_sha_256);
  EXPECT_EQ(parse_kafka_mechanism(""), std::nullopt);
}

TEST(KafkaAddress, HasOneSpellingForOneTopic) {
  const auto canonical = [](std::string_view text) {
    return canonical_address(*parse_kafka_address(text));
  };
  EXPECT_EQ(canonical("kafka://b:9093,A/gpu-metrics"), "kafka://a:9092,b:9093/gpu-metrics");
  EXPECT_EQ(canonical("kafka://a:9092,B:9093/gpu-metrics"),
            canonical("kafka://b:9093,a/gpu-metrics"));
  EXPECT_NE(canonical("kafka://a/T"), canonical("kafka://a/t"));
}

TEST(KafkaCertificates, AreRefusedWhenTheyCannotBeRead) {
  KafkaConnection connection;
  EXPECT_TRUE(check_certificate_files(connection).has_value());
  connection.key_file = "/nowhere/key.pem";
  const auto checked = check_certificate_files(connection);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().kind, ErrorKind::usage);
  EXPECT_NE(checked.error().message.find("key.pem cannot be read"), std::string::npos);
}

class KafkaPassword : public testing::Test {
 protected:
  void write(std::string_view text) const {
    std::ofstream(file_) << text;
    EXPECT_TRUE(keep_to_owner(file_).has_value());
  }
  void TearDown() override { std::filesystem::remove(file_); }

  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("gpulse-password-") +
       testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(KafkaPassword, IsTheLineOfAFileThatOnlyItsOwnerCanRead) {
  write("pass word\r\n");
  EXPECT_EQ(read_kafka_password(file_).value(), "pass word");
}

TEST_F(KafkaPassword, OfAMissingFileOrOneWithMoreIsAnError) {
  EXPECT_FALSE(read_kafka_password(file_));
  write("pass word\nnot this\n");
  EXPECT_FALSE(read_kafka_password(file_));
}

}  // namespace
}  // namespace gpulse
