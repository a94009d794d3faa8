// gpulse doctor: what of the way works, what does not, and what to do about it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "cli/command.h"
#include "cli/influx_options.h"
#include "cli/kafka_options.h"
#include "cli/log_options.h"
#include "cli/time_zone_option.h"
#include "doctor/clock_check.h"
#include "doctor/data_folder_check.h"
#include "doctor/influx_check.h"
#include "doctor/kafka_check.h"
#include "doctor/log_check.h"
#include "doctor/metrics_check.h"
#include "gpuz/generator_options.h"
#include "platform/data_folder.h"
#include "platform/folder_state.h"
#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

constexpr const char* kSinkGroup = "gpulse-influxdb";  // the default of `gpulse sink influxdb`

struct Arguments {
  std::vector<std::string> logs;
  std::string timezone;
  std::string data;
  KafkaArguments kafka;
  std::string group;
  std::string topic_retention;
  InfluxArguments influx;
  std::string retention;
  std::vector<std::string> metrics;
  bool json = false;
};

using Seconds = std::optional<std::chrono::seconds>;

Expected<Seconds> parse_retention(const char* option, const std::string& text) {
  if (text.empty()) return Seconds();
  const auto length = parse_length(text);
  if (!length) return std::unexpected(Error(length.error()).wrapped(option));
  return Seconds(std::chrono::ceil<std::chrono::seconds>(*length));
}

void append(doctor::Checks& to, doctor::Checks from) {
  std::ranges::move(from, std::back_inserter(to));
}

// A folder stands for the logs in it.
doctor::Checks check_logs(const std::string& name, const std::shared_ptr<const TimeZone>& zone) {
  const Timestamp now = system_clock().now();
  std::error_code ignored;
  if (!std::filesystem::is_directory(path_of(name), ignored)) {
    return doctor::check_log(path_of(name), zone, now);
  }
  LogArguments folder;
  folder.logs = {name};
  const auto plan = plan_logs(folder);
  if (!plan) {
    return {doctor::fail("logs in " + name, plan.error().message,
                         "Name the folder into which GPU-Z logs.")};
  }
  doctor::Checks checks;
  for (const LogChoice& log : plan->logs) append(checks, doctor::check_log(log.file, zone, now));
  return checks;
}

Expected<doctor::Checks> check_kafka(const Arguments& arguments) {
  if (arguments.kafka.address.empty()) return doctor::Checks{};
  if (const auto address = parse_kafka_address(arguments.kafka.address); !address) {
    return std::unexpected(address.error());
  }
  doctor::KafkaQuestions questions;
  const auto retention = parse_retention("--topic-retention", arguments.topic_retention);
  if (!retention) return std::unexpected(retention.error());
  questions.retention = *retention;
  auto connection = kafka_connection(arguments.kafka);
  if (!connection) {
    return doctor::Checks{
        doctor::fail("kafka settings", connection.error().message,
                     "Correct the options for Kafka; nothing else of Kafka was asked.")};
  }
  questions.connection = *std::move(connection);
  questions.group = arguments.group;
  if (questions.group.empty() && !arguments.influx.address.empty()) questions.group = kSinkGroup;
  questions.writes = !arguments.logs.empty();
  questions.reads = !questions.group.empty();
  return doctor::check_kafka(questions, system_clock());
}

Expected<doctor::Checks> check_influx(const Arguments& arguments) {
  if (arguments.influx.address.empty()) return doctor::Checks{};
  if (const auto address = parse_influx_address(arguments.influx.address); !address) {
    return std::unexpected(address.error());
  }
  const auto retention = parse_retention("--retention", arguments.retention);
  if (!retention) return std::unexpected(retention.error());
  doctor::InfluxQuestions questions;
  questions.options.address = arguments.influx.address;
  questions.options.token_file = path_of(arguments.influx.token_file);
  questions.options.ca_file = path_of(arguments.influx.ca_file);
  questions.retention = *retention;
  return doctor::check_influx(questions, system_clock());
}

