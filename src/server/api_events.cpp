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
  const auto asked = asked_of(request);
  if (!asked) return std::unexpected(asked.error());
  const auto limit = number_of(request, "limit", kWindowsDefault, 1, kEventsMax);
  if (!limit) return std::unexpected(limit.error());
  const auto& [device, range] = *asked;
  const auto windows = history_.windows(device.device, range.from, range.to, *limit);
  if (!windows) return std::unexpected(error_response(windows.error()));
  return json_array(*windows, [&](JsonWriter& json, const Window& window) {
    write_window(json, window, asked->device.metrics, false);
  });
}

Api::Answer Api::alerts(const Request& request) const {
  const auto asked = asked_of(request);
  if (!asked) return std::unexpected(asked.error());
  const auto limit = number_of(request, "limit", kAlertsDefault, 1, kEventsMax);
  if (!limit) return std::unexpected(limit.error());
  const auto& [device, range] = *asked;
  const auto alerts = history_.alerts(device.device, range.from, range.to, *limit);
  if (!alerts) return std::unexpected(error_response(alerts.error()));
  return json_array(*alerts, [&](JsonWriter& json, const Alert& alert) {
    write_alert(json, alert, asked->device.metrics, asked->device.last);
  });
}

}  // namespace gpulse
