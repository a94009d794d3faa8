// The name of this machine, as the default host of its devices.
#pragma once

#include <string>

namespace gpulse {

// As the system has it, domain included if it has one; "localhost" if it has no name. Any thread.
[[nodiscard]] std::string host_name();

}  // namespace gpulse
