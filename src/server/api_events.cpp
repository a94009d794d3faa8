// What happened: windows and alerts.
#include "server/api.h"
#include "server/records_json.h"

namespace gpulse {
namespace {

constexpr std::size_t kWindowsDefault = 100;
constexpr std::size_t kAlertsDefault = 500;
constexpr std::size_t kEventsMax = 10'000;

}  // namespace

Api::Answer Api::windows(const Request& request) const {
  const auto device = device_of(request);
  if (!device) return std::unexpected(device.error());
  const auto range = range_of(request, *device);
  if (!range) return std::unexpected(range.error());
  const auto limit = number_of(request, "limit", kWindowsDefault, 1, kEventsMax);
  if (!limit) return std::unexpected(limit.error());
  const auto windows = history_.windows(device->device, range->from, range->to, *limit);
  if (!windows) return std::unexpected(error_response(windows.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const Window& window : *windows) write_window(json, window, device->metrics, false);
  json.end_array();
  return out;
}

Api::Answer Api::alerts(const Request& request) const {
  const auto device = device_of(request);
  if (!device) return std::unexpected(device.error());
  const auto range = range_of(request, *device);
  if (!range) return std::unexpected(range.error());
  const auto limit = number_of(request, "limit", kAlertsDefault, 1, kEventsMax);
  if (!limit) return std::unexpected(limit.error());
  const auto alerts = history_.alerts(device->device, range->from, range->to, *limit);
  if (!alerts) return std::unexpected(error_response(alerts.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const Alert& alert : *alerts) write_alert(json, alert, device->metrics, device->last);
  json.end_array();
  return out;
}

}  // namespace gpulse
