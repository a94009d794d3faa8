#include "gpuz/cell.h"

#include <charconv>
#include <chrono>
#include <string>

#include "gpuz/header.h"

namespace gpulse {
namespace {

constexpr int kDigitsMax = 18;   // what 64 bits hold of any digits
constexpr int kDecimalsMax = 9;  // what a column's scale goes to
constexpr std::int64_t kExactMax = std::int64_t{1} << 53;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The value of `length` digits at `at`, or -1.
int digits(std::string_view text, std::size_t at, std::size_t length) {
  int value = 0;
  for (std::size_t i = at; i < at + length; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto result =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Reading> parse_reading(std::string_view cell) {
  const std::string_view text = trim(cell);
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  Reading reading;
  int significant = 0;
  int integers = 0;
  bool point = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(text[at])) return std::nullopt;
    if (point) {
      ++reading.decimals;
    } else {
      ++integers;
    }
    if (significant > 0 || text[at] != '0') ++significant;
    if (significant <= kDigitsMax) reading.count = reading.count * 10 + (text[at] - '0');
  }
  if (integers == 0 || (point && reading.decimals == 0)) return std::nullopt;
  if (significant > kDigitsMax || reading.count > kExactMax || reading.decimals > kDecimalsMax) {
    reading.approximate = parse_double(text);
    if (!reading.approximate) return std::nullopt;
  }
  if (text.starts_with('-')) reading.count = -reading.count;
  return reading;
}

std::optional<std::int64_t> parse_local_time(std::string_view cell) {
  const std::string_view text = trim(cell);
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86400 + std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second;
}

}  // namespace gpulse
