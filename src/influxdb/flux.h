// The text of Flux queries, and the CSV in which InfluxDB answers them. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/error.h"

namespace gpulse {

// Rows under one heading; a query has several where columns differ.
struct FluxTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`

  // The cells of a column; "" for each row when there is none.
  [[nodiscard]] std::vector<std::string> column(std::string_view name) const;
};

// An operation error when the server reports one in the middle of its answer, which it does under
// status 200, or when it is no such CSV.
[[nodiscard]] Expected<std::vector<FluxTable>> parse_flux_csv(std::string_view text);

// Text as a string literal of Flux, quotes included: query parameters are not supported.
[[nodiscard]] std::string flux_string(std::string_view text);

}  // namespace gpulse
