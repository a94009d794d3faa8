#include "server/records_json.h"

#include <algorithm>
#include <array>

#include "telemetry/metric.h"

namespace gpulse {
namespace {

constexpr int kDecimalsUnknown = -1;  // JsonWriter::reading prints in full

const MetricRecord* find_metric(std::span<const MetricRecord> metrics, std::string_view name) {
  const auto found = std::ranges::find(metrics, name, &MetricRecord::name);
  return found == metrics.end() ? nullptr : &*found;
}

int decimals_of(std::span<const MetricRecord> metrics, std::string_view name) {
  const MetricRecord* metric = find_metric(metrics, name);
  return metric != nullptr ? metric->decimals : kDecimalsUnknown;
}

double seconds_between(Timestamp from, Timestamp to) {
  return std::chrono::duration<double>(std::max(to - from, Timestamp::duration::zero())).count();
}

void write_optional(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.string(text);
  }
}

void write_statistics(JsonWriter& json, const WindowStatistics& statistics, int decimals) {
  json.begin_object().member("count", statistics.count);
  if (statistics.count == 0) {
    json.key("mean").null().key("min").null().key("max").null();
  } else {
    json.key("mean").number(statistics.mean);
    json.key("min").reading(statistics.min, decimals);
    json.key("max").reading(statistics.max, decimals);
  }
  json.end_object();
}

}  // namespace

std::string_view to_string(JobState state) {
  constexpr std::array<std::string_view, 5> kNames{"waiting", "reading", "done", "cancelled",
                                                   "failed"};
  return kNames.at(static_cast<std::size_t>(state));
}

void write_device(JsonWriter& json, const DeviceRecord& device,
                  std::chrono::microseconds usual_step) {
  json.begin_object();
  json.member("host", device.device.host).member("gpu", device.device.gpu);
  json.member("state", to_string(device.state)).member("timezone", device.timezone);
  json.member("rows", device.rows).member("first", device.first).member("last", device.last);
  json.member("last_arrival", device.last_arrival);
  json.member("usual_step", std::chrono::duration<double>(usual_step).count());
  json.key("metrics").begin_array();
  for (const MetricRecord& record : device.metrics) {
    const Metric metric = describe_metric(record.name, record.unit);
    json.begin_object().member("name", record.name).member("unit", record.unit);
    json.member("kind", to_string(metric.kind)).member("group", metric.group);
    json.member("decimals", record.decimals).end_object();
  }
  json.end_array().end_object();
}

void write_alert(JsonWriter& json, const Alert& alert, std::span<const MetricRecord> metrics,
                 Timestamp newest) {
  const MetricRecord* metric = find_metric(metrics, alert.rule.metric);
  json.begin_object();
  json.member("host", alert.device.host).member("gpu", alert.device.gpu);
  json.member("source", alert.source).member("session", alert.session);
  json.member("rule", alert.rule.name()).member("metric", alert.rule.metric);
  json.member("unit",
              metric != nullptr ? metric->unit : describe_metric(alert.rule.metric, "").unit);
  json.member("limit", alert.rule.limit).member("release", alert.rule.release);
  json.member("severity", to_string(alert.rule.severity));
  json.member("state", alert.ended ? "ended" : "firing").member("began", alert.began);
  json.key("ended");
  if (alert.ended) {
    json.time(*alert.ended);
  } else {
    json.null();
  }
  write_optional(json, "end_reason",
                 alert.end_reason ? to_string(*alert.end_reason) : std::string_view{});
  json.member("seconds", seconds_between(alert.began, alert.ended.value_or(newest)));
  json.key("peak").reading(alert.peak, metric != nullptr ? metric->decimals : kDecimalsUnknown);
  json.member("peak_at", alert.peak_at).end_object();
}

void write_window(JsonWriter& json, const Window& window, std::span<const MetricRecord> metrics,
                  bool with_device) {
  json.begin_object();
  if (with_device) json.member("host", window.device.host).member("gpu", window.device.gpu);
  json.member("source", window.source).member("session", window.session);
  json.member("from", window.begin).member("to", window.end);
  json.member("rows", window.rows).member("final", window.final);
  json.key("metrics").begin_object();
  for (std::size_t i = 0; i < window.metrics.size(); ++i) {
    const std::string& name = window.layout->columns[i].metric;
    json.key(name);
    write_statistics(json, window.metrics[i], decimals_of(metrics, name));
  }
  json.end_object().end_object();
}

void write_job(JsonWriter& json, const ImportJob& job) {
  json.begin_object().member("job", job.id).member("name", job.name);
  json.member("state", to_string(job.state)).member("bytes", job.bytes);
  json.member("bytes_read", job.bytes_read).member("rows", job.rows);
  json.member("sessions", job.sessions).member("set_aside", job.set_aside);
  write_optional(json, "host", job.device.host);
  write_optional(json, "gpu", job.device.gpu);
  json.key("error");
  if (job.error) {
    json.begin_object().member("message", job.error->message);
    json.member("begins_with", job.error->begins_with).end_object();
  } else {
    json.null();
  }
  json.end_object();
}

}  // namespace gpulse
