#include "kafka/record_writer.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "kafka/client.h"
#include "kafka/pauses.h"
#include "kafka/topic_maker.h"

namespace gpulse {
namespace {

constexpr std::chrono::milliseconds kSlice{100};  // how late a stop may be seen
constexpr int kSliceMs = static_cast<int>(kSlice.count());
constexpr std::chrono::seconds kMetadataTimeout{2};

// What no repetition changes, as the fault of a record or of the name of its topic.
bool is_final(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: return true;
    default: return false;
  }
}

}  // namespace

struct RecordWriter::Client : kafka::ClientState {
  Client(RecordWriterOptions the_options, KafkaObserver& observer)
      : ClientState(observer), options(std::move(the_options)) {}

  [[nodiscard]] Expected<void> connect(const std::stop_token& stop);
  [[nodiscard]] Expected<void> find_topic(const std::stop_token& stop);
  [[nodiscard]] Expected<void> send(std::span<const OutgoingRecord> records,
                                    const std::stop_token& stop);
  [[nodiscard]] Expected<void> send_one(const OutgoingRecord& record);
  [[nodiscard]] Expected<void> check(const std::stop_token& stop) const;
  void on_report(const rd_kafka_message_t& report);
  [[nodiscard]] Error refusal(rd_kafka_resp_err_t code) const;

  const RecordWriterOptions options;
  kafka::HandlePtr handle;  // null before the first write, and after an error
  kafka::TopicPtr topic;    // goes before the handle
  int partitions = 0;
  std::size_t open = 0;         // records without a report
  std::optional<Error> failed;  // the first report that was no acknowledgement
};

Error RecordWriter::Client::refusal(rd_kafka_resp_err_t code) const {
  if (auto verdict = kafka::judge_answer(code, options.connection)) return std::move(*verdict);
  return {ErrorKind::operation,
          fmt::format("cannot write to the topic {}: {}", options.connection.topic,
                      rd_kafka_err2str(code)),
          !is_final(code)};
}

void RecordWriter::Client::on_report(const rd_kafka_message_t& report) {
  --open;
  if (report.err == RD_KAFKA_RESP_ERR_NO_ERROR) return answered();
  if (!failed) failed = refusal(report.err);
}

Expected<void> RecordWriter::Client::check(const std::stop_token& stop) const {
  if (failed) return std::unexpected(*failed);
  if (verdict()) return std::unexpected(*verdict());
  if (stop.stop_requested()) return operation_error("stopped", true);
  if (fatal()) return std::unexpected(refusal(fatal_code()));
  return {};
}

Expected<void> RecordWriter::Client::connect(const std::stop_token& stop) {
  auto conf = kafka::make_conf(options.connection, *this);
  if (!conf) return std::unexpected(std::move(conf.error()));
  const std::pair<const char*, const char*> settings[] = {{"acks", "all"},
                                                          {"enable.idempotence", "true"},
                                                          {"message.timeout.ms", "0"},
                                                          {"compression.type", "zstd"},
                                                          {"linger.ms", "0"}};
  for (const auto& [name, value] : settings) {
    if (auto done = kafka::set(*conf, name, value); !done) return done;
  }
  rd_kafka_conf_set_dr_msg_cb(
      conf->get(), [](rd_kafka_t*, const rd_kafka_message_t* report, void* opaque) {
        static_cast<Client*>(static_cast<kafka::ClientState*>(opaque))->on_report(*report);
      });
  begin_anew();
  failed.reset();
  auto made = kafka::make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!made) return std::unexpected(std::move(made.error()));
  handle = std::move(*made);
  topic.reset(rd_kafka_topic_new(handle.get(), options.connection.topic.c_str(), nullptr));
  return find_topic(stop);
}

Expected<void> RecordWriter::Client::find_topic(const std::stop_token& stop) {
  while (true) {
    const auto count = kafka::count_partitions(handle.get(), topic.get(), options.connection,
                                               in_trouble() ? kSlice : kMetadataTimeout);
    rd_kafka_poll(handle.get(), kSliceMs);
    if (auto fine = check(stop); !fine) return fine;
    if (!count) {
      if (!count.error().retryable) return std::unexpected(count.error());
      if (in_trouble()) away(last_reason());
      continue;
    }
    answered();
    partitions = *count;
    if (partitions != 0) return {};
    if (options.partitions_if_missing == 0) {
      return operation_error(fmt::format("there is no topic {}", options.connection.topic));
    }
    auto made = kafka::make_topic(handle.get(), options.connection, options.partitions_if_missing,
                                  [&] { return check(stop); });
    if (!made) return made;
  }
}

Expected<void> RecordWriter::Client::send_one(const OutgoingRecord& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  const int partition =
      record.partition >= 0
          ? record.partition
          : rd_kafka_msg_partitioner_murmur2(topic.get(), record.key.data(), record.key.size(),
                                             partitions, nullptr, nullptr);
  // It copies key and value, and does not touch what its signature, older than const, would let it.
  rd_kafka_error_t* const error = rd_kafka_produceva(
      handle.get(),
      std::array<rd_kafka_vu_t, 6>{
          {{.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = topic.get()}},
           {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}},
           {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
           {.vtype = RD_KAFKA_VTYPE_KEY,
            .u = {.mem = {const_cast<char*>(record.key.data()), record.key.size()}}},
           {.vtype = RD_KAFKA_VTYPE_VALUE,
            .u = {.mem = {const_cast<char*>(record.value.data()), record.value.size()}}},
           {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = headers}}}}
          .data(),
      6);
  if (error == nullptr) {
    ++open;
    return {};
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  rd_kafka_headers_destroy(headers);
  return std::unexpected(refusal(code));
}

Expected<void> RecordWriter::Client::send(std::span<const OutgoingRecord> records,
                                          const std::stop_token& stop) {
  for (const OutgoingRecord& record : records) {
    if (auto sent = send_one(record); !sent) return sent;
  }
  while (open != 0) {
    rd_kafka_flush(handle.get(), kSliceMs);
    if (open != 0 && in_trouble()) away(last_reason());
    if (auto fine = check(stop); !fine) return fine;
  }
  return check({});
}

RecordWriter::RecordWriter(std::unique_ptr<Client> client) : client_(std::move(client)) {}
RecordWriter::~RecordWriter() = default;

Expected<std::unique_ptr<RecordWriter>> RecordWriter::open(RecordWriterOptions options,
                                                           KafkaObserver& observer) {
  if (auto valid = validate(options.connection); !valid) {
    return std::unexpected(std::move(valid.error()));
  }
  return std::unique_ptr<RecordWriter>(
      new RecordWriter(std::make_unique<Client>(std::move(options), observer)));
}

Expected<void> RecordWriter::write(std::span<const OutgoingRecord> records,
                                   const std::stop_token& stop) {
  if (records.empty()) return {};
  kafka::Pauses pauses;
  while (true) {
    Expected<void> step;
    if (!client_->handle) step = client_->connect(stop);
    if (step) step = client_->send(records, stop);
    if (step) return step;
    client_->topic.reset();
    client_->handle.reset();
    client_->open = 0;
    if (!step.error().retryable || stop.stop_requested()) return step;
    client_->away(step.error().message);
    kafka::wait(pauses.next(), stop);
  }
}

}  // namespace gpulse
