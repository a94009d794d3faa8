#include "server/records_json.h"

#include <algorithm>
#include <array>
#include <optional>

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

std::optional<std::string_view> known(const std::string& name) {
  return name.empty() ? std::nullopt : std::optional<std::string_view>(name);
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
  json.member("ahead", device.ahead);
  json.member("usual_step", usual_step);
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
  json.member("ended", alert.ended);
  json.member("end_reason",
              alert.end_reason.transform([](AlertEnd end) { return to_string(end); }));
  json.member("seconds", std::max(alert.ended.value_or(newest), alert.began) - alert.began);
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
  json.member("host", known(job.device.host)).member("gpu", known(job.device.gpu));
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
