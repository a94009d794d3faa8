#include "cli/outlets.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "cli/dead_file.h"
#include "cli/feeds.h"
#include "cli/outlet_inbox.h"
#include "cli/sent_topic.h"
#include "influxdb/sample_writer.h"
#include "kafka/pauses.h"
#include "kafka/producer.h"
#include "platform/file.h"
#include "server/exposition.h"
#include "store/store.h"

namespace gpulse::cli {
namespace {

const std::string kSetAside = "gpulse_outlet_set_aside_total";
const std::string kNotKept = "gpulse_outlet_not_kept_total";
const std::string kDropped = "gpulse_outlet_dropped_total";
const std::string kConnected = "gpulse_outlet_connected";
const std::string kRows = "gpulse_outlet_rows_total";
const std::string kAge = "gpulse_outlet_last_taken_age_seconds";
constexpr std::string_view kDeadFileName = "dead.jsonl";

// Why the other side does not take rows; nothing while it does. Any thread.
class Trouble {
 public:
  // Whether there was none before.
  bool set(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    const bool first = !reason_;
    reason_ = reason;
    return first;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    reason_.reset();
  }
  [[nodiscard]] std::optional<std::string> reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> reason_;
};

// Tells what Kafka does.
class OutletKafkaReporter final : public KafkaReporter {
 public:
  void on_away(const std::string& reason) override {
    away_.set(reason);
    KafkaReporter::on_away(reason);
  }
  void on_no_topic(const std::string& topic) override {
    away_.set(fmt::format("there is no topic {}", topic));
    KafkaReporter::on_no_topic(topic);
  }
  void on_back() override {
    away_.clear();
    KafkaReporter::on_back();
  }

  [[nodiscard]] const Trouble& away() const { return away_; }

 private:
  Trouble away_;
};

// Tells what an InfluxDB does, and keeps what it refuses.
class InfluxReporter final : public InfluxWriterObserver {
 public:
  // Waits for room on the disk until the stop.
  InfluxReporter(std::string to, const Clock& clock, DeadFile dead, std::stop_token stop)
      : to_(std::move(to)), clock_(clock), dead_(std::move(dead)), stop_(std::move(stop)) {}

  // Its lines are asked for by their tickets.
  void set_sink(const InfluxSampleSink& sink) { sink_ = &sink; }

  Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                              const std::string& reason) override {
    const auto row = sink_->row_of(ticket);
    if (!row) return operation_error("stopped", true);  // nobody waits for it: it is sent again
    const auto kept =
        keep({clock_.now(), to_, row->device, row->source, row->offset, reason, std::string(line)});
    if (!kept) return std::unexpected(kept.error());
    const std::uint64_t before = set_aside_.fetch_add(1);
    if (before == 0) {
      spdlog::warn(
          "{} refuses the row at byte {} of the log {}: {}; it and others like it are kept "
          "in {}, and not told of again: gpulse dead list --from that file",
          to_, row->offset, row->source, reason, display(dead_.path()));
    }
    if (!*kept && lost_.fetch_add(1) == 0) {
      spdlog::error("{} is full: what {} refuses from now on stays in its log only",
                    display(dead_.path()), to_);
    }
    return {};
  }
  void on_dropped(std::uint64_t lines, std::uint64_t /*first*/, std::uint64_t /*last*/,
                  const std::string& reason) override {
    dropped_ += lines;
    spdlog::warn("InfluxDB dropped {} points: {}", lines, reason);
  }
  void on_away(const std::string& reason) override {
    away_.set(reason);
    spdlog::warn("InfluxDB is away: {}; nothing is lost, it is tried until it is back", reason);
  }
  void on_back() override {
    away_.clear();
    spdlog::info("InfluxDB is back");
  }

  // Any thread.
  [[nodiscard]] const Trouble& away() const { return away_; }
  [[nodiscard]] std::uint64_t set_aside() const { return set_aside_; }
  [[nodiscard]] std::uint64_t not_kept() const { return lost_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  // Whether there was room in the file.
  Expected<bool> keep(const DeadLine& letter) {
    constexpr std::chrono::seconds kPause{1};
    while (true) {
      auto kept = dead_.add(letter);
      if (kept) {
        if (std::exchange(disk_fails_, false)) away_.clear();
        return kept;
      }
      away_.set(kept.error().message);
      if (!std::exchange(disk_fails_, true)) {
        spdlog::error("what {} refuses cannot be kept: {}; it gets no more rows until it can", to_,
                      kept.error().message);
      }
      kafka::wait(kPause, stop_);
      if (stop_.stop_requested()) return operation_error("stopped", true);
    }
  }

  const std::string to_;
  const Clock& clock_;
  DeadFile dead_;
  const std::stop_token stop_;
  const InfluxSampleSink* sink_ = nullptr;
  bool disk_fails_ = false;
  std::atomic<std::uint64_t> set_aside_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  Trouble away_;
};

// Of one that refuses us for good nothing more is asked until the next start of the program. Who
// delivers waits meanwhile, as for one that is away, so that a log that was only dropped here is
// not given up.
class PatientSink final : public SampleSink {
 public:
  // `taken`: how many rows the other side has taken so far; on any thread.
  PatientSink(std::string name, const Clock& clock, std::unique_ptr<SampleSink> sink,
              std::function<std::uint64_t()> taken)
      : name_(std::move(name)), clock_(clock), sink_(std::move(sink)), taken_(std::move(taken)) {}

