#include "server/health.h"

#include <algorithm>

namespace gpulse {

Response health(const History& history, const Clock& clock, const ProgramState& program) {
  const auto devices = history.devices();
  if (!devices) return error_response(devices.error());
  const auto any = [&](DeviceState state) {
    return std::ranges::find(*devices, state, &DeviceRecord::state) != devices->end();
  };
  std::string_view status = "waiting";
  for (const DeviceState state : {DeviceState::ended, DeviceState::live, DeviceState::stale}) {
    if (any(state)) status = to_string(state);
  }
  Response response;
  response.status = any(DeviceState::stale) ? 503 : 200;
  JsonWriter json(response.body);
  json.begin_object().member("status", status).key("devices").begin_array();
  for (const DeviceRecord& record : *devices) {
    const std::chrono::duration<double> age = clock.now() - record.last_arrival;
    json.begin_object().member("host", record.device.host).member("gpu", record.device.gpu);
    json.member("state", to_string(record.state)).member("age_seconds", age.count()).end_object();
  }
  json.end_array().key("followed").begin_array();
  for (const std::string& file : program.followed) json.string(file);
  json.end_array().key("searched").begin_array();
  for (const std::string& place : program.searched) json.string(place);
  json.end_array().key("outlets").begin_array();
  for (const OutletState& outlet : program.outlets) write_outlet(json, outlet);
  json.end_array().key("program").begin_object().member("version", program.version);
  json.member("started", program.started).member("data", program.data).end_object().end_object();
  return response;
}

}  // namespace gpulse
