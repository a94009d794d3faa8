#include "cli/influx_relay.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "cli/kafka_options.h"
#include "kafka/dead_letter.h"
#include "kafka/record_writer.h"
#include "kafka/sample_json.h"

namespace gpulse::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordsAtOnce = 500;
// While lines are under way their acknowledgements are asked for so often.
constexpr auto kPollBusy = 10ms;
constexpr auto kPollIdle = 200ms;
// So long a stop, or another member of the group, waits for what is under way.
constexpr auto kSettle = 5s;
// For so long an InfluxDB that takes no more is slow; then it is away, and nothing more is read.
constexpr auto kPatience = 1s;
// Records without a line cost the writer's queue nothing, and wait for those before them.
constexpr std::size_t kPendingMax = 200'000;
constexpr std::size_t kDeadBytesMax = std::size_t{8} << 20;

// A record on its way: it is done when all lines up to that ticket are.
struct Pending {
  std::uint64_t ticket;
  TopicPartition place;
  std::int64_t offset;
  // For the dead letters: where it has no line, or should InfluxDB refuse that.
  std::string key;
  std::string value;
  std::string no_line_because;  // empty: it has one
};

std::size_t dead_bytes(const Pending& record) {
  return record.no_line_because.empty() ? 0 : record.value.size();
}

}  // namespace

// What the writer tells, on its own thread.
class InfluxRelay::WriterEvents final : public InfluxWriterObserver {
 public:
  explicit WriterEvents(Impl& relay) : relay_(relay) {}
  [[nodiscard]] bool is_away() const { return away_; }

  Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                              const std::string& reason) override;
  void on_dropped(std::uint64_t lines, std::uint64_t first_ticket, std::uint64_t last_ticket,
                  const std::string& reason) override;
  void on_away(const std::string& reason) override {
    away_ = true;
    spdlog::warn("InfluxDB is away: {}; nothing is lost, it is tried until it is back", reason);
  }
  void on_back() override {
    away_ = false;
    spdlog::info("InfluxDB is back");
  }
  void on_acknowledged(std::uint64_t ticket) override;

 private:
  Impl& relay_;
  std::atomic<bool> away_ = false;
};

class InfluxRelay::Impl final : public ConsumerObserver {
 public:
  explicit Impl(InfluxRelayOptions options) : options_(std::move(options)), events_(*this) {}

