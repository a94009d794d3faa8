// When what happens in a made-up log: scenarios become stretches with faults at set places.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gpuz/generator_options.h"
#include "gpuz/generator_workload.h"

namespace gpulse::generator {

// A fault that lasts.
enum class Fault : std::uint8_t { power_limit, thermal_limit, dust, fan_failure, stuck_sensor };

[[nodiscard]] std::string_view to_string(Fault fault);  // as in labels: "power_limit"

// How far a log has got: rows or microseconds, by what its length is given in.
using Progress = std::int64_t;

struct FaultWindow {
  Fault fault;
  Progress begin;
  Progress end;
};

// Logging stops here for a while.
struct Pause {
  Progress at;
  std::chrono::microseconds length;
  bool restarts;  // GPU-Z was started anew, and writes its header again
};

struct Segment {
  Scenario scenario;
  Progress begin;
  Progress end;
  Routine routine;
  bool evenings_only;  // the PC runs from about 17 h to 23 h
  std::vector<FaultWindow> faults;
  std::vector<Pause> pauses;  // in order
};

// `options` must be valid. The same options give the same script.
[[nodiscard]] std::vector<Segment> write_script(const GeneratorOptions& options);

}  // namespace gpulse::generator
