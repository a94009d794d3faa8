#include "gpuz/generator_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace gpulse {
namespace {

std::string to_text(LocalTime time) {
  using namespace std::chrono;
  const local_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(time - day)};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string reading_text(std::int32_t count, int decimals) {
  std::int32_t divisor = 1;
  for (int i = 0; i < decimals; ++i) divisor *= 10;
  if (decimals == 0) return fmt::format("{}", count);
  return fmt::format("{}.{:0{}}", count / divisor, count % divisor, decimals);
}

std::string metric_json(const MetricFacts& facts) {
  if (facts.count == 0) {
    return fmt::format(R"("{}":{{"count":0,"absent":{}}})", facts.metric, facts.absent);
  }
  return fmt::format(
      R"("{}":{{"count":{},"absent":{},"min":{},"max":{},"max_at":"{}","max_offset":{}}})",
      facts.metric, facts.count, facts.absent, reading_text(facts.min, facts.decimals),
      reading_text(facts.max, facts.decimals), to_text(facts.max_at), facts.max_offset);
}

// Null where the log has no such column, so that nobody takes silence for "never limited".
std::string perfcap_json(const Facts& facts) {
  std::string json;
  for (std::size_t value = 0; value < facts.perfcap_rows.size(); ++value) {
    if (facts.perfcap_rows[value] == 0) continue;
    json += fmt::format(R"({}"{}":{})", json.empty() ? "" : ",", value, facts.perfcap_rows[value]);
  }
  return json.empty() ? "null" : "{" + json + "}";
}

std::string facts_json(const Facts& facts) {
  std::string metrics;
  for (const MetricFacts& metric : facts.metrics) {
    metrics += (metrics.empty() ? "" : ",\n   ") + metric_json(metric);
  }
  const std::string scenario =
      facts.scenario.empty() ? "" : fmt::format(R"("scenario":"{}",)", facts.scenario);
  if (facts.rows == 0) return fmt::format(R"({{{}"rows":0}})", scenario);
  return fmt::format(
      R"({{{}"begin":"{}","end":"{}","begin_offset":{},"end_offset":{},"rows":{},"headers":{},"perfcap_rows":{},"metrics":{{)"
      "\n   {}}}}}",
      scenario, to_text(facts.begin), to_text(facts.end), facts.begin_offset, facts.end_offset,
      facts.rows, facts.headers, perfcap_json(facts), metrics);
}

}  // namespace

namespace generator {

Facts make_facts(ColumnSet set, std::string_view scenario) {
  Facts facts;
  facts.scenario = scenario;
  for (const Column& column : columns_of(set)) {
    facts.metrics.push_back({.metric = column.metric, .decimals = column.decimals});
  }
  return facts;
}

void add_row(Facts& facts, const WrittenRow& row) {
  if (facts.rows++ == 0) {
    facts.begin = row.time;
    facts.begin_offset = row.begin_offset;
  }
  facts.end = row.time;
  facts.end_offset = row.end_offset;
  for (std::size_t i = 0; i < row.counts.size(); ++i) {
    MetricFacts& metric = facts.metrics[i];
    const std::int32_t count = row.counts[i];
    if (count == RowText::kAbsent) {
      ++metric.absent;
      continue;
    }
    if (metric.count == 0 || count > metric.max) {
      metric.max = count;
      metric.max_at = row.time;
      metric.max_offset = row.begin_offset;
    }
    if (metric.count++ == 0 || count < metric.min) metric.min = count;
    if (metric.metric == "perfcap_reason")
      ++facts.perfcap_rows[static_cast<std::size_t>(count & 63)];
  }
}

}  // namespace generator

std::string labels_file_begin(const GeneratorOptions& options) {
  std::string scenarios;
  for (const Scenario scenario : options.scenarios) {
    scenarios += fmt::format(R"({}"{}")", scenarios.empty() ? "" : ",", to_string(scenario));
  }
  return fmt::format(
      R"({{"version":1,"seed":{},"columns":"{}","degree":"{}","start":"{}","interval_ms":{},"scenarios":[{}],)"
      "\n\"labels\":[\n",
      options.seed, to_string(options.columns), to_string(options.degree), to_text(options.start),
      options.interval / std::chrono::milliseconds{1}, scenarios);
}

std::string to_json(const Label& label) {
  return fmt::format(
      R"({{"kind":"{}","scenario":"{}","metric":{},"magnitude":{},"unit":"{}","begin":"{}","end":"{}","begin_offset":{},"end_offset":{}}})",
      label.kind, to_string(label.scenario),
      label.metric.empty() ? "null" : fmt::format(R"("{}")", label.metric), label.magnitude,
      label.unit, to_text(label.begin), to_text(label.end), label.begin_offset, label.end_offset);
}

std::string labels_file_end(const Facts& whole, std::span<const Facts> segments) {
  std::string list;
  for (const Facts& segment : segments) list += (list.empty() ? "" : ",\n") + facts_json(segment);
  return fmt::format("\n],\n\"segments\":[\n{}\n],\n\"facts\":{}}}\n", list, facts_json(whole));
}

}  // namespace gpulse