Expected<doctor::Checks> check_all(const Arguments& arguments) {
  const auto zone = time_zone_option(arguments.timezone);
  if (!zone) return std::unexpected(zone.error());
  const auto folder = arguments.data.empty() ? default_data_folder() : path_of(arguments.data);
  if (!folder) return std::unexpected(folder.error());
  doctor::Checks checks;
  for (const std::string& log : arguments.logs) append(checks, check_logs(log, *zone));
  append(checks, doctor::check_data_folder(*folder));
  checks.push_back(doctor::judge_clock(system_clock().now(), clock_is_synchronised()));
  for (const auto check : {check_kafka, check_influx}) {
    auto found = check(arguments);
    if (!found) return found;
    append(checks, *std::move(found));
  }
  for (const std::string& address : arguments.metrics)
    append(checks, doctor::check_metrics(address));
  return checks;
}

std::string to_json(const doctor::Checks& checks) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("ok", doctor::count(checks, doctor::Verdict::fail) == 0);
  json.key("checks").begin_array();
  for (const doctor::Check& check : checks) {
    json.begin_object()
        .member("name", check.name)
        .member("verdict", doctor::word_of(check.verdict))
        .member("found", check.found);
    json.key("advice");
    check.advice.empty() ? json.null() : json.string(check.advice);
    json.end_object();
  }
  json.end_array().end_object();
  return out + '\n';
}

Expected<void> examine(const Arguments& arguments) {
  const auto checks = check_all(arguments);
  if (!checks) return std::unexpected(checks.error());
  std::string out =
      arguments.json ? to_json(*checks) : doctor::report(*checks, output_takes_colours());
  const bool nothing_named = arguments.logs.empty() && arguments.kafka.address.empty() &&
                             arguments.influx.address.empty() && arguments.metrics.empty();
  if (nothing_named && !arguments.json) {
    out +=
        "This machine alone was looked at. The rest is named as for the other commands:\n"
        "  gpulse doctor \"GPU-Z Sensor Log.txt\" --kafka kafka://host:9092/gpu-metrics \\\n"
        "    --influxdb influxdb://host:8086/gpulse/gpu-metrics --influxdb-token-file FILE\n";
  }
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
    return operation_error("cannot write the result to standard output");
  }
  const auto failed = doctor::count(*checks, doctor::Verdict::fail);
  if (failed == 0) return {};
  return operation_error(fmt::format("{} of {} checks failed", failed, checks->size()));
}

}  // namespace

Command add_doctor(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  arguments->influx.address.clear();
  CLI::App* app = root.add_subcommand("doctor", "Check every piece of the way, and say what to do");
  app->add_option("LOG", arguments->logs, "logs, or folders of logs, to look at");
  app->add_option("--timezone", arguments->timezone, kTimeZoneHelp)->type_name("ZONE");
  app->add_option("--data", arguments->data, "data folder (default: the platform's)")
      ->type_name("DIR");
  app->add_option("--kafka", arguments->kafka.address, "Kafka, as kafka://host:9092/gpu-metrics")
      ->type_name("ADDRESS");
  add_kafka_options(*app, arguments->kafka);
  app->add_option("--group", arguments->group,
                  "consumer group of the sink (default: gpulse-influxdb, with --influxdb)")
      ->type_name("NAME");
  app->add_option("--topic-retention", arguments->topic_retention,
                  "how long the topic must keep records, as 7d")
      ->type_name("LENGTH");
  app->add_option("--influxdb", arguments->influx.address,
                  "InfluxDB, as influxdb://host:8086/organisation/bucket, or influxdbs:// for TLS")
      ->type_name("ADDRESS");
  add_influx_options(*app, arguments->influx);
  app->add_option("--retention", arguments->retention, "how long the bucket must keep rows, as 90d")
      ->type_name("LENGTH");
  app->add_option("--metrics", arguments->metrics,
                  "where a gpulse command shows /metrics, as 127.0.0.1:8337; repeatable")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  app->add_flag("--json", arguments->json, "print JSON");
  return {app, [arguments] { return examine(*arguments); }};
}

}  // namespace gpulse::cli
