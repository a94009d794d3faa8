// What a made-up GPU-Z log shall be.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "telemetry/error.h"

namespace gpulse {

// Wall clock time as GPU-Z writes it: of no zone.
using LocalTime = std::chrono::local_time<std::chrono::microseconds>;

enum class ColumnSet {
  nvidia,  // 30 columns with the date, connector rails and PerfCap
  amd,     // 22, as of 2020: "UVD Clock [MHz]" twice
  intel,   // 16
  old,     // the seven of 2017, LF line ends
};

enum class Scenario {
  idle,
  gaming,
  mixed,
  power_throttle,
  thermal_throttle,
  dust,
  fan_failure,
  stuck_sensor,
  gaps,
  restarts,
};

// How the degree sign comes out, which depends on the code page of the PC that wrote or copied the
// log.
enum class DegreeSign {
  byte,    // 0xB0, as Western Windows writes it
  utf8,    // 0xC2 0xB0
  none,    // "[C]"
  korean,  // "°C" read as EUC-KR and saved as UTF-8: "[캜]"
};

struct GeneratorOptions {
  std::uint64_t seed = 1;
  // At most one of the two; with none of them each scenario lasts its usual time (usual_duration).
  // Several scenarios share the length equally.
  std::optional<std::uint64_t> rows;
  std::optional<std::chrono::microseconds> duration;  // on the wall clock, pauses included
  LocalTime start =
      LocalTime{std::chrono::local_days{std::chrono::year{2026} / 1 / 1}} + std::chrono::hours{10};
  std::chrono::microseconds interval = std::chrono::seconds{1};
  ColumnSet columns = ColumnSet::nvidia;
  std::vector<Scenario> scenarios = {Scenario::gaming};  // in time order
  DegreeSign degree = DegreeSign::byte;
};

// A usage error that says what is allowed.
[[nodiscard]] Expected<void> validate(const GeneratorOptions& options);

// An hour, but three weeks for dust.
[[nodiscard]] std::chrono::microseconds usual_duration(Scenario scenario);

// Names as on the command line: "power-throttle".
[[nodiscard]] std::string_view to_string(ColumnSet columns);
[[nodiscard]] std::string_view to_string(Scenario scenario);
[[nodiscard]] std::string_view to_string(DegreeSign degree);

// The reverse; what is no such name is a usage error that lists them.
[[nodiscard]] Expected<ColumnSet> parse_column_set(std::string_view text);
[[nodiscard]] Expected<Scenario> parse_scenario(std::string_view text);
[[nodiscard]] Expected<DegreeSign> parse_degree_sign(std::string_view text);
// "36h", "90m", "45s", "2d", "3w".
[[nodiscard]] Expected<std::chrono::microseconds> parse_length(std::string_view text);
// "2026-01-01 10:00:00", or the date alone for its midnight.
[[nodiscard]] Expected<LocalTime> parse_start_time(std::string_view text);

}  // namespace gpulse
