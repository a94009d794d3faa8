#include "query/phrases.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace gpulse {
namespace {

constexpr std::string_view kThousands = "\u202f";
constexpr std::string_view kMinus = "\u2212";
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct ShortName {
  std::string_view metric;
  std::string_view name;
};
constexpr std::array kShortNames{
    ShortName{"gpu_temperature", "GPU"},
    ShortName{"hot_spot_temperature", "hot spot"},
    ShortName{"memory_temperature", "VRAM"},
    ShortName{"hottest_memory_chip_temperature", "hottest VRAM chip"},
    ShortName{"cpu_temperature", "CPU"},
    ShortName{"pcb_temperature", "PCB"},
    ShortName{"vrm_temperature", "VRM"},
    ShortName{"memory1_vrm_temperature", "VRAM VRM 1"},
    ShortName{"memory2_vrm_temperature", "VRAM VRM 2"},
    ShortName{"soc_temperature", "SoC"},
    ShortName{"connector_temperature", "power plug"},
    ShortName{"board_power_draw", "board"},
    ShortName{"gpu_chip_power_draw", "chip"},
    ShortName{"power_consumption", "power"},
    ShortName{"power_consumption_percent", "power"},
    ShortName{"gpu_load", "load"},
    ShortName{"gpu_clock", "clock"},
};

std::string with_thousands(std::string_view digits) {
  const std::size_t whole = std::min(digits.find('.'), digits.size());
  std::string out;
  for (std::size_t index = 0; index < digits.size(); ++index) {
    if (index > 0 && index < whole && (whole - index) % 3 == 0) out += kThousands;
    out += digits[index];
  }
  return out;
}

}  // namespace

std::string say_number(double value, int decimals) {
  std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return std::string(value < 0 && !zero ? kMinus : "") + with_thousands(digits);
}

std::string say_number(std::int64_t value) { return say_number(static_cast<double>(value), 0); }

std::string say_limit(double value) {
  const std::string digits = fmt::format("{}", std::abs(value));
  return std::string(value < 0 ? kMinus : "") + with_thousands(digits);
}

std::string say_duration(std::chrono::microseconds duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration).count();
  if (seconds == 0 && duration.count() > 0) return "less than 1 s";
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) {
    if (seconds % 60 == 0) return fmt::format("{} min", seconds / 60);
    return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  }
  const auto hours = seconds / 3600;
  if (hours < 48) {
    const auto minutes = seconds % 3600 / 60;
    return minutes == 0 ? fmt::format("{} h", hours) : fmt::format("{} h {} min", hours, minutes);
  }
  return hours % 24 == 0 ? fmt::format("{} d", hours / 24)
                         : fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string say_metric(std::string_view metric) {
  for (const auto& [known, name] : kShortNames) {
    if (known == metric) return std::string(name);
  }
  constexpr std::string_view kTail = "_temperature";
  if (metric.size() > kTail.size() && metric.ends_with(kTail)) metric.remove_suffix(kTail.size());
  std::string out(metric);
  for (char& letter : out) {
    if (letter == '_') letter = ' ';
  }
  return out;
}

std::string say_times(std::size_t times) {
  return times == 2 ? "twice" : fmt::format("{} times", times);
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += " · ";
    out += part;
  }
  return out;
}

TimePhrases::TimePhrases(TimeRange range, std::shared_ptr<const TimeZone> zone)
    : length_(range.to - range.from), zone_(std::move(zone)) {}

std::string TimePhrases::at(Timestamp time) const {
  const std::string day = date(time);
  return (day.empty() ? "at " : "on " + day + " at ") + clock(time);
}

std::string TimePhrases::bare(Timestamp time) const {
  const std::string day = date(time);
  return (day.empty() ? "" : day + " ") + clock(time);
}

std::string TimePhrases::date(Timestamp time) const {
  if (length_ <= std::chrono::days{1}) return "";
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(local(time))};
  const auto month = kMonths.at(static_cast<unsigned>(day.month()) - 1);
  std::string out = fmt::format("{} {}", static_cast<unsigned>(day.day()), month);
  if (length_ > std::chrono::days{300}) out += fmt::format(" {}", static_cast<int>(day.year()));
  return out;
}

std::string TimePhrases::clock(Timestamp time) const {
  const auto wall = local(time);
  const std::chrono::hh_mm_ss day{wall - std::chrono::floor<std::chrono::days>(wall)};
  return fmt::format("{:02}:{:02}:{:02}", day.hours().count(), day.minutes().count(),
                     day.seconds().count());
}

std::chrono::local_seconds TimePhrases::local(Timestamp time) const {
  const auto utc = std::chrono::floor<std::chrono::seconds>(time);
  return std::chrono::local_seconds{(utc + zone_->offset_at(utc)).time_since_epoch()};
}

}  // namespace gpulse
