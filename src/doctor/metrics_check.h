// The pages for machines of our own commands: /healthz and /metrics.
#pragma once

#include <string>

#include "doctor/check.h"

namespace gpulse::doctor {

// `address` is "host:port", an IPv6 address in brackets. Asks at most a few seconds.
[[nodiscard]] Checks check_metrics(const std::string& address);

}  // namespace gpulse::doctor
