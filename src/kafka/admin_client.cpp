#include "kafka/admin_client.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpulse {
namespace {

using Steady = std::chrono::steady_clock;
using OptionsPtr =
    std::unique_ptr<rd_kafka_AdminOptions_t, kafka::Freer<rd_kafka_AdminOptions_destroy>>;

constexpr int kSliceMs = 50;
// Long enough for a far cluster's answer, and short enough to look in between whether any broker is
// there at all: a connection that is refused is known in milliseconds.
constexpr std::chrono::milliseconds kMetadataSlice{1000};

OptionsPtr options_of(rd_kafka_t* handle, rd_kafka_admin_op_t kind, bool with_rights,
                      std::chrono::milliseconds timeout) {
  OptionsPtr options(rd_kafka_AdminOptions_new(handle, kind));
  // What it refuses it goes without, and says so in its answer.
  static_cast<void>(rd_kafka_AdminOptions_set_request_timeout(
      options.get(), static_cast<int>(timeout.count()), nullptr, 0));
#if RD_KAFKA_VERSION >= 0x02030000
  if (with_rights) {
    rd_kafka_error_destroy(
        rd_kafka_AdminOptions_set_include_authorized_operations(options.get(), 1));
  }
#else
  static_cast<void>(with_rights);  // Debian's 2.0.2 cannot ask
#endif
  return options;
}

}  // namespace

Expected<kafka::HandlePtr> KafkaAdmin::Client::make(const std::string& group) {
  auto conf = kafka::make_conf(connection, *this);
  if (!conf) return std::unexpected(std::move(conf.error()));
  if (auto done = kafka::set(*conf, "group.id", group); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return kafka::make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
}

Expected<int> KafkaAdmin::Client::partitions(rd_kafka_t* client,
                                             std::chrono::milliseconds timeout) {
  const kafka::TopicPtr topic(rd_kafka_topic_new(client, connection.topic.c_str(), nullptr));
  for (auto left = timeout;; left -= kMetadataSlice) {
    auto count =
        kafka::count_partitions(client, topic.get(), connection, std::min(left, kMetadataSlice));
    if (count || !count.error().retryable) return count;
    rd_kafka_poll(client, 0);
    if (verdict()) return std::unexpected(*verdict());
    if (!is_away() && left > kMetadataSlice) continue;
    return operation_error(
        fmt::format("cannot reach Kafka: {}",
                    last_reason().empty() ? count.error().message : last_reason()),
        true);
  }
}

std::unexpected<Error> KafkaAdmin::Client::failure(rd_kafka_resp_err_t code,
                                                   std::string_view doing) {
  rd_kafka_poll(handle.get(), 0);
  if (verdict()) return std::unexpected(*verdict());
  if (auto known = kafka::judge_answer(code, connection)) return std::unexpected(*std::move(known));
  const bool unreached = code < 0;  // librdkafka's own
  return operation_error(
      fmt::format("cannot {}: {}", doing,
                  unreached && !last_reason().empty() ? last_reason() : rd_kafka_err2str(code)),
      true);
}

bool KafkaAdmin::Client::is_hopeless() {
  rd_kafka_poll(handle.get(), 0);
  return verdict().has_value() || is_away();
}

Expected<kafka::EventPtr> KafkaAdmin::Client::ask(std::string_view doing, rd_kafka_admin_op_t kind,
                                                  bool with_rights,
                                                  std::chrono::milliseconds timeout,
                                                  const Start& start) {
  const auto options = options_of(handle.get(), kind, with_rights, timeout);
  const kafka::QueuePtr queue(rd_kafka_queue_new(handle.get()));
  start(handle.get(), options.get(), queue.get());
  kafka::EventPtr event;
  for (const auto until = Steady::now() + timeout; !event && Steady::now() < until;) {
    event.reset(rd_kafka_queue_poll(queue.get(), kSliceMs));
    if (!event && is_hopeless()) break;
  }
  if (!event) return failure(RD_KAFKA_RESP_ERR__TIMED_OUT, doing);
  const auto code = rd_kafka_event_error(event.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(code, doing);
  return event;
}

Expected<KafkaAdmin::Client::Metadata> KafkaAdmin::Client::metadata(
    bool of_topic, std::chrono::milliseconds timeout) {
  const kafka::TopicPtr topic(
      of_topic ? rd_kafka_topic_new(handle.get(), connection.topic.c_str(), nullptr) : nullptr);
  auto code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  for (auto left = timeout; left.count() > 0; left -= kMetadataSlice) {
    const rd_kafka_metadata_t* found = nullptr;
    code = rd_kafka_metadata(handle.get(), 0, topic.get(), &found,
                             static_cast<int>(std::min(left, kMetadataSlice).count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return Metadata(found);
    if (is_hopeless()) break;
  }
  return failure(code, "ask the cluster");
}

}  // namespace gpulse
