#include "cli/outlets.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "cli/feeds.h"
#include "influxdb/sample_writer.h"
#include "kafka/producer.h"
#include "platform/file.h"
#include "store/store.h"

namespace gpulse::cli {
namespace {

class InfluxReporter final : public InfluxWriterObserver {
 public:
  Expected<void> on_set_aside(std::uint64_t /*ticket*/, std::string_view line,
                              const std::string& reason) override {
    spdlog::warn("InfluxDB refuses a line, it is set aside: {}: {}", reason, line);
    return {};
  }
  void on_dropped(std::uint64_t lines, std::uint64_t /*first*/, std::uint64_t /*last*/,
                  const std::string& reason) override {
    spdlog::warn("InfluxDB dropped {} points: {}", lines, reason);
  }
  void on_away(const std::string& reason) override {
    spdlog::warn("InfluxDB is away: {}; nothing is lost, it is tried until it is back", reason);
  }
  void on_back() override { spdlog::info("InfluxDB is back"); }
};

}  // namespace

struct Outlets::Outlet {
  std::string name;
  KafkaReporter kafka_reporter;
  InfluxReporter influx_reporter;
  std::unique_ptr<SampleSink> sink;
  std::stop_source stop;
  std::unique_ptr<Store> store;

  Expected<void> open_influx(InfluxArguments influx) {
    influx.address = name;
    auto endpoint = influx_endpoint(influx);
    if (!endpoint) return std::unexpected(endpoint.error());
    InfluxWriterOptions options;
    options.endpoint = std::move(*endpoint);
    auto made = InfluxSampleSink::build(options, influx_reporter);
    if (!made) return std::unexpected(made.error());
    sink = std::move(*made);
    return {};
  }

  Expected<void> open_kafka(KafkaArguments kafka) {
    kafka.address = name;
    auto connection = kafka_connection(kafka);
    if (!connection) return std::unexpected(connection.error());
    ProducerOptions options;
    options.connection = std::move(*connection);
    auto made = SampleProducer::open(std::move(options), kafka_reporter);
    if (!made) return std::unexpected(made.error());
    sink = std::move(*made);
    return {};
  }

  Expected<void> open(const OutletArguments& arguments, const std::filesystem::path& folder,
                      const Clock& clock) {
    auto opened =
        is_influx_address(name) ? open_influx(arguments.influx) : open_kafka(arguments.kafka);
    if (!opened) return opened;
    StoreOptions book;
    book.folder = folder / folder_name(name);
    book.sink = sink.get();
    book.sink_stop = stop.get_token();
    auto made = Store::open(std::move(book), clock);
    if (!made) return std::unexpected(made.error());
    store = std::move(*made);
    return {};
  }

  void run(const LogPlan& plan, const Clock& clock, const std::stop_token& all) {
    const std::stop_callback end(all, [this] { stop.request_stop(); });
    Feeds feeds(*store, clock, name);
    feeds.start(plan, stop);
    if (const auto ended = feeds.join(); !ended) {
      spdlog::error("{} gets no more rows until the next start: {}", name, ended.error().message);
    }
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

std::vector<std::string> Outlets::names() const {
  std::vector<std::string> names;
  for (const auto& outlet : outlets_) names.push_back(outlet->name);
  return names;
}

void Outlets::start(const LogPlan& plan, const std::stop_token& stop) {
  for (const auto& outlet : outlets_) {
    threads_.emplace_back(
        [this, &plan, stop, outlet = outlet.get()] { outlet->run(plan, clock_, stop); });
  }
}

}  // namespace gpulse::cli
