#include "server/prometheus.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "telemetry/metric.h"

namespace gpulse {
namespace {

// A reading is a count divided by a power of ten. Dividing that count once more, and not the
// reading, keeps 83.4 % at 0.834, where 83.4 / 100 gives 0.8340000000000001.
double in_base_unit(double value, int decimals, double factor) {
  if (factor >= 1) return value * factor;
  const double power = std::pow(10, decimals);
  const double count = std::round(value * power);
  const double divisor = std::round(1 / factor);
  return count / power == value ? count / (power * divisor) : value / divisor;
}

double seconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

void add_readings(Exposition& out, const LatestReadings& latest) {
  for (const auto& [record, value] : latest.readings) {
    if (!std::isfinite(value)) continue;
    const Metric metric = describe_metric(record.name, record.unit);
    const std::string help =
        metric.titles.empty()
            ? "The sensor " + metric.name +
                  (record.unit.empty() ? "." : ", in " + record.unit + " as the log has it.")
            : "What GPU-Z calls " + metric.titles.front() + ", in base units.";
    const auto type = metric.kind == MetricKind::counter ? kCounter : kGauge;
    std::string name = metric.prometheus_name;
    if (!out.declare(name, type, help)) {
      name = "gpulse_sensor_" + metric.name;
      if (!out.declare(name, type, help)) continue;
    }
    out.sample(name, {{"host", latest.device.host}, {"gpu", latest.device.gpu}},
               in_base_unit(value, record.decimals, metric.prometheus_factor));
  }
}

void add_devices(Exposition& out, std::span<const DeviceRecord> devices, Timestamp now) {
  out.declare("gpulse_rows_total", kCounter, "Rows in the history.");
  out.declare("gpulse_device_live", kGauge,
              "1 while rows come, 0 when they stopped. Logs that are only history have none.");
  out.declare("gpulse_last_row_age_seconds", kGauge, "Time since the newest row was read.");
  out.declare("gpulse_ingest_lag_seconds", kGauge,
              "From the time that the newest row says to when it was read.");
  for (const DeviceRecord& record : devices) {
    const ExpositionLabel host{"host", record.device.host};
    const ExpositionLabel gpu{"gpu", record.device.gpu};
    out.sample("gpulse_rows_total", {host, gpu}, static_cast<double>(record.rows));
    if (record.state == DeviceState::ended) continue;
    const bool live = record.state == DeviceState::live;
    out.sample("gpulse_device_live", {host, gpu}, live ? 1 : 0);
    out.sample("gpulse_last_row_age_seconds", {host, gpu},
               std::max(0.0, seconds(now - record.last_arrival)));
    if (!live) continue;
    out.sample("gpulse_ingest_lag_seconds", {host, gpu},
               std::max(0.0, seconds(record.last_arrival - record.last)));
  }
}

void add_set_aside(Exposition& out, std::span<const SourceRecord> sources) {
  out.declare("gpulse_set_aside_total", kCounter, "Lines of logs that could not be read.");
  std::map<Device, std::int64_t> sums;
  for (const SourceRecord& source : sources) sums[source.device] += source.set_aside;
  for (const auto& [device, sum] : sums) {
    out.sample("gpulse_set_aside_total", {{"host", device.host}, {"gpu", device.gpu}},
               static_cast<double>(sum));
  }
}

// One sample for each rule whose metric the device has, so that a series does not come and go.
Expected<void> add_alerts(Exposition& out, const History& history, std::span<const AlertRule> rules,
                          const DeviceRecord& record) {
  constexpr std::size_t kAlertsMax = 1000;
  out.declare("gpulse_alert_firing", kGauge, "1 while an alert of the rule lasts, else 0.");
  if (record.state != DeviceState::live) return {};
  const auto alerts = history.alerts(record.device, record.last, record.last, kAlertsMax);
  if (!alerts) return std::unexpected(alerts.error());
  for (const AlertRule& rule : rules) {
    if (std::ranges::find(record.metrics, rule.metric, &MetricRecord::name) ==
        record.metrics.end()) {
      continue;
    }
    const std::string name = rule.name();
    const bool firing = std::ranges::any_of(
        *alerts, [&](const Alert& alert) { return !alert.ended && alert.rule.name() == name; });
    out.sample("gpulse_alert_firing",
               {{"host", record.device.host},
                {"gpu", record.device.gpu},
                {"rule", name},
                {"severity", to_string(rule.severity)}},
               firing ? 1 : 0);
  }
  return {};
}

void add_program(Exposition& out, const ExporterOptions& options, const ExporterState& state) {
  out.add_process(options.version,
                  options.process_usage ? std::optional(options.process_usage()) : std::nullopt);
  out.add_requests(state.requests);
  out.declare("gpulse_live_clients", kGauge, "Pages and programs that watch the live stream.");
  out.sample("gpulse_live_clients", {}, static_cast<double>(state.live_clients));
  if (options.more) options.more(out);
}

}  // namespace

Exporter::Exporter(const History& history, std::vector<AlertRule> rules, const Clock& clock,
                   ExporterOptions options)
    : history_(history), rules_(std::move(rules)), clock_(clock), options_(std::move(options)) {}

Expected<std::string> Exporter::exposition(const ExporterState& state) const {
  const auto devices = history_.devices();
  if (!devices) return std::unexpected(devices.error());
  const auto sources = history_.sources();
  if (!sources) return std::unexpected(sources.error());
  Exposition out;
  add_program(out, options_, state);
  add_devices(out, *devices, clock_.now());
  add_set_aside(out, *sources);
  for (const DeviceRecord& record : *devices) {
    if (auto added = add_alerts(out, history_, rules_, record); !added) {
      return std::unexpected(std::move(added).error());
    }
  }
  for (const LatestReadings& latest : options_.latest()) {
    const auto record = std::ranges::find(*devices, latest.device, &DeviceRecord::device);
    if (record != devices->end() && record->state == DeviceState::live) add_readings(out, latest);
  }
  return out.text();
}

}  // namespace gpulse
