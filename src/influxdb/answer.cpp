#include "influxdb/answer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>

namespace gpulse {
namespace {

// As much as one answer may name; what is beyond shows in the next one.
constexpr std::size_t kBadLinesMax = 32;

std::string one_line(std::string_view text) {
  std::string out(text.substr(0, kReasonBytesMax));
  // A character that the cut went through goes whole.
  if (out.size() < text.size()) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) {
      out.pop_back();
    }
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0U) out.pop_back();
    out += "…";
  }
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// What we read of a JSON answer; each version has some of it.
struct Told {
  bool is_influx = false;  // it is of the kind that InfluxDB sends
  std::string message;
  std::vector<std::size_t> bad_lines;
};

void read_bad_line(simdjson::dom::element entry, std::string_view key, Told& told) {
  std::uint64_t number = 0;
  if (entry[key].get(number) != simdjson::SUCCESS) return;
  if (number == 0 || told.bad_lines.size() >= kBadLinesMax) return;
  told.bad_lines.push_back(static_cast<std::size_t>(number - 1));
}

void read_partial_write(simdjson::dom::element root, Told& told) {
  read_bad_line(root, "line", told);
  simdjson::dom::element data;
  if (root["data"].get(data) != simdjson::SUCCESS) return;
  std::string_view message;
  simdjson::dom::array entries;
  if (data.get(entries) != simdjson::SUCCESS) {
    read_bad_line(data, "line_number", told);
    if (data["error_message"].get(message) == simdjson::SUCCESS)
      told.message += ": " + std::string(message);
    return;
  }
  bool first = true;
  for (const simdjson::dom::element entry : entries) {
    read_bad_line(entry, "line_number", told);
    if (first && entry["error_message"].get(message) == simdjson::SUCCESS) {
      told.message += ": " + std::string(message);
    }
    first = false;
  }
}

Told read_json(std::string_view body) {
  Told told;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return told;
  std::string_view text;
  if (root["message"].get(text) == simdjson::SUCCESS ||
      root["error"].get(text) == simdjson::SUCCESS) {
    told.is_influx = true;
    told.message = text;
    read_partial_write(root, told);
    std::ranges::sort(told.bad_lines);
    const auto repeated = std::ranges::unique(told.bad_lines);
    told.bad_lines.erase(repeated.begin(), repeated.end());
  }
  return told;
}

template <class Integer>
std::optional<Integer> to_integer(std::string_view digits) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end == digits.data()) return std::nullopt;
  return value;
}

// "partial write: … dropped=2", "dropped 1 points outside retention policy". Of a batch that is
// dropped for two causes InfluxDB names one; the count is that of both. None: nothing is said of
// what was stored.
std::optional<std::uint64_t> read_dropped(std::string_view message) {
  constexpr std::string_view kWord = "dropped";
  std::optional<std::uint64_t> dropped;
  for (std::size_t at = message.find(kWord); at != std::string_view::npos;
       at = message.find(kWord, at + 1)) {
    const std::string_view rest = message.substr(at + kWord.size());
    if (rest.empty() || (rest[0] != '=' && rest[0] != ' ')) continue;
    const auto number = to_integer<std::uint64_t>(rest.substr(1));
    if (number) dropped = std::max(dropped.value_or(0), *number);
  }
  return dropped;
}

std::string token_name(const InfluxEndpoint& endpoint) {
  return endpoint.token_from.empty() ? "no token was given" : "check " + endpoint.token_from;
}

std::string refusal(const InfluxEndpoint& endpoint, unsigned status, const std::string& said) {
  const InfluxAddress& address = endpoint.address;
  const std::string where = address.authority();
  switch (status) {
    case 401:
      return fmt::format("InfluxDB at {} does not know us (401 {}): {}", where, said,
                         token_name(endpoint));
    case 403:
      return fmt::format(
          "InfluxDB at {} does not let us write to bucket \"{}\" (403 {}): {}, which "
          "needs the right to write to it",
          where, address.bucket, said, token_name(endpoint));
    case 404:
      if (address.organisation.empty()) {
        return fmt::format(
            "InfluxDB at {} has no place for {} (404 {}): check the name, or make it there: "
            "CREATE DATABASE \"{}\"",
            where, address.display(), said, address.bucket);
      }
      return fmt::format(
          "InfluxDB at {} has no place for {} (404 {}): check organisation and bucket, "
          "or make them with `gpulse setup influxdb`",
          where, address.display(), said);
    case 422:
      return fmt::format("InfluxDB at {} takes nothing for bucket \"{}\" as it is (422 {})", where,
                         address.bucket, said);
    default:
      if (auto tls = wants_tls(endpoint, status, said)) return *std::move(tls);
      return fmt::format("{} answers {} {}: is this InfluxDB's address?", where, status, said);
  }
}

}  // namespace

