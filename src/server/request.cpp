#include "server/request.h"

namespace gpulse {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { stays, is_space };

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::is_space) {
      c = ' ';
    } else if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

std::string_view kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::input: return "input";
    case ErrorKind::operation: break;
  }
  return "operation";
}

}  // namespace

const std::string* Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

Expected<void> parse_target(std::string_view target, Request& request) {
  if (target.empty() || target.front() != '/') {
    return usage_error("the request target must be a path that begins with '/'");
  }
  const std::size_t question = target.find('?');
  auto path = percent_decoded(target.substr(0, question), Plus::stays);
  if (!path) return usage_error("the path has a broken percent escape");
  request.path = std::move(*path);
  request.parameters.clear();
  if (question == std::string_view::npos) return {};
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), Plus::is_space);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), Plus::is_space);
    if (!name || !value) return usage_error("the query has a broken percent escape");
    request.parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

Response error_response(int status, ErrorKind kind, std::string_view message) {
  Response response;
  response.status = status;
  JsonWriter json(response.body);
  json.begin_object().key("error").begin_object();
  json.member("kind", kind_name(kind)).member("message", message).end_object().end_object();
  return response;
}

Response error_response(const Error& error) {
  switch (error.kind) {
    case ErrorKind::usage: return error_response(400, error.kind, error.message);
    case ErrorKind::input: return error_response(422, error.kind, error.message);
    case ErrorKind::operation: break;
  }
  return error_response(503, error.kind, error.message);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 422: return "Unprocessable Content";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Unknown";
  }
}

}  // namespace gpulse
