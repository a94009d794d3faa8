#include "query/phrases.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Phrases, NumbersHaveThinSpacesAndATrueMinus) {
  EXPECT_EQ(say_number(82.0, 1), "82.0");
  EXPECT_EQ(say_number(1980.0, 1), "1\u202f980.0");
  EXPECT_EQ(say_number(1234567.0, 0), "1\u202f234\u202f567");
  EXPECT_EQ(say_number(999.0, 0), "999");
  EXPECT_EQ(say_number(-1234.5, 1), "\u22121\u202f234.5");
  EXPECT_EQ(say_number(-0.01, 1), "0.0");
  EXPECT_EQ(say_number(std::int64_t{4826}), "4\u202f826");
}

TEST(Phrases, LimitsHaveNoDecimalsToSpare) {
  EXPECT_EQ(say_limit(80), "80");
  EXPECT_EQ(say_limit(82.5), "82.5");
  EXPECT_EQ(say_limit(-5), "\u22125");
  EXPECT_EQ(say_limit(2500), "2\u202f500");
}

TEST(Phrases, Durations) {
  EXPECT_EQ(say_duration(seconds{0}), "0 s");
  EXPECT_EQ(say_duration(milliseconds{300}), "less than 1 s");
  EXPECT_EQ(say_duration(seconds{9}), "9 s");
  EXPECT_EQ(say_duration(seconds{124}), "2 min 04 s");
  EXPECT_EQ(say_duration(seconds{900}), "15 min");
  EXPECT_EQ(say_duration(seconds{4826}), "1 h 20 min");
  EXPECT_EQ(say_duration(seconds{86'400}), "24 h");
  EXPECT_EQ(say_duration(seconds{3 * 86'400 + 4 * 3600 + 5}), "3 d 4 h");
  EXPECT_EQ(say_duration(seconds{7 * 86'400}), "7 d");
}

TEST(Phrases, MetricsHaveShortNames) {
  EXPECT_EQ(say_metric("gpu_temperature"), "GPU");
  EXPECT_EQ(say_metric("board_power_draw"), "board");
  EXPECT_EQ(say_metric("backplate_temperature"), "backplate");
  EXPECT_EQ(say_metric("sensor_12v"), "sensor 12v");
  EXPECT_EQ(capitalised("hot spot"), "Hot spot");
  EXPECT_EQ(capitalised("GPU"), "GPU");
}

TEST(Phrases, EmptyPartsAreNotJoined) {
  EXPECT_EQ(joined({"a", "", "b"}), "a · b");
  EXPECT_EQ(joined({"", ""}), "");
}

TEST(Phrases, TimesAreInTheZoneAndDatedWhereNeeded) {
  const auto zone = TimeZone::find("Europe/Berlin");
  ASSERT_TRUE(zone);
  const Timestamp time = *parse_timestamp("2023-06-16T22:23:44.9Z");
  const auto say = [&](seconds length) { return TimePhrases({time, time + length}, *zone); };
  EXPECT_EQ(say(seconds{86'400}).at(time), "at 00:23:44");
  EXPECT_EQ(say(seconds{86'400}).bare(time), "00:23:44");
  EXPECT_EQ(say(seconds{86'401}).at(time), "on 17 Jun at 00:23:44");
  EXPECT_EQ(say(seconds{86'401}).bare(time), "17 Jun 00:23:44");
  EXPECT_EQ(say(seconds{400 * 86'400}).at(time), "on 17 Jun 2023 at 00:23:44");
  const Timestamp winter = *parse_timestamp("2023-12-16T22:23:44Z");
  EXPECT_EQ(say(seconds{60}).bare(winter), "23:23:44");
}

}  // namespace
}  // namespace gpulse
