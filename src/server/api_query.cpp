// What the readings say: series for charts, statistics of a range, the three answers.
#include <algorithm>
#include <cstring>

#include "query/answers.h"
#include "query/series.h"
#include "query/statistics.h"
#include "server/api.h"
#include "server/json_writer.h"
#include "telemetry/time_zone.h"

namespace gpulse {
namespace {

std::expected<std::vector<std::string>, Response> metrics_of(const Request& request) {
  std::vector<std::string> out;
  const std::string* text = request.parameter("metric");
  std::string_view rest;
  if (text != nullptr) rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    if (end > 0) out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!out.empty()) return out;
  return std::unexpected(error_response(
      400, ErrorKind::usage, "name at least one metric: metric=gpu_temperature,gpu_load"));
}

std::string time_array(const std::vector<Timestamp>& times) {
  std::string out;
  out.reserve(times.size() * 14 + 2);
  JsonWriter json(out);
  json.begin_array();
  for (const Timestamp time : times) json.milliseconds(time);
  json.end_array();
  return out;
}

template <class Write>
std::string value_array(const std::vector<double>& values, Write write) {
  std::string out;
  out.reserve(values.size() * 7 + 2);
  out += '[';
  for (const double value : values) {
    write(out, value);
    out += ',';
  }
  if (!values.empty()) out.pop_back();
  out += ']';
  return out;
}

// Bit for bit, so that gaps are the same too.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

// Of raw rows all three are the readings: they are printed once.
void write_gauge(JsonWriter& json, const MetricSeries& series) {
  const auto as_reading = [&](std::string& out, double value) {
    append_json_reading(out, value, series.metric.decimals);
  };
  const std::string min = value_array(series.min, as_reading);
  json.key("min").raw(min);
  json.key("max").raw(same(series.max, series.min) ? min : value_array(series.max, as_reading));
  json.key("mean").raw(
      same(series.mean, series.min) ? min : value_array(series.mean, append_json_double));
}

void write_bit_mask(JsonWriter& json, const MetricSeries& series) {
  json.key("values").begin_array();
  for (const ValueSeconds& value : series.values) {
    json.begin_object().member("value", value.value).key("seconds").begin_array();
    for (const auto duration : value.durations) json.seconds(duration);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_series(JsonWriter& json, const MetricSeries& series, const std::string& times) {
  json.begin_object().member("metric", series.metric.name).member("unit", series.metric.unit);
  json.key("time").raw(times);
  if (series.kind == MetricKind::bitmask) {
    write_bit_mask(json, series);
  } else {
    write_gauge(json, series);
  }
  json.key("count").begin_array();
  for (const std::int64_t count : series.counts) json.integer(count);
  json.end_array().end_object();
}

void write_reading(JsonWriter& json, std::string_view name, const std::optional<ReadingAt>& reading,
                   int decimals) {
  json.key(name);
  if (!reading) {
    json.null();
    return;
  }
  json.begin_object().key("value").reading(reading->value, decimals);
  json.member("time", reading->time).end_object();
}

void write_range(JsonWriter& json, TimeRange range) {
  json.begin_object().member("from", range.from).member("to", range.to).end_object();
}

void write_above(JsonWriter& json, const RuleStatistics& statistics) {
  json.begin_object().member("rule", statistics.rule.name());
  json.member("limit", statistics.rule.limit);
  json.member("severity", to_string(statistics.rule.severity));
  json.member("seconds", statistics.duration);
  json.member("first", statistics.first);
  json.member("last", statistics.last);
  json.key("spans").begin_array();
  for (const TimeRange& span : statistics.spans) write_range(json, span);
  json.end_array().end_object();
}

void write_metric(JsonWriter& json, const MetricStatistics& metric) {
  const int decimals = metric.metric.decimals;
  json.begin_object().member("metric", metric.metric.name).member("unit", metric.metric.unit);
  json.member("rows", metric.rows).member("absent", metric.absent).member("count", metric.count);
  json.member("constant", metric.constant);
  write_reading(json, "first", metric.first, decimals);
  write_reading(json, "last", metric.last, decimals);
  write_reading(json, "min", metric.min, decimals);
  write_reading(json, "max", metric.max, decimals);
  json.member("mean", metric.mean);
  json.member("p95", metric.p95);
  json.key("above").begin_array();
  for (const RuleStatistics& above : metric.above) write_above(json, above);
  json.end_array();
  if (metric.kind == MetricKind::bitmask) {
    json.key("values").begin_array();
    for (const ValueDuration& value : metric.values) {
      json.begin_object().member("value", value.value);
      json.member("seconds", value.duration).end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void write_limits(JsonWriter& json, const std::optional<LimitStatistics>& limits) {
  json.key("limits");
  if (!limits) {
    json.null();
    return;
  }
  json.begin_object().member("metric", "perfcap_reason");
  json.member("seconds", limits->duration);
  json.member("limited_seconds", limits->limited).key("lanes").begin_array();
  for (const LimitLaneStatistics& lane : limits->lanes) {
    json.begin_object().member("lane", to_string(lane.lane));
    json.member("seconds", lane.duration).member("share", lane.share);
    json.key("spans").begin_array();
    for (const TimeRange& span : lane.spans) write_range(json, span);
    json.end_array();
    if (lane.cut) json.member("cut", true);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_fact(JsonWriter& json, const Fact& fact) {
  json.key(fact.name);
  struct {
    JsonWriter& json;
    void operator()(double value) const { json.number(value); }
    void operator()(std::int64_t value) const { json.integer(value); }
    void operator()(bool value) const { json.boolean(value); }
    void operator()(Timestamp value) const { json.time(value); }
    void operator()(const std::string& value) const { json.string(value); }
  } const write{json};
  std::visit(write, fact.value);
}

enum class Zoom { no, yes };

void write_answer(JsonWriter& json, std::string_view name, const Answer& answer, Zoom zoom) {
  json.key(name).begin_object().member("question", answer.question);
  json.member("level", to_string(answer.level)).member("sentence", answer.sentence);
  json.member("evidence", answer.evidence).key("facts").begin_object();
  for (const Fact& fact : answer.facts) write_fact(json, fact);
  json.end_object();
  if (zoom == Zoom::yes) {
    const auto& range = answer.zoom;
    json.member("from", range ? std::optional(range->from) : std::nullopt);
    json.member("to", range ? std::optional(range->to) : std::nullopt);
  }
  json.end_object();
}

std::shared_ptr<const TimeZone> zone_of(const DeviceRecord& device) {
  if (auto zone = TimeZone::find(device.timezone)) return *zone;
  auto utc = TimeZone::find("UTC");
  return utc ? *utc : nullptr;
}

}  // namespace

Api::Answer Api::query(const Request& request) const {
  const auto asked = asked_of(request);
  if (!asked) return std::unexpected(asked.error());
  const auto& [device, range] = *asked;
  auto metrics = metrics_of(request);
  if (!metrics) return std::unexpected(metrics.error());
  const auto points =
      number_of(request, "points", kSeriesPointsDefault, kSeriesPointsMin, kSeriesPointsMax);
  if (!points) return std::unexpected(points.error());
  const auto result =
      query_series(history_, device, {*std::move(metrics), range.from, range.to, *points});
  if (!result) return std::unexpected(error_response(result.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("from", result->from).member("to", result->to);
  json.member("raw", result->raw).key("series").begin_array();
  const MetricSeries* before = nullptr;
  std::string times;
  for (const MetricSeries& series : result->series) {
    if (before == nullptr || series.times != before->times) times = time_array(series.times);
    before = &series;
    write_series(json, series, times);
  }
  json.end_array().end_object();
  return out;
}

Api::Answer Api::stats(const Request& request) const {
  const auto asked = asked_of(request);
  if (!asked) return std::unexpected(asked.error());
  const auto& [device, range] = *asked;
  const auto statistics = range_statistics(history_, device, range, rules_);
  if (!statistics) return std::unexpected(error_response(statistics.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("host", statistics->device.host).member("gpu", statistics->device.gpu);
  json.member("from", statistics->from).member("to", statistics->to);
  json.member("rows", statistics->rows).member("seconds", statistics->duration);
  json.key("metrics").begin_array();
  for (const MetricStatistics& metric : statistics->metrics) write_metric(json, metric);
  json.end_array();
  write_limits(json, statistics->limits);
  json.end_object();
  return out;
}

Api::Answer Api::answers(const Request& request) const {
  const auto asked = asked_of(request);
  if (!asked) return std::unexpected(asked.error());
  const auto& [device, range] = *asked;
  const std::string* last = request.parameter("last");
  const bool past = last != nullptr && *last != "0";
  const auto found = answer_questions(history_, device, {range, rules_, zone_of(device), past});
  if (!found) return std::unexpected(error_response(found.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("from", found->range.from).member("to", found->range.to);
  json.member("host", found->device.host).member("gpu", found->device.gpu);
  json.member("state", to_string(found->state));
  write_answer(json, "too_hot", found->too_hot, Zoom::no);
  write_answer(json, "held_back", found->held_back, Zoom::no);
  write_answer(json, "what_changed", found->what_changed, Zoom::yes);
  json.end_object();
  return out;
}

}  // namespace gpulse
