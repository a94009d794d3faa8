// librdkafka's messages as records: inside this module only.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kafka/client.h"
#include "kafka/consumer.h"

namespace gpulse::kafka {

using MessagePtr = std::unique_ptr<rd_kafka_message_t, Freer<rd_kafka_message_destroy>>;

// Messages that were taken, and what they say. Keeps its memory. Not thread-safe.
class Messages {
 public:
  void clear() {
    messages_.clear();
    records_.clear();
  }
  void push(MessagePtr message) { messages_.push_back(std::move(message)); }
  // Those of a partition are not wanted any more.
  void drop(const TopicPartition& place);
  [[nodiscard]] std::size_t size() const { return messages_.size(); }
  [[nodiscard]] bool empty() const { return messages_.empty(); }

  // All of them as records, which are valid until the next call of anything here.
  [[nodiscard]] std::span<const KafkaRecord> describe();

 private:
  std::vector<MessagePtr> messages_;
  std::vector<KafkaRecord> records_;
  std::vector<KafkaHeader> headers_;
  std::vector<std::size_t> header_ends_;
};

}  // namespace gpulse::kafka
