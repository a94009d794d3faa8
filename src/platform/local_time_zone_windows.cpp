#include <windows.h>

#include <cstdlib>

#include "platform/local_time_zone.h"
#include "platform/windows_api.h"

namespace gpulse {

std::string local_time_zone_name() {
  DYNAMIC_TIME_ZONE_INFORMATION zone{};
  if (GetDynamicTimeZoneInformation(&zone) == TIME_ZONE_ID_INVALID) return "UTC";
  // "Adjust for daylight saving time automatically" is off: the clock keeps to the zone's offset.
  if (zone.DynamicDaylightTimeDisabled != FALSE) {
    const long east = -zone.Bias;
    const long minutes = std::abs(east);
    std::string offset = east < 0 ? "-" : "+";
    for (const long part : {minutes / 60, minutes % 60}) {
      offset += static_cast<char>('0' + part / 10);
      offset += static_cast<char>('0' + part % 10);
    }
    return offset;
  }
  const std::string key = windows::utf8(zone.TimeZoneKeyName);
  return key.empty() ? windows::utf8(zone.StandardName) : key;
}

}  // namespace gpulse
