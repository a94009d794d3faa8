// Where an InfluxDB is, and as whom we speak to it.
//
//   influxdb://host:port/org/bucket      InfluxDB 2
//   influxdb://host:port/database        InfluxDB 1 or 3
//   influxdbs://…                        the same over TLS
//   …?version=1                          1, 2 or 3, instead of asking the server
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/error.h"

namespace gpulse {

inline constexpr std::uint16_t kInfluxPortDefault = 8086;
inline constexpr std::string_view kInfluxOrganisationDefault = "gpulse";
inline constexpr std::string_view kInfluxBucketDefault = "gpu-metrics";
inline constexpr const char* kInfluxTokenVariable = "GPULSE_INFLUXDB_TOKEN";

// The major version, which decides how lines are posted.
enum class InfluxVersion { v1 = 1, v2 = 2, v3 = 3 };

// What an address says. Two of the same server, organisation and bucket are the same place.
struct InfluxAddress {
  std::string host;  // a name or an IP address, IPv6 without its brackets
  std::uint16_t port = kInfluxPortDefault;
  bool tls = false;
  std::string organisation;  // empty for 1 and 3
  std::string bucket;        // or the database
  std::optional<InfluxVersion> version;

  // "host:port", as Host: and people want it.
  [[nodiscard]] std::string authority() const;
  // The address again, without its version: "influxdb://host:port/org/bucket".
  [[nodiscard]] std::string display() const;
};

// Whether it is ours to read: begins with influxdb:// or influxdbs://.
[[nodiscard]] bool is_influx_address(std::string_view text);

// Pure. Without a path the organisation and bucket are gpulse's defaults. Names may be
// percent-encoded. A usage error says what is wrong; it does not repeat a password that somebody
// put into the address.
[[nodiscard]] Expected<InfluxAddress> parse_influx_address(std::string_view text);

struct InfluxOptions {
  std::string address;
  // One line, readable by its owner only: a token, or for InfluxDB 1 "user:password". Empty: the
  // environment is asked.
  std::filesystem::path token_file;
  // PEM, whom to trust beyond those that the system trusts. Needs TLS.
  std::filesystem::path ca_file;
};

// All that a connection needs. The token is a secret: it appears in no message.
struct InfluxEndpoint {
  InfluxAddress address;
  std::string token;       // empty: none is sent
  std::string token_from;  // for people: "the token in /etc/gpulse/influx", "GPULSE_INFLUXDB_TOKEN"
  std::filesystem::path ca_file;
};

// Pure but for looking at the files.
[[nodiscard]] Expected<void> validate(const InfluxOptions& options);

// Reads the token, from the file or else from the value of GPULSE_INFLUXDB_TOKEN (nullptr: not
// set). Usage errors.
[[nodiscard]] Expected<InfluxEndpoint> open_endpoint(const InfluxOptions& options,
                                                     const char* environment_token);
// The same with the environment's own value. Not while another thread changes the environment.
[[nodiscard]] Expected<InfluxEndpoint> open_endpoint(const InfluxOptions& options);

// What a server of this address is taken for until it has said what it is.
[[nodiscard]] InfluxVersion assumed_version(const InfluxAddress& address);
// The path and query to which lines are posted.
[[nodiscard]] std::string write_target(const InfluxAddress& address, InfluxVersion version);
// The value of the Authorization header; empty without a token.
[[nodiscard]] std::string authorization(const InfluxEndpoint& endpoint, InfluxVersion version);

// Percent-encodes everything but letters, digits and "-._~".
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace gpulse
