// The time zone that this machine is set to.
#pragma once

#include <filesystem>
#include <string>

namespace gpulse {

// A name for TimeZone::find. "UTC" only where nothing says anything else: a setting that gives no
// name (a rule in TZ, a zone file of its own) comes back as it stands, so that find() refuses it
// rather than that logs are read by the wrong clock. Reads the environment: not while another
// thread changes it.
[[nodiscard]] std::string local_time_zone_name();

// The same from a value of TZ (nullptr: not set) and a folder in place of /etc. Linux only.
[[nodiscard]] std::string time_zone_name_from(const char* tz, const std::filesystem::path& etc);

}  // namespace gpulse
