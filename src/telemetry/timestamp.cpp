#include "telemetry/timestamp.h"

#include <fmt/format.h>

#include <charconv>

namespace gpulse {
namespace {

// Reads exactly `digits` decimal digits at `at`, moving it on.
std::optional<int> fixed_digits(std::string_view text, std::size_t& at, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool take(std::string_view text, std::size_t& at, std::string_view any_of) {
  if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

std::optional<std::int64_t> fraction_microseconds(std::string_view text, std::size_t& at) {
  if (!take(text, at, ".")) return 0;
  std::int64_t us = 0;
  int digits = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
    if (digits < 6) us = us * 10 + (text[at] - '0');
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (; digits < 6; ++digits) us *= 10;
  return us;
}

std::optional<std::chrono::minutes> zone_offset(std::string_view text, std::size_t& at) {
  if (take(text, at, "Zz")) return std::chrono::minutes{0};
  if (at >= text.size()) return std::nullopt;
  const int sign = text[at] == '-' ? -1 : 1;
  if (!take(text, at, "+-")) return std::nullopt;
  const auto hours = fixed_digits(text, at, 2);
  if (!hours || *hours > 23 || !take(text, at, ":")) return std::nullopt;
  const auto minutes = fixed_digits(text, at, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  std::size_t at = 0;
  const auto y = fixed_digits(text, at, 4);
  if (!y || !take(text, at, "-")) return std::nullopt;
  const auto mo = fixed_digits(text, at, 2);
  if (!mo || !take(text, at, "-")) return std::nullopt;
  const auto d = fixed_digits(text, at, 2);
  if (!d || !take(text, at, "Tt ")) return std::nullopt;
  const auto h = fixed_digits(text, at, 2);
  if (!h || *h > 23 || !take(text, at, ":")) return std::nullopt;
  const auto mi = fixed_digits(text, at, 2);
  if (!mi || *mi > 59 || !take(text, at, ":")) return std::nullopt;
  const auto s = fixed_digits(text, at, 2);
  if (!s || *s > 60) return std::nullopt;
  const auto us = fraction_microseconds(text, at);
  if (!us) return std::nullopt;
  const auto offset = zone_offset(text, at);
  if (!offset || at != text.size()) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return Timestamp{sys_days{date}} + hours{*h} + minutes{*mi} + seconds{*s} + microseconds{*us} -
         *offset;
}

}  // namespace

std::string to_rfc3339(Timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  // The years that to_rfc3339() can print; what lies outside them is a mistake, not an instant.
  constexpr std::int64_t kFirst = -62'167'219'200'000;  // year 0, in milliseconds
  constexpr std::int64_t kEnd = 253'402'300'800'000;    // year 10000
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error == std::errc{} && end == text.data() + text.size()) {
    if (ms < kFirst || ms >= kEnd) return std::nullopt;
    return from_microseconds(ms * 1000);
  }
  const auto time = parse_rfc3339(text);
  if (!time || *time < from_microseconds(kFirst * 1000) ||
      *time >= from_microseconds(kEnd * 1000)) {
    return std::nullopt;
  }
  return time;
}

const Clock& system_clock() {
  struct SystemClock final : Clock {
    Timestamp now() const override {
      return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
  };
  static const SystemClock clock;
  return clock;
}

}  // namespace gpulse
