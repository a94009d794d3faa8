// A request and its response as values, without sockets: what the handlers see.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/json_writer.h"
#include "telemetry/error.h"

namespace gpulse {

struct Request {
  std::string method;  // as sent: "GET"
  std::string path;    // percent-decoded, always begins with '/'
  // Decoded, in order. A name may come twice; the first counts.
  std::vector<std::pair<std::string, std::string>> parameters;

  // The header fields that something here looks at; empty when not sent.
  std::string host;
  std::string origin;
  std::string authorization;
  std::string cookie;
  std::string if_none_match;
  std::string accept_encoding;

  // Null when the parameter is not there.
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};

// Fills path and parameters from a request target: "/api/v1/query?metric=a%2Cb". A target of
// another form, a broken escape or a NUL is a usage error.
[[nodiscard]] Expected<void> parse_target(std::string_view target, Request& request);

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  // Sent instead of `body` when not empty: bytes that live as long as the program.
  std::string_view static_body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool cacheable = false;  // false: sent with Cache-Control: no-store
};

// {"error":{"kind","message"}} with the status that belongs to the kind: 400, 422 or 503.
[[nodiscard]] Response error_response(const Error& error);
// The same with another status: 403, 404, 405, ...
[[nodiscard]] Response error_response(int status, ErrorKind kind, std::string_view message);

// "Not Found".
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace gpulse
