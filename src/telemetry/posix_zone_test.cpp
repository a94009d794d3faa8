#include "telemetry/posix_zone.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

PosixZone parse(std::string_view text) {
  const auto zone = PosixZone::parse(text);
  if (!zone) throw std::runtime_error("no TZ string: " + std::string(text));
  return *zone;
}

UtcSeconds utc(year_month_day date, seconds time) { return sys_days{date} + time; }

TEST(PosixZone, WithoutDaylightTimeItNeverChanges) {
  const auto span = parse("<+0545>-5:45").at(utc(2024y / 1 / 1, 0s));
  EXPECT_EQ(span.offset, 5h + 45min);
  EXPECT_EQ(span.from, kAlwaysWas);
  EXPECT_EQ(span.until, kForEver);
  EXPECT_EQ(parse("EST5").at(utc(2024y / 1 / 1, 0s)).offset, -5h);
  EXPECT_EQ(parse("LMT-0:53:28").at(utc(2024y / 1 / 1, 0s)).offset, 53min + 28s);
}

TEST(PosixZone, WeekdaysOfMonths) {
  const auto zone = parse("EST5EDT,M3.2.0,M11.1.0");
  const auto summer = zone.at(utc(2024y / 7 / 1, 0s));
  EXPECT_EQ(summer.offset, -4h);
  EXPECT_EQ(summer.from, utc(2024y / 3 / 10, 7h));
  EXPECT_EQ(summer.until, utc(2024y / 11 / 3, 6h));
  const auto winter = zone.at(utc(2024y / 12 / 31, 23h));
  EXPECT_EQ(winter.offset, -5h);
  EXPECT_EQ(winter.from, utc(2024y / 11 / 3, 6h));
  EXPECT_EQ(winter.until, utc(2025y / 3 / 9, 7h));
}

TEST(PosixZone, TheSouthHasSummerOverNewYear) {
  const auto span = parse("AEST-10AEDT,M10.1.0,M4.1.0/3").at(utc(2024y / 1 / 1, 0s));
  EXPECT_EQ(span.offset, 11h);
  EXPECT_EQ(span.from, utc(2023y / 9 / 30, 16h));
  EXPECT_EQ(span.until, utc(2024y / 4 / 6, 16h));
}

TEST(PosixZone, TimesBesideTheDay) {
  // Scoresbysund: the day before at 23:00. Jerusalem: Thursday's 26 o'clock, so Friday.
  EXPECT_EQ(parse("<-02>2<-01>,M3.5.0/-1,M10.5.0/0").at(utc(2024y / 7 / 1, 0s)).from,
            utc(2024y / 3 / 31, 1h));
  EXPECT_EQ(parse("IST-2IDT,M3.4.4/26,M10.5.0").at(utc(2024y / 7 / 1, 0s)).from,
            utc(2024y / 3 / 29, 0s));
}

TEST(PosixZone, DaysOfTheYear) {
  // J60 is March 1 in every year; 60 is February 29's neighbour only in leap years.
  const auto julian = parse("AAA0BBB,J60/0,J300/0");
  EXPECT_EQ(julian.at(utc(2023y / 6 / 1, 0s)).from, utc(2023y / 3 / 1, 0s));
  EXPECT_EQ(julian.at(utc(2024y / 6 / 1, 0s)).from, utc(2024y / 3 / 1, 0s));
  const auto counted = parse("AAA0BBB,59/0,300/0");
  EXPECT_EQ(counted.at(utc(2023y / 6 / 1, 0s)).from, utc(2023y / 3 / 1, 0s));
  EXPECT_EQ(counted.at(utc(2024y / 6 / 1, 0s)).from, utc(2024y / 2 / 29, 0s));
}

TEST(PosixZone, DaylightTimeBehindStandardTime) {
  const auto dublin = parse("IST-1GMT0,M10.5.0,M3.5.0/1");
  EXPECT_EQ(dublin.at(utc(2024y / 1 / 1, 0s)).offset, 0s);
  EXPECT_EQ(dublin.at(utc(2024y / 7 / 1, 0s)).offset, 1h);
}

TEST(PosixZone, DaylightTimeAllYear) {
  const auto zone = parse("XXX3EDT4,0/0,J365/23");
  EXPECT_EQ(zone.at(utc(2024y / 1 / 1, 3h - 1s)).offset, -4h);
  EXPECT_EQ(zone.at(utc(2024y / 1 / 1, 3h)).offset, -4h);
  EXPECT_EQ(zone.at(utc(2024y / 7 / 1, 0s)).offset, -4h);
}

TEST(PosixZone, ChangesAWeekBesideTheirYearAreSeen) {
  const auto late = parse("AAA0BBB,J365/166,J365/167");
  const auto early = parse("AAA0BBB,0/-167,0/-166");
  for (auto time = utc(2023y / 12 / 20, 0s); time < utc(2024y / 1 / 20, 0s); time += 1h) {
    for (const auto& zone : {late, early}) {
      const auto span = zone.at(time);
      ASSERT_LE(span.from, time);
      ASSERT_GT(span.until, time);
    }
  }
}

TEST(PosixZone, WhatIsNoTzStringIsRefused) {
  for (const auto* text :
       {"", "CE-1", "CET", "<+03-3", "CET-25", "CET-1:60", "CET-1x", "CET-1CEST",
        "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,J0,J100",
        "CET-1CEST,366,100", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST,M3.5.0,M10.5.0,"}) {
    EXPECT_FALSE(PosixZone::parse(text)) << text;
  }
}

}  // namespace
}  // namespace gpulse
