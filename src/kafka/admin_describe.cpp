// What a cluster says of its brokers, topics, rights and groups.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "kafka/admin_client.h"

namespace gpulse {
namespace {

using ConfigPtr =
    std::unique_ptr<rd_kafka_ConfigResource_t, kafka::Freer<rd_kafka_ConfigResource_destroy>>;

#if RD_KAFKA_VERSION >= 0x02030000
using TopicsPtr =
    std::unique_ptr<rd_kafka_TopicCollection_t, kafka::Freer<rd_kafka_TopicCollection_destroy>>;

bool holds(std::span<const rd_kafka_AclOperation_t> rights, rd_kafka_AclOperation_t right) {
  return std::ranges::find(rights, right) != rights.end();
}
#endif

}  // namespace

Expected<std::vector<std::string>> KafkaAdmin::brokers(std::chrono::milliseconds timeout) {
  const auto metadata = client_->metadata(false, timeout);
  if (!metadata) return std::unexpected(metadata.error());
  std::vector<std::string> found;
  for (int i = 0; i < (*metadata)->broker_cnt; ++i) {
    const rd_kafka_metadata_broker_t& broker = (*metadata)->brokers[i];
    found.push_back(fmt::format("{}:{}", broker.host, broker.port));
  }
  std::ranges::sort(found);
  return found;
}

Expected<std::vector<PartitionCopies>> KafkaAdmin::copies(std::chrono::milliseconds timeout) {
  const auto metadata = client_->metadata(true, timeout);
  if (!metadata) return std::unexpected(metadata.error());
  std::vector<PartitionCopies> found;
  if ((*metadata)->topic_cnt != 1) return found;
  const rd_kafka_metadata_topic_t& topic = (*metadata)->topics[0];
  if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return found;
  // A partition without a leader is one of its lines, not an error of the whole.
  if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR &&
      topic.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    return client_->failure(topic.err, "describe the topic");
  for (int i = 0; i < topic.partition_cnt; ++i) {
    const rd_kafka_metadata_partition_t& each = topic.partitions[i];
    found.push_back({each.id, each.leader >= 0, each.replica_cnt, each.isr_cnt});
  }
  std::ranges::sort(found, {}, &PartitionCopies::partition);
  return found;
}

Expected<std::map<std::string, std::string>> KafkaAdmin::topic_settings(
    std::chrono::milliseconds timeout) {
  constexpr std::string_view kDoing = "ask for the topic's settings";
  const ConfigPtr wish(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, client_->connection.topic.c_str()));
  const auto event = client_->ask(kDoing, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, false, timeout,
                                  [&](rd_kafka_t* handle, const auto* options, auto* queue) {
                                    rd_kafka_ConfigResource_t* one = wish.get();
                                    rd_kafka_DescribeConfigs(handle, &one, 1, options, queue);
                                  });
  if (!event) return std::unexpected(event.error());
  std::size_t count = 0;
  const auto* const resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  if (count != 1) return client_->failure(RD_KAFKA_RESP_ERR__BAD_MSG, kDoing);
  const auto code = rd_kafka_ConfigResource_error(resources[0]);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->failure(code, kDoing);
  const auto* const entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  std::map<std::string, std::string> settings;
  for (const rd_kafka_ConfigEntry_t* entry : std::span(entries, count)) {
    const char* const value = rd_kafka_ConfigEntry_value(entry);
    if (value != nullptr) settings.emplace(rd_kafka_ConfigEntry_name(entry), value);
  }
  return settings;
}

#if RD_KAFKA_VERSION >= 0x02030000

