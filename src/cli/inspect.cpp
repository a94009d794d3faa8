// gpulse inspect: what is in a log.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iterator>

#include "cli/command.h"
#include "cli/time_zone_option.h"
#include "gpuz/log_file.h"
#include "gpuz/log_summary.h"
#include "server/json_writer.h"
#include "telemetry/metric.h"
#include "telemetry/plural.h"

namespace gpulse::cli {
namespace {

struct Options {
  std::vector<std::string> logs;
  bool json = false;
  std::string timezone;
};

struct Inspected {
  std::string file;
  std::int64_t bytes = 0;
  LogSummary summary;
};

std::filesystem::path path_of(const std::string& utf8) {
  return {std::u8string(utf8.begin(), utf8.end())};
}

Expected<Inspected> inspect(const std::string& name, const std::shared_ptr<const TimeZone>& zone) {
  Inspected result;
  result.file = name;
  const auto file = ReadFile::open(path_of(name));
  if (!file) return std::unexpected(file.error());
  LogReader reader({.device = {}, .zone = zone, .source_suffix = {}});
  if (auto read = read_log_file(*file, reader, result.summary); !read) {
    return std::unexpected(read.error());
  }
  const auto bytes = file->size();
  if (!bytes) return std::unexpected(bytes.error());
  result.bytes = *bytes;
  return result;
}

void write_sessions(JsonWriter& json, const LogSummary& summary) {
  json.key("sessions").begin_array();
  for (const auto& session : summary.sessions()) {
    json.begin_object()
        .member("session", session.session)
        .member("first", session.first)
        .member("last", session.last)
        .member("rows", session.rows);
    json.key("columns").begin_array();
    for (const ColumnName& column : session.layout->columns) json.string(column.metric);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_metrics(JsonWriter& json, const LogSummary& summary) {
  json.key("metrics").begin_object();
  for (const auto& metric : summary.metrics()) {
    const auto values = metric.values.summary();
    json.key(metric.column.metric)
        .begin_object()
        .member("unit", metric.column.unit)
        .member("rows", metric.rows)
        .member("absent", metric.absent)
        .member("count", values.count);
    const bool any = values.count > 0;
    const auto number = [&](const char* name, bool known, double value) {
      json.key(name);
      known ? json.number(value) : json.null();
    };
    number("min", any, values.min);
    number("max", any, values.max);
    number("mean", any, values.mean);
    number("stddev", values.count > 1, values.stddev);
    number("p50", any, any ? metric.values.quantile(0.50) : 0);
    number("p95", any, any ? metric.values.quantile(0.95) : 0);
    number("p99", any, any ? metric.values.quantile(0.99) : 0);
    json.end_object();
  }
  json.end_object();
}

void write_json(std::string& out, const std::vector<Inspected>& logs) {
  JsonWriter json(out);
  json.begin_array();
  for (const Inspected& log : logs) {
    json.begin_object().member("file", log.file).member("bytes", log.bytes).key("source");
    log.summary.source().empty() ? json.null() : json.string(log.summary.source());
    json.member("rows", log.summary.rows()).member("set_aside", log.summary.set_aside_count());
    json.key("set_aside_detail").begin_array();
    for (const SetAside& line : log.summary.set_aside()) {
      json.begin_object()
          .member("offset", line.offset)
          .member("bytes", line.bytes)
          .member("reason", line.reason)
          .end_object();
    }
    json.end_array();
    write_sessions(json, log.summary);
    write_metrics(json, log.summary);
    json.end_object();
  }
  json.end_array();
  out += '\n';
}

constexpr std::int64_t kSetAsideShown = 10;
constexpr std::size_t kSessionsShown = 20;
constexpr std::size_t kMaskValuesShown = 4;

using Out = std::back_insert_iterator<std::string>;

std::string readable_bytes(std::int64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes < 1'000) return plural(bytes, "byte");
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", size / 1e3);
  return bytes < 1'000'000'000 ? fmt::format("{:.1f} MB", size / 1e6)
                               : fmt::format("{:.2f} GB", size / 1e9);
}

// As the log itself has it.
std::string local_time(Timestamp time, const TimeZone& zone) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  std::string text = to_rfc3339(time + zone.offset_at(second)).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string length_of(Timestamp first, Timestamp last) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(last - first).count();
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

void write_set_aside(Out to, const LogSummary& summary) {
  std::int64_t shown = 0;
  for (const SetAside& line : summary.set_aside()) {
    if (shown++ == kSetAsideShown) break;
    fmt::format_to(to, "    at byte {}, {}: {}\n", line.offset, plural(line.bytes, "byte"),
                   line.reason);
  }
  if (summary.set_aside_count() > kSetAsideShown) {
    fmt::format_to(to, "    ... and {} more; --json lists the first {}\n",
                   summary.set_aside_count() - kSetAsideShown, LogSummary::kSetAsideKept);
  }
}

void write_session_lines(Out to, const LogSummary& summary, const TimeZone& zone) {
  fmt::format_to(to, "\n  {:<19}  {:<19}  {:>9}  {:>9}  {:>7}   ({})\n", "session from", "to",
                 "length", "rows", "columns", zone.name());
  std::size_t shown = 0;
  for (const auto& session : summary.sessions()) {
    if (shown++ == kSessionsShown) {
      fmt::format_to(to, "  ... and {} more; --json lists all\n",
                     summary.sessions().size() - kSessionsShown);
      return;
    }
    fmt::format_to(to, "  {}  {}  {:>9}  {:>9}  {:>7}\n", local_time(session.first, zone),
                   local_time(session.last, zone), length_of(session.first, session.last),
                   session.rows, session.layout->columns.size());
  }
}

// A mean of bits says nothing: how often each value came does.
std::string mask_shares(const ValueCounts& counts, std::int64_t total) {
  auto values = counts.sorted();
  std::ranges::stable_sort(values, std::ranges::greater{}, [](const auto& v) { return v.second; });
  std::string text;
  for (std::size_t i = 0; i < values.size() && i < kMaskValuesShown; ++i) {
    fmt::format_to(std::back_inserter(text), "{}{} in {:.1f} %", i > 0 ? ", " : "", values[i].first,
                   100.0 * static_cast<double>(values[i].second) / static_cast<double>(total));
  }
  if (values.size() > kMaskValuesShown) {
    text += fmt::format(", {} others", values.size() - kMaskValuesShown);
  }
  return text;
}

void write_metric_line(std::string& out, const LogSummary::Metric& metric) {
  auto to = std::back_inserter(out);
  const auto values = metric.values.summary();
  const int decimals = metric.decimals;
  fmt::format_to(to, "  {:<30} ", metric.column.metric);
  if (values.count == 0) {
    fmt::format_to(to, "{:>11} {:>11} {:>11} {:>11}", "-", "-", "-", "-");
  } else if (describe_metric(metric.column.metric, "").kind == MetricKind::bitmask) {
    fmt::format_to(to, "{:>47}", mask_shares(metric.values, values.count));
  } else {
    fmt::format_to(to, "{:>11.{}f} {:>11.{}f} {:>11.{}f} {:>11.{}f}", values.min, decimals,
                   values.mean, decimals + 1, metric.values.quantile(0.95), decimals, values.max,
                   decimals);
  }
  fmt::format_to(to, " {:>8}", metric.absent == 0 ? "" : std::to_string(metric.absent));
  if (!metric.column.unit.empty()) out += "  " + metric.column.unit;
  while (out.ends_with(' ')) out.pop_back();
  out += '\n';
}

void write_text(std::string& out, const Inspected& log, const TimeZone& zone) {
  const LogSummary& summary = log.summary;
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{}\n  {}, {} in {}", log.file, readable_bytes(log.bytes),
                 plural(summary.rows(), "row"), plural(summary.sessions().size(), "session"));
  if (!summary.source().empty()) fmt::format_to(to, ", source {}", summary.source());
  fmt::format_to(to, "\n  {}\n",
                 summary.set_aside_count() == 0
                     ? "every line is a heading or a row"
                     : plural(summary.set_aside_count(), "line") + " could not be read:");
  write_set_aside(to, summary);
  if (!summary.sessions().empty()) write_session_lines(to, summary, zone);
  if (summary.metrics().empty()) return;
  fmt::format_to(to, "\n  {:<30} {:>11} {:>11} {:>11} {:>11} {:>8}  unit\n", "metric", "min",
                 "mean", "p95", "max", "absent");
  for (const auto& metric : summary.metrics()) write_metric_line(out, metric);
}

Expected<void> run(const Options& options) {
  const auto zone = time_zone_option(options.timezone);
  if (!zone) return std::unexpected(zone.error());
  std::vector<Inspected> logs;
  std::optional<Error> failed;
  for (const std::string& name : options.logs) {
    auto log = inspect(name, *zone);
    if (!log && failed) failed->message += "\ngpulse: " + log.error().message;
    if (!log && !failed) failed = log.error();
    if (log) logs.push_back(std::move(*log));
  }
  std::string out;
  if (options.json) {
    write_json(out, logs);
  } else {
    for (const Inspected& log : logs) {
      if (!out.empty()) out += '\n';
      write_text(out, log, **zone);
    }
  }
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
    return operation_error("cannot write the result to standard output");
  }
  if (failed) return std::unexpected(*failed);
  return {};
}

}  // namespace

Command add_inspect(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("inspect", "Print what is in GPU-Z logs");
  app->add_option("LOG", options->logs, "the log files")->required();
  app->add_flag("--json", options->json,
                "print JSON, with every session and metric, and set-aside lines");
  app->add_option("--timezone", options->timezone, kTimeZoneHelp)->type_name("ZONE");
  return {app, [options] { return run(*options); }};
}

}  // namespace gpulse::cli
