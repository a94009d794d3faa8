// A time-zone file of any bytes. What is taken must answer for every instant with a span that holds
// it and an offset within what the format allows.
#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include "fuzz/check.h"
#include "telemetry/tzif.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpulse;
  const auto rules = ZoneRules::parse(std::span(data, size));
  if (!rules) {
    fuzz::check(rules.error().kind == ErrorKind::input, "a damaged zone is an input error");
    return 0;
  }
  // 1800 to 2500 in steps that fall on all times of the year and day.
  constexpr std::int64_t kFirst = -5'364'662'400;
  constexpr std::int64_t kLast = 16'725'225'600;
  for (std::int64_t second = kFirst; second < kLast; second += 86'400 * 137 + 12'345) {
    const UtcSeconds time{std::chrono::seconds{second}};
    const auto span = rules->at(time);
    fuzz::check(span.from <= time && time < span.until, "a span that does not hold its instant");
    fuzz::check(span.offset < kOffsetEnd && -span.offset < kOffsetEnd, "an offset of over a day");
  }
  return 0;
}
