// The POSIX TZ string ("CET-1CEST,M3.5.0,M10.5.0/3") by which a TZif file says what holds after its
// last listed change. Pure and immutable: any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "telemetry/time_zone.h"

namespace gpulse {

// The offset from UTC in force during [from, until).
struct OffsetSpan {
  UtcSeconds from;
  UtcSeconds until;
  std::chrono::seconds offset;  // east is positive
};

// Stand for "always was" and "for ever". Far from the edge of 64 bits, so that an offset can be
// added.
inline constexpr UtcSeconds kAlwaysWas{std::chrono::seconds{-(std::int64_t{1} << 59)}};
inline constexpr UtcSeconds kForEver{std::chrono::seconds{std::int64_t{1} << 59}};

// No offset reaches this (RFC 9636, section 3.2).
inline constexpr std::chrono::seconds kOffsetEnd = std::chrono::hours{26};

// A day of each year and a wall clock time on it.
struct YearlyTime {
  enum class Kind {
    day_without_leap,  // Jn: 1 to 365, February 29 is never counted
    day_of_year,  // n: 0 to 365
    weekday_of_month,  // Mm.w.d: week 5 is the last one
  } kind = Kind::day_of_year;
  unsigned month = 0;
  unsigned week = 0;
  unsigned day = 0;  // of the year, or of the week with Sunday as 0
  std::chrono::seconds time{};  // since that day's midnight; may be negative or beyond a day

  [[nodiscard]] LocalSeconds in(std::chrono::year year) const;
};

class PosixZone {
 public:
  // Nothing if the text is no TZ string with both changes spelled out.
  [[nodiscard]] static std::optional<PosixZone> parse(std::string_view text);

  [[nodiscard]] OffsetSpan at(UtcSeconds time) const;

 private:
  struct Daylight {
    std::chrono::seconds offset{};  // may be behind standard time (Ireland's winter)
    YearlyTime begin;  // on the clock of standard time
    YearlyTime end;  // on the clock of daylight time
  };

  std::chrono::seconds standard_{};
  std::optional<Daylight> daylight_;
};

}  // namespace gpulse
