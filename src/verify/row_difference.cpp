#include "verify/row_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gpulse {
namespace {

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<double> reading_of(const ReadingColumn& column, std::size_t row) {
  return column.present(row) ? finite(column.value(row)) : std::nullopt;
}

std::optional<double> reading_of(const PlaceReading* there) {
  return there != nullptr && there->value ? finite(*there->value) : std::nullopt;
}

std::string words(const std::optional<double>& value, int decimals) {
  if (!value) return "absent";
  return decimals > 0 ? fmt::format("{:.{}f}", *value, decimals) : fmt::format("{}", *value);
}

// Finds readings by name, fastest when they are asked for in their own order.
class Finder {
 public:
  explicit Finder(std::span<const PlaceReading> readings) : readings_(readings) {}

  const PlaceReading* find(std::string_view name) {
    for (std::size_t probe = 0; probe < readings_.size(); ++probe) {
      if (next_ >= readings_.size()) next_ = 0;
      const PlaceReading& reading = readings_[next_++];
      if (reading.name == name) return &reading;
    }
    return nullptr;
  }

 private:
  std::span<const PlaceReading> readings_;
  std::size_t next_ = 0;
};

RowDifference reading_difference(std::string_view name, const std::optional<double>& there,
                                 const std::optional<double>& here, int decimals) {
  return {
      fmt::format("{} is {} there, {} in the log", name, words(there, 0), words(here, decimals)),
      {}};
}

// A reading that the log has no column for.
std::optional<RowDifference> find_extra(const SampleBatch& log, const PlaceRow& there) {
  const auto& columns = log.layout->columns;
  for (const PlaceReading& reading : there.readings) {
    if (!reading_of(&reading)) continue;
    if (std::ranges::find(columns, reading.name, &ColumnName::metric) != columns.end()) continue;
    return RowDifference{
        fmt::format("{} is {} there, and the log has no such column", reading.name, *reading.value),
        {}};
  }
  return std::nullopt;
}

}  // namespace

std::optional<RowDifference> first_difference(const SampleBatch& log, std::size_t row,
                                              std::chrono::microseconds shift,
                                              const PlaceRow& there) {
  const Timestamp time = log.times[row] + shift;
  if (there.time != time) {
    return RowDifference{fmt::format("its time is {} there, {} in the log", to_rfc3339(there.time),
                                     to_rfc3339(time)),
                         there.time - time};
  }
  if (there.session && *there.session != log.session) {
    return RowDifference{
        fmt::format("its session is {} there, {} in the log", *there.session, log.session), {}};
  }
  Finder finder(there.readings);
  std::size_t present = 0;
  for (std::size_t i = 0; i < log.columns.size(); ++i) {
    const std::string& name = log.layout->columns[i].metric;
    const auto here = reading_of(log.columns[i], row);
    const auto found = reading_of(finder.find(name));
    if (found != here) return reading_difference(name, found, here, log.columns[i].decimals());
    if (found) ++present;
  }
  const auto there_present = std::ranges::count_if(
      there.readings, [](const PlaceReading& reading) { return reading_of(&reading).has_value(); });
  if (static_cast<std::size_t>(there_present) == present) return std::nullopt;
  return find_extra(log, there);
}

}  // namespace gpulse
