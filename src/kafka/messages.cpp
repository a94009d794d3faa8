#include "kafka/messages.h"

#include <string_view>

namespace gpulse::kafka {

void Messages::drop(const TopicPartition& place) {
  std::erase_if(messages_, [&](const MessagePtr& message) {
    return message->partition == place.partition &&
           place.topic == rd_kafka_topic_name(message->rkt);
  });
}

std::span<const KafkaRecord> Messages::describe() {
  records_.clear();
  headers_.clear();
  header_ends_.clear();
  // First all headers: a span into them must not see them move.
  for (const MessagePtr& message : messages_) {
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message.get(), &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
        headers_.push_back({name, {static_cast<const char*>(value), size}});
      }
    }
    header_ends_.push_back(headers_.size());
  }
  std::size_t header = 0;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const rd_kafka_message_t& message = *messages_[i];
    records_.push_back({.topic = rd_kafka_topic_name(message.rkt),
                        .partition = message.partition,
                        .offset = message.offset,
                        .key = {static_cast<const char*>(message.key), message.key_len},
                        .value = {static_cast<const char*>(message.payload), message.len},
                        .headers = std::span(headers_).subspan(header, header_ends_[i] - header)});
    header = header_ends_[i];
  }
  return records_;
}

}  // namespace gpulse::kafka
