#include "cli/influx_options.h"

#include <CLI/CLI.hpp>

#include "cli/log_options.h"

namespace gpulse::cli {

void add_influx_options(CLI::App& app, InfluxArguments& arguments) {
  app.add_option("--influxdb-token-file", arguments.token_file,
                 "file with the token, readable by its owner only (default: "
                 "GPULSE_INFLUXDB_TOKEN)")
      ->type_name("FILE");
  app.add_option("--influxdb-ca-file", arguments.ca_file,
                 "PEM file of who signs InfluxDB's certificate")
      ->type_name("FILE");
}

Expected<InfluxEndpoint> influx_endpoint(const InfluxArguments& arguments) {
  InfluxOptions options;
  options.address = arguments.address;
  options.token_file = path_of(arguments.token_file);
  options.ca_file = path_of(arguments.ca_file);
  return open_endpoint(options);
}

}  // namespace gpulse::cli
