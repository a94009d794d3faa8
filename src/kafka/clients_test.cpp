// What the clients do without a broker; with one, tests/kafka/broker_test.py has them.
#include <gtest/gtest.h>

#include <chrono>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/pauses.h"
#include "kafka/producer.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

// Port 1 of this machine: nothing listens there.
KafkaConnection nowhere() { return *parse_kafka_address("kafka://127.0.0.1:1/gpu-metrics"); }

class Heard final : public ConsumerObserver {
 public:
  void on_away(const std::string& reason) override {
    ++away;
    last_reason = reason;
    stop.request_stop();
  }
  int away = 0;
  std::string last_reason;
  std::stop_source stop;
};

SampleBatch one_row() {
  SampleBatch batch{{"rig", "gpu0"}, "source", 0, nullptr, {Timestamp{}}, {0}, {}};
  batch.layout = std::make_shared<const Layout>(Layout{{{"gpu_load", "%"}}});
  batch.columns.emplace_back(0).push(1, 0);
  return batch;
}

TEST(SampleProducer, RefusesOptionsThatDoNotGoTogether) {
  Heard heard;
  ProducerOptions options{.connection = nowhere(), .partitions = 0};
  EXPECT_EQ(SampleProducer::open(options, heard).error().kind, ErrorKind::usage);
  options.partitions = 4;
  options.connection.user = "collector";
  EXPECT_EQ(SampleProducer::open(options, heard).error().kind, ErrorKind::usage);
}

TEST(SampleProducer, SaysOnceThatNobodyIsThereAndHearsAStop) {
  Heard heard;
  auto producer = SampleProducer::open({.connection = nowhere(), .partitions = {}}, heard);
  ASSERT_TRUE(producer);
  const std::vector batches{one_row()};
  // The notice is what stops it.
  const auto done = (*producer)->deliver(batches, heard.stop.get_token());
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().retryable);
  EXPECT_EQ(heard.away, 1);
  EXPECT_NE(heard.last_reason.find("127.0.0.1:1"), std::string::npos) << heard.last_reason;
  EXPECT_TRUE((*producer)->statistics().away);
  EXPECT_GT((*producer)->statistics().errors, 0U);
  EXPECT_EQ((*producer)->statistics().records, 0U);
  EXPECT_EQ((*producer)->partitions(), 0);
}

TEST(SampleProducer, DeliversNothingAtOnce) {
  Heard heard;
  const auto producer = SampleProducer::open({.connection = nowhere(), .partitions = {}}, heard);
  EXPECT_TRUE((*producer)->deliver({}, {}));
}

TEST(SampleProducer, ACertificateThatIsNotThereIsAnError) {
  Heard heard;
  ProducerOptions options{.connection = nowhere(), .partitions = {}};
  options.connection.security = KafkaSecurity::tls;
  options.connection.ca_file = "/nonexistent/ca.pem";
  const auto producer = SampleProducer::open(options, heard);
  const std::vector batches{one_row()};
  const auto done = (*producer)->deliver(batches, {});
  ASSERT_FALSE(done);
  EXPECT_FALSE(done.error().retryable);
  EXPECT_NE(done.error().message.find("/nonexistent/ca.pem"), std::string::npos)
      << done.error().message;
}

TEST(KafkaConsumer, NeedsAGroup) {
  Heard heard;
  EXPECT_EQ(KafkaConsumer::open({.connection = nowhere(), .group = {}}, heard).error().kind,
            ErrorKind::usage);
}

TEST(KafkaConsumer, PollsOnWhileNobodyIsThere) {
  Heard heard;
  auto consumer = KafkaConsumer::open({.connection = nowhere(), .group = "gpulse-test"}, heard);
  ASSERT_TRUE(consumer) << consumer.error().message;
  const auto began = std::chrono::steady_clock::now();
  const auto records = (*consumer)->poll(50ms, 10);
  ASSERT_TRUE(records) << records.error().message;
  EXPECT_TRUE(records->empty());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_TRUE((*consumer)->lag().empty());
}

TEST(KafkaAdmin, SaysThatNobodyIsThere) {
  Heard heard;
  auto admin = KafkaAdmin::open(nowhere(), heard);
  ASSERT_TRUE(admin);
  const auto partitions = (*admin)->partitions(100ms);
  ASSERT_FALSE(partitions);
  EXPECT_TRUE(partitions.error().retryable);
}

TEST(KafkaPauses, GrowToTenSecondsAndBeginAgain) {
  kafka::Pauses pauses;
  EXPECT_FALSE(pauses.grew());
  std::chrono::milliseconds expected{100};
  for (int i = 0; i < 10; ++i) {
    const auto pause = pauses.next();
    EXPECT_GE(pause, expected / 2);
    EXPECT_LE(pause, expected);
    expected = std::min(2 * expected, std::chrono::milliseconds(10s));
  }
  EXPECT_TRUE(pauses.grew());
  pauses.reset();
  EXPECT_LE(pauses.next(), 100ms);
}

}  // namespace
}  // namespace gpulse