  [[nodiscard]] Expected<void> open();
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);
  [[nodiscard]] InfluxRelayStatistics statistics() const;

  // Returns when the dead letters are in their topic.
  [[nodiscard]] Expected<void> set_aside(std::span<const DeadLetter> letters);
  [[nodiscard]] std::optional<Pending> find(std::uint64_t ticket);
  [[nodiscard]] DeadLetter dead_letter(const Pending& record, std::string reason) const;
  void note_acknowledged();

 private:
  [[nodiscard]] Expected<void> relay();
  void take(const KafkaRecord& record);
  [[nodiscard]] Expected<void> pass_on();
  [[nodiscard]] Expected<void> wait_for_room();
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] Expected<void> settle();
  [[nodiscard]] Expected<void> store_acknowledged();
  void forget(std::span<const TopicPartition> places);

  void on_away(const std::string& reason) override { reporter_.on_away(reason); }
  void on_back() override { reporter_.on_back(); }
  void on_no_topic(const std::string& topic) override { reporter_.on_no_topic(topic); }
  void on_assigned(std::span<const TopicPartition> places) override {
    for (const TopicPartition& place : places) {
      spdlog::info("reading partition {} of {}", place.partition, place.topic);
    }
  }
  void on_revoked(std::span<const TopicPartition> places) override {
    // At its end the consumer is told of no more: run() has settled by then.
    if (consumer_) {
      for (const TopicPartition& place : places) {
        spdlog::info("partition {} of {} goes to another reader", place.partition, place.topic);
      }
      // What could not be done the other reader does again.
      static_cast<void>(settle());
    }
    forget(places);
  }
  void on_lost(std::span<const TopicPartition> places) override {
    for (const TopicPartition& place : places) {
      spdlog::warn("partition {} of {} is no longer read here: Kafka has not heard of us for long",
                   place.partition, place.topic);
    }
    forget(places);
  }
  void on_loss(const KafkaLoss& loss) override {
    if (loss.until < loss.from) {
      spdlog::error(
          "partition {} of {} was made anew: it has no record {} yet, and what was in it before "
          "is gone",
          loss.place.partition, loss.place.topic, loss.from);
      return;
    }
    spdlog::error(
        "partition {} of {}: {} records, offsets {} to {}, were gone before they were read",
        loss.place.partition, loss.place.topic, loss.until - loss.from, loss.from, loss.until - 1);
  }

  const InfluxRelayOptions options_;
  WriterEvents events_;
  std::unique_ptr<InfluxWriter> writer_;
  std::unique_ptr<KafkaConsumer> consumer_;
  SampleJsonReader reader_;
  LineBuilder builder_;
  // Of one poll, to be passed on.
  std::vector<Pending> taken_;
  Lines lines_;
  std::uint64_t ticket_ = 0;     // the last that was given
  std::uint64_t passed_on_ = 0;  // and the last that the writer was given
  std::stop_token stopping_;  // run() was asked to end, or the writer has failed
  std::atomic<bool> writer_ended_ = false;  // nothing more is acknowledged
  std::atomic<std::uint64_t> records_ = 0;
  std::atomic<std::uint64_t> set_aside_ = 0;

  KafkaReporter reporter_;
  KafkaObserver silent_;  // the consumer tells of the cluster
  std::mutex dead_mutex_;
  std::unique_ptr<RecordWriter> dead_writer_;  // guarded by dead_mutex_

  mutable std::mutex mutex_;  // of all below
  std::condition_variable_any acknowledged_;
  std::deque<Pending> pending_;  // by ticket; passed on
  std::size_t dead_bytes_ = 0;   // of those that have no line
  std::size_t unsettled_ = 0;    // of them at the end
  std::vector<PartitionLag> lag_;
  bool kafka_away_ = false;
};

Expected<void> InfluxRelay::WriterEvents::on_set_aside(std::uint64_t ticket,
                                                       std::string_view /*line*/,
                                                       const std::string& reason) {
  const auto record = relay_.find(ticket);
  // Its partition has gone to another member, who meets the same line.
  if (!record) return {};
  return relay_.set_aside(std::array{relay_.dead_letter(*record, reason)});
}

