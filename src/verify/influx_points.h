// What InfluxDB holds of one source, asked for in slices of time.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "influxdb/query.h"
#include "verify/row_difference.h"

namespace gpulse {

// The time axis of InfluxDB, less what lies before 1970.
inline constexpr Timestamp kInfluxFirst{};
inline constexpr Timestamp kInfluxEnd = from_microseconds(9'223'372'036'000'000);

// Asks an InfluxDB 2. Errors are run_flux's. Not thread-safe; the client must outlive it.
class InfluxPoints {
 public:
  InfluxPoints(InfluxClient& client, Device device) : client_(client), device_(std::move(device)) {}

  // The sources of the device that have points.
  [[nodiscard]] Expected<std::vector<std::string>> sources();
  // The devices under which a source has points.
  [[nodiscard]] Expected<std::vector<Device>> devices_of(std::string_view source);
  // Place and instant of the source's earliest point.
  [[nodiscard]] Expected<std::optional<PlaceRow>> first(std::string_view source);
  // Visits the source's points in [from, until), in order of time; all are in memory meanwhile.
  // Without readings only their places are asked for.
  using Visitor = std::function<Expected<void>(const PlaceRow&)>;
  [[nodiscard]] Expected<void> visit(std::string_view source, Timestamp from, Timestamp until,
                                     bool with_readings, const Visitor& visitor);

 private:
  [[nodiscard]] std::string from_bucket(Timestamp from, Timestamp until) const;
  [[nodiscard]] std::string of_source(std::string_view source) const;
  [[nodiscard]] Expected<void> visit_table(const FluxTable& table, const Visitor& visitor);

  InfluxClient& client_;
  const Device device_;
  std::vector<PlaceReading> readings_;
};

}  // namespace gpulse
