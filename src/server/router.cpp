#include "server/router.h"

#include <utility>

#include "server/health.h"

namespace gpulse {
namespace {

constexpr std::string_view kLivePath = "/api/v1/live";
constexpr std::string_view kLogsPath = "/api/v1/logs";

bool allows(std::string_view methods, std::string_view method) {
  while (!methods.empty()) {
    const std::size_t end = std::min(methods.find(", "), methods.size());
    if (methods.substr(0, end) == method) return true;
    methods.remove_prefix(std::min(end + 2, methods.size()));
  }
  return false;
}

}  // namespace

Router::Router(Access access, const Api& api, const Exporter& exporter, const WebAssets& assets,
               const History& history, const Clock& clock,
               std::vector<std::string> followed)
    : access_(std::move(access)),
      api_(api),
      exporter_(exporter),
      assets_(assets),
      history_(history),
      clock_(clock),
      followed_(std::move(followed)) {}

std::string_view Router::allowed_methods(std::string_view path) const {
  constexpr std::string_view kRead = "GET, HEAD";
  if (path == "/" || path == "/metrics" || path == "/healthz" || assets_.has(path)) return kRead;
  return Api::allowed_methods(path);
}

std::optional<Response> Router::refuse(const Request& request) const {
  if (auto refusal = access_.refuse(request)) return refusal;
  const std::string_view methods = allowed_methods(request.path);
  if (methods.empty()) {
    return error_response(404, ErrorKind::usage, "there is nothing at " + request.path);
  }
  if (allows(methods, request.method)) return std::nullopt;
  Response response =
      error_response(405, ErrorKind::usage, request.path + " does not take " + request.method);
  response.headers.emplace_back("Allow", methods);
  return response;
}

Work Router::work(const Request& request) {
  if (request.path == kLivePath) return Work::live;
  if (request.path == kLogsPath && request.method == "POST") return Work::upload;
  return Work::answer;
}

Response Router::answer(const Request& request, const ExporterState& state) const {
  if (request.path.starts_with(kApiPrefix)) return api_.handle(request);
  if (request.path == "/healthz") return health(history_, clock_, followed_);
  if (request.path != "/metrics") return assets_.serve(request);
  auto text = exporter_.exposition(state);
  if (!text) return error_response(text.error());
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = *std::move(text);
  return response;
}

}  // namespace gpulse
