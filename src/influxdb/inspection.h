// Looks at what an InfluxDB has and at what a token may, for who checks from outside. Changes
// nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "influxdb/client.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct InfluxHealth {
  bool healthy = false;
  std::string version;  // "v2.9.1"; empty when it does not say
  std::string message;  // the server's own words
  std::optional<Timestamp> time;  // the server's, in whole seconds
};

struct InfluxBucket {
  std::chrono::seconds retention{0};  // zero is for ever
};

struct InfluxTask {
  bool active = false;
  std::string last_run;    // "success", "failed", "canceled"; empty before the first
  std::string last_error;  // of a failed run
};

// Errors are those of InfluxClient::ask(). Needs no token.
[[nodiscard]] Expected<InfluxHealth> influx_health(InfluxClient& client);

// An empty write, which is checked like a full one: 204 says that the token may write to the
// endpoint's bucket.
[[nodiscard]] Expected<InfluxAnswer> try_write(InfluxClient& client);
// The same for reading; InfluxDB 2. Without the right it is a 404, as without the bucket.
[[nodiscard]] Expected<InfluxAnswer> try_read(InfluxClient& client);

// These need InfluxDB 2, and a token that may see the piece; else there is nothing, as when it is
// not there.
[[nodiscard]] Expected<std::optional<InfluxBucket>> find_bucket(InfluxClient& client,
                                                                const std::string& name);
[[nodiscard]] Expected<std::optional<InfluxTask>> find_task(InfluxClient& client,
                                                            const std::string& name);
// Of our measurement, in the endpoint's bucket, of any device, up to a month old and however far
// ahead. Nothing when there is none.
[[nodiscard]] Expected<std::optional<Timestamp>> newest_row(InfluxClient& client);

}  // namespace gpulse
