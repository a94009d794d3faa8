#include "platform/local_time_zone.h"

#include <gtest/gtest.h>

#include <fstream>

#include "telemetry/time_zone.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;

class LocalTimeZone : public testing::Test {
 protected:
  void SetUp() override {
    etc_ = fs::path(testing::TempDir()) /
           (std::string("gpulse_etc_") +
            testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(etc_);
    fs::create_directories(etc_);
  }
  void TearDown() override { fs::remove_all(etc_); }

  void write(const char* name, const char* text) { std::ofstream(etc_ / name) << text; }

  fs::path etc_;
};

TEST_F(LocalTimeZone, TheEnvironmentComesFirst) {
  write("timezone", "Asia/Tokyo\n");
  EXPECT_EQ(time_zone_name_from("Europe/Berlin", etc_), "Europe/Berlin");
  EXPECT_EQ(time_zone_name_from(":Europe/Berlin", etc_), "Europe/Berlin");
  EXPECT_EQ(time_zone_name_from(":/usr/share/zoneinfo/right/Europe/Berlin", etc_), "Europe/Berlin");
  EXPECT_EQ(time_zone_name_from("", etc_), "UTC");
}

TEST_F(LocalTimeZone, TheLinkGoesBeforeTheFile) {
  fs::create_symlink("../usr/share/zoneinfo/America/Argentina/Salta", etc_ / "localtime");
  write("timezone", "Asia/Tokyo\n");
  EXPECT_EQ(time_zone_name_from(nullptr, etc_), "America/Argentina/Salta");
}

TEST_F(LocalTimeZone, TheFileServesWhereThereIsNoLink) {
  write("localtime", "TZif2");
  write("timezone", "Asia/Tokyo\n");
  EXPECT_EQ(time_zone_name_from(nullptr, etc_), "Asia/Tokyo");
}

TEST_F(LocalTimeZone, NothingAtAllIsUtc) { EXPECT_EQ(time_zone_name_from(nullptr, etc_), "UTC"); }

TEST_F(LocalTimeZone, ASettingWithoutANameIsRefusedLater) {
  write("localtime", "TZif2");
  EXPECT_FALSE(TimeZone::find(time_zone_name_from(nullptr, etc_)));
  EXPECT_FALSE(TimeZone::find(time_zone_name_from("CET-1CEST,M3.5.0,M10.5.0/3", etc_)));
}

}  // namespace
}  // namespace gpulse
