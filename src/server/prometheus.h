// /metrics: the newest readings in Prometheus' text format 0.0.4, and how gpulse itself is doing.
//
// Readings are in base units, as the catalogue says. Only devices that are live have any: a reading
// that is absent, or of a device that went silent, is not exported at all.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/exposition.h"
#include "server/site.h"
#include "store/history.h"
#include "stream/alert.h"

namespace gpulse {

// The newest row of a device; NaN where a reading is absent.
struct LatestReadings {
  Device device;
  Timestamp time;
  struct Reading {
    MetricRecord metric;
    double value = 0;
  };
  std::vector<Reading> readings;
};

struct ExporterOptions {
  std::string version;
  // The newest row of every device that has one; any thread. Must not be empty.
  std::function<std::vector<LatestReadings>()> latest;
  // What this process has used so far; any thread. Empty: not exported.
  std::function<ProcessUsage()> process_usage;
  // Families of what else the program does; any thread. Empty: none.
  std::function<void(Exposition&)> more = {};
};

struct ExporterState {
  const RequestCounters& requests;
  std::size_t live_clients = 0;
};

// Any thread. Borrows the history.
class Exporter {
 public:
  Exporter(const History& history, std::vector<AlertRule> rules, const Clock& clock,
           ExporterOptions options);

  // The text that Prometheus reads. The errors are the history's.
  [[nodiscard]] Expected<std::string> exposition(const ExporterState& state) const;

 private:
  const History& history_;
  const std::vector<AlertRule> rules_;
  const Clock& clock_;
  const ExporterOptions options_;
};

}  // namespace gpulse
