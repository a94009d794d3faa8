// One life of a librdkafka producer: from the connection to the error that ends it.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>

#include "kafka/client.h"
#include "kafka/delivery.h"
#include "kafka/producer.h"
#include "kafka/sample_json.h"

namespace gpulse {

// What outlives a session. The client's callbacks work on it, on the thread that polls.
struct SampleProducer::Shared : kafka::ClientState {
  Shared(ProducerOptions the_options, KafkaObserver& observer)
      : ClientState(observer), options(std::move(the_options)), identity(options.sent_before) {}

  void on_report(const rd_kafka_message_t& report);
  void refuse(std::size_t index, rd_kafka_resp_err_t code);

  const ProducerOptions options;
  kafka::Delivery* delivery = nullptr;  // of the deliver() under way
  std::optional<TopicIdentity> identity;  // of the topic that rows go to, once it is known
  bool broken = false;                    // the session cannot go on
  std::chrono::steady_clock::time_point heard;  // of the last report
  std::atomic<int> partitions = 0;
  std::atomic<std::uint64_t> records = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<std::uint64_t> rebuilt = 0;
  std::atomic<std::int64_t> acknowledged_after_us = 0;
};

// All errors but verdicts are retryable: another session may do better.
class SampleProducer::Session {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<Session>> make(Shared& shared);

  // Returns when the topic is there and has the partitions that it should; makes it if need be.
  [[nodiscard]] Expected<void> find_topic(const std::stop_token& stop);
  // Between deliveries: whether the cluster is there.
  void look();
  // Returns when every row is done.
  [[nodiscard]] Expected<void> send(const std::stop_token& stop);

 private:
  Session(Shared& shared, kafka::HandlePtr handle);

  [[nodiscard]] Expected<void> check(const std::stop_token& stop) const;
  [[nodiscard]] Expected<void> create_topic(const std::stop_token& stop);
  [[nodiscard]] Expected<void> judge_partitions(int count);
  [[nodiscard]] Expected<void> judge_identity();
  [[nodiscard]] std::unexpected<Error> another_topic(const std::string& what) const;
  [[nodiscard]] Expected<void> send_part(const kafka::Delivery::Part& part,
                                         const std::stop_token& stop);
  [[nodiscard]] Expected<void> send_row(const kafka::Delivery::Part& part, int partition,
                                        std::size_t row, const std::stop_token& stop);
  [[nodiscard]] Expected<void> await_reports(const std::stop_token& stop);
  void notice_silence();

  Shared& shared_;
  kafka::HandlePtr handle_;
  kafka::TopicPtr topic_;  // goes before the handle
  SampleJsonWriter writer_;
  std::size_t since_poll_ = 0;
};

}  // namespace gpulse
