// Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/site.h"

namespace gpulse {

inline constexpr std::string_view kGauge = "gauge";
inline constexpr std::string_view kCounter = "counter";

using ExpositionLabel = std::pair<std::string_view, std::string_view>;

// What a process has used so far.
struct ProcessUsage {
  double cpu_seconds = 0;
  double resident_bytes = 0;
};

// One answer: families in the order in which they were declared, each with its samples together.
class Exposition {
 public:
  // `type` is kGauge or kCounter. False: the name is taken by a family of another meaning.
  bool declare(const std::string& name, std::string_view type, const std::string& help);
  // Of a family that was declared. Texts that are no UTF-8 are shown with replacement characters.
  void sample(const std::string& name, std::initializer_list<ExpositionLabel> labels, double value);
  // Both at once, for families of one sample.
  void single(const std::string& name, std::string_view type, const std::string& help,
              double value);

  // What every command tells of itself: its version, and what it costs.
  void add_process(std::string_view version, const std::optional<ProcessUsage>& usage);
  void add_requests(const RequestCounters& requests);

  // A family without samples is left out.
  [[nodiscard]] std::string text() const;

 private:
  struct Family {
    std::string help;
    std::string_view type;
    std::string lines;
  };
  std::map<std::string, Family> families_;
  std::vector<std::string> order_;
};

}  // namespace gpulse
