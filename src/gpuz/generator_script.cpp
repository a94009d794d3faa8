#include "gpuz/generator_script.h"

#include <algorithm>

#include "gpuz/generator_random.h"

namespace gpulse::generator {
namespace {

using namespace std::chrono_literals;

Routine routine_of(Scenario scenario) {
  switch (scenario) {
    case Scenario::idle: return Routine::idle;
    case Scenario::gaming:
    case Scenario::stuck_sensor:
    case Scenario::dust: return Routine::gaming;
    case Scenario::power_throttle:
    case Scenario::thermal_throttle:
    case Scenario::fan_failure: return Routine::heavy;
    case Scenario::mixed:
    case Scenario::gaps:
    case Scenario::restarts: break;
  }
  return Routine::mixed;
}

class Writer {
 public:
  explicit Writer(const GeneratorOptions& options)
      : options_(options), random_(options.seed ^ kSalt) {}

  std::vector<Segment> write() {
    std::vector<Segment> script;
    Progress begin = 0;
    const auto count = static_cast<Progress>(options_.scenarios.size());
    for (Progress i = 0; i < count; ++i) {
      const Scenario scenario = options_.scenarios[static_cast<std::size_t>(i)];
      Progress end = begin + usual_duration(scenario).count();
      if (options_.rows) end = share(static_cast<Progress>(*options_.rows), i + 1, count);
      if (options_.duration) end = share(options_.duration->count(), i + 1, count);
      script.push_back(write_segment(scenario, begin, end));
      begin = end;
    }
    return script;
  }

 private:
  static constexpr std::uint64_t kSalt = 0x5c7197;

  // whole * i / count without overflow.
  static Progress share(Progress whole, Progress i, Progress count) {
    return whole / count * i + whole % count * i / count;
  }

  Segment write_segment(Scenario scenario, Progress begin, Progress end) {
    Segment segment{scenario, begin, end, routine_of(scenario), false, {}, {}};
    switch (scenario) {
      case Scenario::power_throttle: add_fault(segment, Fault::power_limit, 25, 85); break;
      case Scenario::thermal_throttle: add_fault(segment, Fault::thermal_limit, 20, 90); break;
      case Scenario::dust:
        add_fault(segment, Fault::dust, 0, 100);
        segment.evenings_only = time_in(segment) > 24h;
        break;
      case Scenario::fan_failure: add_fault(segment, Fault::fan_failure, 40, 100); break;
      case Scenario::stuck_sensor: add_fault(segment, Fault::stuck_sensor, 30, 70); break;
      case Scenario::gaps:
        add_pause(segment, 20, 8s, false);
        add_pause(segment, 45, 95s, false);
        add_pause(segment, 70, 23min, false);
        break;
      case Scenario::restarts:
        add_pause(segment, 15, 6s, true);
        add_pause(segment, 35, 41s, true);
        add_pause(segment, 60, 158min, true);
        add_pause(segment, 80, 11s, true);
        break;
      case Scenario::idle:
      case Scenario::gaming:
      case Scenario::mixed: break;
    }
    return segment;
  }

  [[nodiscard]] std::chrono::microseconds time_in(const Segment& segment) const {
    const Progress length = segment.end - segment.begin;
    return options_.rows ? options_.interval * length : std::chrono::microseconds{length};
  }

  static Progress place(const Segment& segment, double percent) {
    return segment.begin +
           static_cast<Progress>(static_cast<double>(segment.end - segment.begin) * percent / 100);
  }

  // Two seeds shall not have their faults at the same place, hence up to 4 % earlier or later.
  void add_fault(Segment& segment, Fault fault, double from_percent, double to_percent) {
    const double shift = from_percent > 0 ? random_.uniform(-4, 4) : 0;
    const double shift_end = to_percent < 100 ? random_.uniform(-4, 4) : 0;
    segment.faults.push_back(
        {fault, place(segment, from_percent + shift),
         to_percent < 100 ? place(segment, to_percent + shift_end) : segment.end});
  }

  void add_pause(Segment& segment, double at_percent, std::chrono::microseconds usual,
                 bool restarts) {
    auto length = usual * static_cast<std::int64_t>(random_.uniform(80, 120)) / 100;
    // Where the wall clock bounds the log, a pause must leave room for rows.
    if (!options_.rows) length = std::min(length, time_in(segment) / 8);
    length = std::max(length, options_.interval * 2);
    segment.pauses.push_back(
        {place(segment, at_percent + random_.uniform(-4, 4)), length, restarts});
  }

  const GeneratorOptions& options_;
  Random random_;
};

}  // namespace

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::power_limit: return "power_limit";
    case Fault::thermal_limit: return "thermal_limit";
    case Fault::dust: return "dust";
    case Fault::fan_failure: return "fan_failure";
    case Fault::stuck_sensor: return "stuck_sensor";
  }
  return "";
}

std::vector<Segment> write_script(const GeneratorOptions& options) {
  return Writer(options).write();
}

}  // namespace gpulse::generator