std::optional<std::string> wants_tls(const InfluxEndpoint& endpoint, unsigned status,
                                     std::string_view body) {
  if (status != 400 || !body.contains("HTTP request to an HTTPS server")) return std::nullopt;
  return fmt::format("InfluxDB at {} speaks TLS only: write influxdbs:// instead of influxdb://",
                     endpoint.address.authority());
}

std::string answer_message(std::string_view body) {
  const Told told = read_json(body);
  return one_line(told.is_influx ? std::string_view(told.message) : body);
}

std::optional<InfluxVersion> read_version(std::string_view header) {
  if (header.starts_with('v')) header.remove_prefix(1);
  if (header.size() < 2 || header[1] != '.') return std::nullopt;
  switch (header[0]) {
    case '1': return InfluxVersion::v1;
    case '2': return InfluxVersion::v2;
    case '3': return InfluxVersion::v3;
    default: return std::nullopt;
  }
}

std::optional<Timestamp> read_http_date(std::string_view header) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::size_t kLength = 29;
  if (header.size() != kLength || !header.ends_with(" GMT")) return std::nullopt;
  const auto month = kMonths.find(header.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  return parse_timestamp(fmt::format("{}-{:02}-{}T{}Z", header.substr(12, 4), month / 3 + 1,
                                     header.substr(5, 2), header.substr(17, 8)));
}

std::optional<std::uint32_t> read_retry_after(std::string_view header, std::string_view date) {
  const auto until = read_http_date(header);
  if (!until) return to_integer<std::uint32_t>(header);
  const auto now = read_http_date(date);
  if (!now) return std::nullopt;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*until - *now).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

WriteAnswer read_write_answer(const InfluxEndpoint& endpoint, unsigned status,
                              std::string_view body,
                              std::optional<std::uint32_t> retry_after_seconds) {
  WriteAnswer out;
  if (status == 204) {  // and nothing else: 200 is what a login page of a proxy says
    out.verdict = Verdict::stored;
    return out;
  }
  Told told = read_json(body);
  const std::string said = one_line(told.is_influx ? std::string_view(told.message) : body);
  out.reason =
      fmt::format("InfluxDB at {} answers {} {}", endpoint.address.authority(), status, said);
  out.retry_after_seconds = retry_after_seconds;
  // InfluxDB 1 says that it wrote a part as well when the rest are lines that it cannot read.
  const bool partial = told.message.find("partial write") != std::string::npos &&
                       told.message.find("unable to parse") == std::string::npos;
  const auto dropped = read_dropped(told.message);
  if (told.is_influx &&
      ((status == 422 && dropped) || (status == 400 && partial && told.bad_lines.empty()))) {
    // InfluxDB 1 says 400 where 2 says 422.
    out.verdict = Verdict::partly;
    out.dropped = dropped.value_or(0);
  } else if (status == 400 && told.is_influx) {
    out.verdict = Verdict::bad_line;
    out.bad_lines = std::move(told.bad_lines);
  } else if (status == 413) {
    out.verdict = Verdict::too_large;
  } else if (status == 429 || status == 503) {
    out.verdict = Verdict::later;
  } else if (status == 408 || status == 502 || status == 504) {
    out.verdict = Verdict::unreachable;
  } else if (status >= 500) {
    out.verdict = Verdict::failed;
  } else {
    // A 400 that is not InfluxDB's own would set every line aside: https behind http://, a proxy. A
    // 422 without a count stored nothing: a limit of tables or columns is reached.
    out.verdict = Verdict::refused;
    out.reason = refusal(endpoint, status, said);
  }
  return out;
}

}  // namespace gpulse
