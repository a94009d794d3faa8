// The --timezone option of every command that reads logs.
#pragma once

#include <memory>
#include <string>

#include "telemetry/time_zone.h"

namespace gpulse::cli {

inline constexpr const char* kTimeZoneHelp =
    "zone of the PC that wrote the log, as Europe/Berlin or +02:00 (default: this machine's)";

// The zone of that name, this machine's for an empty one.
[[nodiscard]] Expected<std::shared_ptr<const TimeZone>> time_zone_option(const std::string& name);

}  // namespace gpulse::cli
