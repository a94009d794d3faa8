// Flux queries, for checking what is stored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "influxdb/client.h"
#include "influxdb/flux.h"

namespace gpulse {

// Runs a query in the endpoint's organisation; needs InfluxDB 2. An error names the query's fault.
[[nodiscard]] Expected<std::vector<FluxTable>> run_flux(InfluxClient& client, std::string_view flux,
                                                        const std::stop_token& stop = {});

}  // namespace gpulse
