// The options of every command that speaks to InfluxDB.
#pragma once

#include <string>

#include "influxdb/endpoint.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

// As it stands on the command line; the token never does.
struct InfluxArguments {
  std::string address = "influxdb://127.0.0.1:8086/gpulse/gpu-metrics";
  std::string token_file;
  std::string ca_file;
};

// All but the address, whose option each command names itself. `arguments` must outlive the parse.
void add_influx_options(CLI::App& app, InfluxArguments& arguments);

// Reads the token; usage errors.
[[nodiscard]] Expected<InfluxEndpoint> influx_endpoint(const InfluxArguments& arguments);

}  // namespace gpulse::cli
