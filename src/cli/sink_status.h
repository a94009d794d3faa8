// What `gpulse sink influxdb` tells of itself at /metrics and /healthz.
#pragma once

#include "cli/influx_relay.h"
#include "server/status_server.h"

namespace gpulse::cli {

// The relay must outlive the pages.
[[nodiscard]] StatusPages sink_pages(const InfluxRelay& relay);

}  // namespace gpulse::cli