void InfluxRelay::WriterEvents::on_dropped(std::uint64_t lines, std::uint64_t first_ticket,
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

void InfluxRelay::WriterEvents::on_acknowledged(std::uint64_t /*ticket*/) {
  relay_.note_acknowledged();
}

Expected<void> InfluxRelay::Impl::open() {
  auto writer = InfluxWriter::build(options_.writer, events_);
  if (!writer) return std::unexpected(writer.error());
  writer_ = std::move(*writer);
  RecordWriterOptions dead{options_.consumer.connection, 1};
  dead.connection.topic = options_.dead_topic;
  auto dead_writer = RecordWriter::open(std::move(dead), silent_);
  if (!dead_writer) return std::unexpected(dead_writer.error());
  dead_writer_ = std::move(*dead_writer);
  return {};
}

Expected<void> InfluxRelay::Impl::run(const std::stop_token& stop) {
  auto consumer = KafkaConsumer::open(options_.consumer, *this);
  if (!consumer) return std::unexpected(consumer.error());
  consumer_ = std::move(*consumer);
  Expected<void> written;
  std::stop_source done;
  std::stop_source either;
  stopping_ = either.get_token();
  {
    std::jthread sender([&] {
      written = writer_->run(done.get_token());
      writer_ended_ = true;
      note_acknowledged();
      if (!written) done.request_stop();
    });
    const std::stop_callback stopped(stop, [&] { either.request_stop(); });
    const std::stop_callback failed(done.get_token(), [&] { either.request_stop(); });
    auto relayed = relay();
    if (relayed || relayed.error().retryable) {
      if (auto settled = settle(); relayed) relayed = std::move(settled);
    }
    {
      const std::lock_guard lock(mutex_);
      unsettled_ = pending_.size();
    }
    consumer_.reset();
    done.request_stop();
    sender.join();
    const bool in_order = stop.stop_requested();
    if (!written && !(in_order && written.error().retryable)) return written;
    if (!relayed && !relayed.error().retryable) return relayed;
  }
  return {};
}

Expected<void> InfluxRelay::Impl::relay() {
  while (!stopping_.stop_requested()) {
    const bool busy = writer_->acknowledged() < passed_on_;
    const auto records = consumer_->poll(busy ? kPollBusy : kPollIdle, kRecordsAtOnce);
    if (!records) return std::unexpected(records.error());
    for (const KafkaRecord& record : *records) take(record);
    auto passed = pass_on();
    // What was not passed on is none of ours: whoever reads next meets it again.
    taken_.clear();
    lines_.clear();
    if (!passed) return passed;
    if (auto stored = store_acknowledged(); !stored) return stored;
  }
  return {};
}

// A record that is none of ours is set aside, and done once all before it are.
void InfluxRelay::Impl::take(const KafkaRecord& record) {
  ++records_;
  Pending pending{ticket_,
                  {std::string(record.topic), record.partition},
                  record.offset,
                  std::string(record.key),
                  std::string(record.value),
                  {}};
  const auto sample = reader_.read(record.value);
  if (!sample) {
    pending.no_line_because = sample.error().message;
  } else {
    pending.ticket = ++ticket_;
    const SampleRecord& row = **sample;
    builder_.begin(row.host, row.gpu, row.source);
    for (const RecordReading& reading : row.readings) {
      if (!reading.text.empty()) builder_.field(reading.name, reading.text);
    }
    builder_.end(lines_, row.offset, row.timestamp, ticket_);
  }
  taken_.push_back(std::move(pending));
}

Expected<void> InfluxRelay::Impl::pass_on() {
  if (auto room = wait_for_room(); !room) return room;
  {
    const std::lock_guard lock(mutex_);
    for (const Pending& record : taken_) dead_bytes_ += dead_bytes(record);
    std::ranges::move(taken_, std::back_inserter(pending_));
  }
  if (!lines_.empty()) {
    if (auto submitted = writer_->submit(lines_, stopping_); !submitted) return submitted;
  }
  passed_on_ = ticket_;
  return {};
}

// Who does not poll is taken for dead, and holds up the others whenever one joins or leaves. So
// while InfluxDB is away the group is served, and none of its records are read.
Expected<void> InfluxRelay::Impl::wait_for_room() {
  {
    std::unique_lock lock(mutex_);
    acknowledged_.wait_for(lock, stopping_, kPatience, [&] { return writer_ended_ || has_room(); });
  }
  bool paused = false;
  while (!stopping_.stop_requested() && !writer_ended_) {
    {
      const std::lock_guard lock(mutex_);
      if (has_room()) break;
    }
    if (!std::exchange(paused, true)) consumer_->pause();
    const auto served = consumer_->poll(kPollIdle, kRecordsAtOnce);
    if (!served) return std::unexpected(served.error());
    for (const KafkaRecord& record : *served) take(record);  // there should be none
    if (auto stored = store_acknowledged(); !stored) return stored;
  }
  if (paused) consumer_->resume();
  return {};
}

// For what was taken. Asked under the mutex.
bool InfluxRelay::Impl::has_room() const {
  return pending_.size() < kPendingMax && dead_bytes_ < kDeadBytesMax &&
         writer_->has_room(lines_.text.size());
}

DeadLetter InfluxRelay::Impl::dead_letter(const Pending& record, std::string reason) const {
  return {record.place,         record.offset, std::move(reason), options_.consumer.group,
          system_clock().now(), record.key,    record.value,      record.value.size()};
}

Expected<void> InfluxRelay::Impl::set_aside(std::span<const DeadLetter> letters) {
  std::vector<OutgoingRecord> records;
  for (const DeadLetter& letter : letters) {
    spdlog::warn("set aside: partition {} of {}, offset {}: {}", letter.place.partition,
                 letter.place.topic, letter.offset, letter.reason);
    records.push_back(to_record(letter));
  }
  const std::lock_guard lock(dead_mutex_);
  auto written = dead_writer_->write(records, stopping_);
  if (!written) {
    return std::unexpected(Error(written.error()).wrapped("cannot keep what was set aside"));
  }
  set_aside_ += letters.size();
  return {};
}

std::optional<Pending> InfluxRelay::Impl::find(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::lower_bound(pending_, ticket, {}, &Pending::ticket);
  // Records without a line bear the ticket of the one before them.
  if (found == pending_.end() || found->ticket != ticket) return std::nullopt;
  return *found;
}

void InfluxRelay::Impl::note_acknowledged() {
  const std::lock_guard lock(mutex_);
  acknowledged_.notify_all();
}

// Dead letters are in their topic before an offset behind them is stored, and not long before: a
// sink that is started again and again while InfluxDB is away would write them each time.
Expected<void> InfluxRelay::Impl::store_acknowledged() {
  std::map<TopicPartition, std::int64_t> next;
  std::vector<DeadLetter> dead;
  std::ptrdiff_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto end =
        std::ranges::upper_bound(pending_, writer_->acknowledged(), {}, &Pending::ticket);
    count = end - pending_.begin();
    for (auto record = pending_.begin(); record != end; ++record) {
      next[record->place] = record->offset + 1;
      if (record->no_line_because.empty()) continue;
      dead.push_back(dead_letter(*record, record->no_line_because));
    }
  }
  if (!dead.empty()) {
    // Until it is, they wait here, and hold back the offsets of all that is behind them.
    if (auto kept = set_aside(dead); !kept) return kept;
  }
  {
    const std::lock_guard lock(mutex_);
    for (; count > 0; --count, pending_.pop_front()) dead_bytes_ -= dead_bytes(pending_.front());
  }
  for (const auto& [place, offset] : next) consumer_->store(place.topic, place.partition, offset);
  auto lag = consumer_->lag();
  const bool away = consumer_->is_away();
  const std::lock_guard lock(mutex_);
  lag_ = std::move(lag);
  kafka_away_ = away;
  return {};
}