  Expected<void> deliver(std::span<const SampleBatch> batches,
                         const std::stop_token& stop) override {
    if (!refused_.reason()) {
      const std::uint64_t before = taken_();
      auto done = sink_->deliver(batches, stop);
      if (taken_() != before) last_taken_ = clock_.now();
      if (done) failing_.clear();
      if (done || stop.stop_requested()) return done;
      if (done.error().retryable) {
        failing_.set(done.error().message);
        return done;
      }
      give_up(done.error().message);
    }
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, stop, [] { return false; });
    return operation_error("stopped", true);
  }

  // All below: any thread.
  void give_up(const std::string& reason) {
    if (!refused_.set(reason)) return;
    spdlog::error("{} gets no more rows until the next start: {}", name_, reason);
  }
  [[nodiscard]] const Trouble& refused() const { return refused_; }
  // Not the other side's: a file here that cannot be written.
  [[nodiscard]] const Trouble& failing() const { return failing_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_(); }
  [[nodiscard]] std::optional<Timestamp> last_taken() const {
    const Timestamp last = last_taken_;
    return last == kNever ? std::nullopt : std::optional(last);
  }

 private:
  static constexpr Timestamp kNever{};

  const std::string name_;
  const Clock& clock_;
  std::unique_ptr<SampleSink> sink_;
  const std::function<std::uint64_t()> taken_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  Trouble refused_;
  Trouble failing_;
  std::atomic<Timestamp> last_taken_ = kNever;
};

}  // namespace

struct Outlets::Outlet {
  // Nobody waits for an answer any more.
  ~Outlet() { stop.request_stop(); }

  std::string name;
  OutletKafkaReporter kafka_reporter;
  std::unique_ptr<InfluxReporter> influx_reporter;
  const InfluxSampleSink* influx = nullptr;  // either this one, in `sink`, or the producer
  std::unique_ptr<SampleProducer> producer;
  std::unique_ptr<PatientSink> sink;
  std::stop_source stop;
  // Of the program, whose end is this one's.
  std::optional<std::stop_callback<std::function<void()>>> end;
  std::unique_ptr<Store> store;
  // Logs that were dropped on the page; the jobs are nobody's to look at.
  OutletInbox inbox;
  std::unique_ptr<LogImporter> importer;
  std::jthread taking;
  std::atomic<bool> connected = false;  // to Kafka, at least once
  std::stop_token program;

  // Where its positions are.
  Expected<std::filesystem::path> open_influx(InfluxArguments arguments,
                                              const std::filesystem::path& all,
                                              const Clock& clock) {
    arguments.address = name;
    auto endpoint = influx_endpoint(arguments);
    if (!endpoint) return std::unexpected(endpoint.error());
    auto folder = all / folder_name(endpoint->address.display());
    InfluxWriterOptions options;
    options.endpoint = std::move(*endpoint);
    auto dead = DeadFile::open(folder / kDeadFileName);
    if (!dead) return std::unexpected(dead.error());
    influx_reporter =
        std::make_unique<InfluxReporter>(name, clock, std::move(*dead), stop.get_token());
    auto made = InfluxSampleSink::build(options, *influx_reporter);
    if (!made) return std::unexpected(made.error());
    influx_reporter->set_sink(**made);
    influx = made->get();
    sink = std::make_unique<PatientSink>(name, clock, std::move(*made),
                                         [this] { return influx->statistics().lines_stored; });
    return folder;
  }
  Expected<std::filesystem::path> open_kafka(KafkaArguments kafka, const std::filesystem::path& all,
                                             const Clock& clock) {
    kafka.address = name;
    auto connection = kafka_connection(kafka);
    if (!connection) return std::unexpected(connection.error());
    auto folder = all / folder_name(canonical_address(*connection));
    ProducerOptions options;
    options.connection = std::move(*connection);
    const std::string topic = options.connection.topic;
    if (auto held = hold_topic(options, folder); !held) return std::unexpected(held.error());
    auto made = SampleProducer::open(std::move(options), kafka_reporter);
    if (!made) return std::unexpected(made.error());
    producer = std::move(*made);
    sink = std::make_unique<PatientSink>(
        name, clock, std::make_unique<RememberingProducer>(*producer, topic, folder),
        [this] { return producer->statistics().records; });
    return folder;
  }

