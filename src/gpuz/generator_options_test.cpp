#include "gpuz/generator_options.h"

#include <gtest/gtest.h>

#include "gpuz/made_log.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using namespace generator_test;

TEST(GeneratorOptions, LengthsAndTimesAreRead) {
  EXPECT_EQ(parse_length("36h"), std::chrono::microseconds{36h});
  EXPECT_EQ(parse_length("3w"), std::chrono::microseconds{std::chrono::days{21}});
  EXPECT_EQ(printed(*parse_start_time("2026-02-28 23:59:58")), "2026-02-28 23:59:58");
  EXPECT_EQ(printed(*parse_start_time("2026-02-28")), "2026-02-28 00:00:00");
  for (const char* wrong : {"", "h", "36", "36 h", "-1h", "0h", "1.5h", "99999999999w", "1hh"}) {
    EXPECT_FALSE(parse_length(wrong)) << wrong;
  }
  for (const char* wrong : {"", "2026", "2026-02-30", "2026-02-28 24:00:00", "2026-02-28 10:00",
                            "2026-02-28 10:00:00Z", "2026-02-28x10:00:00", "28.02.2026"}) {
    EXPECT_FALSE(parse_start_time(wrong)) << wrong;
  }
}

TEST(GeneratorOptions, ErrorsSayWhatIsAllowed) {
  const auto error = parse_scenario("overheat").error();
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_EQ(error.message,
            "\"overheat\" is no scenario; there are: idle, gaming, mixed, power-throttle, "
            "thermal-throttle, dust, fan-failure, stuck-sensor, gaps, restarts");
  EXPECT_EQ(parse_column_set("ati").error().message,
            "\"ati\" is no column set; there are: nvidia, amd, intel, old");
  EXPECT_EQ(parse_degree_sign("").error().message,
            "\"\" is no degree sign; there are: byte, utf8, none, korean");
  GeneratorOptions options;
  options.rows = 1;
  options.duration = 1h;
  EXPECT_EQ(validate(options).error().message, "give --rows or --duration, not both");
  options.duration.reset();
  EXPECT_TRUE(validate(options));
  options.interval = 0s;
  EXPECT_EQ(validate(options).error().message, "--interval must be from 0.01 to 3600 seconds");
}

}  // namespace
}  // namespace gpulse
