#include "server/api.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace gpulse {
namespace {

Response no_such(std::string_view what) { return error_response(404, ErrorKind::usage, what); }

std::string list_of(const std::vector<DeviceRecord>& devices) {
  constexpr std::size_t kNamedMax = 20;
  std::string out;
  for (std::size_t i = 0; i < std::min(devices.size(), kNamedMax); ++i) {
    if (i > 0) out += ", ";
    out += "host=" + devices[i].device.host + " gpu=" + devices[i].device.gpu;
  }
  if (devices.size() > kNamedMax) out += ", …";
  return out;
}

std::expected<Timestamp, Response> instant_of(const Request& request, std::string_view name,
                                              Timestamp otherwise) {
  const std::string* text = request.parameter(name);
  if (text == nullptr) return otherwise;
  const auto time = parse_timestamp(*text);
  if (time) return *time;
  return std::unexpected(error_response(
      400, ErrorKind::usage,
      std::string(name) + " is \"" + *text +
          "\": give RFC 3339 (2023-06-16T08:17:08Z) or whole milliseconds since 1970"));
}

}  // namespace

// A path that ends in '/' takes one more segment.
struct Api::Endpoint {
  std::string_view path;
  std::string_view methods;
  Handler handler;  // null: answered elsewhere
};

const Api::Endpoint* Api::find_endpoint(std::string_view path) {
  static constexpr std::array<Endpoint, 14> kEndpoints{{
      {"devices", "GET, HEAD", &Api::devices},
      {"query", "GET, HEAD", &Api::query},
      {"stats", "GET, HEAD", &Api::stats},
      {"answers", "GET, HEAD", &Api::answers},
      {"rules", "GET, HEAD", &Api::rules},
      {"sources", "GET, HEAD", &Api::sources},
      {"sessions", "GET, HEAD", &Api::sessions},
      {"windows", "GET, HEAD", &Api::windows},
      {"alerts", "GET, HEAD", &Api::alerts},
      {"metrics", "GET, HEAD", &Api::metrics},
      {"outlets", "GET, HEAD", &Api::outlets},
      {"live", "GET", nullptr},
      {"logs", "GET, HEAD, POST", &Api::logs},
      {"logs/", "GET, HEAD, DELETE", nullptr},
  }};
  if (!path.starts_with(kApiPrefix)) return nullptr;
  path.remove_prefix(kApiPrefix.size());
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.path == path) return endpoint.path.ends_with('/') ? nullptr : &endpoint;
    if (endpoint.path.ends_with('/') && path.starts_with(endpoint.path) &&
        path.find('/', endpoint.path.size()) == std::string_view::npos) {
      return &endpoint;
    }
  }
  return nullptr;
}

Api::Api(const History& history, std::vector<AlertRule> rules, ImportJobs& jobs,
         std::function<std::vector<OutletState>()> outlets)
    : history_(history), rules_(std::move(rules)), jobs_(jobs), outlets_(std::move(outlets)) {}

std::string_view Api::allowed_methods(std::string_view path) {
  const Endpoint* endpoint = find_endpoint(path);
  return endpoint != nullptr ? endpoint->methods : std::string_view{};
}

Response Api::handle(const Request& request) const {
  const Endpoint* endpoint = find_endpoint(request.path);
  if (endpoint == nullptr) return no_such("there is nothing at " + request.path);
  if (endpoint->path == "logs/") return log(request);
  if (endpoint->handler == nullptr || (request.method != "GET" && request.method != "HEAD")) {
    return error_response(405, ErrorKind::usage, request.path + " does not take " + request.method);
  }
  Answer answer = (this->*endpoint->handler)(request);
  if (!answer) return std::move(answer).error();
  Response response;
  response.body = *std::move(answer);
  return response;
}

std::expected<std::optional<Device>, Response> Api::named_device(const Request& request) {
  const std::string* host = request.parameter("host");
  const std::string* gpu = request.parameter("gpu");
  if (host == nullptr && gpu == nullptr) return std::nullopt;
  if (host != nullptr && gpu != nullptr) return Device{*host, *gpu};
  return std::unexpected(
      error_response(400, ErrorKind::usage, "host and gpu go together: give both, or neither"));
}

std::expected<DeviceRecord, Response> Api::device_of(const Request& request) const {
  const auto named = named_device(request);
  if (!named) return std::unexpected(named.error());
  auto devices = history_.devices();
  if (!devices) return std::unexpected(error_response(devices.error()));
  if (*named) {
    for (DeviceRecord& device : *devices) {
      if (device.device == **named) return std::move(device);
    }
    return std::unexpected(
        no_such("there is no device host=" + (*named)->host + " gpu=" + (*named)->gpu));
  }
  if (devices->size() == 1) return std::move(devices->front());
  if (devices->empty()) return std::unexpected(no_such("no device has sent a row yet"));
  return std::unexpected(error_response(
      400, ErrorKind::usage,
      "there are several devices, so host and gpu are needed: " + list_of(*devices)));
}

std::expected<Api::Asked, Response> Api::asked_of(const Request& request) const {
  auto device = device_of(request);
  if (!device) return std::unexpected(std::move(device).error());
  const auto from = instant_of(request, "from", device->first);
  if (!from) return std::unexpected(from.error());
  const auto to = instant_of(request, "to", device->last);
  if (!to) return std::unexpected(to.error());
  if (*from > *to) {
    return std::unexpected(error_response(
        400, ErrorKind::usage, "from is after to: " + to_rfc3339(*from) + " > " + to_rfc3339(*to)));
  }
  return Asked{*std::move(device), {*from, *to}};
}

std::expected<std::size_t, Response> number_of(const Request& request, std::string_view name,
                                               std::size_t otherwise, std::size_t min,
                                               std::size_t max) {
  const std::string* text = request.parameter(name);
  if (text == nullptr) return otherwise;
  std::size_t value = 0;
  const char* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc{} && at == end && value >= min && value <= max) return value;
  return std::unexpected(error_response(400, ErrorKind::usage,
                                        std::string(name) + " is \"" + *text +
                                            "\": give a whole number from " + std::to_string(min) +
                                            " to " + std::to_string(max)));
}

Expected<std::chrono::microseconds> usual_step_of(const History& history, const Device& device) {
  const auto sessions = history.sessions(device);
  if (!sessions) return std::unexpected(sessions.error());
  return sessions->empty() ? std::chrono::microseconds{0} : sessions->back().usual_step();
}

}  // namespace gpulse
