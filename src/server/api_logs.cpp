// Import of old logs: jobs that can be watched and cancelled.
#include "server/api.h"
#include "server/records_json.h"
#include "telemetry/time_zone.h"

namespace gpulse {
namespace {

constexpr std::size_t kNameBytesMax = 255;

Response refused(std::string_view message) {
  return error_response(400, ErrorKind::usage, message);
}

std::optional<std::string> optional_of(const Request& request, std::string_view name) {
  const std::string* value = request.parameter(name);
  return value != nullptr && !value->empty() ? std::optional(*value) : std::nullopt;
}

}  // namespace

Api::Answer Api::logs(const Request&) const { return json_array(jobs_.list(), write_job); }

Response Api::log(const Request& request) const {
  const std::string id = request.path.substr(kApiPrefix.size() + std::string_view("logs/").size());
  const auto job = jobs_.find(id);
  if (!job) return error_response(404, ErrorKind::usage, "there is no job " + id);
  Response response;
  if (request.method == "DELETE") {
    if (!jobs_.cancel(id)) return error_response(404, ErrorKind::usage, "there is no job " + id);
    response.status = 204;
    return response;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return error_response(405, ErrorKind::usage, request.path + " does not take " + request.method);
  }
  JsonWriter json(response.body);
  write_job(json, *job);
  return response;
}

std::expected<ImportRequest, Response> Api::import_request(const Request& request) {
  const auto name = optional_of(request, "name");
  if (!name) return std::unexpected(refused("name is missing: logs?name=FILE"));
  if (name->size() > kNameBytesMax) {
    return std::unexpected(
        refused("name is longer than " + std::to_string(kNameBytesMax) + " bytes"));
  }
  auto timezone = optional_of(request, "timezone");
  if (timezone) {
    if (const auto zone = TimeZone::find(*timezone); !zone) {
      return std::unexpected(error_response(zone.error()));
    }
  }
  return ImportRequest{*name, optional_of(request, "host"), optional_of(request, "gpu"),
                       std::move(timezone)};
}

Response Api::start_import(const std::filesystem::path& file, const ImportRequest& import,
                           bool& taken) const {
  const auto id = jobs_.start(file, import);
  taken = id.has_value();
  if (!id) return error_response(id.error());
  Response response;
  response.status = 202;
  response.headers.emplace_back("Location", std::string(kApiPrefix) + "logs/" + *id);
  JsonWriter json(response.body);
  json.begin_object().member("job", *id).end_object();
  return response;
}

}  // namespace gpulse
