#include "kafka/topic_maker.h"

#include <fmt/format.h>

namespace gpulse::kafka {
namespace {

constexpr int kSliceMs = 100;

}  // namespace

Expected<void> make_topic(rd_kafka_t* handle, const KafkaConnection& connection, int partitions,
                          const Check& check) {
  rd_kafka_NewTopic_t* wish =
      rd_kafka_NewTopic_new(connection.topic.c_str(), partitions, -1, nullptr, 0);
  const QueuePtr queue(rd_kafka_queue_new(handle));
  rd_kafka_CreateTopics(handle, &wish, 1, nullptr, queue.get());
  rd_kafka_NewTopic_destroy(wish);
  EventPtr event;
  while (!event) {
    event.reset(rd_kafka_queue_poll(queue.get(), kSliceMs));
    rd_kafka_poll(handle, 0);
    if (auto fine = check(); !fine) return fine;
  }
  rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
  std::string reason =
      code == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : rd_kafka_event_error_string(event.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::size_t count = 0;
    const auto* const results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (count == 1 && code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* const text = rd_kafka_topic_result_error_string(results[0]);
      reason = text != nullptr ? text : rd_kafka_err2str(code);
    }
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    // Its leader is known a little later; until then the topic counts as not there.
    rd_kafka_poll(handle, kSliceMs / 2);
    return {};
  }
  auto verdict = judge_answer(code, connection);
  if (!verdict)
    return operation_error(fmt::format("cannot make the topic {}: {}", connection.topic, reason),
                           true);
  verdict->message += fmt::format(" ({})", reason);
  return std::unexpected(std::move(*verdict).wrapped("cannot make the topic"));
}

}  // namespace gpulse::kafka
