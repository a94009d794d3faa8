// gpulse sink influxdb: a Kafka topic -> InfluxDB.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "cli/command.h"
#include "cli/influx_options.h"
#include "cli/influx_relay.h"
#include "cli/kafka_options.h"
#include "cli/logging.h"
#include "cli/sink_status.h"
#include "cli/status_page.h"
#include "platform/signals.h"
#include "telemetry/plural.h"

namespace gpulse::cli {
namespace {

// A reader that waits for InfluxDB does not ask Kafka for more meanwhile.
constexpr std::chrono::minutes kPollIntervalMax{60};

struct Arguments {
  KafkaArguments kafka;
  InfluxArguments influx;
  std::string group = "gpulse-influxdb";
  bool accept_loss = false;
  std::string dead_topic;
  ListenArguments listen{"localhost", kSinkPortDefault, {}, {}};
  bool port_asked = false;
  std::string log_format = "text";
};

Expected<InfluxRelayOptions> relay_options(const Arguments& arguments) {
  InfluxRelayOptions options;
  auto connection = kafka_connection(arguments.kafka);
  if (!connection) return std::unexpected(connection.error());
  options.consumer.connection = std::move(*connection);
  options.consumer.group = arguments.group;
  options.consumer.accept_loss = arguments.accept_loss;
  options.consumer.poll_interval_max = kPollIntervalMax;
  auto endpoint = influx_endpoint(arguments.influx);
  if (!endpoint) return std::unexpected(endpoint.error());
  options.writer.endpoint = std::move(*endpoint);
  if (auto valid = InfluxWriter::validate(options.writer); !valid) {
    return std::unexpected(valid.error());
  }
  options.dead_topic = dead_topic_of(arguments.dead_topic, options.consumer.connection);
  return options;
}

void say_hello(const InfluxRelayOptions& options, const std::string& metrics) {
  const KafkaConnection& from = options.consumer.connection;
  fmt::print(
      "gpulse {} sink influxdb  topic {} at {}, group {}\n  to            {}\n"
      "  dead letters  topic {}\n  metrics       {}\n"
      "  Ctrl-C stops; the next start goes on behind what InfluxDB has.\n",
      GPULSE_VERSION, from.topic, fmt::join(from.brokers, ", "), options.consumer.group,
      options.writer.endpoint.address.display(), options.dead_topic, metrics);
  std::fflush(stdout);
}

Expected<void> sink(const Arguments& arguments) {
  const auto options = relay_options(arguments);
  if (!options) return std::unexpected(options.error());
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging(arguments.log_format); !logging) return logging;
  const auto relay = InfluxRelay::build(*options);
  if (!relay) return std::unexpected(relay.error());
  const auto page = StatusPage::start(arguments.listen, arguments.port_asked, sink_pages(**relay));
  if (!page) return std::unexpected(page.error());
  say_hello(*options, (*page)->display());
  auto ended = (*relay)->run(stop.get_token());
  const InfluxRelayStatistics done = (*relay)->statistics();
  spdlog::info("{} read, {} stored, {} set aside, {} dropped by InfluxDB{}",
               plural(done.records, "record"), plural(done.writer.lines_stored, "line"),
               done.set_aside, done.writer.lines_dropped,
               done.unsettled == 0 ? ""
                                   : fmt::format("; {} not stored yet, which the next start reads "
                                                 "again",
                                                 done.unsettled));
  return ended;
}

}  // namespace

Command add_sink_influxdb(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sinks = root.add_subcommand("sink", "Read the topic and write to a database");
  sinks->require_subcommand(1);
  CLI::App* app = sinks->add_subcommand("influxdb", "Write every record of the topic to InfluxDB");
  app->add_option("--from", arguments->kafka.address,
                  "where from, as kafka://host:9092/gpu-metrics")
      ->type_name("ADDRESS")
      ->required();
  app->add_option("--to", arguments->influx.address,
                  "where to, as influxdb://host:8086/organisation/bucket, or influxdbs:// for TLS")
      ->type_name("ADDRESS")
      ->capture_default_str();
  add_influx_options(*app, arguments->influx);
  app->add_option("--group", arguments->group,
                  "consumer group; members of one share the partitions")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_flag("--accept-loss", arguments->accept_loss,
                "go on although records were removed before they were read");
  add_kafka_options(*app, arguments->kafka);
  add_dead_topic_option(*app, arguments->dead_topic);
  add_listen_options(*app, arguments->listen, "/metrics and /healthz");
  add_log_format_option(*app, arguments->log_format);
  return {app, [app, arguments] {
            arguments->port_asked = app->count("--port") > 0;
            return sink(*arguments);
          }};
}

}  // namespace gpulse::cli
