#include "influxdb/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "platform/file.h"
#include "platform/secret_file.h"

namespace gpulse {
namespace {

constexpr std::string_view kScheme = "influxdb://";
constexpr std::string_view kTlsScheme = "influxdbs://";
constexpr std::string_view kForm =
    "give influxdb://host:port/organisation/bucket, or influxdb://host:port/database for InfluxDB "
    "1 "
    "and 3";
constexpr std::size_t kTokenBytesMax = 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 3))) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= text.size() ? kDigits[bits >> (18U - 6U * i) & 0x3FU] : '=';
    }
  }
  return out;
}

// Takes what stands before `mark`, and the mark, from the front; all of it when there is no mark.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view front = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return front;
}

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == ':';
}

Expected<void> parse_authority(std::string_view text, InfluxAddress& out) {
  if (text.find('@') != std::string_view::npos) {
    return usage_error(
        "an InfluxDB address holds no user and no token, since command lines are seen by "
        "everybody: "
        "put the token into a file that only you can read");
  }
  std::string_view host = text;
  std::string_view port;
  const std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return usage_error("the address's \"[\" is not closed");
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return usage_error("behind \"]\" only a port may follow");
    port = rest.empty() ? rest : rest.substr(1);
  } else if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.find(':') != std::string_view::npos) {
      return usage_error("an IPv6 address stands in brackets: influxdb://[::1]:8086");
    }
  }
  if (host.empty() || !std::ranges::all_of(host, is_host_character)) {
    return usage_error(fmt::format("\"{}\" is no host; {}", host, kForm));
  }
  out.host = host;
  if (port.empty() && !text.ends_with(':')) return {};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() || out.port == 0) {
    return usage_error(fmt::format("\"{}\" is no port", port));
  }
  return {};
}

Expected<void> parse_path(std::string_view path, InfluxAddress& out) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const auto name = percent_decoded(take_until(path, '/'));
    if (!name) return usage_error("an escape in the address is none: % and two hexadecimal digits");
    if (name->empty()) return usage_error(fmt::format("a name is missing; {}", kForm));
    if (std::ranges::any_of(*name, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return usage_error("a name in the address has a control character");
    }
    names.push_back(*name);
  }
  if (names.size() > 2) return usage_error(fmt::format("too many names; {}", kForm));
  if (names.empty()) {
    out.organisation = kInfluxOrganisationDefault;
    out.bucket = kInfluxBucketDefault;
  } else {
    if (names.size() == 2) out.organisation = names.front();
    out.bucket = names.back();
  }
  return {};
}

Expected<void> parse_query(std::string_view query, InfluxAddress& out) {
  while (!query.empty()) {
    const std::string_view parameter = take_until(query, '&');
    if (parameter == "version=1") {
      out.version = InfluxVersion::v1;
    } else if (parameter == "version=2") {
      out.version = InfluxVersion::v2;
    } else if (parameter == "version=3") {
      out.version = InfluxVersion::v3;
    } else {
      return usage_error(fmt::format("\"{}\": an address takes ?version=1, 2 or 3 only",
                                     take_until(query = parameter, '=')));
    }
  }
  if (out.version == InfluxVersion::v2 && out.organisation.empty()) {
    return usage_error("InfluxDB 2 needs organisation and bucket: influxdb://host:port/org/bucket");
  }
  return {};
}

Expected<std::string> checked_token(std::string token, const std::string& from) {
  const bool printable = std::ranges::all_of(token, [](char c) { return c >= 0x20 && c < 0x7F; });
  if (token.empty() || token.size() > kTokenBytesMax || !printable) {
    return usage_error(from + " must be one line of 1 to " + std::to_string(kTokenBytesMax) +
                       " printable characters");
  }
  return token;
}

Expected<std::string> read_token(const std::filesystem::path& file, const std::string& from) {
  auto token = read_secret_file(file, "token file");
  return token ? checked_token(*std::move(token), from) : token;
}

}  // namespace

