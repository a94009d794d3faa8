// From sample batches to a Kafka topic.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "kafka/connection.h"
#include "kafka/observer.h"
#include "telemetry/sample_sink.h"

namespace gpulse {

enum class KafkaCompression { zstd, gzip, lz4, none };
[[nodiscard]] std::optional<KafkaCompression> parse_kafka_compression(std::string_view word);

// Which topic bears a name: the id of the cluster and its own. Empty: not known.
struct TopicIdentity {
  std::string cluster;
  std::string topic;

  friend bool operator==(const TopicIdentity&, const TopicIdentity&) = default;
};

struct ProducerOptions {
  KafkaConnection connection;
  // How many partitions the topic has or gets. Without a number it may have any, and gets
  // kPartitionsDefault.
  std::optional<int> partitions;
  // The topic that rows were sent to before, if any were. Another one under its name does not have
  // them, so it is refused.
  std::optional<TopicIdentity> sent_before = {};
  // Where the positions of what was sent are, for people: without them all is sent again.
  std::string positions_in = {};
  bool create_topic = true;  // if it is missing; with the cluster's default replication
  KafkaCompression compression = KafkaCompression::zstd;

  static constexpr int kPartitionsDefault = 4;
  static constexpr int kPartitionsMax = 10'000;
};

// Counted since the producer was made.
struct ProducerStatistics {
  std::uint64_t records = 0;  // acknowledged
  std::uint64_t bytes = 0;  // of their values, before compression
  std::uint64_t refused = 0;  // set aside
  std::uint64_t errors =
      0;  // told by the client library, and answers other than an acknowledgement
  std::uint64_t rebuilt = 0;  // times that the connection was made anew after a fatal error
  std::chrono::microseconds acknowledged_after{
      0};  // the last record that was, from its handing over
  bool away = false;
};

// Every row is one record, its key "host/gpu", so that a device stays in one partition, in order;
// that partition follows from the key and the topic's count of partitions as it was first seen, and
// nothing moves it while the producer lives. Records are written with acks=all and idempotently: in
// one life of the producer each is in the topic once, and none behind a later one of its device.
//
// deliver() sends what it is given without waiting for more, so its latency is the cluster's; the
// more rows it is given at once, the fuller are the batches (thousands for full speed). It returns
// within 200 ms of a stop, except that a cluster which is slow to describe its topic holds it up to
// 2 s. Errors that are not retryable: login or certificate refused, no right to the topic, the
// topic missing and not to be made, of another number of partitions, or another one than rows were
// sent to before (one that is gone, too). After any error the next
// deliver() begins anew.
class SampleProducer final : public SampleSink {
 public:
  // A usage error when the options don't go together. Connects to nothing. The observer must
  // outlive the producer, which tells it of a cluster that goes or comes back between deliveries,
  // too, on a thread of its own: never two calls at once.
  [[nodiscard]] static Expected<std::unique_ptr<SampleProducer>> open(ProducerOptions options,
                                                                      KafkaObserver& observer);
  ~SampleProducer() override;
  SampleProducer(const SampleProducer&) = delete;
  SampleProducer& operator=(const SampleProducer&) = delete;

  // Returns when the cluster has been asked for the topic, which is made if need be; what is wrong
  // with either is known then, and not at the first row only. Waits as deliver(), with its errors;
  // one of the two waits for the other.
  [[nodiscard]] Expected<void> connect(const std::stop_token& stop);
  [[nodiscard]] Expected<void> deliver(std::span<const SampleBatch> batches,
                                       const std::stop_token& stop) override;

  // The topic's partitions; 0 before the first connection. Whoever keeps positions keeps these two,
  // and gives them again: a device that moves to another partition loses its mark. Any thread; the
  // identity waits for a connect() or deliver() that runs.
  [[nodiscard]] int partitions() const;
  [[nodiscard]] TopicIdentity identity() const;
  // Any thread.
  [[nodiscard]] ProducerStatistics statistics() const;

 private:
  class Session;
  struct Shared;

  SampleProducer(ProducerOptions options, KafkaObserver& observer);
  [[nodiscard]] Expected<void> open_session(const std::stop_token& stop);
  void watch(const std::stop_token& stop);

  mutable std::mutex working_;  // who has it may use these two
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Session> session_;  // null before the first delivery, and after an error
  std::jthread watching_;  // whether the cluster is there, while nothing is delivered
};

}  // namespace gpulse
