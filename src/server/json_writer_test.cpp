#include "server/json_writer.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <random>

namespace gpulse {
namespace {

std::string reading(double value, int decimals) {
  std::string out;
  append_json_reading(out, value, decimals);
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out = "data: ";
  JsonWriter json(out);
  json.begin_object().member("a", 1).key("b").begin_array().end_array();
  json.key("c").begin_array().integer(-1).string("x,").boolean(true).null().begin_object();
  json.end_object().end_array().member("d", 0.5).member("e", false).end_object();
  EXPECT_EQ(out, R"(data: {"a":1,"b":[],"c":[-1,"x,",true,null,{}],"d":0.5,"e":false})");
}

TEST(JsonWriter, AStringThatEndsLikeAnOpenBracketStillGetsItsComma) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().string("[").string("{").string(":").end_array();
  EXPECT_EQ(out, R"(["[","{",":"])");
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\"");
  EXPECT_EQ(quoted("°C 温度 \xF0\x9F\x98\x80"), "\"°C 温度 \xF0\x9F\x98\x80\"");
}

TEST(JsonWriter, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(quoted("\xB0"
                   "C"),
            "\"\xEF\xBF\xBD"
            "C\"");
  EXPECT_EQ(quoted("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");          // overlong
  EXPECT_EQ(quoted("\xED\xA0\x80x").find('x'), 10U);  // surrogate: three marks
  EXPECT_EQ(quoted("\xE6\xB8"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");  // cut off
}

TEST(JsonWriter, PrintsReadingsAsTheLogHadThem) {
  EXPECT_EQ(reading(63.0, 1), "63.0");
  EXPECT_EQ(reading(63.0, 0), "63");
  EXPECT_EQ(reading(-0.5, 1), "-0.5");
  EXPECT_EQ(reading(0.006, 4), "0.0060");
  EXPECT_EQ(reading(1.05, 2), "1.05");
  EXPECT_EQ(reading(0.0, 3), "0.000");
}

TEST(JsonWriter, PrintsWhatIsNoReadingOfThoseDecimalsInFull) {
  EXPECT_EQ(reading(1.0 / 3, 1), "0.3333333333333333");
  EXPECT_EQ(reading(63.25, 1), "63.25");
  EXPECT_EQ(reading(1e22, 1), "1e+22");
  EXPECT_EQ(reading(1.5, 12), "1.5");
}

TEST(JsonWriter, AbsentIsNull) {
  EXPECT_EQ(reading(std::nan(""), 1), "null");
  EXPECT_EQ(reading(std::numeric_limits<double>::infinity(), 1), "null");
  std::string out;
  append_json_double(out, std::nan(""));
  EXPECT_EQ(out, "null");
}

TEST(JsonWriter, WhatIsMissingIsNullAndDurationsAreSeconds) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("a", std::optional<double>{}).member("b", std::optional<double>{1.5});
  json.member("c", std::optional<Timestamp>{}).member("d", std::chrono::milliseconds{1250});
  json.member("e", std::chrono::seconds{3}).end_object();
  EXPECT_EQ(out, R"({"a":null,"b":1.5,"c":null,"d":1.25,"e":3})");
  EXPECT_EQ(json_array(std::vector{1, 2}, [](JsonWriter& to, int item) { to.integer(item); }),
            "[1,2]");
}

TEST(JsonWriter, EveryPrintedReadingReadsBackAsItself) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const int decimals = static_cast<int>(random() % 10);
    const auto count = static_cast<std::int64_t>(random() >> (random() % 60)) / 2;
    const double value = static_cast<double>(count) / std::pow(10.0, decimals);
    const std::string text = reading(value, decimals);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(back, value) << text;
  }
}

TEST(JsonWriter, MillisecondsHaveAFractionOnlyWhereRowsShareASecond) {
  const auto text = [](std::int64_t us) {
    std::string out;
    append_json_milliseconds(out, from_microseconds(us));
    return out;
  };
  EXPECT_EQ(text(1'686'903'428'000'000), "1686903428000");
  EXPECT_EQ(text(1'686'903'428'000'001), "1686903428000.001");
  EXPECT_EQ(text(1'686'903'428'001'500), "1686903428001.5");
  EXPECT_EQ(text(-1'500), "-1.5");
  EXPECT_EQ(text(-50), "-0.05");
}

TEST(JsonWriter, InstantsAreRfc3339) {
  std::string out;
  JsonWriter(out).begin_object().member("t", from_microseconds(1'686'903'428'000'000)).end_object();
  EXPECT_EQ(out, R"({"t":"2023-06-16T08:17:08.000000Z"})");
}

}  // namespace
}  // namespace gpulse
