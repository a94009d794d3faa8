#include "server/site.h"

#include <algorithm>
#include <utility>

namespace gpulse {

bool allows(std::string_view methods, std::string_view method) {
  while (!methods.empty()) {
    const std::size_t end = std::min(methods.find(", "), methods.size());
    if (methods.substr(0, end) == method) return true;
    methods.remove_prefix(std::min(end + 2, methods.size()));
  }
  return false;
}

Response method_not_allowed(const Request& request, std::string_view methods) {
  Response response =
      error_response(405, ErrorKind::usage, request.path + " does not take " + request.method);
  response.headers.emplace_back("Allow", methods);
  return response;
}

Response nothing_there(const Request& request) {
  return error_response(404, ErrorKind::usage, "there is nothing at " + request.path);
}

Response metrics_response(std::string text) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = std::move(text);
  return response;
}

}  // namespace gpulse
