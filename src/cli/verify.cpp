// gpulse verify: a log -> is each of its rows in the ledger, the topic and InfluxDB, once and the
// same?
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "cli/command.h"
#include "cli/influx_options.h"
#include "cli/kafka_options.h"
#include "cli/log_options.h"
#include "cli/verify_report.h"
#include "platform/data_folder.h"
#include "telemetry/plural.h"
#include "verify/influx_place.h"
#include "verify/ledger_place.h"
#include "verify/topic_place.h"

namespace gpulse::cli {
namespace {

struct Arguments {
  LogArguments logs;
  std::string data;
  KafkaArguments kafka;
  InfluxArguments influx;
  bool json = false;
};

// What is wrong with an address is said before a log of gigabytes is read.
struct Places {
  std::optional<std::filesystem::path> data;
  std::optional<KafkaConnection> kafka;
  std::optional<InfluxEndpoint> influx;
};

Expected<Places> choose_places(const Arguments& arguments) {
  Places places;
  if (!arguments.kafka.address.empty()) {
    auto connection = kafka_connection(arguments.kafka);
    if (!connection) return std::unexpected(connection.error());
    places.kafka = std::move(*connection);
  }
  if (!arguments.influx.address.empty()) {
    auto endpoint = influx_endpoint(arguments.influx);
    if (!endpoint) return std::unexpected(endpoint.error());
    if (auto fine = check_verifiable(*endpoint); !fine) return std::unexpected(fine.error());
    places.influx = std::move(*endpoint);
  }
  if (!arguments.data.empty()) {
    places.data = path_of(arguments.data);
  } else if (!places.kafka && !places.influx) {
    auto folder = default_data_folder();
    if (!folder) return std::unexpected(folder.error());
    places.data = std::move(*folder);
  }
  return places;
}

Expected<std::vector<LogUnderTest>> survey_logs(const LogArguments& arguments) {
  const auto plan = plan_logs(arguments);
  if (!plan) return std::unexpected(plan.error());
  std::vector<LogUnderTest> logs;
  for (const LogChoice& log : plan->logs) {
    auto surveyed = survey_log(log.file, log.device, plan->zone);
    if (!surveyed) return std::unexpected(surveyed.error());
    logs.push_back(std::move(*surveyed));
  }
  return logs;
}

class Verification {
 public:
  explicit Verification(std::span<const LogUnderTest> logs) : logs_(logs) {}

  // A place that cannot be asked does not keep the others from being so; what was asked wrongly
  // ends it.
  Expected<void> compare(const Places& places) {
    Expected<void> fine;
    if (places.data) {
      fine =
          take("ledger", display(*places.data), verify_ledger(*places.data, logs_, system_clock()));
    }
    if (fine && places.kafka) {
      KafkaObserver silent;  // what it would tell is in the error
      fine = take("topic", places.kafka->topic,
                  verify_topic(*places.kafka, logs_, system_clock(), silent));
    }
    if (fine && places.influx) {
      fine = take("influxdb", places.influx->address.display(),
                  verify_influx(*places.influx, logs_, system_clock()));
    }
    return fine;
  }

  [[nodiscard]] std::span<const PlaceOutcome> outcomes() const { return outcomes_; }

 private:
  Expected<void> take(std::string_view kind, std::string name, Expected<PlaceReport> report) {
    if (!report && report.error().kind != ErrorKind::operation) {
      return std::unexpected(report.error());
    }
    if (!report) {
      outcomes_.push_back({PlaceReport(kind, std::move(name)), report.error().message});
      return {};
    }
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      if (auto found = find_lines(logs_[i], report->logs[i]); !found) return found;
    }
    outcomes_.push_back({std::move(*report), {}});
    return {};
  }

  std::span<const LogUnderTest> logs_;
  std::vector<PlaceOutcome> outcomes_;
};

// The last word, on standard error.
Expected<void> judge(std::span<const PlaceOutcome> outcomes) {
  std::vector<std::string> words;
  for (const PlaceOutcome& place : outcomes) {
    if (!place.error.empty()) {
      words.push_back(fmt::format("the {} could not be compared", place.word()));
    } else if (place.report.faults() > 0) {
      words.push_back(
          fmt::format("the {} has {}", place.word(), plural(place.report.faults(), "fault")));
    }
  }
  if (words.empty()) return {};
  return operation_error(fmt::format("{}", fmt::join(words, ", ")));
}

Expected<void> verify(const Arguments& arguments) {
  const auto places = choose_places(arguments);
  if (!places) return std::unexpected(places.error());
  const auto logs = survey_logs(arguments.logs);
  if (!logs) return std::unexpected(logs.error());
  Verification verification(*logs);
  if (auto compared = verification.compare(*places); !compared) return compared;
  const auto outcomes = verification.outcomes();
  const std::string out =
      arguments.json ? verify_json(*logs, outcomes) : verify_text(*logs, outcomes);
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
    return operation_error("cannot write the result to standard output");
  }
  return judge(outcomes);
}

}  // namespace

Command add_verify(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  arguments->influx.address.clear();
  CLI::App* app = root.add_subcommand(
      "verify", "Prove that every row of GPU-Z logs is where it should be, once and the same");
  add_log_choice_options(*app, arguments->logs);
  app->get_option("LOG")->required()->description("the logs, or folders of logs; a device each");
  app->add_option("--data", arguments->data,
                  "data folder of gpulse run, whose ledger is compared (default, when no other "
                  "place is named: the platform's)")
      ->type_name("DIR");
  app->add_option("--kafka", arguments->kafka.address,
                  "topic that is compared, as kafka://host:9092/gpu-metrics")
      ->type_name("ADDRESS");
  app->add_option("--influxdb", arguments->influx.address,
                  "bucket that is compared, as influxdb://host:8086/organisation/bucket")
      ->type_name("ADDRESS");
  app->add_flag("--json", arguments->json, "print JSON");
  add_kafka_options(*app, arguments->kafka);
  add_influx_options(*app, arguments->influx);
  return {app, [arguments] { return verify(*arguments); }};
}

}  // namespace gpulse::cli
