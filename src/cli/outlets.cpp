#include "cli/outlets.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "cli/dead_file.h"
#include "cli/feeds.h"
#include "cli/outlet_inbox.h"
#include "cli/outlet_reporters.h"
#include "cli/patient_sink.h"
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
const std::string kAge = "gpulse_outlet_last_taken_age_seconds";
constexpr std::string_view kDeadFileName = "dead.jsonl";

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
