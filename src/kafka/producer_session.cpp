#include "kafka/producer_session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kafka/pauses.h"
#include "kafka/topic_identity.h"
#include "kafka/topic_maker.h"

namespace gpulse {
namespace {

using kafka::Delivery;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSlice{100};  // how late a stop may be seen
constexpr int kSliceMs = static_cast<int>(kSlice.count());
constexpr std::chrono::milliseconds kPatienceMax{2'000};
// Without an answer for so long after a connection failed, the cluster counts as away.
constexpr std::chrono::seconds kTroubleMax{1};
// A topic that is missing for so long, and was there before, is gone.
constexpr std::chrono::seconds kGoneAfter{10};
constexpr std::size_t kRowsBetweenPolls = 512;
// The rows of a delivery are all there at once, and its end flushes: nothing ever waits so long. It
// keeps the first batches from leaving half empty.
constexpr const char* kLingerMs = "50";

const char* compression_name(KafkaCompression compression) {
  switch (compression) {
    case KafkaCompression::zstd: return "zstd";
    case KafkaCompression::gzip: return "gzip";
    case KafkaCompression::lz4: return "lz4";
    case KafkaCompression::none: break;
  }
  return "none";
}

Expected<void> set_producer(const kafka::ConfPtr& conf, const ProducerOptions& options) {
  const std::pair<const char*, const char*> settings[] = {
      {"acks", "all"},
      {"enable.idempotence", "true"},
      // A batch refused in the middle ends the session, before a later one is in the topic: rows
      // sent again behind it would be dropped as doubles.
      {"enable.gapless.guarantee", "true"},
      {"message.timeout.ms", "0"},  // the log is the buffer
      {"compression.type", compression_name(options.compression)},
      {"linger.ms", kLingerMs},
      {"queue.buffering.max.messages", "100000"},
      {"queue.buffering.max.kbytes", "65536"},
  };
  for (const auto& [name, value] : settings) {
    if (auto done = kafka::set(conf, name, value); !done) return done;
  }
  return {};
}

// Whether the fault may be a record's own. Such answers are for a whole batch.
bool is_refusal(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
         code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
         code == RD_KAFKA_RESP_ERR_INVALID_RECORD || code == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
}

std::unexpected<Error> stopped() { return operation_error("stopped", true); }

}  // namespace

void SampleProducer::Shared::refuse(std::size_t index, rd_kafka_resp_err_t code) {
  RefusedRecord record = delivery->identity(index);
  record.reason = rd_kafka_err2str(code);
  delivery->finish(index);
  ++refused;
  observer().on_refused(record);
}

void SampleProducer::Shared::on_report(const rd_kafka_message_t& report) {
  const auto index = reinterpret_cast<std::size_t>(report._private);
  heard = Steady::now();
  if (report.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    delivery->finish(index);
    records.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(report.len, std::memory_order_relaxed);
    acknowledged_after_us.store(rd_kafka_message_latency(&report), std::memory_order_relaxed);
    return answered();
  }
  ++failures;
  if (is_refusal(report.err)) {
    broken = true;
    // A row that went alone is the culprit; of a batch, any may be.
    if (delivery->row(index) == Delivery::Row::sent_alone) return refuse(index, report.err);
    return delivery->take_back(index, Delivery::Row::suspect);
  }
  delivery->take_back(index, Delivery::Row::waiting);
  if (auto error = kafka::judge_answer(report.err, options.connection)) judge(std::move(*error));
  broken = true;
}

Expected<std::unique_ptr<SampleProducer::Session>> SampleProducer::Session::make(Shared& shared) {
  auto conf = kafka::make_conf(shared.options.connection, shared);
  if (!conf) return std::unexpected(std::move(conf.error()));
  if (auto done = set_producer(*conf, shared.options); !done)
    return std::unexpected(std::move(done.error()));
  rd_kafka_conf_set_dr_msg_cb(
      conf->get(), [](rd_kafka_t*, const rd_kafka_message_t* report, void* opaque) {
        static_cast<Shared*>(static_cast<kafka::ClientState*>(opaque))->on_report(*report);
      });
  auto handle = kafka::make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle) return std::unexpected(std::move(handle.error()));
  shared.begin_anew();
  shared.broken = false;
  return std::unique_ptr<Session>(new Session(shared, std::move(*handle)));
}

SampleProducer::Session::Session(Shared& shared, kafka::HandlePtr handle)
    : shared_(shared),
      handle_(std::move(handle)),
      topic_(rd_kafka_topic_new(handle_.get(), shared.options.connection.topic.c_str(), nullptr)) {}

Expected<void> SampleProducer::Session::check(const std::stop_token& stop) const {
  if (shared_.fatal()) {
    if (auto verdict = kafka::judge_answer(shared_.fatal_code(), shared_.options.connection)) {
      return std::unexpected(std::move(*verdict));
    }
  }
  if (shared_.verdict()) return std::unexpected(*shared_.verdict());
  if (stop.stop_requested()) return stopped();
  if (shared_.fatal() || shared_.broken) {
    return operation_error(
        shared_.last_reason().empty() ? "a batch was not taken" : shared_.last_reason(), true);
  }
  return {};
}

Expected<void> SampleProducer::Session::find_topic(const std::stop_token& stop) {
  const KafkaConnection& connection = shared_.options.connection;
  std::optional<Steady::time_point> missing_since;  // the topic, by the cluster's own word
  std::chrono::milliseconds patience = kSlice;
  kafka::Pauses pauses;
  shared_.heard = Steady::now();
  while (true) {
    const auto count = kafka::count_partitions(handle_.get(), topic_.get(), connection, patience);
    rd_kafka_poll(handle_.get(), 0);
    if (auto fine = check(stop); !fine) return fine;
    if (!count) {
      if (!count.error().retryable) return std::unexpected(count.error());
      missing_since.reset();
      // Connected and slow to answer: the next question may take longer.
      if (!shared_.in_trouble()) patience = std::min(patience * 3 / 2, kPatienceMax);
      const auto until = Steady::now() + pauses.next();
      while (Steady::now() < until && !stop.stop_requested()) {
        notice_silence();
        rd_kafka_poll(handle_.get(), kSliceMs);
      }
      continue;
    }
    if (*count != 0) {
      if (auto same = judge_identity(); !same) return same;
      if (auto same = judge_partitions(*count); !same) return same;
      shared_.answered();
      return {};
    }
    if (shared_.identity) {
      if (auto same = judge_identity(); !same) return same;
      // A broker that has just started may not know of it yet.
      if (!missing_since) missing_since = Steady::now();
      if (Steady::now() - *missing_since < kGoneAfter) {
        kafka::wait(kSlice, stop);
        continue;
      }
      return another_topic(fmt::format("there is no topic {} any more, though rows were sent to it",
                                       connection.topic));
    }
    if (auto made = create_topic(stop); !made) return made;
  }
}

// What was sent to another topic of that name, or to another cluster, this one does not have.
Expected<void> SampleProducer::Session::judge_identity() {
  const KafkaConnection& connection = shared_.options.connection;
  TopicIdentity found = kafka::identify_topic(handle_.get(), connection.topic, kPatienceMax);
  if (!shared_.identity) {
    shared_.identity = std::move(found);
    return {};
  }
  const auto differs = [](const std::string& known, const std::string& now) {
    return !known.empty() && !now.empty() && known != now;
  };
  if (differs(shared_.identity->cluster, found.cluster)) {
    return another_topic(fmt::format("the cluster at {} is another one than rows were sent to",
                                     fmt::join(connection.brokers, ",")));
  }
  if (differs(shared_.identity->topic, found.topic)) {
    return another_topic(
        fmt::format("the topic {} was made anew since rows were sent to it", connection.topic));
  }
  if (!found.cluster.empty()) shared_.identity->cluster = std::move(found.cluster);
  if (!found.topic.empty()) shared_.identity->topic = std::move(found.topic);
  return {};
}

std::unexpected<Error> SampleProducer::Session::another_topic(const std::string& what) const {
  const std::string& positions = shared_.options.positions_in;
  return operation_error(
      positions.empty() ? what
                        : fmt::format("{}; to send the logs to it from their beginnings, move {} "
                                      "away",
                                      what, positions));
}

Expected<void> SampleProducer::Session::judge_partitions(int count) {
  const std::string& topic = shared_.options.connection.topic;
  const int before = shared_.partitions;
  const int wanted = before != 0 ? before : shared_.options.partitions.value_or(count);
  shared_.partitions = wanted == count ? count : before;
  if (wanted == count) return {};
  return operation_error(fmt::format(
      "the topic {} has {} partitions and not {}: what tells doubles from new rows belongs to a "
      "partition, so that "
      "a device must not move to another one. {}",
      topic, count, wanted,
      before != 0 ? "Somebody changed it; write to a new topic"
                  : fmt::format("Ask for {} partitions, or write to a new topic", count)));
}

Expected<void> SampleProducer::Session::create_topic(const std::stop_token& stop) {
  const std::string& topic = shared_.options.connection.topic;
  if (!shared_.options.create_topic) {
    return operation_error(fmt::format(
        "there is no topic {}, and it is not to be made: make it, or allow that", topic));
  }
  const int partitions = shared_.options.partitions.value_or(ProducerOptions::kPartitionsDefault);
  return kafka::make_topic(handle_.get(), shared_.options.connection, partitions,
                           [&] { return check(stop); });
}

void SampleProducer::Session::look() {
  rd_kafka_poll(handle_.get(), 0);
  shared_.look(handle_.get(), shared_.options.connection);
}

Expected<void> SampleProducer::Session::send(const std::stop_token& stop) {
  shared_.heard = Steady::now();
  for (const Delivery::Part& part : shared_.delivery->parts()) {
    if (auto sent = send_part(part, stop); !sent) return sent;
  }
  return await_reports(stop);
}

Expected<void> SampleProducer::Session::send_part(const Delivery::Part& part,
                                                  const std::stop_token& stop) {
  const int partition = rd_kafka_msg_partitioner_murmur2(
      topic_.get(), part.key.data(), part.key.size(), shared_.partitions, nullptr, nullptr);
  writer_.begin(*part.batch);
  for (std::size_t row = 0; row < part.batch->rows(); ++row) {
    const Delivery::Row state = shared_.delivery->row(part.first + row);
    if (state == Delivery::Row::done) continue;
    const bool alone = state == Delivery::Row::suspect;
    if (alone) {
      if (auto settled = await_reports(stop); !settled) return settled;
    }
    if (auto sent = send_row(part, partition, row, stop); !sent) return sent;
    if (alone) {
      if (auto settled = await_reports(stop); !settled) return settled;
    }
    if (++since_poll_ < kRowsBetweenPolls) continue;
    since_poll_ = 0;
    rd_kafka_poll(handle_.get(), 0);
    if (auto fine = check(stop); !fine) return fine;
  }
  return {};
}

Expected<void> SampleProducer::Session::send_row(const Delivery::Part& part, int partition,
                                                 std::size_t row, const std::stop_token& stop) {
  const std::string_view record = writer_.row(row);
  const std::size_t index = part.first + row;
  const bool alone = shared_.delivery->row(index) == Delivery::Row::suspect;
  while (true) {
    // It copies the record and does not touch what its signature, older than const, would let it.
    if (rd_kafka_produce(topic_.get(), partition, RD_KAFKA_MSG_F_COPY,
                         const_cast<char*>(record.data()), record.size(), part.key.data(),
                         part.key.size(), reinterpret_cast<void*>(index)) == 0) {
      shared_.delivery->send(index, alone);
      return {};
    }
    const rd_kafka_resp_err_t code = rd_kafka_last_error();
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      shared_.refuse(index, code);
      return {};
    }
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(handle_.get(), 0);
      if (auto fine = check(stop); !fine) return fine;
      if (auto verdict = kafka::judge_answer(code, shared_.options.connection)) {
        return std::unexpected(std::move(*verdict));
      }
      return operation_error(rd_kafka_err2str(code), true);
    }
    rd_kafka_poll(handle_.get(), kSliceMs);
    notice_silence();
    if (auto fine = check(stop); !fine) return fine;
  }
}

Expected<void> SampleProducer::Session::await_reports(const std::stop_token& stop) {
  while (shared_.delivery->outstanding() != 0) {
    rd_kafka_flush(handle_.get(), kSliceMs);
    notice_silence();
    if (auto fine = check(stop); !fine) return fine;
  }
  return check(stop);
}

void SampleProducer::Session::notice_silence() {
  const std::chrono::seconds patience = shared_.in_trouble() ? kTroubleMax : kafka::kSilenceMax;
  if (Steady::now() - shared_.heard < patience) return;
  shared_.away(shared_.last_reason().empty() ? fmt::format("no answer for {} s", patience.count())
                                             : shared_.last_reason());
}

}  // namespace gpulse
