#include "kafka/topic_identity.h"

namespace gpulse::kafka {
namespace {

std::string cluster_id(rd_kafka_t* handle, std::chrono::milliseconds timeout) {
  char* const id = rd_kafka_clusterid(handle, static_cast<int>(timeout.count()));
  if (id == nullptr) return {};
  std::string out = id;
  rd_kafka_mem_free(handle, id);
  return out;
}

#if RD_KAFKA_VERSION >= 0x02030000

using TopicsPtr =
    std::unique_ptr<rd_kafka_TopicCollection_t, Freer<rd_kafka_TopicCollection_destroy>>;

std::string topic_id(rd_kafka_t* handle, const std::string& topic,
                     std::chrono::milliseconds timeout) {
  constexpr std::string_view kNone = "AAAAAAAAAAAAAAAAAAAAAA";  // of brokers before ids
  const char* name = topic.c_str();
  const TopicsPtr topics(rd_kafka_TopicCollection_of_topic_names(&name, 1));
  const QueuePtr queue(rd_kafka_queue_new(handle));
  rd_kafka_DescribeTopics(handle, topics.get(), nullptr, queue.get());
  const EventPtr event(rd_kafka_queue_poll(queue.get(), static_cast<int>(timeout.count())));
  if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  std::size_t count = 0;
  const auto* const found = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  if (count != 1 || rd_kafka_TopicDescription_error(found[0]) != nullptr) return {};
  const rd_kafka_Uuid_t* const id = rd_kafka_TopicDescription_topic_id(found[0]);
  const char* const text = id == nullptr ? nullptr : rd_kafka_Uuid_base64str(id);
  return text == nullptr || text == kNone ? std::string() : text;
}

#else

std::string topic_id(rd_kafka_t*, const std::string&, std::chrono::milliseconds) { return {}; }

#endif

}  // namespace

TopicIdentity identify_topic(rd_kafka_t* handle, const std::string& topic,
                             std::chrono::milliseconds timeout) {
  return {cluster_id(handle, timeout), topic_id(handle, topic, timeout)};
}

}  // namespace gpulse::kafka
