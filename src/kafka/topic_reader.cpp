#include "kafka/topic_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "kafka/messages.h"

namespace gpulse {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kPollMs = 200;

}  // namespace

// librdkafka's consumer of single partitions: the other kind looks for its group's coordinator, and
// needs the right to a group, even if it never joins.
class TopicReader::Session : kafka::ClientState {
 public:
  Session(KafkaConnection connection, KafkaObserver& observer, std::chrono::milliseconds patience)
      : ClientState(observer), connection_(std::move(connection)), patience_(patience) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Expected<void> open();
  [[nodiscard]] Expected<std::span<const KafkaRecord>> next(std::size_t records_max);
  [[nodiscard]] const std::vector<Partition>& partitions() const { return partitions_; }

 private:
  [[nodiscard]] Expected<void> connect();
  [[nodiscard]] Expected<int> count();
  [[nodiscard]] Expected<void> find_ends(int count);
  [[nodiscard]] Expected<void> start();
  [[nodiscard]] Expected<void> collect(std::size_t records_max);
  [[nodiscard]] Expected<void> take(kafka::MessagePtr message);
  [[nodiscard]] bool all_read() const;
  [[nodiscard]] std::unexpected<Error> failure(std::string_view doing, rd_kafka_resp_err_t code);

  const KafkaConnection connection_;
  const std::chrono::milliseconds patience_;
  kafka::HandlePtr handle_;
  kafka::TopicPtr topic_;
  kafka::QueuePtr queue_;
  std::vector<Partition> partitions_;
  std::vector<std::int64_t> next_;  // of each partition, to be read
  kafka::Messages messages_;
};

TopicReader::Session::~Session() {
  for (const Partition& partition : partitions_) {
    rd_kafka_consume_stop(topic_.get(), partition.partition);
  }
}

std::unexpected<Error> TopicReader::Session::failure(std::string_view doing,
                                                     rd_kafka_resp_err_t code) {
  rd_kafka_poll(handle_.get(), 0);
  // What an error event said weighs more than that a request failed.
  if (verdict()) return std::unexpected(*verdict());
  if (auto refused = kafka::judge_answer(code, connection_)) {
    return std::unexpected(std::move(*refused));
  }
  return operation_error(
      fmt::format("cannot {}: {}", doing,
                  last_reason().empty() ? rd_kafka_err2str(code) : last_reason()),
      true);
}

Expected<void> TopicReader::Session::connect() {
  auto conf = kafka::make_conf(connection_, *this);
  if (!conf) return std::unexpected(std::move(conf.error()));
  const std::pair<const char*, const char*> settings[] = {
      {"enable.partition.eof", "true"},
      // What retention takes while we read is skipped.
      {"auto.offset.reset", "earliest"},
      {"queued.max.messages.kbytes", "8192"},
      {"fetch.max.bytes", "4194304"},
#if RD_KAFKA_VERSION >= 0x02020000
      {"fetch.queue.backoff.ms", "10"},  // by default a full queue is not filled again for 1 s
#endif
  };
  for (const auto& [name, value] : settings) {
    if (auto done = kafka::set(*conf, name, value); !done) return done;
  }
  auto handle = kafka::make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return std::unexpected(std::move(handle.error()));
  handle_ = std::move(*handle);
  topic_.reset(rd_kafka_topic_new(handle_.get(), connection_.topic.c_str(), nullptr));
  queue_.reset(rd_kafka_queue_new(handle_.get()));
  return {};
}

Expected<int> TopicReader::Session::count() {
  const auto found = kafka::count_partitions(handle_.get(), topic_.get(), connection_, patience_);
  if (!found && found.error().retryable)
    return failure("reach Kafka", RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (found && *found == 0) {
    return operation_error(fmt::format("there is no topic {}", connection_.topic));
  }
  return found;
}

Expected<void> TopicReader::Session::find_ends(int count) {
  for (int partition = 0; partition < count; ++partition) {
    Partition found{.partition = partition};
    const auto code = rd_kafka_query_watermark_offsets(handle_.get(), connection_.topic.c_str(),
                                                       partition, &found.begin, &found.end,
                                                       static_cast<int>(patience_.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return failure(fmt::format("ask for the ends of the topic {}", connection_.topic), code);
    }
    partitions_.push_back(found);
    next_.push_back(found.begin);
  }
  return {};
}

Expected<void> TopicReader::Session::start() {
  for (const Partition& partition : partitions_) {
    if (rd_kafka_consume_start_queue(topic_.get(), partition.partition, partition.begin,
                                     queue_.get()) != 0) {
      return failure(fmt::format("read the topic {}", connection_.topic), rd_kafka_last_error());
    }
  }
  return {};
}

Expected<void> TopicReader::Session::open() {
  if (auto connected = connect(); !connected) return connected;
  const auto partitions = count();
  if (!partitions) return std::unexpected(partitions.error());
  if (auto found = find_ends(*partitions); !found) return found;
  return start();
}

bool TopicReader::Session::all_read() const {
  return std::ranges::equal(next_, partitions_, std::ranges::greater_equal{}, {}, &Partition::end);
}

Expected<std::span<const KafkaRecord>> TopicReader::Session::next(std::size_t records_max) {
  messages_.clear();
  const auto until = Steady::now() + patience_;
  while (messages_.empty() && !all_read()) {
    if (auto collected = collect(records_max); !collected) {
      return std::unexpected(collected.error());
    }
    if (messages_.empty() && Steady::now() > until) {
      return failure(fmt::format("read the topic {}", connection_.topic),
                     RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
  }
  return messages_.describe();
}

Expected<void> TopicReader::Session::collect(std::size_t records_max) {
  rd_kafka_poll(handle_.get(), 0);
  if (verdict()) return std::unexpected(*verdict());
  std::vector<rd_kafka_message_t*> raw(records_max);
  const auto got = rd_kafka_consume_batch_queue(queue_.get(), kPollMs, raw.data(), raw.size());
  if (got < 0) return failure("read", rd_kafka_last_error());
  Expected<void> taken;
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    kafka::MessagePtr message(raw[i]);
    if (taken) taken = take(std::move(message));
  }
  return taken;
}

Expected<void> TopicReader::Session::take(kafka::MessagePtr message) {
  const auto partition = static_cast<std::size_t>(message->partition);
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && partition < next_.size()) {
    // What is behind the last record, of transactions for one, is not handed out.
    next_[partition] = std::max(next_[partition], message->offset);
    return {};
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (auto refused = kafka::judge_answer(message->err, connection_)) {
      return std::unexpected(std::move(*refused));
    }
    observer().on_log(4, rd_kafka_message_errstr(message.get()));
    return {};
  }
  next_[partition] = message->offset + 1;
  if (message->offset < partitions_[partition].end) messages_.push(std::move(message));
  return {};
}

TopicReader::TopicReader(std::unique_ptr<Session> session) : session_(std::move(session)) {}
TopicReader::~TopicReader() = default;

Expected<std::unique_ptr<TopicReader>> TopicReader::open(KafkaConnection connection,
                                                         KafkaObserver& observer,
                                                         std::chrono::milliseconds patience) {
  auto session = std::make_unique<Session>(std::move(connection), observer, patience);
  if (auto opened = session->open(); !opened) return std::unexpected(std::move(opened).error());
  return std::unique_ptr<TopicReader>(new TopicReader(std::move(session)));
}

const std::vector<TopicReader::Partition>& TopicReader::partitions() const {
  return session_->partitions();
}

Expected<std::span<const KafkaRecord>> TopicReader::next(std::size_t records_max) {
  return session_->next(records_max);
}

}  // namespace gpulse
