#include "query/step_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "query/phrases.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;

constexpr double kClockStepMhz = 50;
constexpr double kClockStepShare = 0.1;
constexpr double kTemperatureStep = 3;
constexpr double kSettled = 0.95;  // of the way
constexpr microseconds kTail{30'000'000};
constexpr microseconds kAtOnce{5'000'000};

struct Readings {
  std::vector<Timestamp> times;
  std::vector<double> values;
};

// The present readings of one metric in the step's session.
Expected<Readings> readings_of(const History& history, const Device& device, const Step& step,
                               const std::string& metric, TimeRange range) {
  Readings out;
  auto scanned = history.scan({device, range.from, range.to, {metric}}, [&](const Block& block) {
    if (block.session->session != step.session || block.session->source != step.source ||
        block.values[0].empty()) {
      return true;
    }
    for (std::size_t row = 0; row < block.times.size(); ++row) {
      const double value = block.values[0][row];
      if (value != value) continue;
      out.times.push_back(block.times[row]);
      out.values.push_back(value);
    }
    return true;
  });
  if (!scanned) return std::unexpected(std::move(scanned).error());
  return out;
}

// The median of the readings in [from, to).
std::optional<double> median_within(const Readings& readings, Timestamp from, Timestamp to) {
  const auto begin = std::ranges::lower_bound(readings.times, from) - readings.times.begin();
  const auto end = std::ranges::lower_bound(readings.times, to) - readings.times.begin();
  if (begin >= end) return std::nullopt;
  std::vector<double> part(readings.values.begin() + begin, readings.values.begin() + end);
  return median_of(part);
}

std::optional<double> median_before(const Readings& readings, const Step& step) {
  return median_within(readings, step.previous - step.window + microseconds{1}, step.time);
}

std::string say_move(const std::string& metric, double before, double after,
                     const std::string& unit) {
  return fmt::format("{} {} → {} {}", say_metric(metric), say_number(before, 0),
                     say_number(after, 0), unit);
}

// What follows at once: power and clock.
std::string moved_at_once(const Readings& readings, const Step& step, const MetricRecord& metric,
                          double least, double least_share) {
  const auto before = median_before(readings, step);
  const auto after = median_within(readings, step.time, step.time + step.window);
  if (!before || !after) return "";
  const double size = std::abs(*after - *before);
  if (size < std::max(least, least_share * std::abs(*before))) return "";
  return say_move(metric.name, *before, *after, metric.unit);
}

// What lags: temperature.
std::string moved_slowly(const Readings& readings, const Step& step, const MetricRecord& metric) {
  const auto before = median_before(readings, step);
  const Timestamp last = readings.times.back();
  const Timestamp tail = std::max(step.time, last - std::max(kTail, step.window));
  const auto after = median_within(readings, tail, last + microseconds{1});
  if (!before || !after || std::abs(*after - *before) < kTemperatureStep) return "";
  std::string out = say_move(metric.name, *before, *after, metric.unit);
  for (std::size_t row = 0; row < readings.times.size(); ++row) {
    const double way = (readings.values[row] - *before) / (*after - *before);
    if (readings.times[row] < step.time || way < kSettled) continue;
    const microseconds took = readings.times[row] - step.time;
    if (took < kAtOnce) break;
    out += took < std::chrono::seconds{90}
               ? fmt::format(" in {} s", std::chrono::round<std::chrono::seconds>(took).count())
               : fmt::format(" in {} min", std::chrono::round<std::chrono::minutes>(took).count());
    break;
  }
  return out;
}

class Evidence {
 public:
  Evidence(const History& history, const DeviceRecord& device, const Step& step, TimeRange range)
      : history_(history), device_(device), step_(step), range_(range) {}

  enum class Kind { power, temperature, clock };

  // Says the first of `metrics` that has readings there.
  Expected<void> add(Kind kind, const std::vector<std::string>& metrics) {
    for (const std::string& name : metrics) {
      const auto known = std::ranges::find(device_.metrics, name, &MetricRecord::name);
      if (known == device_.metrics.end()) continue;
      auto readings = readings_of(history_, device_.device, step_, name, range_);
      if (!readings) return std::unexpected(std::move(readings).error());
      if (readings->times.empty()) continue;
      if (name != step_.metric) parts_.push_back(say(kind, *readings, *known));
      break;
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> parts() && { return std::move(parts_); }

 private:
  [[nodiscard]] std::string say(Kind kind, const Readings& readings,
                                const MetricRecord& metric) const {
    switch (kind) {
      case Kind::power:
        return moved_at_once(readings, step_, metric, kPowerStepWatts, kPowerStepShare);
      case Kind::clock:
        return moved_at_once(readings, step_, metric, kClockStepMhz, kClockStepShare);
      case Kind::temperature: break;
    }
    return moved_slowly(readings, step_, metric);
  }

  const History& history_;
  const DeviceRecord& device_;
  const Step& step_;
  TimeRange range_;
  std::vector<std::string> parts_;
};

}  // namespace

const std::vector<std::string>& power_metrics() {
  static const std::vector<std::string> metrics{"board_power_draw", "gpu_chip_power_draw",
                                                "power_consumption", "power_consumption_percent"};
  return metrics;
}

Expected<std::vector<std::string>> step_evidence(const History& history, const DeviceRecord& device,
                                                 const Step& step, Timestamp from,
                                                 Timestamp until) {
  using Kind = Evidence::Kind;
  const TimeRange range{std::max(from, step.previous - step.window), until};
  Evidence evidence(history, device, step, range);
  if (auto added = evidence.add(Kind::power, power_metrics()); !added) {
    return std::unexpected(std::move(added).error());
  }
  auto added = evidence.add(Kind::temperature, {"hot_spot_temperature", "gpu_temperature"});
  if (added) added = evidence.add(Kind::clock, {"gpu_clock"});
  if (!added) return std::unexpected(std::move(added).error());
  return std::move(evidence).parts();
}

}  // namespace gpulse