  Expected<void> open(const OutletArguments& arguments, const std::filesystem::path& all,
                      const Clock& clock) {
    if (!is_influx_address(name) && !name.starts_with("kafka://")) {
      return usage_error(
          "give kafka://host:9092/topic or influxdb://host:8086/organisation/bucket");
    }
    const auto folder = is_influx_address(name) ? open_influx(arguments.influx, all, clock)
                                                : open_kafka(arguments.kafka, all, clock);
    if (!folder) return std::unexpected(folder.error());
    StoreOptions book;
    book.folder = *folder;
    book.sink = sink.get();
    book.sink_stop = stop.get_token();
    auto made = Store::open(std::move(book), clock);
    if (!made) return std::unexpected(made.error());
    store = std::move(*made);
    return inbox.open(*folder / "inbox");
  }

  // Goes on with what is in the inbox, on a thread of its own, until the stop.
  Expected<void> resume(const ImporterOptions& options) {
    importer = std::make_unique<LogImporter>(*store, options, [this](const ImportJob& job) {
      if (job.state != JobState::failed) return;
      spdlog::error("the log {} is not sent to {}: {}", job.name, name,
                    job.error ? job.error->message : "");
    });
    if (auto resumed = importer->resume(); !resumed) return resumed;
    taking = std::jthread([this] {
      while (const auto entry = inbox.next(stop.get_token())) {
        if (auto taken = take_up(*entry)) {
          OutletInbox::remove(*entry);
        } else if (!stop.stop_requested()) {
          spdlog::warn("the log {} is sent to {} after the next start: {}", entry->request.name,
                       name, taken.error().message);
        }
      }
    });
    return {};
  }

  // Waits while a delivery does.
  Expected<void> take_up(const OutletInbox::Entry& entry) const {
    const auto own = store->uploads() / entry.log.filename();
    if (auto linked = link_or_copy(entry.log, own); !linked) return linked;
    auto id = importer->start(own, entry.request);
    if (id) return {};
    std::error_code ignored;
    std::filesystem::remove(own, ignored);
    return std::unexpected(std::move(id).error());
  }

  [[nodiscard]] OutletState state() const {
    OutletState out;
    out.to = name;
    out.rows = sink->taken();
    out.set_aside =
        influx != nullptr ? influx_reporter->set_aside() : producer->statistics().refused;
    out.dropped = influx != nullptr ? influx_reporter->dropped() : 0;
    out.last_taken = sink->last_taken();
    using Kind = OutletState::Kind;
    if (influx != nullptr ? influx->statistics().connected : connected.load()) {
      out.kind = Kind::connected;
    }
    const auto tell = [&](const Trouble& trouble, Kind kind) {
      const auto reason = trouble.reason();
      if (!reason) return;
      out.kind = kind;
      out.reason = *reason;
    };
    tell(sink->failing(), Kind::away);
    tell(influx != nullptr ? influx_reporter->away() : kafka_reporter.away(), Kind::away);
    tell(sink->refused(), Kind::refused);
    return out;
  }
  void tell(Exposition& out, const Clock& clock) const {
    const std::initializer_list<ExpositionLabel> labels = {{"to", name}};
    const OutletState now = state();
    const bool failed =
        now.kind == OutletState::Kind::away || now.kind == OutletState::Kind::refused;
    out.sample(kConnected, labels, failed ? 0 : 1);
    out.sample(kRows, labels, static_cast<double>(now.rows));
    if (now.last_taken) {
      const std::chrono::duration<double> age = clock.now() - *now.last_taken;
      out.sample(kAge, labels, std::max(0.0, age.count()));
    }
    out.sample(kSetAside, labels, static_cast<double>(now.set_aside));
    const std::uint64_t not_kept =
        influx != nullptr ? influx_reporter->not_kept() : now.set_aside;  // no file keeps Kafka's
    out.sample(kNotKept, labels, static_cast<double>(not_kept));
    if (influx != nullptr) out.sample(kDropped, labels, static_cast<double>(now.dropped));
  }

  void run(const LogPlan& plan, const Clock& clock) {
    // What is wrong with Kafka is known before a row is. The logs are held open meanwhile.
    std::jthread connecting;
    if (producer) connecting = std::jthread([this] { connect(); });
    Feeds feeds(*store, clock, name);
    feeds.start(plan, stop);
    // A feed that fails ends the others.
    const auto ended = feeds.join();
    if (!ended && !program.stop_requested()) sink->give_up(ended.error().message);
  }
  void connect() {
    const auto done = producer->connect(stop.get_token());
    connected = done.has_value();
    if (!done && !stop.stop_requested()) sink->give_up(done.error().message);
  }
};

