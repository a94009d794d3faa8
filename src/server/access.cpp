#include "server/access.h"

#include <algorithm>
#include <charconv>

#include "platform/file.h"
#include "platform/secret_file.h"

namespace gpulse {
namespace {

constexpr std::string_view kCookieName = "gpulse_token";
constexpr std::string_view kBearer = "Bearer ";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

struct Authority {
  std::string name;  // lower case; an IPv6 address with its brackets
  std::optional<std::uint16_t> port;
};

std::optional<Authority> parse_authority(std::string_view text) {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
  }
  if (end == 0) return std::nullopt;
  Authority out{lower(text.substr(0, end)), {}};
  if (end == text.size()) return out;
  std::uint16_t port = 0;
  const char* last = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + end + 1, last, port);
  if (text[end] != ':' || error != std::errc{} || at != last) return std::nullopt;
  out.port = port;
  return out;
}

// Numbers cannot be rebound by DNS: a browser that names one connected to it.
bool is_address(std::string_view name) {
  return name.starts_with('[') || name.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string_view cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view pair = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char small = lower(c);
    if ((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') ||
        kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    }
  }
  return out;
}

// "/" with the request's other parameters: the address bar says what is shown.
std::string location_without_token(const Request& request) {
  std::string out = "/";
  char separator = '?';
  for (const auto& [name, value] : request.parameters) {
    if (name == "token") continue;
    out += separator;
    out += percent_encoded(name) + '=' + percent_encoded(value);
    separator = '&';
  }
  return out;
}

bool is_token_character(char c) {
  constexpr std::string_view kForbidden = "\"\\,;";
  return c > 0x20 && c < 0x7F && kForbidden.find(c) == std::string_view::npos;
}

}  // namespace

Expected<std::string> read_token_file(const std::filesystem::path& file) {
  const std::string shown = display(file);
  auto read = read_secret_file(file, "token file");
  if (!read) return read;
  const std::string& text = *read;
  if (text.size() < kTokenBytesMin || text.size() > kTokenBytesMax) {
    return usage_error("the token in " + shown + " has " + std::to_string(text.size()) +
                       " characters; it needs " + std::to_string(kTokenBytesMin) + " to " +
                       std::to_string(kTokenBytesMax));
  }
  if (!std::ranges::all_of(text, is_token_character)) {
    return usage_error("the token in " + shown +
                       " must be of letters, digits and marks, without blanks, quotes, commas, "
                       "semicolons and backslashes");
  }
  return read;
}

std::string with_token(const std::string& url, std::string_view token) {
  return token.empty() ? url : url + "?token=" + percent_encoded(token);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // volatile keeps the compiler from leaving the loop early.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

bool Access::host_is_ours(std::string_view host) const {
  const auto authority = parse_authority(host);
  if (!authority) return false;
  constexpr std::uint16_t kHttpPort = 80;
  const bool port_is_ours = authority->port.value_or(kHttpPort) == options_.port;
  const std::string& name = authority->name;
  if (name == "localhost" || name == "127.0.0.1" || name == "[::1]") {
    // Off loopback a container or a router may show us under another port.
    return port_is_ours || !options_.loopback;
  }
  if (!options_.loopback && is_address(name)) return true;
  return std::ranges::any_of(options_.host_names, [&](const std::string& allowed) {
    const auto other = parse_authority(allowed);
    return other && other->name == name && (!other->port || other->port == authority->port);
  });
}

bool Access::has_token(const Request& request) const {
  if (request.authorization.starts_with(kBearer)) {
    return equal_in_constant_time(std::string_view(request.authorization).substr(kBearer.size()),
                                  options_.token);
  }
  return equal_in_constant_time(cookie_value(request.cookie, kCookieName), options_.token);
}

std::optional<Response> Access::refuse(const Request& request) const {
  if (!host_is_ours(request.host)) {
    return error_response(403, ErrorKind::usage,
                          "the Host \"" + request.host + "\" is not one that gpulse answers to");
  }
  if (!request.origin.empty()) {
    const std::string origin = lower(request.origin);
    const std::string host = lower(request.host);
    // https: what a proxy that adds TLS shows to the browser.
    if (origin != "http://" + host && origin != "https://" + host) {
      return error_response(403, ErrorKind::usage,
                            "a page of " + request.origin + " may not ask gpulse");
    }
  }
  if (options_.token.empty()) return std::nullopt;
  if (const std::string* token = request.parameter("token");
      request.path == "/" && token != nullptr && equal_in_constant_time(*token, options_.token)) {
    Response response;
    response.status = 303;
    response.headers.emplace_back("Location", location_without_token(request));
    response.headers.emplace_back("Set-Cookie", std::string(kCookieName) + '=' + options_.token +
                                                    "; Path=/; HttpOnly; SameSite=Strict");
    return response;
  }
  if (has_token(request)) return std::nullopt;
  Response response = error_response(
      401, ErrorKind::usage,
      "a token is needed: Authorization: Bearer TOKEN, or open the page once as /?token=TOKEN");
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace gpulse
