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
const std::string kAge = "gpulse_outlet_last_delivery_age_seconds";
constexpr std::string_view kDeadFileName = "dead.jsonl";

// Why the other side does not take rows; nothing while it does. Any thread.
class Trouble {
 public:
  // Whether there was none before, whose reason stays.
  bool set(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (reason_) return false;
    reason_ = reason;
    return true;
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
  InfluxReporter(std::string to, const Clock& clock, DeadFile dead)
      : to_(std::move(to)), clock_(clock), dead_(std::move(dead)) {}

  // Its lines are asked for by their tickets.
  void set_sink(const InfluxSampleSink& sink) { sink_ = &sink; }

  Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                              const std::string& reason) override {
    const auto row = sink_->row_of(ticket);
    if (!row) return operation_error("stopped", true);  // nobody waits for it: it is sent again
    const auto kept = dead_.add(
        {clock_.now(), to_, row->device, row->source, row->offset, reason, std::string(line)});
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
  void tell(Exposition& out) const {
    const std::initializer_list<ExpositionLabel> labels = {{"to", to_}};
    out.sample(kNotKept, labels, static_cast<double>(lost_));
    out.sample(kDropped, labels, static_cast<double>(dropped_));
  }

 private:
  const std::string to_;
  const Clock& clock_;
  DeadFile dead_;
  const InfluxSampleSink* sink_ = nullptr;
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
  PatientSink(std::string name, const Clock& clock, std::unique_ptr<SampleSink> sink)
      : name_(std::move(name)), clock_(clock), sink_(std::move(sink)) {}

  Expected<void> deliver(std::span<const SampleBatch> batches,
                         const std::stop_token& stop) override {
    auto done = sink_->deliver(batches, stop);
    if (done) {
      last_delivery_ = clock_.now();
      for (const SampleBatch& batch : batches) rows_ += batch.rows();
    }
    if (done || done.error().retryable) return done;
    give_up(done.error().message);
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
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::optional<Timestamp> last_delivery() const {
    return rows_ == 0 ? std::nullopt : std::optional(last_delivery_.load());
  }

 private:
  const std::string name_;
  const Clock& clock_;
  std::unique_ptr<SampleSink> sink_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  Trouble refused_;
  std::atomic<std::uint64_t> rows_ = 0;
  std::atomic<Timestamp> last_delivery_;  // if there are rows
};

bool failed(const OutletState& outlet) {
  return outlet.kind == OutletState::Kind::away || outlet.kind == OutletState::Kind::refused;
}

}  // namespace

struct Outlets::Outlet {
  // Nobody waits for an answer any more.
  ~Outlet() { stop.request_stop(); }

  std::string name;
  OutletKafkaReporter kafka_reporter;
  std::unique_ptr<InfluxReporter> influx_reporter;
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

  // Where its positions are.
  Expected<std::filesystem::path> open_influx(InfluxArguments influx,
                                              const std::filesystem::path& all,
                                              const Clock& clock) {
    influx.address = name;
    auto endpoint = influx_endpoint(influx);
    if (!endpoint) return std::unexpected(endpoint.error());
    auto folder = all / folder_name(endpoint->address.display());
    InfluxWriterOptions options;
    options.endpoint = std::move(*endpoint);
    auto dead = DeadFile::open(folder / kDeadFileName);
    if (!dead) return std::unexpected(dead.error());
    influx_reporter = std::make_unique<InfluxReporter>(name, clock, std::move(*dead));
    auto made = InfluxSampleSink::build(options, *influx_reporter);
    if (!made) return std::unexpected(made.error());
    influx_reporter->set_sink(**made);
    sink = std::make_unique<PatientSink>(name, clock, std::move(*made));
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
        name, clock, std::make_unique<RememberingProducer>(*producer, topic, folder));
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

  // Waits for Kafka, the log being the buffer: what is wrong with it is known before a row is.
  [[nodiscard]] bool connect() {
    auto done = producer->connect(stop.get_token());
    connected = done.has_value();
    if (!done && !stop.stop_requested()) sink->give_up(done.error().message);
    return connected;
  }

  [[nodiscard]] OutletState state() const {
    OutletState out;
    out.to = name;
    out.rows = sink->rows();
    if (connected || out.rows > 0) out.kind = OutletState::Kind::connected;
    const auto away =
        influx_reporter ? influx_reporter->away().reason() : kafka_reporter.away().reason();
    if (away) {
      out.kind = OutletState::Kind::away;
      out.reason = *away;
    }
    if (const auto refused = sink->refused().reason()) {
      out.kind = OutletState::Kind::refused;
      out.reason = *refused;
    }
    out.last_delivery = sink->last_delivery();
    out.set_aside = influx_reporter ? influx_reporter->set_aside() : producer->statistics().refused;
    return out;
  }
  void tell(Exposition& out, const Clock& clock) const {
    const std::initializer_list<ExpositionLabel> labels = {{"to", name}};
    const OutletState now = state();
    out.sample(kConnected, labels, failed(now) ? 0 : 1);
    out.sample(kRows, labels, static_cast<double>(now.rows));
    if (now.last_delivery) {
      const std::chrono::duration<double> age = clock.now() - *now.last_delivery;
      out.sample(kAge, labels, std::max(0.0, age.count()));
    }
    out.sample(kSetAside, labels, static_cast<double>(now.set_aside));
    if (influx_reporter) return influx_reporter->tell(out);
    out.sample(kNotKept, labels, static_cast<double>(now.set_aside));  // no file keeps them
  }

  void run(const LogPlan& plan, const Clock& clock) {
    if (producer && !connect()) return;
    Feeds feeds(*store, clock, name);
    feeds.start(plan, stop);
    const auto ended = feeds.join();
    if (!ended && !stop.stop_requested()) sink->give_up(ended.error().message);
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
