#include "kafka/consumer_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace gpulse {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kCommitMs = 5'000;
// Committed offsets and watermarks. Not longer, since the coordinator answers nothing while it
// waits for the others to join, and one of them may be waiting for the same.
constexpr int kRequestMs = 1'000;
constexpr std::chrono::milliseconds kAstray{20};

kafka::PartitionsPtr list_of(std::string_view topic, int partition, std::int64_t offset) {
  kafka::PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), std::string(topic).c_str(), partition)->offset =
      offset;
  return list;
}

std::vector<TopicPartition> places_of(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> places;
  for (int i = 0; i < list->cnt; ++i)
    places.push_back({list->elems[i].topic, list->elems[i].partition});
  return places;
}

Expected<void> set_consumer(const kafka::ConfPtr& conf, const ConsumerOptions& options) {
  const std::chrono::milliseconds poll_interval = options.poll_interval_max;
  const std::pair<const char*, std::string> settings[] = {
      {"group.id", options.group},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"enable.auto.offset.store", "false"},
      {"enable.auto.commit", "true"},  // of what is stored
      {"auto.commit.interval.ms", "1000"},
      // Not "earliest": an offset that is gone is a loss to be told, and only a new group begins at
      // the beginning. find_way() does both.
      {"auto.offset.reset", "error"},
      {"max.poll.interval.ms", std::to_string(poll_interval.count())},
      {"session.timeout.ms", "10000"},  // so long do the partitions of a killed member wait
      {"heartbeat.interval.ms", "2000"},
      {"fetch.wait.max.ms", "200"},  // other questions wait behind a fetch
#if RD_KAFKA_VERSION >= 0x02020000
      {"fetch.queue.backoff.ms", "50"},
#endif
      {"queued.max.messages.kbytes", "32768"},
  };
  for (const auto& [name, value] : settings) {
    if (auto done = kafka::set(conf, name, value); !done) return done;
  }
  return {};
}

// Committing when nothing was stored is no failure.
bool is_nothing_to_commit(rd_kafka_resp_err_t code) { return code == RD_KAFKA_RESP_ERR__NO_OFFSET; }

}  // namespace

KafkaConsumer::Session::Session(ConsumerOptions options, ConsumerObserver& observer)
    : ClientState(observer), options_(std::move(options)), observer_(observer) {}

KafkaConsumer::Session::~Session() {
  messages_.clear();
  if (handle_) rd_kafka_consumer_close(handle_.get());  // revokes, and so commits
}

Expected<std::unique_ptr<KafkaConsumer::Session>> KafkaConsumer::Session::make(
    ConsumerOptions options, ConsumerObserver& observer) {
  if (options.group.empty()) return usage_error("a Kafka consumer needs the name of its group");
  std::unique_ptr<Session> session(new Session(std::move(options), observer));
  auto conf = kafka::make_conf(session->options_.connection, *session);
  if (!conf) return std::unexpected(std::move(conf.error()));
  if (auto done = set_consumer(*conf, session->options_); !done)
    return std::unexpected(std::move(done.error()));
  rd_kafka_conf_set_rebalance_cb(conf->get(), [](rd_kafka_t*, rd_kafka_resp_err_t code,
                                                 rd_kafka_topic_partition_list_t* partitions,
                                                 void* opaque) {
    static_cast<Session*>(static_cast<kafka::ClientState*>(opaque))->on_rebalance(code, partitions);
  });
  auto handle = kafka::make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return std::unexpected(std::move(handle.error()));
  session->handle_ = std::move(*handle);
  rd_kafka_poll_set_consumer(session->handle_.get());
  if (auto joined = session->subscribe(); !joined)
    return std::unexpected(std::move(joined.error()));
  return session;
}

Expected<void> KafkaConsumer::Session::subscribe() {
  const auto topics =
      list_of(options_.connection.topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_OFFSET_INVALID);
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(handle_.get(), topics.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return operation_error(fmt::format("cannot read the topic {}: {}", options_.connection.topic,
                                     rd_kafka_err2str(code)));
}

// --- rebalancing
// ------------------------------------------------------------------------------------

void KafkaConsumer::Session::on_rebalance(rd_kafka_resp_err_t code,
                                          rd_kafka_topic_partition_list_t* partitions) {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return take(partitions);
  if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) return give_back(partitions);
  observer_.on_log(3, fmt::format("rebalance: {}", rd_kafka_err2str(code)));
  rd_kafka_assign(handle_.get(), nullptr);
}

