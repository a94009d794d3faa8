// gpulse produce: GPU-Z logs -> a Kafka topic.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <stop_token>

#include "cli/command.h"
#include "cli/feeds.h"
#include "cli/kafka_options.h"
#include "cli/log_options.h"
#include "cli/logging.h"
#include "cli/produce_status.h"
#include "cli/sent_topic.h"
#include "cli/status_page.h"
#include "kafka/producer.h"
#include "platform/data_folder.h"
#include "platform/signals.h"
#include "telemetry/plural.h"

namespace gpulse::cli {
namespace {

struct Arguments {
  LogArguments logs;
  KafkaArguments kafka;
  int partitions = 0;
  bool no_create = false;
  std::string compression = "zstd";
  std::string state;
  ListenArguments listen{"localhost", kProducePortDefault, {}, {}};
  bool port_asked = false;
  std::string log_format = "text";
};

Expected<ProducerOptions> producer_options(const Arguments& arguments) {
  ProducerOptions options;
  auto connection = kafka_connection(arguments.kafka);
  if (!connection) return std::unexpected(connection.error());
  options.connection = std::move(*connection);
  if (arguments.partitions != 0) options.partitions = arguments.partitions;
  options.create_topic = !arguments.no_create;
  const auto compression = parse_kafka_compression(arguments.compression);
  if (!compression) {
    return usage_error(
        fmt::format("--compression {}: give zstd, gzip, lz4 or none", arguments.compression));
  }
  options.compression = *compression;
  return options;
}

// One a topic: what was sent to one says nothing of another.
Expected<std::filesystem::path> state_folder(const std::string& chosen,
                                             const KafkaConnection& connection) {
  if (!chosen.empty()) return path_of(chosen);
  auto folder = default_data_folder();
  if (!folder) return folder;
  return *folder / "produce" / folder_name(canonical_address(connection));
}

void say_hello(const LogPlan& plan, const KafkaConnection& connection,
               const std::filesystem::path& state, const std::string& metrics) {
  fmt::print("gpulse {} produce  to topic {} at {}\n", GPULSE_VERSION, connection.topic,
             fmt::join(connection.brokers, ", "));
  for (const LogChoice& log : plan.logs) {
    fmt::print("  {}  {}  as {} / {}, zone {}\n", plan.replay ? "replaying" : "following",
               display(log.file), log.device.host, log.device.gpu, plan.zone->name());
  }
  fmt::print(
      "  positions  {}\n  metrics    {}\n"
      "  Ctrl-C stops; the next start goes on behind what was sent.\n",
      display(state), metrics);
  std::fflush(stdout);
}

Expected<void> produce(const Arguments& arguments) {
  const auto plan = plan_logs(arguments.logs);
  if (!plan) return std::unexpected(plan.error());
  auto options = producer_options(arguments);
  if (!options) return std::unexpected(options.error());
  const auto state = state_folder(arguments.state, options->connection);
  if (!state) return std::unexpected(state.error());
  if (auto held = hold_topic(*options, *state); !held) return held;
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging(arguments.log_format); !logging) return logging;
  KafkaReporter reporter;
  const KafkaConnection connection = options->connection;
  auto producer = SampleProducer::open(std::move(*options), reporter);
  if (!producer) return std::unexpected(producer.error());
  RememberingProducer sink(**producer, connection.topic, *state);
  StoreOptions book;
  book.folder = *state;
  book.sink = &sink;
  book.sink_stop = stop.get_token();
  auto store = Store::open(std::move(book), system_clock());
  if (!store) return std::unexpected(store.error());
  const auto page = StatusPage::start(arguments.listen, arguments.port_asked,
                                      produce_pages(**producer, **store, *plan));
  if (!page) return std::unexpected(page.error());
  say_hello(*plan, connection, *state, (*page)->display());
  // Without the cluster there is nothing to read a log for.
  if (auto connected = (*producer)->connect(stop.get_token()); !connected) {
    return stop.stop_requested() ? Expected<void>() : connected;
  }
  Feeds feeds(**store, system_clock());
  feeds.start(*plan, stop);
  const auto ended = feeds.join();
  const ProducerStatistics sent = (*producer)->statistics();
  spdlog::info("{} sent, {} set aside", plural(sent.records, "record"), sent.refused);
  return ended;
}

}  // namespace

Command add_produce(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = root.add_subcommand("produce", "Follow GPU-Z logs and send every row to Kafka");
  add_log_options(*app, arguments->logs);
  app->get_option("LOG")->required();
  app->add_option("--to", arguments->kafka.address, "where to, as kafka://host:9092/gpu-metrics")
      ->type_name("ADDRESS")
      ->required();
  app->add_option("--partitions", arguments->partitions,
                  "partitions that the topic gets, or must have (default: 4 for a new one)")
      ->type_name("N")
      ->check(CLI::Range(1, ProducerOptions::kPartitionsMax));
  app->add_flag("--no-create-topic", arguments->no_create, "the topic must be there");
  app->add_option("--compression", arguments->compression, "zstd, gzip, lz4 or none")
      ->type_name("WORD")
      ->capture_default_str();
  add_kafka_options(*app, arguments->kafka);
  app->add_option(
         "--state", arguments->state,
         "folder of the positions (default: below the platform's data folder, one a topic)")
      ->type_name("DIR");
  add_listen_options(*app, arguments->listen, "/metrics and /healthz");
  add_log_format_option(*app, arguments->log_format);
  return {app, [app, arguments] {
            arguments->port_asked = app->count("--port") > 0;
            return produce(*arguments);
          }};
}

}  // namespace gpulse::cli
