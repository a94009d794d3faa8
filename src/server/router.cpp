#include "server/router.h"

#include <utility>

namespace gpulse {
namespace {

constexpr std::string_view kLivePath = "/api/v1/live";
constexpr std::string_view kLogsPath = "/api/v1/logs";

}  // namespace

Router::Router(Access access, const Api& api, const Exporter& exporter, const WebAssets& assets,
               const History& history, const LiveHub& hub, const Clock& clock,
               std::function<ProgramState()> program)
    : access_(std::move(access)),
      api_(api),
      exporter_(exporter),
      assets_(assets),
      history_(history),
      hub_(hub),
      clock_(clock),
      program_(std::move(program)) {}

std::string_view Router::allowed_methods(std::string_view path) const {
  constexpr std::string_view kRead = "GET, HEAD";
  if (path == "/" || path == "/metrics" || path == "/healthz" || assets_.has(path)) return kRead;
  return Api::allowed_methods(path);
}

std::optional<Response> Router::refuse(const Request& request) const {
  if (auto refusal = access_.refuse(request)) return refusal;
  const std::string_view methods = allowed_methods(request.path);
  if (methods.empty()) return nothing_there(request);
  if (allows(methods, request.method)) return std::nullopt;
  return method_not_allowed(request, methods);
}

Work Router::work(const Request& request) const {
  if (request.path == kLivePath) return Work::live;
  if (request.path == kLogsPath && request.method == "POST") return Work::upload;
  return Work::answer;
}

Response Router::answer(const Request& request, const RequestCounters& requests) const {
  if (request.path.starts_with(kApiPrefix)) return api_.handle(request);
  if (request.path == "/healthz") return health(history_, clock_, program_());
  if (request.path != "/metrics") return assets_.serve(request);
  auto text = exporter_.exposition({requests, hub_.clients()});
  return text ? metrics_response(*std::move(text)) : error_response(text.error());
}

}  // namespace gpulse
