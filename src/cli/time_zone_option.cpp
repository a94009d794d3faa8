#include "cli/time_zone_option.h"

#include "platform/local_time_zone.h"

namespace gpulse::cli {

Expected<std::shared_ptr<const TimeZone>> time_zone_option(const std::string& name) {
  return TimeZone::find(name.empty() ? local_time_zone_name() : name);
}

}  // namespace gpulse::cli
