// Records of Kafka topics, as one member of a consumer group.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/connection.h"
#include "kafka/observer.h"
#include "telemetry/error.h"

namespace gpulse {

struct TopicPartition {
  std::string topic;
  int partition = 0;

  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct KafkaHeader {
  std::string_view name;
  std::string_view value;
};

struct KafkaRecord {
  std::string_view topic;
  int partition = 0;
  std::int64_t offset = 0;
  std::string_view key;
  std::string_view value;
  std::span<const KafkaHeader> headers;
};

// Records that retention (or somebody) removed before this group had read them: until - from of
// them. Should `until` be the smaller, the topic was made anew, and nobody knows of how many.
struct KafkaLoss {
  TopicPartition place;
  std::int64_t from = 0;   // the first that is lost: where the group stood
  std::int64_t until = 0;  // where reading goes on
};

// Called on the thread that polls, during poll() and the consumer's end.
class ConsumerObserver : public KafkaObserver {
 public:
  // Reading of these partitions begins; poll() returns their records from now on.
  virtual void on_assigned(std::span<const TopicPartition> /*places*/) {}
  // These partitions go to another member. What is stored by the end of the call is committed; what
  // is stored of them later is lost, and their records come again, to the other.
  virtual void on_revoked(std::span<const TopicPartition> /*places*/) {}
  // They are gone already, after a silence of ours: nothing can be stored any more.
  virtual void on_lost(std::span<const TopicPartition> /*places*/) {}
  virtual void on_loss(const KafkaLoss& /*loss*/) {}
};

struct ConsumerOptions {
  KafkaConnection connection;  // its topic is the one that is read
  std::string group;
  bool accept_loss = false;  // go on where there still is something, else a loss is an error
  // Who does not poll for so long loses his partitions to the other members.
  std::chrono::minutes poll_interval_max{5};
};

struct PartitionLag {
  TopicPartition place;
  std::int64_t committed = -1;  // the next record of the group; -1: it has none
  std::int64_t begin = 0;  // the oldest record there is
  std::int64_t end = 0;  // behind the newest

  [[nodiscard]] std::int64_t lag() const { return end - (committed < 0 ? begin : committed); }
};

// Reads from the group's offsets, a new group from the beginning. Nothing is stored by itself:
// store() says how far a partition has been dealt with, and is committed within a second, at a
// rebalance and at the end. Partitions move cooperatively: those that stay are read on. Not
// thread-safe.
class KafkaConsumer {
 public:
  // Joins the group; a cluster that is away is waited for by poll(). The observer must outlive the
  // consumer.
  [[nodiscard]] static Expected<std::unique_ptr<KafkaConsumer>> open(ConsumerOptions options,
                                                                     ConsumerObserver& observer);
  // Commits what is stored and leaves the group.
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  // Up to `records_max` records, in order within a partition; none after `timeout` without any.
  // They and all they point to are valid until the next poll(). Errors, none of them retryable:
  // login, certificate or right refused, and a loss that is not accepted (it says of how many
  // records).
  [[nodiscard]] Expected<std::span<const KafkaRecord>> poll(std::chrono::milliseconds timeout,
                                                            std::size_t records_max);
  // Until resume(), poll() serves the group but returns no record of any partition, also of those
  // that are assigned meanwhile; for who has no room for more. What was read ahead is read again.
  void pause();
  void resume();
  // Everything of the partition before `next` has been dealt with. Of a partition that is no longer
  // ours it is a no-op: another member reads it again.
  void store(std::string_view topic, int partition, std::int64_t next);
  // Returns when what is stored is committed. Retryable.
  [[nodiscard]] Expected<void> commit();
  // Of the partitions that are ours and had records, with what is stored as committed; asks nobody.
  [[nodiscard]] std::vector<PartitionLag> lag() const;
  [[nodiscard]] bool is_away() const;

 private:
  class Session;

  explicit KafkaConsumer(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace gpulse
