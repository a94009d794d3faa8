#include "cli/influx_relay.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "kafka/sample_json.h"
#include "platform/file.h"
#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordsAtOnce = 500;
// While lines are under way their acknowledgements are asked for so often.
constexpr auto kPollBusy = 10ms;
constexpr auto kPollIdle = 200ms;
// So long a stop, or another member of the group, waits for what is under way.
constexpr auto kSettle = 5s;

// A record on its way: it is done when all lines up to that ticket are.
struct Pending {
  std::uint64_t ticket;
  TopicPartition place;
  std::int64_t offset;
};

// Keeps what cannot be stored. On one thread at a time.
class SetAsideFile {
 public:
  explicit SetAsideFile(std::filesystem::path path) : path_(std::move(path)) {}

  Expected<void> add(const Pending& record, const std::string& reason, std::string_view content) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().member("topic", record.place.topic);
    json.member("partition", std::int64_t{record.place.partition}).member("offset", record.offset);
    json.member("reason", reason).member("content", content).end_object();
    std::ofstream out(path_, std::ios::app | std::ios::binary);
    out << line << '\n';
    out.close();
    if (!out) return operation_error(fmt::format("cannot write {}", display(path_)));
    return flush_to_disk(path_);
  }

 private:
  const std::filesystem::path path_;
};

class Relay;

// What the writer tells, on its own thread.
class WriterEvents final : public InfluxWriterObserver {
 public:
  explicit WriterEvents(Relay& relay) : relay_(relay) {}
  Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                              const std::string& reason) override;
  void on_dropped(std::uint64_t lines, std::uint64_t first_ticket, std::uint64_t last_ticket,
                  const std::string& reason) override;
  void on_away(const std::string& reason) override {
    spdlog::warn("InfluxDB is away: {}; nothing is lost, it is tried until it is back", reason);
  }
  void on_back() override { spdlog::info("InfluxDB is back"); }
  void on_acknowledged(std::uint64_t ticket) override;

 private:
  Relay& relay_;
};

class Relay final : public ConsumerObserver {
 public:
  Relay(const InfluxRelayOptions& options, InfluxRelayTotals& totals)
      : options_(options), totals_(totals), events_(*this), set_aside_(options.set_aside_file) {}

  Expected<void> run(const std::stop_token& stop);

  Expected<void> set_aside(const Pending& record, const std::string& reason,
                           std::string_view content);
  [[nodiscard]] std::optional<Pending> find(std::uint64_t ticket);
  void note_acknowledged();

 private:
  Expected<void> relay(const std::stop_token& stop);
  Expected<void> take(const KafkaRecord& record);
  void settle();
  void store_acknowledged();
  void forget(std::span<const TopicPartition> places);

  void on_away(const std::string& reason) override {
    spdlog::warn("Kafka is away: {}; it is tried until it is back", reason);
  }
  void on_back() override { spdlog::info("Kafka is back"); }
  void on_assigned(std::span<const TopicPartition> places) override {
    for (const TopicPartition& place : places) {
      spdlog::info("reading partition {} of {}", place.partition, place.topic);
    }
  }
  void on_revoked(std::span<const TopicPartition> places) override {
    settle();
    forget(places);
  }
  void on_lost(std::span<const TopicPartition> places) override { forget(places); }
  void on_loss(const KafkaLoss& loss) override {
    spdlog::error(
        "partition {} of {}: {} records, offsets {} to {}, were gone before they were read",
        loss.place.partition, loss.place.topic, loss.until - loss.from, loss.from, loss.until - 1);
  }

  const InfluxRelayOptions& options_;
  InfluxRelayTotals& totals_;
  WriterEvents events_;
  std::unique_ptr<InfluxWriter> writer_;
  std::unique_ptr<KafkaConsumer> consumer_;
  SampleJsonReader reader_;
  LineBuilder builder_;
  Lines lines_;
  std::uint64_t ticket_ = 0;  // the last that was given
  std::atomic<bool> writer_ended_ = false;  // nothing more is acknowledged

  std::mutex mutex_;
  std::condition_variable acknowledged_;
  std::deque<Pending> pending_;  // by ticket; guarded by mutex_, as set_aside_
  SetAsideFile set_aside_;
};

Expected<void> WriterEvents::on_set_aside(std::uint64_t ticket, std::string_view line,
                                          const std::string& reason) {
  const auto record = relay_.find(ticket);
  // Its partition has gone to another member, who meets the same line.
  if (!record) return {};
  return relay_.set_aside(*record, reason, line);
}

void WriterEvents::on_dropped(std::uint64_t lines, std::uint64_t first_ticket,
                              std::uint64_t last_ticket, const std::string& reason) {
  const auto first = relay_.find(first_ticket);
  const auto last = relay_.find(last_ticket);
  spdlog::warn("InfluxDB dropped {} of {} points{}: {}", lines, last_ticket - first_ticket + 1,
               first && last ? fmt::format(", among offsets {} (partition {}) to {} (partition {})",
                                           first->offset, first->place.partition, last->offset,
                                           last->place.partition)
                             : "",
               reason);
}

