#include "telemetry/time_zone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::months;
using std::chrono::seconds;
using std::chrono::year_month_day;
using Kind = TimeZone::Resolved::Kind;

std::shared_ptr<const TimeZone> zone(std::string_view name) {
  auto found = TimeZone::find(name);
  if (!found) throw std::runtime_error(found.error().message);
  return *found;
}

LocalSeconds local(year_month_day date, seconds time) {
  return std::chrono::local_days{date} + time;
}
UtcSeconds utc(year_month_day date, seconds time) { return std::chrono::sys_days{date} + time; }

std::string error_of(std::string_view name) {
  const auto found = TimeZone::find(name);
  EXPECT_FALSE(found) << name;
  if (found) return {};
  EXPECT_EQ(found.error().kind, ErrorKind::usage);
  return found.error().message;
}

TEST(TimeZone, BerlinSummerAndWinter) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin->offset_at(utc(2023y / 6 / 16, 0s)), 2h);
  EXPECT_EQ(berlin->offset_at(utc(2023y / 12 / 16, 0s)), 1h);
  EXPECT_EQ(berlin->offset_at(utc(2024y / 3 / 31, 1h - 1s)), 1h);
  EXPECT_EQ(berlin->offset_at(utc(2024y / 3 / 31, 1h)), 2h);
}

TEST(TimeZone, AnHourThatIsRepeatedMeansTwoInstants) {
  const auto resolved = zone("Europe/Berlin")->resolve(local(2024y / 10 / 27, 2h + 30min));
  EXPECT_EQ(resolved.kind, Kind::repeated);
  EXPECT_EQ(resolved.first, utc(2024y / 10 / 27, 30min));
  EXPECT_EQ(resolved.second, utc(2024y / 10 / 27, 1h + 30min));
  EXPECT_EQ(resolved.same_from, local(2024y / 10 / 27, 2h));
  EXPECT_EQ(resolved.same_until, local(2024y / 10 / 27, 3h));
}

TEST(TimeZone, AnHourThatIsSkippedGoesByTheOffsetBefore) {
  const auto resolved = zone("Europe/Berlin")->resolve(local(2024y / 3 / 31, 2h + 30min));
  EXPECT_EQ(resolved.kind, Kind::skipped);
  EXPECT_EQ(resolved.first, utc(2024y / 3 / 31, 1h + 30min));
  EXPECT_EQ(resolved.second, resolved.first);
  EXPECT_EQ(resolved.same_from, local(2024y / 3 / 31, 2h));
  EXPECT_EQ(resolved.same_until, local(2024y / 3 / 31, 3h));
}

TEST(TimeZone, AReadingAwayFromChangesHoldsForMonths) {
  const auto resolved = zone("Europe/Berlin")->resolve(local(2024y / 7 / 1, 12h));
  EXPECT_EQ(resolved.kind, Kind::unique);
  EXPECT_EQ(resolved.first, utc(2024y / 7 / 1, 10h));
  EXPECT_EQ(resolved.second, resolved.first);
  EXPECT_LE(resolved.same_from, local(2024y / 4 / 3, 0s));
  EXPECT_GE(resolved.same_until, local(2024y / 10 / 25, 0s));
}

// A reader that goes by the stretches never stands still, and needs few of them.
TEST(TimeZone, StretchesCoverAYearWithoutHoles) {
  const auto berlin = zone("Europe/Berlin");
  LocalSeconds at = local(2024y / 1 / 1, 0s);
  int stretches = 0;
  for (; at < local(2025y / 1 / 1, 0s); ++stretches) {
    const auto resolved = berlin->resolve(at);
    ASSERT_LE(resolved.same_from, at);
    ASSERT_GT(resolved.same_until, at);
    at = resolved.same_until;
  }
  EXPECT_LE(stretches, 12);
}

TEST(TimeZone, LordHoweMovesByHalfAnHour) {
  const auto lord_howe = zone("Australia/Lord_Howe");
  EXPECT_EQ(lord_howe->offset_at(utc(2024y / 1 / 1, 0s)), 11h);
  EXPECT_EQ(lord_howe->offset_at(utc(2024y / 7 / 1, 0s)), 10h + 30min);
  const auto resolved = lord_howe->resolve(local(2024y / 4 / 7, 1h + 45min));
  EXPECT_EQ(resolved.kind, Kind::repeated);
  EXPECT_EQ(resolved.second - resolved.first, 30min);
}

TEST(TimeZone, TrollMovesByTwoHours) {
  const auto troll = zone("Antarctica/Troll");
  EXPECT_EQ(troll->offset_at(utc(2024y / 1 / 1, 0s)), 0s);
  EXPECT_EQ(troll->offset_at(utc(2024y / 7 / 1, 0s)), 2h);
  const auto resolved = troll->resolve(local(2024y / 10 / 27, 1h + 30min));
  EXPECT_EQ(resolved.kind, Kind::repeated);
  EXPECT_EQ(resolved.second - resolved.first, 2h);
}

