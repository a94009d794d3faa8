#include "doctor/clock_check.h"

#include <fmt/format.h>

namespace gpulse::doctor {
namespace {

constexpr std::chrono::seconds kApartWarn{5};
// From here on rows are taken for the future (see the design).
constexpr std::chrono::minutes kApartFail{5};
constexpr std::chrono::seconds kDateResolution{1};

std::string short_time(Timestamp time) { return to_rfc3339(time).substr(0, 19) + "Z"; }

constexpr const char* kSetClock =
    "Let NTP keep the clocks of all machines right (timedatectl set-ntp true; on Windows \"Set "
    "time automatically\"): rows bear the time of the PC that writes the log.";

}  // namespace

Check judge_clock(Timestamp now, std::optional<bool> synchronised) {
  const std::string found = short_time(now);
  if (!synchronised) return ok("clock", found);
  if (*synchronised) return ok("clock", found + ", kept right by the system");
  return warn("clock", found + ", and nothing keeps it right", kSetClock);
}

Check judge_clock_beside(std::string_view server, Timestamp its_time, Timestamp before,
                         Timestamp after) {
  std::string name = fmt::format("clock beside {}", server);
  // Its second lasted until the next began; whatever lies in that and in our waiting is no
  // difference.
  std::chrono::microseconds apart{0};
  if (its_time > after) apart = its_time - after;
  if (its_time + kDateResolution < before) apart = its_time + kDateResolution - before;
  if (std::chrono::abs(apart) <= std::chrono::seconds(1)) {
    return ok(std::move(name), "the same, to a second or two");
  }
  std::string found =
      fmt::format("{} {} ours", length_in_words(apart), apart.count() > 0 ? "ahead of" : "behind");
  if (std::chrono::abs(apart) > kApartFail)
    return fail(std::move(name), std::move(found), kSetClock);
  if (std::chrono::abs(apart) > kApartWarn)
    return warn(std::move(name), std::move(found), kSetClock);
  return ok(std::move(name), std::move(found));
}

Check judge_newest(std::string name, std::optional<Timestamp> newest, Timestamp now) {
  if (!newest) return ok(std::move(name), "none yet");
  if (*newest <= now + kApartWarn) {
    return ok(std::move(name), fmt::format("{}, {} ago", short_time(*newest),
                                           length_in_words(std::max(now - *newest, {}))));
  }
  std::string found =
      fmt::format("{}, {} ahead of the clock", short_time(*newest), length_in_words(*newest - now));
  const std::string advice = fmt::format(
      "Some machine's clock or zone is wrong, or this one's clock is. {} For a log of another "
      "zone, give --timezone where it is read.",
      kSetClock);
  if (*newest > now + kApartFail) return fail(std::move(name), std::move(found), advice);
  return warn(std::move(name), std::move(found), advice);
}

}  // namespace gpulse::doctor