void KafkaConsumer::Session::take(rd_kafka_topic_partition_list_t* partitions) {
  if (rd_kafka_error_t* const error = rd_kafka_incremental_assign(handle_.get(), partitions)) {
    observer_.on_log(3, fmt::format("assign: {}", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    return;
  }
  if (paused_) rd_kafka_pause_partitions(handle_.get(), partitions);
  answered();
  const auto names = places_of(partitions);
  for (const TopicPartition& name : names) places_[name] = {};
  observer_.on_assigned(names);
}

void KafkaConsumer::Session::give_back(const rd_kafka_topic_partition_list_t* partitions) {
  const auto names = places_of(partitions);
  for (const TopicPartition& name : names) messages_.drop(name);
  if (rd_kafka_assignment_lost(handle_.get()) != 0) {
    observer_.on_lost(names);
  } else {
    observer_.on_revoked(names);
    if (auto done = commit(); !done) observer_.on_log(4, done.error().message);
  }
  for (const TopicPartition& name : names) places_.erase(name);
  if (rd_kafka_error_t* const error = rd_kafka_incremental_unassign(handle_.get(), partitions)) {
    observer_.on_log(3, fmt::format("unassign: {}", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
  }
}

// --- reading
// ----------------------------------------------------------------------------------------

Expected<std::span<const KafkaRecord>> KafkaConsumer::Session::poll(
    std::chrono::milliseconds timeout, std::size_t records_max) {
  messages_.clear();
  if (auto collected = collect(timeout, records_max); !collected)
    return std::unexpected(std::move(collected.error()));
  if (verdict()) return std::unexpected(*verdict());
  if (messages_.empty()) {
    look(handle_.get(), options_.connection);
  } else {
    answered();
  }
  const auto records = messages_.describe();
  note_places(records);
  return records;
}

Expected<void> KafkaConsumer::Session::collect(std::chrono::milliseconds timeout,
                                               std::size_t records_max) {
  const auto until = Steady::now() + timeout;
  while (messages_.size() < records_max) {
    // Only the first is waited for, and not for long when partitions have to be found that go
    // astray: they all say so within milliseconds.
    auto patience = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
    if (!messages_.empty()) patience = {};
    patience = std::clamp(patience, std::chrono::milliseconds(0),
                          astray_ ? kAstray : std::max(timeout, kAstray));
    kafka::MessagePtr message(
        rd_kafka_consumer_poll(handle_.get(), static_cast<int>(patience.count())));
    if (verdict()) return std::unexpected(*verdict());
    if (!message) {
      if (auto found = find_way(); !found) return found;
      if (!messages_.empty() || Steady::now() >= until) return {};
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      messages_.push(std::move(message));
    } else if (auto fine = on_message_error(*message); !fine) {
      return fine;
    }
  }
  return {};
}

Expected<void> KafkaConsumer::Session::on_message_error(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && message.rkt != nullptr) {
    const auto found = places_.find({rd_kafka_topic_name(message.rkt), message.partition});
    if (found == places_.end()) return {};
    found->second.astray = true;
    astray_ = true;
    return {};
  }
  if (auto error = kafka::judge_answer(message.err, options_.connection))
    return std::unexpected(std::move(*error));
  const char* const text = rd_kafka_message_errstr(&message);
  if (message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    no_topic(options_.connection.topic);
  } else {
    observer_.on_log(4, text);
  }
  return {};
}

void KafkaConsumer::Session::note_places(std::span<const KafkaRecord> records) {
  for (const KafkaRecord& record : records) {
    Place& place = places_[{std::string(record.topic), record.partition}];
    if (place.stored < 0) place.stored = record.offset;
    place.next = record.offset + 1;
  }
}

// --- offsets that are not there
// ---------------------------------------------------------------------

// All that are astray at once: once one of them is read, a question waits behind its fetch.
Expected<void> KafkaConsumer::Session::find_way() {
  astray_ = std::ranges::any_of(places_, [](const auto& entry) { return entry.second.astray; });
  if (!astray_) return {};
  const kafka::PartitionsPtr found(rd_kafka_topic_partition_list_new(1));
  for (const auto& [name, place] : places_) {
    if (!place.astray) continue;
    const auto start = find_start(name, place);
    if (!start) return std::unexpected(start.error());
    if (*start)
      rd_kafka_topic_partition_list_add(found.get(), name.topic.c_str(), name.partition)->offset =
          **start;
  }
  if (found->cnt == 0) return {};
  // Reading stopped at the error, and what has stopped cannot seek: the partitions are taken anew.
  rd_kafka_error_t* error = rd_kafka_incremental_unassign(handle_.get(), found.get());
  if (error == nullptr) error = rd_kafka_incremental_assign(handle_.get(), found.get());
  if (error != nullptr) {
    observer_.on_log(4, fmt::format("assign: {}", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
    return {};
  }
  if (paused_) rd_kafka_pause_partitions(handle_.get(), found.get());
  for (int i = 0; i < found->cnt; ++i) {
    Place& place = places_[{found->elems[i].topic, found->elems[i].partition}];
    place.astray = false;
    place.next = found->elems[i].offset;
  }
  return {};
}

Expected<std::optional<std::int64_t>> KafkaConsumer::Session::find_start(const TopicPartition& name,
                                                                         const Place& place) {
  std::int64_t from = place.next;
  if (from < 0) {
    const auto committed = list_of(name.topic, name.partition, RD_KAFKA_OFFSET_INVALID);
    if (rd_kafka_committed(handle_.get(), committed.get(), kRequestMs) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      return std::nullopt;
    }
    from = committed->elems[0].offset;
  }
  std::int64_t begin = 0;
  std::int64_t end = 0;
  if (rd_kafka_query_watermark_offsets(handle_.get(), name.topic.c_str(), name.partition, &begin,
                                       &end, kRequestMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  if (from < 0) return begin;
  if (from >= begin && from <= end) return from;
  if (auto fine = judge_loss({name, from, begin}); !fine)
    return std::unexpected(std::move(fine.error()));
  return begin;
}

Expected<void> KafkaConsumer::Session::judge_loss(const KafkaLoss& loss) {
  observer_.on_loss(loss);
  if (options_.accept_loss) return {};
  const std::string place =
      fmt::format("partition {} of the topic {}", loss.place.partition, loss.place.topic);
  if (loss.until < loss.from) {
    return operation_error(
        fmt::format("{} was made anew: the group {} stands at record {}, which is not there yet. "
                    "To read it from its first record "
                    "on, accept the loss of what was in it before",
                    place, options_.group, loss.from));
  }
  return operation_error(fmt::format(
      "{} records ({} to {}) of {} were removed before the group {} had read them: the topic keeps "
      "them for too short a "
      "time. To go on with record {}, accept that loss",
      loss.until - loss.from, loss.from, loss.until - 1, place, options_.group, loss.until));
}

// Messages that librdkafka has read ahead, it drops with this, and begins again behind the last
// that it handed out.
void KafkaConsumer::Session::set_paused(bool paused) {
  if (std::exchange(paused_, paused) == paused) return;
  const kafka::PartitionsPtr list(
      rd_kafka_topic_partition_list_new(static_cast<int>(places_.size())));
  for (const auto& [name, place] : places_)
    rd_kafka_topic_partition_list_add(list.get(), name.topic.c_str(), name.partition);
  if (paused) {
    rd_kafka_pause_partitions(handle_.get(), list.get());
  } else {
    rd_kafka_resume_partitions(handle_.get(), list.get());
  }
}

// --- where the group stands
// -------------------------------------------------------------------------

void KafkaConsumer::Session::store(std::string_view topic, int partition, std::int64_t next) {
  const auto list = list_of(topic, partition, next);
  if (rd_kafka_offsets_store(handle_.get(), list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const auto found = places_.find({std::string(topic), partition});
  if (found != places_.end()) found->second.stored = next;
}

// Not rd_kafka_commit(): a cluster that is away holds that up for a minute.
Expected<void> KafkaConsumer::Session::commit() {
  const kafka::QueuePtr queue(rd_kafka_queue_new(handle_.get()));
  rd_kafka_resp_err_t code =
      rd_kafka_commit_queue(handle_.get(), nullptr, queue.get(), nullptr, nullptr);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const kafka::EventPtr event(rd_kafka_queue_poll(queue.get(), kCommitMs));
    code = event ? rd_kafka_event_error(event.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || is_nothing_to_commit(code)) return {};
  return operation_error(fmt::format("cannot commit the offsets of the group {}: {}",
                                     options_.group, rd_kafka_err2str(code)),
                         true);
}

std::vector<PartitionLag> KafkaConsumer::Session::lag() const {
  std::vector<PartitionLag> lags;
  for (const auto& [name, place] : places_) {
    PartitionLag lag{.place = name, .committed = place.stored};
    if (place.stored < 0 ||
        rd_kafka_get_watermark_offsets(handle_.get(), name.topic.c_str(), name.partition,
                                       &lag.begin, &lag.end) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        lag.end < 0) {
      continue;
    }
    lags.push_back(std::move(lag));
  }
  return lags;
}

}  // namespace gpulse
