// The metric catalogue: every quantity that gpulse knows by name. Its data is metrics.csv, built
// into the program.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpulse {

enum class MetricKind { gauge, counter, bitmask };

[[nodiscard]] std::string_view to_string(MetricKind kind);

struct Metric {
  std::string name;   // lower snake case, without its unit: gpu_temperature
  std::string unit;   // as people read it, UTF-8: "°C", "MHz", "" for none
  MetricKind kind = MetricKind::gauge;
  std::string group;  // topic: clock temperature fan load memory bus power rail voltage limit other
  double plausible_min = 0;
  double plausible_max = 0;
  std::string prometheus_name;  // in base units: gpulse_gpu_clock_hertz
  double prometheus_factor = 1;  // reading * factor = base unit
  std::vector<std::string> titles;  // how GPU-Z's versions head its column, unit included
};

// Immutable after the first call; any thread.
class MetricCatalogue {
 public:
  [[nodiscard]] static const MetricCatalogue& get();

  [[nodiscard]] std::span<const Metric> metrics() const { return metrics_; }
  // Null when the catalogue does not hold that name.
  [[nodiscard]] const Metric* find(std::string_view name) const;

  // Reads a catalogue in the format of metrics.csv; the built-in one is known to be right, so a
  // wrong line is an assert.
  explicit MetricCatalogue(std::string_view csv);

 private:
  std::vector<Metric> metrics_;
};

// What is known of a metric that a log brought. A further column of a catalogue metric
// ("uvd_clock_2") is like the first; what the catalogue lacks is a gauge of the group "other", of
// any value, exported as gpulse_<name>.
[[nodiscard]] Metric describe_metric(std::string_view name, std::string_view unit);

}  // namespace gpulse