void add_outlet_options(CLI::App& app, OutletArguments& arguments) {
  app.add_option("--to", arguments.to,
                 "send every row there, too: kafka://host:9092/topic or "
                 "influxdb://host:8086/organisation/bucket; repeatable")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  add_kafka_options(app, arguments.kafka);
  add_influx_options(app, arguments.influx);
}

void complete_from_config(OutletArguments& arguments, const Config& config,
                          const std::filesystem::path& folder) {
  for (const std::string& address : config.to) {
    if (std::ranges::find(arguments.to, address) == arguments.to.end()) {
      arguments.to.push_back(address);
    }
  }
  const auto word = [](const Config::Options& options, std::string_view name, std::string& into) {
    const auto found = options.find(name);
    if (into.empty() && found != options.end()) into = found->second;
  };
  const auto file = [&](const Config::Options& options, std::string_view name, std::string& into) {
    const bool asked = !into.empty();
    word(options, name, into);
    if (!asked && !into.empty()) into = display(folder / path_of(into));
  };
  KafkaArguments& kafka = arguments.kafka;
  word(config.kafka, "security", kafka.security);
  word(config.kafka, "mechanism", kafka.mechanism);
  word(config.kafka, "user", kafka.user);
  file(config.kafka, "password_file", kafka.password_file);
  file(config.kafka, "ca_file", kafka.ca_file);
  file(config.kafka, "certificate_file", kafka.certificate_file);
  file(config.kafka, "key_file", kafka.key_file);
  file(config.influxdb, "token_file", arguments.influx.token_file);
  file(config.influxdb, "ca_file", arguments.influx.ca_file);
}

Outlets::Outlets(const Clock& clock) : clock_(clock) {}
Outlets::~Outlets() = default;

Expected<std::unique_ptr<Outlets>> Outlets::build(const OutletArguments& arguments,
                                                  const std::filesystem::path& folder,
                                                  const Clock& clock) {
  std::unique_ptr<Outlets> outlets(new Outlets(clock));
  for (const std::string& address : arguments.to) {
    auto outlet = std::make_unique<Outlet>();
    outlet->name = address;
    if (auto opened = outlet->open(arguments, folder, clock); !opened) {
      return std::unexpected(Error(opened.error()).wrapped("--to " + address));
    }
    outlets->outlets_.push_back(std::move(outlet));
  }
  return outlets;
}

Expected<void> Outlets::take(const std::filesystem::path& file, const ImportRequest& request) {
  for (const auto& outlet : outlets_) {
    if (auto taken = outlet->inbox.put(file, request); !taken) {
      return std::unexpected(std::move(taken).error().wrapped("for " + outlet->name));
    }
  }
  return {};
}

void Outlets::tell(Exposition& out) const {
  out.declare(kConnected, kGauge, "1 unless it is away or refuses us.");
  out.declare(kRows, kCounter, "Rows that it has taken, since the start.");
  out.declare(kAge, kGauge, "Time since it last took rows, once it has.");
  out.declare(kSetAside, kCounter, "Rows that it refused for good, since the start.");
  out.declare(kNotKept, kCounter, "Of these, rows that are in no file of dead letters.");
  out.declare(kDropped, kCounter, "Points that InfluxDB dropped, since the start.");
  for (const auto& outlet : outlets_) outlet->tell(out, clock_);
}

std::vector<OutletState> Outlets::states() const {
  std::vector<OutletState> states;
  states.reserve(outlets_.size());
  for (const auto& outlet : outlets_) states.push_back(outlet->state());
  return states;
}

std::vector<std::string> Outlets::names() const {
  std::vector<std::string> names;
  names.reserve(outlets_.size());
  for (const auto& outlet : outlets_) names.push_back(outlet->name);
  return names;
}

Expected<void> Outlets::resume(const ImporterOptions& options, const std::stop_token& stop) {
  for (const auto& outlet : outlets_) {
    outlet->program = stop;
    outlet->end.emplace(stop, [outlet = outlet.get()] { outlet->stop.request_stop(); });
    if (auto resumed = outlet->resume(options); !resumed) {
      return std::unexpected(std::move(resumed).error().wrapped("--to " + outlet->name));
    }
  }
  return {};
}

void Outlets::start(const LogPlan& plan) {
  for (const auto& outlet : outlets_) {
    threads_.emplace_back([this, &plan, outlet = outlet.get()] { outlet->run(plan, clock_); });
  }
}

}  // namespace gpulse::cli
