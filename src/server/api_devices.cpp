// What there is: devices, their sources and sessions, the rules, the catalogue.
#include <algorithm>

#include "server/api.h"
#include "server/records_json.h"
#include "telemetry/metric.h"

namespace gpulse {
namespace {

constexpr std::size_t kSetAsideListed = 20;

void write_source(JsonWriter& json, const SourceRecord& source,
                  std::span<const SetAsideRecord> set_aside) {
  json.begin_object().member("source", source.source);
  json.member("host", source.device.host).member("gpu", source.device.gpu);
  json.member("file", source.file).member("timezone", source.timezone);
  json.member("bytes", source.bytes).member("rows", source.rows);
  json.member("sessions", source.sessions).member("set_aside", source.set_aside);
  json.key("set_aside_detail").begin_array();
  for (const SetAsideRecord& record : set_aside) {
    json.begin_object().member("offset", record.offset).member("bytes", record.bytes);
    json.member("reason", record.reason).end_object();
  }
  json.end_array();
  json.key("absent").begin_object().member("count", source.absent);
  json.member("first", source.absent_first).member("last", source.absent_last);
  json.end_object().member("first", source.first).member("last", source.last);
  json.key("longest_step");
  if (source.longest_step_at) {
    json.begin_object().member("seconds", source.longest_step);
    json.member("at", *source.longest_step_at).end_object();
  } else {
    json.null();
  }
  json.end_object();
}

void write_session(JsonWriter& json, const SessionRecord& session, const SessionFacts& facts) {
  json.begin_object().member("source", session.source).member("session", session.session);
  json.member("first", session.first).member("last", session.last).member("rows", session.rows);
  json.member("seconds", session.last - session.first);
  json.member("usual_step", session.usual_step());
  json.member("gpu_temperature_max", facts.gpu_temperature_max);
  json.member("energy_kwh", facts.energy_kwh);
  json.key("columns").begin_array();
  for (const ColumnName& column : session.layout->columns) json.string(column.metric);
  json.end_array().end_object();
}

void write_metric(JsonWriter& json, const Metric& metric) {
  json.begin_object().member("name", metric.name).member("unit", metric.unit);
  json.member("kind", to_string(metric.kind)).member("group", metric.group);
  json.member("min", metric.plausible_min).member("max", metric.plausible_max);
  json.member("prometheus", metric.prometheus_name).member("factor", metric.prometheus_factor);
  json.key("titles").begin_array();
  for (const std::string& title : metric.titles) json.string(title);
  json.end_array().end_object();
}

}  // namespace

Api::Answer Api::devices(const Request&) const {
  auto devices = history_.devices();
  if (!devices) return std::unexpected(error_response(devices.error()));
  std::ranges::stable_sort(*devices, std::greater{}, &DeviceRecord::last_arrival);
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const DeviceRecord& device : *devices) {
    const auto step = usual_step_of(history_, device.device);
    if (!step) return std::unexpected(error_response(step.error()));
    write_device(json, device, *step);
  }
  json.end_array();
  return out;
}

Api::Answer Api::sources(const Request& request) const {
  const auto named = named_device(request);
  if (!named) return std::unexpected(named.error());
  if (*named) {
    if (const auto device = device_of(request); !device) return std::unexpected(device.error());
  }
  const auto sources = history_.sources();
  if (!sources) return std::unexpected(error_response(sources.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const SourceRecord& source : *sources) {
    if (*named && source.device != **named) continue;
    const auto set_aside = history_.set_aside(source.source, kSetAsideListed);
    if (!set_aside) return std::unexpected(error_response(set_aside.error()));
    write_source(json, source, *set_aside);
  }
  json.end_array();
  return out;
}

Api::Answer Api::sessions(const Request& request) const {
  const auto device = device_of(request);
  if (!device) return std::unexpected(device.error());
  const auto sessions = history_.sessions(device->device);
  if (!sessions) return std::unexpected(error_response(sessions.error()));
  const auto facts = session_facts_.get(history_, *sessions);
  if (!facts) return std::unexpected(error_response(facts.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (std::size_t i = sessions->size(); i-- > 0;) write_session(json, (*sessions)[i], (*facts)[i]);
  json.end_array();
  return out;
}

Api::Answer Api::rules(const Request&) const {
  return json_array(rules_, [](JsonWriter& json, const AlertRule& rule) {
    json.begin_object().member("rule", rule.name()).member("metric", rule.metric);
    json.member("limit", rule.limit).member("release", rule.release);
    json.member("for_seconds", rule.hold.count()).member("severity", to_string(rule.severity));
    json.member("above", rule.above()).end_object();
  });
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): one of the table of answers
Api::Answer Api::metrics(const Request&) const {
  return json_array(MetricCatalogue::get().metrics(), write_metric);
}

Api::Answer Api::outlets(const Request&) const { return json_array(outlets_(), write_outlet); }

}  // namespace gpulse
