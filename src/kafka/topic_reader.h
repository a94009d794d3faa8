// All records of a topic, once, for who looks on: no group is joined, no offset is stored, and so
// no other reader notices.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "kafka/connection.h"
#include "kafka/consumer.h"
#include "kafka/observer.h"

namespace gpulse {

// Not thread-safe.
class TopicReader {
 public:
  // What a partition holds: from `begin`, before which retention has taken all, to `end`, where it
  // ended when reading began.
  struct Partition {
    int partition = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };

  // Asks for the partitions, for at most `patience`. Errors: the topic is not there; login or right
  // refused; retryable ones of a cluster that is not there. The observer must outlive the reader.
  [[nodiscard]] static Expected<std::unique_ptr<TopicReader>> open(
      KafkaConnection connection, KafkaObserver& observer,
      std::chrono::milliseconds patience = std::chrono::seconds(30));
  ~TopicReader();
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;

  [[nodiscard]] const std::vector<Partition>& partitions() const;
  // Up to `records_max` records, in order within a partition, valid until the next call; none when
  // all partitions have been read. Errors as above; a cluster that brings nothing for `patience` is
  // a retryable one.
  [[nodiscard]] Expected<std::span<const KafkaRecord>> next(std::size_t records_max);

 private:
  class Session;

  explicit TopicReader(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace gpulse