TEST(TimeZone, SummerTimeCanBeTheLesserOffset) {
  EXPECT_EQ(zone("Africa/Casablanca")->offset_at(utc(2024y / 3 / 20, 0s)), 0s);  // Ramadan
  EXPECT_EQ(zone("Africa/Casablanca")->offset_at(utc(2024y / 7 / 1, 0s)), 1h);
  EXPECT_EQ(zone("Europe/Dublin")->offset_at(utc(2100y / 1 / 15, 0s)), 0s);
  EXPECT_EQ(zone("Europe/Dublin")->offset_at(utc(2100y / 7 / 15, 0s)), 1h);
}

TEST(TimeZone, ApiaSkippedAWholeDay) {
  const auto apia = zone("Pacific/Apia");
  const auto resolved = apia->resolve(local(2011y / 12 / 30, 12h));
  EXPECT_EQ(resolved.kind, Kind::skipped);
  EXPECT_EQ(resolved.same_from, local(2011y / 12 / 30, 0s));
  EXPECT_EQ(resolved.same_until, local(2011y / 12 / 31, 0s));
  EXPECT_EQ(resolved.first, utc(2011y / 12 / 30, 22h));
}

TEST(TimeZone, TheFarFutureGoesByTheLastRule) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin->offset_at(utc(2100y / 7 / 1, 0s)), 2h);
  EXPECT_EQ(berlin->offset_at(utc(2100y / 3 / 28, 1h - 1s)), 1h);  // the last Sunday
  EXPECT_EQ(berlin->offset_at(utc(2100y / 3 / 28, 1h)), 2h);
}

TEST(TimeZone, TheDistantPastIsLocalMeanTime) {
  EXPECT_EQ(zone("Europe/Berlin")->offset_at(utc(1800y / 1 / 1, 0s)), 53min + 28s);
}

TEST(TimeZone, TimesBeyondTheCalendarHaveAnOffsetToo) {
  const auto berlin = zone("Europe/Berlin");
  const auto far_off = UtcSeconds{seconds{std::int64_t{1} << 50}};
  EXPECT_EQ(berlin->offset_at(far_off), 1h);
  EXPECT_EQ(berlin->resolve(LocalSeconds{far_off.time_since_epoch()}).first, far_off - 1h);
}

TEST(TimeZone, UtcIsAsItIs) {
  for (const auto* name : {"UTC", "utc", "Etc/UTC", "Zulu"}) {
    const auto resolved = zone(name)->resolve(local(2024y / 3 / 31, 2h + 30min));
    EXPECT_EQ(resolved.kind, Kind::unique);
    EXPECT_EQ(resolved.first, utc(2024y / 3 / 31, 2h + 30min));
  }
}

TEST(TimeZone, FixedOffsets) {
  struct Case {
    const char* typed;
    const char* name;
    seconds offset;
  };
  for (const auto& [typed, name, offset] :
       {Case{"+02:00", "+02:00", 2h}, Case{"-0330", "-03:30", -(3h + 30min)},
        Case{"+09", "+09:00", 9h}, Case{"-00:30", "-00:30", -30min},
        Case{"+00:00", "+00:00", 0s}}) {
    const auto fixed = zone(typed);
    EXPECT_EQ(fixed->name(), name);
    EXPECT_EQ(fixed->offset_at(utc(2024y / 7 / 1, 0s)), offset);
    const auto resolved = fixed->resolve(local(2024y / 10 / 27, 2h + 30min));
    EXPECT_EQ(resolved.kind, Kind::unique);
    EXPECT_EQ(resolved.first, utc(2024y / 10 / 27, 2h + 30min) - offset);
    EXPECT_GE(resolved.same_until, local(3000y / 1 / 1, 0s));
  }
}

TEST(TimeZone, TheNameIsSpelledAsInTheDataWhateverTheCase) {
  EXPECT_EQ(zone("europe/BERLIN")->name(), "Europe/Berlin");
  EXPECT_EQ(zone("us/pacific")->name(), "US/Pacific");
}

TEST(TimeZone, WindowsNamesStandForTheZonesThatTheyMean) {
  EXPECT_EQ(zone("W. Europe Standard Time")->name(), "Europe/Berlin");
  EXPECT_EQ(zone("korea standard time")->name(), "Asia/Seoul");
  EXPECT_EQ(zone("GMT Standard Time")->name(), "Europe/London");
}

TEST(TimeZone, AnUnknownNameOffersTheNearest) {
  EXPECT_TRUE(error_of("Europe/Berln").contains("did you mean Europe/Berlin"));
  EXPECT_TRUE(error_of("new york").contains("America/New_York"));
  EXPECT_TRUE(error_of("tokyo").contains("Asia/Tokyo"));
}

TEST(TimeZone, ANameLikeNothingShowsHowOneLooks) {
  for (const auto* name : {"", "+25:00", "+2:00", "+02:60", "-", "Standard Time of Nowhere"}) {
    EXPECT_TRUE(error_of(name).contains("+02:00")) << name;
  }
}

TEST(TimeZone, EveryNameIsFound) {
  const auto names = TimeZone::names();
  EXPECT_GT(names.size(), 500U);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  for (const auto name : names) EXPECT_EQ(zone(name)->name(), name);
}

}  // namespace
}  // namespace gpulse