Expected<void> InfluxRelay::Impl::settle() {
  writer_->flush();
  {
    std::unique_lock lock(mutex_);
    acknowledged_.wait_for(lock, kSettle,
                           [&] { return writer_ended_ || writer_->acknowledged() >= passed_on_; });
  }
  return store_acknowledged();
}

void InfluxRelay::Impl::forget(std::span<const TopicPartition> places) {
  const auto is_theirs = [&](const Pending& record) {
    return std::ranges::find(places, record.place) != places.end();
  };
  std::erase_if(taken_, is_theirs);
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, is_theirs);
  dead_bytes_ = 0;
  for (const Pending& record : pending_) dead_bytes_ += dead_bytes(record);
}

InfluxRelayStatistics InfluxRelay::Impl::statistics() const {
  InfluxRelayStatistics out;
  out.records = records_;
  out.set_aside = set_aside_;
  out.writer = writer_->statistics();
  out.influx_away = events_.is_away();
  const std::lock_guard lock(mutex_);
  out.unsettled = unsettled_;
  out.lag = lag_;
  out.kafka_away = kafka_away_;
  return out;
}

InfluxRelay::InfluxRelay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InfluxRelay::~InfluxRelay() = default;

Expected<std::unique_ptr<InfluxRelay>> InfluxRelay::build(InfluxRelayOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (auto opened = impl->open(); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<InfluxRelay>(new InfluxRelay(std::move(impl)));
}

Expected<void> InfluxRelay::run(const std::stop_token& stop) { return impl_->run(stop); }

InfluxRelayStatistics InfluxRelay::statistics() const { return impl_->statistics(); }

}  // namespace gpulse::cli