std::string InfluxAddress::authority() const {
  const bool bracketed = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", bracketed ? "[" : "", host, bracketed ? "]" : "", port);
}

std::string InfluxAddress::display() const {
  std::string out(tls ? kTlsScheme : kScheme);
  out += authority() + '/';
  if (!organisation.empty()) out += percent_encoded(organisation) + '/';
  return out + percent_encoded(bucket);
}

bool is_influx_address(std::string_view text) {
  return text.starts_with(kScheme) || text.starts_with(kTlsScheme);
}

Expected<InfluxAddress> parse_influx_address(std::string_view text) {
  if (!is_influx_address(text)) return usage_error(fmt::format("no InfluxDB address: {}", kForm));
  InfluxAddress out;
  out.tls = text.starts_with(kTlsScheme);
  text.remove_prefix(out.tls ? kTlsScheme.size() : kScheme.size());
  std::string_view before_query = take_until(text, '?');
  const std::string_view authority = take_until(before_query, '/');
  if (auto parsed = parse_authority(authority, out); !parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  if (auto parsed = parse_path(before_query, out); !parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  if (auto parsed = parse_query(text, out); !parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  return out;
}

Expected<void> validate(const InfluxOptions& options) {
  const auto address = parse_influx_address(options.address);
  if (!address) return std::unexpected(address.error());
  if (!options.token_file.empty()) {
    if (auto checked = check_secret_file(options.token_file, "token file"); !checked)
      return checked;
  }
  if (options.ca_file.empty()) return {};
  if (!address->tls) {
    return usage_error(
        "a CA file is of use over TLS only: write influxdbs:// instead of influxdb://");
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.ca_file, error)) {
    return usage_error("the CA file " + display(options.ca_file) + " is no file that can be read");
  }
  return {};
}

Expected<InfluxEndpoint> open_endpoint(const InfluxOptions& options,
                                       const char* environment_token) {
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid).error());
  InfluxEndpoint out;
  out.address = *parse_influx_address(options.address);
  out.ca_file = options.ca_file;
  Expected<std::string> token;
  if (!options.token_file.empty()) {
    out.token_from = "the token in " + display(options.token_file);
    token = read_token(options.token_file, out.token_from);
  } else if (environment_token != nullptr && *environment_token != '\0') {
    out.token_from = std::string("the token in ") + kInfluxTokenVariable;
    token = checked_token(environment_token, out.token_from);
  }
  if (!token) return std::unexpected(std::move(token).error());
  out.token = *std::move(token);
  return out;
}

Expected<InfluxEndpoint> open_endpoint(const InfluxOptions& options) {
  return open_endpoint(options, std::getenv(kInfluxTokenVariable));
}

InfluxVersion assumed_version(const InfluxAddress& address) {
  return address.version.value_or(address.organisation.empty() ? InfluxVersion::v1
                                                               : InfluxVersion::v2);
}

std::string write_target(const InfluxAddress& address, InfluxVersion version) {
  const std::string bucket = percent_encoded(address.bucket);
  switch (version) {
    case InfluxVersion::v1: return "/write?db=" + bucket;  // nanoseconds if nothing is said
    case InfluxVersion::v3: return "/api/v3/write_lp?db=" + bucket + "&precision=nanosecond";
    case InfluxVersion::v2: break;
  }
  return "/api/v2/write?org=" + percent_encoded(address.organisation) + "&bucket=" + bucket +
         "&precision=ns";
}

std::string authorization(const InfluxEndpoint& endpoint, InfluxVersion version) {
  if (endpoint.token.empty()) return {};
  if (version == InfluxVersion::v1 && endpoint.token.find(':') != std::string::npos) {
    return "Basic " + base64(endpoint.token);  // only from 1.8 on would it do as a token, too
  }
  return (version == InfluxVersion::v3 ? "Bearer " : "Token ") +
         endpoint.token;  // 3 documents Bearer only
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    }
  }
  return out;
}

}  // namespace gpulse