void WriterEvents::on_acknowledged(std::uint64_t /*ticket*/) { relay_.note_acknowledged(); }

Expected<void> Relay::run(const std::stop_token& stop) {
  auto writer = InfluxWriter::build(options_.writer, events_);
  if (!writer) return std::unexpected(writer.error());
  writer_ = std::move(*writer);
  auto consumer = KafkaConsumer::open(options_.consumer, *this);
  if (!consumer) return std::unexpected(consumer.error());
  consumer_ = std::move(*consumer);
  Expected<void> written;
  std::stop_source done;
  {
    std::jthread sender([&] {
      written = writer_->run(done.get_token());
      writer_ended_ = true;
      note_acknowledged();
      if (!written) done.request_stop();
    });
    std::stop_source either;
    const std::stop_callback stopped(stop, [&] { either.request_stop(); });
    const std::stop_callback failed(done.get_token(), [&] { either.request_stop(); });
    auto relayed = relay(either.get_token());
    if (relayed || relayed.error().retryable) settle();
    consumer_.reset();
    done.request_stop();
    sender.join();
    if (!written) return written;
    if (!relayed && !relayed.error().retryable) return relayed;
  }
  return {};
}

Expected<void> Relay::relay(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const bool busy = writer_->acknowledged() < ticket_;
    const auto records = consumer_->poll(busy ? kPollBusy : kPollIdle, kRecordsAtOnce);
    if (!records) return std::unexpected(records.error());
    for (const KafkaRecord& record : *records) {
      if (auto taken = take(record); !taken) return taken;
    }
    if (!lines_.empty()) {
      auto submitted = writer_->submit(lines_, stop);
      lines_.clear();
      if (!submitted) return submitted;
    }
    store_acknowledged();
  }
  return {};
}

// A record that is none of ours is set aside, and done once all before it are.
Expected<void> Relay::take(const KafkaRecord& record) {
  ++totals_.records;
  Pending pending{ticket_, {std::string(record.topic), record.partition}, record.offset};
  const auto sample = reader_.read(record.value);
  if (!sample) {
    if (auto kept = set_aside(pending, sample.error().message, record.value); !kept) return kept;
  } else {
    pending.ticket = ++ticket_;
    const SampleRecord& row = **sample;
    builder_.begin(row.host, row.gpu, row.source);
    for (const RecordReading& reading : row.readings) {
      if (!reading.text.empty()) builder_.field(reading.name, reading.text);
    }
    builder_.end(lines_, row.offset, row.timestamp, ticket_);
  }
  const std::lock_guard lock(mutex_);
  pending_.push_back(std::move(pending));
  return {};
}

Expected<void> Relay::set_aside(const Pending& record, const std::string& reason,
                                std::string_view content) {
  const std::lock_guard lock(mutex_);
  ++totals_.set_aside;
  spdlog::warn("set aside: partition {} of {}, offset {}: {}", record.place.partition,
               record.place.topic, record.offset, reason);
  return set_aside_.add(record, reason, content);
}

std::optional<Pending> Relay::find(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::lower_bound(pending_, ticket, {}, &Pending::ticket);
  // Records without a line bear the ticket of the one before them.
  if (found == pending_.end() || found->ticket != ticket) return std::nullopt;
  return *found;
}

void Relay::note_acknowledged() {
  const std::lock_guard lock(mutex_);
  acknowledged_.notify_all();
}

void Relay::store_acknowledged() {
  const std::uint64_t done = writer_->acknowledged();
  std::map<TopicPartition, std::int64_t> next;
  {
    const std::lock_guard lock(mutex_);
    while (!pending_.empty() && pending_.front().ticket <= done) {
      next[pending_.front().place] = pending_.front().offset + 1;
      pending_.pop_front();
    }
  }
  for (const auto& [place, offset] : next) consumer_->store(place.topic, place.partition, offset);
  const InfluxWriterStatistics statistics = writer_->statistics();
  totals_.stored = statistics.lines_stored;
  totals_.dropped = statistics.lines_dropped;
}

void Relay::settle() {
  writer_->flush();
  {
    std::unique_lock lock(mutex_);
    acknowledged_.wait_for(lock, kSettle,
                           [&] { return writer_ended_ || writer_->acknowledged() >= ticket_; });
  }
  store_acknowledged();
}

void Relay::forget(std::span<const TopicPartition> places) {
  for (const TopicPartition& place : places) {
    spdlog::info("partition {} of {} goes to another reader", place.partition, place.topic);
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, [&](const Pending& record) {
    return std::ranges::find(places, record.place) != places.end();
  });
}

}  // namespace

Expected<void> relay_to_influx(const InfluxRelayOptions& options, const std::stop_token& stop,
                               InfluxRelayTotals& totals) {
  return Relay(options, totals).run(stop);
}

}  // namespace gpulse::cli
