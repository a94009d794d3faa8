// gpulse inspect: what is in a log.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "cli/command.h"
#include "cli/time_zone_option.h"
#include "gpuz/log_file.h"
#include "gpuz/log_summary.h"
#include "server/json_writer.h"

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
    json.member("rows", log.summary.rows())
        .member("set_aside", static_cast<std::int64_t>(log.summary.set_aside().size()));
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

constexpr std::size_t kSetAsideShown = 10;
constexpr std::size_t kSessionsShown = 20;

std::string short_time(Timestamp time) {
  std::string text = to_rfc3339(time).substr(0, 19);
  text[10] = ' ';
  return text;
}

void write_text(std::string& out, const Inspected& log) {
  const LogSummary& summary = log.summary;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{}\n  {} bytes, {} rows in {} session{}, {} set aside, source {}\n", log.file,
                 log.bytes, summary.rows(), summary.sessions().size(),
                 summary.sessions().size() == 1 ? "" : "s", summary.set_aside().size(),
                 summary.source().empty() ? "not known yet" : summary.source());
  std::size_t shown = 0;
  for (const SetAside& line : summary.set_aside()) {
    if (shown++ == kSetAsideShown) {
      fmt::format_to(to, "    ... and {} more; --json lists all\n",
                     summary.set_aside().size() - kSetAsideShown);
      break;
    }
    fmt::format_to(to, "    set aside at byte {}, {} bytes: {}\n", line.offset, line.bytes,
                   line.reason);
  }
  if (!summary.sessions().empty()) {
    fmt::format_to(to, "\n  {:<19}  {:<19}  {:>9}  {:>7}   sessions, times in UTC\n", "first",
                   "last", "rows", "columns");
  }
  shown = 0;
  for (const auto& session : summary.sessions()) {
    if (shown++ == kSessionsShown) {
      fmt::format_to(to, "  ... and {} more; --json lists all\n",
                     summary.sessions().size() - kSessionsShown);
      break;
    }
    fmt::format_to(to, "  {}  {}  {:>9}  {:>7}\n", short_time(session.first),
                   short_time(session.last), session.rows, session.layout->columns.size());
  }
  if (!summary.metrics().empty()) {
    fmt::format_to(to, "\n  {:<30} {:>11} {:>11} {:>11} {:>11} {:>8}  unit\n", "metric", "min",
                   "mean", "p95", "max", "absent");
  }
  for (const auto& metric : summary.metrics()) {
    const auto values = metric.values.summary();
    if (values.count == 0) {
      fmt::format_to(to, "  {:<30} {:>11} {:>11} {:>11} {:>11} {:>8}  {}\n", metric.column.metric,
                     "-", "-", "-", "-", metric.absent, metric.column.unit);
      continue;
    }
    const int decimals = metric.decimals;
    fmt::format_to(to, "  {:<30} {:>11.{}f} {:>11.{}f} {:>11.{}f} {:>11.{}f} {:>8}  {}\n",
                   metric.column.metric, values.min, decimals, values.mean, decimals + 1,
                   metric.values.quantile(0.95), decimals, values.max, decimals, metric.absent,
                   metric.column.unit);
  }
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
      write_text(out, log);
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
  app->add_flag("--json", options->json, "print JSON, with every session, metric and set-aside line");
  app->add_option("--timezone", options->timezone, kTimeZoneHelp)->type_name("ZONE");
  return {app, [options] { return run(*options); }};
}

}  // namespace gpulse::cli
