#include "telemetry/timestamp.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace gpulse {
namespace {

std::string again(std::string_view text) {
  const auto time = parse_timestamp(text);
  return time ? to_rfc3339(*time) : "none";
}

TEST(Timestamp, IsPrintedInUtcWithSixDecimals) {
  EXPECT_EQ(to_rfc3339(from_microseconds(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(from_microseconds(1'686'903'428'000'001)), "2023-06-16T08:17:08.000001Z");
  EXPECT_EQ(to_rfc3339(from_microseconds(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(Timestamp, ReadsEveryOffsetAndUpToNineDecimals) {
  EXPECT_EQ(again("2023-06-16T08:17:08Z"), "2023-06-16T08:17:08.000000Z");
  EXPECT_EQ(again("2023-06-16t08:17:08z"), "2023-06-16T08:17:08.000000Z");
  EXPECT_EQ(again("2023-06-16 10:17:08+02:00"), "2023-06-16T08:17:08.000000Z");
  EXPECT_EQ(again("2023-06-16T03:47:08-04:30"), "2023-06-16T08:17:08.000000Z");
  EXPECT_EQ(again("2023-06-16T08:17:08.5Z"), "2023-06-16T08:17:08.500000Z");
  EXPECT_EQ(again("2023-06-16T08:17:08.123456789Z"), "2023-06-16T08:17:08.123456Z");
  EXPECT_EQ(again("2023-12-31T23:30:00-01:00"), "2024-01-01T00:30:00.000000Z");
  EXPECT_EQ(again("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000000Z");
}

TEST(Timestamp, ReadsMilliseconds) {
  EXPECT_EQ(again("0"), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(again("1686903428001"), "2023-06-16T08:17:08.001000Z");
  EXPECT_EQ(again("-1"), "1969-12-31T23:59:59.999000Z");
}

TEST(Timestamp, RefusesAllElse) {
  for (const std::string_view text : {"",
                                      " ",
                                      "now",
                                      "2023-06-16",
                                      "2023-06-16T08:17:08",
                                      "2023-06-16T08:17Z",
                                      "2023-02-29T00:00:00Z",
                                      "2023-13-01T00:00:00Z",
                                      "2023-06-16T24:00:00Z",
                                      "2023-06-16T08:60:00Z",
                                      "2023-06-16T08:17:61Z",
                                      "2023-06-16T08:17:08.Z",
                                      "2023-06-16T08:17:08.1234567890Z",
                                      "2023-06-16T08:17:08+2",
                                      "2023-06-16T08:17:08+02:60",
                                      "2023-06-16T08:17:08+24:00",
                                      "2023-06-16T08:17:08Zx",
                                      "2023-06-16T08:17:08+0200",
                                      "1686903428.5",
                                      "1686903428001 ",
                                      "+5",
                                      "253402300800001",
                                      "9223372036854775807",
                                      "99999999999999999999"}) {
    EXPECT_EQ(again(text), "none") << text;
  }
}

TEST(Timestamp, ReadsWhatItPrints) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const auto us =
        static_cast<std::int64_t>(random() % 315'000'000'000'000'000) - 62'000'000'000'000'000;
    const Timestamp time = from_microseconds(us);
    ASSERT_EQ(parse_timestamp(to_rfc3339(time)), time) << us;
  }
}

// What cannot be printed must not be read: a request would be answered with a time that is none.
TEST(Timestamp, YearsWithoutFourDigitsAreNone) {
  EXPECT_EQ(to_rfc3339(*parse_timestamp("-62167219200000")), "0000-01-01T00:00:00.000000Z");
  EXPECT_FALSE(parse_timestamp("-62167219200001"));
  EXPECT_FALSE(parse_timestamp("0000-01-01T00:00:00+00:01"));
  EXPECT_EQ(to_rfc3339(*parse_timestamp("253402300799999")), "9999-12-31T23:59:59.999000Z");
  EXPECT_FALSE(parse_timestamp("253402300800000"));
  EXPECT_FALSE(parse_timestamp("9999-12-31T23:59:59-00:01"));
}

}  // namespace
}  // namespace gpulse
