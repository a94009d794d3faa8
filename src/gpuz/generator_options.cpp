#include "gpuz/generator_options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace gpulse {
namespace {

using namespace std::chrono_literals;

template <class Value>
using Name = std::pair<Value, std::string_view>;

constexpr std::array kColumnSets = {
    Name<ColumnSet>{ColumnSet::nvidia, "nvidia"}, Name<ColumnSet>{ColumnSet::amd, "amd"},
    Name<ColumnSet>{ColumnSet::intel, "intel"}, Name<ColumnSet>{ColumnSet::old, "old"}};

constexpr std::array kScenarios = {Name<Scenario>{Scenario::idle, "idle"},
                                   Name<Scenario>{Scenario::gaming, "gaming"},
                                   Name<Scenario>{Scenario::mixed, "mixed"},
                                   Name<Scenario>{Scenario::power_throttle, "power-throttle"},
                                   Name<Scenario>{Scenario::thermal_throttle, "thermal-throttle"},
                                   Name<Scenario>{Scenario::dust, "dust"},
                                   Name<Scenario>{Scenario::fan_failure, "fan-failure"},
                                   Name<Scenario>{Scenario::stuck_sensor, "stuck-sensor"},
                                   Name<Scenario>{Scenario::gaps, "gaps"},
                                   Name<Scenario>{Scenario::restarts, "restarts"}};

constexpr std::array kDegreeSigns = {
    Name<DegreeSign>{DegreeSign::byte, "byte"}, Name<DegreeSign>{DegreeSign::utf8, "utf8"},
    Name<DegreeSign>{DegreeSign::none, "none"}, Name<DegreeSign>{DegreeSign::korean, "korean"}};

template <class Names>
std::string list_of(const Names& names) {
  std::string list;
  for (const auto& [value, name] : names) list += list.empty() ? name : ", " + std::string(name);
  return list;
}

template <class Names>
std::string_view name_of(const Names& names, auto wanted) {
  for (const auto& [value, name] : names) {
    if (value == wanted) return name;
  }
  return "";
}

template <class Value, std::size_t N>
Expected<Value> value_of(const std::array<Name<Value>, N>& names, std::string_view what,
                         std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return usage_error(fmt::format("\"{}\" is no {}; there are: {}", text, what, list_of(names)));
}

// Exactly `digits` digits at `at`.
std::optional<int> fixed_number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(at, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<std::chrono::local_days> parse_date(std::string_view text) {
  using namespace std::chrono;
  const auto y = fixed_number(text, 0, 4);
  const auto m = fixed_number(text, 5, 2);
  const auto d = fixed_number(text, 8, 2);
  if (!y || !m || !d || text[4] != '-' || text[7] != '-') return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return local_days{date};
}

std::optional<std::chrono::seconds> parse_time_of_day(std::string_view text) {
  const auto h = fixed_number(text, 0, 2);
  const auto m = fixed_number(text, 3, 2);
  const auto s = fixed_number(text, 6, 2);
  if (!h || !m || !s || text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  if (*h > 23 || *m > 59 || *s > 59) return std::nullopt;
  return std::chrono::hours{*h} + std::chrono::minutes{*m} + std::chrono::seconds{*s};
}

}  // namespace

Expected<void> validate(const GeneratorOptions& options) {
  if (options.rows && options.duration) return usage_error("give --rows or --duration, not both");
  if (options.rows && *options.rows == 0) return usage_error("--rows must be 1 or more");
  if (options.duration && *options.duration < options.interval) {
    return usage_error("--duration must be at least one --interval");
  }
  if (options.duration && *options.duration > std::chrono::days{366 * 100}) {
    return usage_error("--duration must be at most 100 years");
  }
  if (options.interval < 10ms || options.interval > 1h) {
    return usage_error("--interval must be from 0.01 to 3600 seconds");
  }
  if (options.scenarios.empty()) {
    return usage_error("--scenario needs one or more of: " + list_of(kScenarios));
  }
  // Four digits are all that a year has in a log, and dust runs on evenings alone.
  constexpr std::uint64_t kRowsMax = 300'000'000'000U;  // at the least interval: a hundred years
  if (options.rows &&
      *options.rows > kRowsMax / static_cast<std::uint64_t>(options.interval / 10ms)) {
    return usage_error("--rows at this --interval is longer than 100 years");
  }
  using namespace std::chrono;
  if (options.start < LocalTime{local_days{year{1970} / 1 / 1}} ||
      options.start >= LocalTime{local_days{year{2200} / 1 / 1}}) {
    return usage_error("--start must lie in the years 1970 to 2199");
  }
  return {};
}

std::chrono::microseconds usual_duration(Scenario scenario) {
  return scenario == Scenario::dust ? std::chrono::microseconds{std::chrono::weeks{3}} : 1h;
}

std::string_view to_string(ColumnSet columns) { return name_of(kColumnSets, columns); }
std::string_view to_string(Scenario scenario) { return name_of(kScenarios, scenario); }
std::string_view to_string(DegreeSign degree) { return name_of(kDegreeSigns, degree); }

Expected<ColumnSet> parse_column_set(std::string_view text) {
  return value_of(kColumnSets, "column set", text);
}
Expected<Scenario> parse_scenario(std::string_view text) {
  return value_of(kScenarios, "scenario", text);
}
Expected<DegreeSign> parse_degree_sign(std::string_view text) {
  return value_of(kDegreeSigns, "degree sign", text);
}

Expected<std::chrono::microseconds> parse_length(std::string_view text) {
  constexpr std::array kUnits = {std::pair{'s', 1s}, std::pair{'m', std::chrono::seconds{1min}},
                                 std::pair{'h', std::chrono::seconds{1h}},
                                 std::pair{'d', std::chrono::seconds{std::chrono::days{1}}},
                                 std::pair{'w', std::chrono::seconds{std::chrono::weeks{1}}}};
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  constexpr std::int64_t kCountMax = 4'000'000'000;  // seconds of 126 years
  if (error == std::errc{} && count > 0 && count <= kCountMax &&
      end + 1 == text.data() + text.size()) {
    for (const auto& [letter, unit] : kUnits) {
      if (*end == letter && count <= kCountMax / unit.count()) return count * unit;
    }
  }
  return usage_error(fmt::format(
      "\"{}\" is no length of time; write a whole number and s, m, h, d or w: 36h", text));
}

Expected<LocalTime> parse_start_time(std::string_view text) {
  const auto date = parse_date(text);
  const bool alone = text.size() == 10;
  const auto time = alone ? std::optional{0s}
                          : parse_time_of_day(text.substr(std::min<std::size_t>(11, text.size())));
  if (!date || !time || (!alone && text[10] != ' ' && text[10] != 'T')) {
    return usage_error(
        fmt::format("\"{}\" is no local time; write it as 2026-01-01 10:00:00", text));
  }
  return LocalTime{*date} + *time;
}

}  // namespace gpulse
