// Who may ask: the checks that keep other web pages and other machines out.
//
// A page of any site can send requests to 127.0.0.1, and by DNS rebinding even read the answers. So
// the Host must be one of ours and the Origin, where a browser sends one, the same. Beyond this
// machine a token is needed besides.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/request.h"
#include "telemetry/error.h"

namespace gpulse {

inline constexpr std::size_t kTokenBytesMin = 16;
inline constexpr std::size_t kTokenBytesMax = 256;

// Reads a token: the file's one line. A usage error says what is wrong: no such file, readable by
// others (it must be 0600), too short, or characters that a cookie cannot hold.
[[nodiscard]] Expected<std::string> read_token_file(const std::filesystem::path& file);

// The page's address as a browser opens it once, with the token if there is one: "/?token=…".
[[nodiscard]] std::string with_token(const std::string& url, std::string_view token);

struct AccessOptions {
  std::uint16_t port = 0;
  bool loopback = true;  // false: every address may be asked for, and names as listed
  // Further names by which it is reached, "rig.lan" (any port) or "rig.lan:8080".
  std::vector<std::string> host_names;
  std::string token;  // empty: none is needed
};

// Immutable; any thread.
class Access {
 public:
  explicit Access(AccessOptions options) : options_(std::move(options)) {}

  // The answer when the request may not pass: 403 for a foreign Host or Origin, 401 without the
  // token, and 303 for "/?token=…", which sets a cookie and leads to "/" without it.
  [[nodiscard]] std::optional<Response> refuse(const Request& request) const;

 private:
  [[nodiscard]] bool host_is_ours(std::string_view host) const;
  [[nodiscard]] bool has_token(const Request& request) const;

  const AccessOptions options_;
};

// Takes as long whatever the difference; only the lengths may be learned.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace gpulse
