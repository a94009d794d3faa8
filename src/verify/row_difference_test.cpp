#include "verify/row_difference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/test_log.h"

namespace gpulse {
namespace {

using namespace verify_test;

class RowDifferenceTest : public ::testing::Test {
 protected:
  RowDifferenceTest() : file_(log_text(4)), rows_(file_.log()) {
    batch_ = *rows_.next();
    kept_ = rows_of(file_.log());
  }
  std::string difference(std::size_t row, std::chrono::microseconds shift = 0us) {
    const auto found = first_difference(*batch_, row, shift, kept_[row].view());
    return found ? found->what : "none";
  }

  LogInFile file_;
  LogRows rows_;
  const SampleBatch* batch_ = nullptr;
  std::vector<KeptRow> kept_;
};

TEST_F(RowDifferenceTest, TheSameIsNone) {
  for (std::size_t row = 0; row < 4; ++row) EXPECT_EQ(difference(row), "none");
}

TEST_F(RowDifferenceTest, TheOrderOfReadingsAndAbsentOnesDoNotMatter) {
  std::ranges::reverse(kept_[1].readings);
  EXPECT_EQ(difference(1), "none");
  kept_[0].readings.pop_back();  // absent in the log
  EXPECT_EQ(difference(0), "none");
}

TEST_F(RowDifferenceTest, TheLastBitOfAReadingMatters) {
  double& value = *kept_[1].readings[0].value;
  value = std::nextafter(value, 100);
  EXPECT_EQ(difference(1), "gpu_temperature is 40.10000000000001 there, 40.1 in the log");
}

TEST_F(RowDifferenceTest, AReadingThatIsNotThere) {
  kept_[1].readings[1].value.reset();
  EXPECT_EQ(difference(1), "gpu_load is absent there, 1 in the log");
  kept_[2].readings[1].value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(difference(2), "gpu_load is absent there, 2 in the log");
}

TEST_F(RowDifferenceTest, AReadingThatTheLogDoesNotHave) {
  kept_[0].readings[1].value = 7;
  EXPECT_EQ(difference(0), "gpu_load is 7 there, absent in the log");
  kept_[1].readings.push_back({"fan_speed", 1200});
  EXPECT_EQ(difference(1), "fan_speed is 1200 there, and the log has no such column");
}

TEST_F(RowDifferenceTest, TheTimeIsThatOfTheReplay) {
  kept_[1].time += 90s;
  EXPECT_EQ(difference(1, 90s), "none");
  EXPECT_EQ(
      difference(1),
      "its time is 2026-03-01T10:01:31.000000Z there, 2026-03-01T10:00:01.000000Z in the log");
  EXPECT_EQ(first_difference(*batch_, 1, 0us, kept_[1].view())->later, 90s);
}

TEST_F(RowDifferenceTest, TheSessionIsComparedWhereItIsKept) {
  kept_[1].session = 1;
  EXPECT_EQ(difference(1), "its session is 1 there, 45 in the log");
}

}  // namespace
}  // namespace gpulse
