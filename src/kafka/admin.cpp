#include "kafka/admin.h"

#include <fmt/format.h>

#include <algorithm>

#include "kafka/admin_client.h"

namespace gpulse {
namespace {

constexpr const char* kOwnGroup = "gpulse-admin";  // librdkafka wants one; it is never joined

}  // namespace

KafkaAdmin::KafkaAdmin(std::unique_ptr<Client> client) : client_(std::move(client)) {}
KafkaAdmin::~KafkaAdmin() = default;

Expected<std::unique_ptr<KafkaAdmin>> KafkaAdmin::open(KafkaConnection connection,
                                                       KafkaObserver& observer) {
  auto client = std::make_unique<Client>(std::move(connection), observer);
  auto handle = client->make(kOwnGroup);
  if (!handle) return std::unexpected(std::move(handle.error()));
  client->handle = std::move(*handle);
  return std::unique_ptr<KafkaAdmin>(new KafkaAdmin(std::move(client)));
}

bool KafkaAdmin::login_refused() const { return client_->login_refused(); }

Expected<int> KafkaAdmin::partitions(std::chrono::milliseconds timeout) {
  return client_->partitions(client_->handle.get(), timeout);
}

Expected<std::vector<std::string>> KafkaAdmin::groups(std::chrono::milliseconds timeout) {
  const rd_kafka_group_list* list = nullptr;
  const auto code = rd_kafka_list_groups(client_->handle.get(), nullptr, &list,
                                         static_cast<int>(timeout.count()));
  // Partial: one of several brokers did not answer, and its groups are missing.
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (list != nullptr) rd_kafka_group_list_destroy(list);
    return client_->judged(
        client_->handle.get(),
        Expected<std::vector<std::string>>(client_->failure(code, "list the consumer groups")));
  }
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(list->group_cnt));
  for (int i = 0; i < list->group_cnt; ++i) names.emplace_back(list->groups[i].group);
  rd_kafka_group_list_destroy(list);
  std::ranges::sort(names);
  return names;
}

Expected<std::vector<PartitionLag>> KafkaAdmin::group_lag(const std::string& group,
                                                          std::chrono::milliseconds timeout) {
  auto client = client_->make(group);
  if (!client) return std::unexpected(std::move(client.error()));
  rd_kafka_t* const handle = client->get();
  const auto count = client_->partitions(handle, timeout);
  if (!count) return std::unexpected(count.error());
  const std::string& topic = client_->connection.topic;
  if (*count == 0) return operation_error(fmt::format("there is no topic {}", topic));
  const kafka::PartitionsPtr list(rd_kafka_topic_partition_list_new(*count));
  rd_kafka_topic_partition_list_add_range(list.get(), topic.c_str(), 0, *count - 1);
  const int timeout_ms = static_cast<int>(timeout.count());
  auto code = rd_kafka_committed(handle, list.get(), timeout_ms);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client_->failure(code, fmt::format("ask for the offsets of the group {}", group));
  }
  std::vector<PartitionLag> lags;
  for (int i = 0; i < list->cnt; ++i) {
    PartitionLag lag{.place = {topic, list->elems[i].partition},
                     .committed = std::max<std::int64_t>(list->elems[i].offset, -1)};
    code = rd_kafka_query_watermark_offsets(handle, topic.c_str(), lag.place.partition, &lag.begin,
                                            &lag.end, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return client_->failure(code, fmt::format("ask for the ends of the topic {}", topic));
    }
    lags.push_back(std::move(lag));
  }
  return lags;
}

}  // namespace gpulse
