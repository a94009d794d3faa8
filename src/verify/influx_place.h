// An InfluxDB 2 against logs.
#pragma once

#include <span>

#include "influxdb/endpoint.h"
#include "verify/place.h"

namespace gpulse {

// A usage error when it is no InfluxDB 2. Pure.
[[nodiscard]] Expected<void> check_verifiable(const InfluxEndpoint& endpoint);

// Asks for the points of each log in slices of some thousand rows, and for whatever else stands
// under its identity. The endpoint must be verifiable.
[[nodiscard]] Expected<PlaceReport> verify_influx(const InfluxEndpoint& endpoint,
                                                  std::span<const LogUnderTest> logs,
                                                  const Clock& clock);

}  // namespace gpulse
