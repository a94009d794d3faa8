// gpulse sink influxdb: a Kafka topic -> InfluxDB.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "cli/command.h"
#include "cli/influx_options.h"
#include "cli/influx_relay.h"
#include "cli/kafka_options.h"
#include "cli/log_options.h"
#include "cli/logging.h"
#include "platform/data_folder.h"
#include "platform/file.h"
#include "platform/signals.h"

namespace gpulse::cli {
namespace {

// A reader that waits for InfluxDB does not ask Kafka for more meanwhile.
constexpr std::chrono::minutes kPollIntervalMax{60};

struct Arguments {
  KafkaArguments kafka;
  InfluxArguments influx;
  std::string group = "gpulse-influxdb";
  bool accept_loss = false;
  std::string state;
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
  auto folder = arguments.state.empty() ? default_data_folder() : path_of(arguments.state);
  if (!folder) return std::unexpected(folder.error());
  if (arguments.state.empty()) {
    *folder = *folder / "sink-influxdb" / folder_name(arguments.kafka.address);
  }
  std::error_code error;
  std::filesystem::create_directories(*folder, error);
  if (error) {
    return operation_error(
        fmt::format("cannot make the folder {}: {}", display(*folder), error.message()));
  }
  options.set_aside_file = *folder / "set-aside.jsonl";
  return options;
}

Expected<void> sink(const Arguments& arguments) {
  const auto options = relay_options(arguments);
  if (!options) return std::unexpected(options.error());
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging(arguments.log_format); !logging) return logging;
  const KafkaConnection& from = options->consumer.connection;
  fmt::print(
      "gpulse {} sink influxdb  topic {} at {}, group {}\n  to         {}\n  set aside  {}\n"
      "  Ctrl-C stops; the next start goes on behind what InfluxDB has.\n",
      GPULSE_VERSION, from.topic, fmt::join(from.brokers, ", "), options->consumer.group,
      options->writer.endpoint.address.display(), display(options->set_aside_file));
  std::fflush(stdout);
  InfluxRelayTotals totals;
  auto ended = relay_to_influx(*options, stop.get_token(), totals);
  spdlog::info("{} records read, {} lines stored, {} set aside, {} dropped by InfluxDB",
               totals.records, totals.stored, totals.set_aside, totals.dropped);
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
  app->add_option("--state", arguments->state,
                  "folder of what was set aside (default: below the platform's data folder)")
      ->type_name("DIR");
  add_log_format_option(*app, arguments->log_format);
  return {app, [arguments] { return sink(*arguments); }};
}

}  // namespace gpulse::cli
