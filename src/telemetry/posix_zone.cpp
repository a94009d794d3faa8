#include "telemetry/posix_zone.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace gpulse {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year;

// The calendar of <chrono> ends at the year 32767; beyond this one the rules are no longer
// followed.
constexpr year kFirstYear{-30000};
constexpr year kLastYear{30000};

// Takes pieces off the front of the text; a piece that isn't there leaves it as it is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::optional<int> number(int min, int max) {
    std::size_t digits = 0;
    int value = 0;
    for (; digits < text_.size() && digits < 3 && is_digit(text_[digits]); ++digits) {
      value = value * 10 + (text_[digits] - '0');
    }
    if (digits == 0 || value < min || value > max) return std::nullopt;
    text_.remove_prefix(digits);
    return value;
  }

  // [+-]h[h[h]][:mm[:ss]]
  std::optional<seconds> time(int hours_max) {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto h = number(0, hours_max);
    if (!h) return std::nullopt;
    seconds value = hours{*h};
    seconds unit = minutes{1};
    for (int part = 0; part < 2 && take(':'); ++part, unit = seconds{1}) {
      const auto n = number(0, 59);
      if (!n) return std::nullopt;
      value += *n * unit;
    }
    return negative ? -value : value;
  }

  // CET, or <+03>
  bool name() {
    if (take('<')) {
      const auto end = text_.find('>');
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 1);
      return end > 0;
    }
    std::size_t letters = 0;
    while (letters < text_.size() && is_letter(text_[letters])) ++letters;
    text_.remove_prefix(letters);
    return letters >= 3;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

  std::string_view text_;
};

bool scan_day(Scanner& text, YearlyTime& rule) {
  std::optional<int> month = 0;
  std::optional<int> week = 0;
  std::optional<int> day;
  if (text.take('M')) {
    rule.kind = YearlyTime::Kind::weekday_of_month;
    month = text.number(1, 12);
    if (!month || !text.take('.')) return false;
    week = text.number(1, 5);
    if (!week || !text.take('.')) return false;
    day = text.number(0, 6);
  } else if (text.take('J')) {
    rule.kind = YearlyTime::Kind::day_without_leap;
    day = text.number(1, 365);
  } else {
    rule.kind = YearlyTime::Kind::day_of_year;
    day = text.number(0, 365);
  }
  if (!day) return false;
  rule.month = static_cast<unsigned>(*month);
  rule.week = static_cast<unsigned>(*week);
  rule.day = static_cast<unsigned>(*day);
  return true;
}

// ,day[/time]
std::optional<YearlyTime> scan_rule(Scanner& text) {
  YearlyTime rule;
  rule.time = hours{2};
  if (!text.take(',') || !scan_day(text, rule)) return std::nullopt;
  if (text.take('/')) {
    const auto time = text.time(167);  // a week less an hour: RFC 9636's widening of POSIX
    if (!time) return std::nullopt;
    rule.time = *time;
  }
  return rule;
}

}  // namespace

LocalSeconds YearlyTime::in(year y) const {
  using namespace std::chrono;
  const local_days new_year{y / January / 1};
  switch (kind) {
    case Kind::day_of_year: return new_year + days{day} + time;
    case Kind::day_without_leap: {
      const bool behind_leap_day = y.is_leap() && day >= 60;
      return new_year + days{day - 1} + days{behind_leap_day ? 1 : 0} + time;
    }
    case Kind::weekday_of_month: break;
  }
  const std::chrono::month of{month};
  const local_days date =
      week == 5 ? local_days{y / of / weekday{day}[last]} : local_days{y / of / weekday{day}[week]};
  return date + time;
}

std::optional<PosixZone> PosixZone::parse(std::string_view text) {
  constexpr int kOffsetHoursMax = 24;
  Scanner scanner(text);
  PosixZone zone;
  if (!scanner.name()) return std::nullopt;
  // The string counts west of Greenwich, all else east.
  const auto standard_west = scanner.time(kOffsetHoursMax);
  if (!standard_west) return std::nullopt;
  zone.standard_ = -*standard_west;
  if (scanner.at_end()) return zone;

  Daylight daylight;
  daylight.offset = zone.standard_ + hours{1};
  if (!scanner.name()) return std::nullopt;
  if (const auto west = scanner.time(kOffsetHoursMax)) daylight.offset = -*west;
  const auto begin = scan_rule(scanner);
  if (!begin) return std::nullopt;
  const auto end = scan_rule(scanner);
  if (!end || !scanner.at_end()) return std::nullopt;
  daylight.begin = *begin;
  daylight.end = *end;
  zone.daylight_ = daylight;
  return zone;
}

OffsetSpan PosixZone::at(UtcSeconds time) const {
  using std::chrono::sys_days;
  constexpr UtcSeconds kRulesFrom = sys_days{kFirstYear / 1 / 1};
  constexpr UtcSeconds kRulesUntil = sys_days{kLastYear / 1 / 1};
  if (!daylight_) return {kAlwaysWas, kForEver, standard_};
  if (time < kRulesFrom) return {kAlwaysWas, kRulesFrom, standard_};
  if (time >= kRulesUntil) return {kRulesUntil, kForEver, standard_};

  struct Change {
    UtcSeconds at;
    bool to_daylight = false;
    auto operator<=>(const Change&) const = default;
  };
  // A change can fall a week beside its year, so two years to either side surely hold one before
  // and one after. Where one year's end meets the next one's begin ("daylight time all year") the
  // begin sorts last, and prevails.
  constexpr std::size_t kYears = 5;
  std::array<Change, 2 * kYears> changes{};
  const year middle = std::chrono::year_month_day{floor<days>(time)}.year();
  for (std::size_t i = 0; i < kYears; ++i) {
    const year y = middle - std::chrono::years{kYears / 2} + std::chrono::years{i};
    const auto begin = daylight_->begin.in(y).time_since_epoch() - standard_;
    const auto end = daylight_->end.in(y).time_since_epoch() - daylight_->offset;
    changes[2 * i] = {UtcSeconds{begin}, true};
    changes[2 * i + 1] = {UtcSeconds{end}, false};
  }
  std::ranges::sort(changes);
  const auto next = std::ranges::upper_bound(changes, time, {}, &Change::at);
  const auto& now = *std::prev(next);
  return {std::max(now.at, kRulesFrom), std::min(next->at, kRulesUntil),
          now.to_daylight ? daylight_->offset : standard_};
}

}  // namespace gpulse
