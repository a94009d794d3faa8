#include "gpuz/cell.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "telemetry/sample_batch.h"

namespace gpulse {
namespace {

double value_of(const Reading& reading) {
  ReadingColumn column;
  if (reading.approximate) {
    column.push_double(*reading.approximate);
  } else {
    column.push(reading.count, reading.decimals);
  }
  return column.value(0);
}

struct Form {
  std::string_view text;
  std::int64_t count;
  int decimals;
};

TEST(Cell, ReadsEveryPlainNumber) {
  for (const auto& [text, count, decimals] :
       std::initializer_list<Form>{{"63.0", 630, 1},
                                   {"   63.0   ", 630, 1},
                                   {"\t63\t", 63, 0},
                                   {"+5", 5, 0},
                                   {"-5", -5, 0},
                                   {"-0.25", -25, 2},
                                   {"007.50", 750, 2},
                                   {"0", 0, 0},
                                   {"-0.0", 0, 1},
                                   {"0.000000001", 1, 9},
                                   {"000000000000000000000000063", 63, 0},
                                   {"2147483648", 2147483648, 0},
                                   {"9007199254740992", 9007199254740992, 0}}) {
    const auto reading = parse_reading(text);
    ASSERT_TRUE(reading) << text;
    EXPECT_FALSE(reading->approximate) << text;
    EXPECT_EQ(reading->count, count) << text;
    EXPECT_EQ(reading->decimals, decimals) << text;
  }
}

TEST(Cell, AnythingElseIsAbsent) {
  for (const std::string_view text :
       {"",    "   ", "-",     "  -  ", "+",    ".",     "-.",          ".5",   "5.",
        "-.5", "1e3", "1.2.3", "1 2",   "--1",  "+-1",   "1-",          "0x10", "inf",
        "nan", "N/A", "63,0",  "63.0C", "\xB0", "1'000", "\xC2\xA0\x35"}) {
    EXPECT_FALSE(parse_reading(text)) << text;
  }
}

TEST(Cell, WhatCountsCannotHoldComesAsTheNearestDouble) {
  for (const std::string text :
       {"9007199254740993", "-9007199254740993", "123456789012345.678", "999999999999999999",
        "123456789012345678901234567890", "0.12345678901234567890", "0.0000000001", "-0.0000000000",
        "72057594037927937.5"}) {
    const auto reading = parse_reading(text);
    ASSERT_TRUE(reading) << text;
    ASSERT_TRUE(reading->approximate) << text;
    EXPECT_EQ(*reading->approximate, std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(Cell, ReadingIsTheDoubleThatItsTextParsesTo) {
  std::mt19937_64 random(20230616);
  for (int i = 0; i < 200'000; ++i) {
    const int digits = 1 + static_cast<int>(random() % 19);
    std::string text = random() % 4 == 0 ? "-" : random() % 8 == 0 ? "+" : "";
    const int point = static_cast<int>(random() % 20);
    for (int digit = 0; digit < digits; ++digit) {
      if (digit == point && digit > 0) text += '.';
      text += static_cast<char>('0' + random() % 10);
    }
    const auto reading = parse_reading(text);
    ASSERT_TRUE(reading) << text;
    ASSERT_EQ(value_of(*reading), std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(Cell, ReadsDates) {
  EXPECT_EQ(parse_local_time(" 1970-01-01 00:00:00 "), 0);
  EXPECT_EQ(parse_local_time("2023-06-16 10:17:08"), 1'686'910'628);
  EXPECT_EQ(parse_local_time("2024-02-29 23:59:59"), 1'709'251'199);
  EXPECT_EQ(parse_local_time("1969-12-31 23:59:59"), -1);
  EXPECT_EQ(parse_local_time("9999-12-31 23:59:59"), 253'402'300'799);
}

TEST(Cell, RefusesDatesThatDoNotExist) {
  for (const std::string_view text :
       {"", "2023-06-16", "2023-02-29 10:00:00", "2023-06-31 10:00:00", "2023-00-10 10:00:00",
        "2023-13-10 10:00:00", "2023-06-00 10:00:00", "2023-06-16 24:00:00", "2023-06-16 10:60:00",
        "2023-06-16 10:00:60", "2023-06-16T10:00:00", "2023/06/16 10:00:00", "2023-6-16 10:00:000",
        "2023-06-16 10:00:0x", "-023-06-16 10:00:00", "2023-06-16 1 :00:00",
        "2023-06-16 10:00:00 x", "16.06.2023 10:17:08"}) {
    EXPECT_FALSE(parse_local_time(text)) << text;
  }
}

}  // namespace
}  // namespace gpulse
