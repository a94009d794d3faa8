#include <gtest/gtest.h>

#include "platform/local_time_zone.h"
#include "telemetry/time_zone.h"

namespace gpulse {
namespace {

TEST(LocalTimeZoneOnWindows, IsOneThatIsFound) {
  const auto zone = TimeZone::find(local_time_zone_name());
  EXPECT_TRUE(zone) << local_time_zone_name() << ": " << zone.error().message;
}

}  // namespace
}  // namespace gpulse
