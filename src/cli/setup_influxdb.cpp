// gpulse setup influxdb: makes an InfluxDB 2 ready for what gpulse writes.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stop_token>

#include "cli/command.h"
#include "cli/influx_options.h"
#include "cli/log_options.h"
#include "gpuz/generator_options.h"
#include "influxdb/setup.h"
#include "platform/data_folder.h"
#include "platform/file.h"
#include "platform/secret_file.h"
#include "platform/signals.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {
namespace {

struct Arguments {
  InfluxArguments influx;
  std::string tokens;
  std::string retention;
  bool no_downsampling = false;
  std::string backfill;
};

std::string read_line(const std::filesystem::path& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

// The file is its owner's before there is anything in it.
Expected<void> write_token(const std::filesystem::path& file, const std::string& token) {
  if (token.empty()) return {};
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  std::ofstream out(file);
  if (!out) return operation_error(fmt::format("cannot write {}", display(file)));
  if (auto kept = keep_to_owner(file); !kept) return kept;
  out << token << '\n';
  out.close();
  if (!out) return operation_error(fmt::format("cannot write {}", display(file)));
  return flush_to_disk(file);
}

Expected<std::filesystem::path> tokens_folder(const std::string& chosen) {
  auto folder = chosen.empty() ? default_data_folder() : path_of(chosen);
  if (!folder) return folder;
  if (chosen.empty()) *folder = *folder / "influxdb";
  std::error_code error;
  std::filesystem::create_directories(*folder, error);
  if (error) {
    return operation_error(
        fmt::format("cannot make the folder {}: {}", display(*folder), error.message()));
  }
  if (auto kept = keep_to_owner(*folder); !kept) return std::unexpected(kept.error());
  return folder;
}

Expected<std::optional<Timestamp>> backfill_from(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto whole = text.find('T') == std::string::npos ? text + "T00:00:00Z" : text;
  const auto from = parse_timestamp(whole);
  if (!from) {
    return usage_error(fmt::format(
        "--backfill {}: give a date, as 2023-06-16, or an instant, as 2023-06-16T08:00:00Z", text));
  }
  return *from;
}

void print(const InfluxSetupStep& step) {
  constexpr std::array kWords = {"ok    ", "made  ", "mended"};
  fmt::print("{}  {}\n", kWords.at(static_cast<std::size_t>(step.did)), step.what);
}

// Years are many pieces, of which most take no time.
BackfillProgress say_now_and_then() {
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kEvery{5};
  return [said = Steady::now()](const std::string& bucket, Timestamp until, bool is_all) mutable {
    if (!is_all && Steady::now() - said < kEvery) return;
    said = Steady::now();
    fmt::print("filled    {} until {}\n", bucket, to_rfc3339(until));
    std::fflush(stdout);
  };
}

Expected<void> setup(const Arguments& arguments) {
  InfluxSetupOptions options;
  auto endpoint = influx_endpoint(arguments.influx);
  if (!endpoint) return std::unexpected(endpoint.error());
  options.endpoint = std::move(*endpoint);
  options.downsample = !arguments.no_downsampling;
  if (!arguments.retention.empty()) {
    const auto retention = parse_length(arguments.retention);
    if (!retention) return std::unexpected(Error(retention.error()).wrapped("--retention"));
    options.retention = std::chrono::ceil<std::chrono::seconds>(*retention);
  }
  const auto from = backfill_from(arguments.backfill);
  if (!from) return std::unexpected(from.error());
  if (auto valid = validate(options); !valid) return valid;
  const auto folder = tokens_folder(arguments.tokens);
  if (!folder) return std::unexpected(folder.error());
  const auto write_file = *folder / "write-token";
  const auto read_file = *folder / "read-token";
  options.write_token = read_line(write_file);
  options.read_token = read_line(read_file);
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  const auto done = set_up_influx(options, stop.get_token());
  if (!done) return std::unexpected(done.error());
  for (const InfluxSetupStep& step : done->steps) print(step);
  if (auto kept = write_token(write_file, done->write_token); !kept) return kept;
  if (auto kept = write_token(read_file, done->read_token); !kept) return kept;
  fmt::print("tokens    for writing {}, for reading {}\n", display(write_file), display(read_file));
  if (!*from) return {};
  return backfill_influx(options.endpoint, **from, system_clock().now(), say_now_and_then(),
                         stop.get_token());
}

}  // namespace

Command add_setup_influxdb(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* setups = root.add_subcommand("setup", "Make a database ready");
  setups->require_subcommand(1);
  CLI::App* app = setups->add_subcommand(
      "influxdb",
      "Organisation, buckets, tokens and downsampling tasks; changes nothing that is right");
  add_influx_options(*app, arguments->influx);
  app->get_option("--influxdb-token-file")
      ->description("file with an administrator's token (default: GPULSE_INFLUXDB_TOKEN)");
  app->add_option("--to", arguments->influx.address,
                  "InfluxDB, organisation and bucket, as influxdb://host:8086/organisation/bucket")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app->add_option("--tokens", arguments->tokens,
                  "folder for the tokens that are made (default: below the platform's data folder)")
      ->type_name("DIR");
  app->add_option("--retention", arguments->retention,
                  "keep rows for so long, as 90d (default: for ever; InfluxDB refuses older rows)")
      ->type_name("LENGTH");
  app->add_flag("--no-downsampling", arguments->no_downsampling,
                "no buckets and tasks for minutes and hours");
  app->add_option("--backfill", arguments->backfill,
                  "fill the buckets of minutes and hours from rows since that day")
      ->type_name("FROM");
  return {app, [arguments] { return setup(*arguments); }};
}

}  // namespace gpulse::cli