Expected<std::optional<KafkaRights>> KafkaAdmin::topic_rights(std::chrono::milliseconds timeout) {
  constexpr std::string_view kDoing = "ask for the rights to the topic";
  const char* name = client_->connection.topic.c_str();
  const TopicsPtr topics(rd_kafka_TopicCollection_of_topic_names(&name, 1));
  const auto event = client_->ask(kDoing, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, true, timeout,
                                  [&](rd_kafka_t* handle, const auto* options, auto* queue) {
                                    rd_kafka_DescribeTopics(handle, topics.get(), options, queue);
                                  });
  if (!event) return std::unexpected(event.error());
  std::size_t count = 0;
  const auto* const found = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event->get()), &count);
  if (count != 1) return client_->failure(RD_KAFKA_RESP_ERR__BAD_MSG, kDoing);
  const auto code = rd_kafka_error_code(rd_kafka_TopicDescription_error(found[0]));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->failure(code, kDoing);
  const auto* const operations = rd_kafka_TopicDescription_authorized_operations(found[0], &count);
  if (operations == nullptr) return std::optional<KafkaRights>();
  const std::span rights(operations, count);
  return KafkaRights{.read = holds(rights, RD_KAFKA_ACL_OPERATION_READ),
                     .write = holds(rights, RD_KAFKA_ACL_OPERATION_WRITE)};
}

Expected<std::optional<Timestamp>> KafkaAdmin::newest_record(std::chrono::milliseconds timeout) {
  constexpr std::string_view kDoing = "ask for the newest record";
  const auto count = client_->partitions(client_->handle.get(), timeout);
  if (!count) return std::unexpected(count.error());
  const kafka::PartitionsPtr list(rd_kafka_topic_partition_list_new(*count));
  for (int i = 0; i < *count; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), client_->connection.topic.c_str(), i)->offset =
        RD_KAFKA_OFFSET_SPEC_MAX_TIMESTAMP;
  }
  const auto event = client_->ask(kDoing, RD_KAFKA_ADMIN_OP_LISTOFFSETS, false, timeout,
                                  [&](rd_kafka_t* handle, const auto* options, auto* queue) {
                                    rd_kafka_ListOffsets(handle, list.get(), options, queue);
                                  });
  if (!event) return std::unexpected(event.error());
  std::size_t answers = 0;
  const auto* const infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event->get()), &answers);
  std::optional<Timestamp> newest;
  for (const auto* info : std::span(infos, answers)) {
    const auto code = rd_kafka_ListOffsetsResultInfo_topic_partition(info)->err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->failure(code, kDoing);
    const auto ms = rd_kafka_ListOffsetsResultInfo_timestamp(info);
    if (ms >= 0) newest = std::max(newest, std::optional(from_microseconds(ms * 1000)));
  }
  return newest;
}

#else  // Debian's 2.0.2

Expected<std::optional<KafkaRights>> KafkaAdmin::topic_rights(std::chrono::milliseconds) {
  return std::optional<KafkaRights>();
}

Expected<std::optional<Timestamp>> KafkaAdmin::newest_record(std::chrono::milliseconds) {
  return std::optional<Timestamp>();
}

#endif

Expected<GroupDescription> KafkaAdmin::group(const std::string& name,
                                             std::chrono::milliseconds timeout) {
  const std::string doing = fmt::format("describe the group {}", name);
  const auto event =
      client_->ask(doing, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, true, timeout,
                   [&](rd_kafka_t* handle, const auto* options, auto* queue) {
                     const char* one = name.c_str();
                     rd_kafka_DescribeConsumerGroups(handle, &one, 1, options, queue);
                   });
  if (!event) return std::unexpected(event.error());
  std::size_t count = 0;
  const auto* const found = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event->get()), &count);
  if (count != 1) return client_->failure(RD_KAFKA_RESP_ERR__BAD_MSG, doing);
  const auto code = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(found[0]));
  // Kafka 4 has an error for it, older ones the state "dead".
  if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return GroupDescription{};
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->failure(code, doing);
  GroupDescription group{
      .exists =
          rd_kafka_ConsumerGroupDescription_state(found[0]) != RD_KAFKA_CONSUMER_GROUP_STATE_DEAD,
      .members = static_cast<int>(rd_kafka_ConsumerGroupDescription_member_count(found[0])),
      .may_read = {}};
#if RD_KAFKA_VERSION >= 0x02030000
  const auto* const rights =
      rd_kafka_ConsumerGroupDescription_authorized_operations(found[0], &count);
  if (rights != nullptr) {
    group.may_read = holds(std::span(rights, count), RD_KAFKA_ACL_OPERATION_READ);
  }
#endif
  return group;
}

}  // namespace gpulse
