#include "gpuz/generator_card.h"

#include <algorithm>
#include <cmath>

namespace gpulse::generator {
namespace {

constexpr CardSpec kNvidiaCard = {.clock_idle = 210,
                                  .clock_light = 555,
                                  .clock_top = 1995,
                                  .clock_step = 15,
                                  .boost_drop_from = 58,
                                  .boost_drop_degrees = 7,
                                  .measures_clocks = false,
                                  .millivolts_idle = 712.5,
                                  .millivolts_top = 1043.75,
                                  .millivolts_step = 6.25,
                                  .clock_knee = 1350,
                                  .memory_clocks = {101.3, 1250.0, 1750.0},
                                  .memory_clock_flicker = 0.012,
                                  .chip_watts = 188,
                                  .chip_leak_watts = 22,
                                  .memory_watts = {1.8, 21.5, 26.5},
                                  .memory_watts_per_load = 0.31,
                                  .other_watts = 7,
                                  .limits_chip = false,
                                  .limit_watts = 275,
                                  .tdp_watts = 275,
                                  .limit_temperature = 83,
                                  .die_resistance = 0.06,
                                  .die_seconds = 0.7,
                                  .sink_resistance = 0.075,
                                  .sink_span = 0.33,
                                  .sink_seconds = 140,
                                  .hot_spot_base = 10,
                                  .hot_spot_per_watt = 0.019,
                                  .fans = 2,
                                  .fan_stops = true,
                                  .fan_percent_least = 30,
                                  .rpm_per_percent = 36.4,
                                  .fan_at_63 = 52,
                                  .fan_percent_per_degree = 2.7,
                                  .vram_mb = 8192,
                                  .system_memory_idle_mb = 9400,
                                  .cpu_idle = 44,
                                  .cpu_full = 71,
                                  .cpu_spread = 5};

constexpr CardSpec kAmdCard = {.clock_idle = 790,
                               .clock_light = 870,
                               .clock_top = 2020,
                               .clock_step = 1,
                               .boost_drop_from = 40,
                               .boost_drop_degrees = 1.4,
                               .measures_clocks = true,
                               .millivolts_idle = 725,
                               .millivolts_top = 1200,
                               .millivolts_step = 1,
                               .clock_knee = 800,
                               .memory_clocks = {200, 900, 1750},
                               .memory_clock_flicker = 0.15,
                               .chip_watts = 182,
                               .chip_leak_watts = 18,
                               .memory_watts = {2, 10, 22},
                               .memory_watts_per_load = 0.25,
                               .other_watts = 10,
                               .limits_chip = true,
                               .limit_watts = 220,
                               .tdp_watts = 225,
                               .limit_temperature = 87,
                               .die_resistance = 0.045,
                               .die_seconds = 0.8,
                               .sink_resistance = 0.08,
                               .sink_span = 0.42,
                               .sink_seconds = 150,
                               .hot_spot_base = -0.6,
                               .hot_spot_per_watt = 0.125,
                               .fans = 1,
                               .fan_stops = true,
                               .fan_percent_least = 22,
                               .rpm_per_percent = 42.3,
                               .fan_at_63 = 46,
                               .fan_percent_per_degree = 1.6,
                               .vram_mb = 8176,
                               .system_memory_idle_mb = 5400,
                               .cpu_idle = 33.8,
                               .cpu_full = 58,
                               .cpu_spread = 0.35};

constexpr CardSpec kIntelCard = {.clock_idle = 600,
                                 .clock_light = 1250,
                                 .clock_top = 2400,
                                 .clock_step = 50,
                                 .boost_drop_from = 70,
                                 .boost_drop_degrees = 8,
                                 .measures_clocks = false,
                                 .millivolts_idle = 650,
                                 .millivolts_top = 1035,
                                 .millivolts_step = 5,
                                 .clock_knee = 900,
                                 .memory_clocks = {2187.5, 2187.5, 2187.5},
                                 .memory_clock_flicker = 0,
                                 .chip_watts = 176,
                                 .chip_leak_watts = 26,
                                 .memory_watts = {9, 10, 14},
                                 .memory_watts_per_load = 0.2,
                                 .other_watts = 16,
                                 .limits_chip = false,
                                 .limit_watts = 252,
                                 .tdp_watts = 225,
                                 .limit_temperature = 90,
                                 .die_resistance = 0.07,
                                 .die_seconds = 0.9,
                                 .sink_resistance = 0.08,
                                 .sink_span = 0.33,
                                 .sink_seconds = 130,
                                 .hot_spot_base = 7,
                                 .hot_spot_per_watt = 0.04,
                                 .fans = 1,
                                 .fan_stops = false,
                                 .fan_percent_least = 24,
                                 .rpm_per_percent = 33,
                                 .fan_at_63 = 44,
                                 .fan_percent_per_degree = 2,
                                 .vram_mb = 16288,
                                 .system_memory_idle_mb = 8100,
                                 .cpu_idle = 40,
                                 .cpu_full = 70,
                                 .cpu_spread = 4};

constexpr CardSpec kOldCard = {.clock_idle = 139.3,
                               .clock_light = 607.6,
                               .clock_top = 1911.2,
                               .clock_step = 12.7,
                               .boost_drop_from = 50,
                               .boost_drop_degrees = 6,
                               .measures_clocks = false,
                               .millivolts_idle = 650,
                               .millivolts_top = 1062,
                               .millivolts_step = 6.25,
                               .clock_knee = 1100,
                               .memory_clocks = {101.3, 405.0, 2002.4},
                               .memory_clock_flicker = 0.02,
                               .chip_watts = 112,
                               .chip_leak_watts = 14,
                               .memory_watts = {1, 3, 9},
                               .memory_watts_per_load = 0.12,
                               .other_watts = 5,
                               .limits_chip = true,
                               .limit_watts = 130,
                               .tdp_watts = 120,
                               .limit_temperature = 82,
                               .die_resistance = 0.09,
                               .die_seconds = 0.9,
                               .sink_resistance = 0.13,
                               .sink_span = 0.72,
                               .sink_seconds = 120,
                               .hot_spot_base = 8,
                               .hot_spot_per_watt = 0.05,
                               .fans = 1,
                               .fan_stops = false,
                               .fan_percent_least = 26,
                               .rpm_per_percent = 38,
                               .fan_at_63 = 42,
                               .fan_percent_per_degree = 2.2,
                               .vram_mb = 6144,
                               .system_memory_idle_mb = 4600,
                               .cpu_idle = 38,
                               .cpu_full = 68,
                               .cpu_spread = 4};

constexpr double kCaseKelvinPerWatt = 0.03;
constexpr double kCaseSeconds = 900;

}  // namespace

const CardSpec& card_of(ColumnSet set) {
  switch (set) {
    case ColumnSet::nvidia: return kNvidiaCard;
    case ColumnSet::amd: return kAmdCard;
    case ColumnSet::intel: return kIntelCard;
    case ColumnSet::old: break;
  }
  return kOldCard;
}

CardModel::CardModel(const CardSpec& spec, std::uint64_t seed)
    : spec_(spec), random_(seed), thermal_clock_(spec.clock_top), cpu_(spec.cpu_idle) {}

void CardModel::advance(double dt, const Demand& demand, const Environment& environment) {
  advance_clocks(dt, demand, environment);
  chip_watts_ = chip_watts_at(clock_, demand);
  board_watts_ = chip_watts_ + memory_watts(demand) + spec_.other_watts + 0.02 * fan_percent_;
  advance_heat(dt, environment);
  advance_fans(dt, environment);
  read_clocks(demand);
  read_memory(demand);
  read_power(demand);
  read_rails();
  read_heat(dt, demand);
}

void CardModel::rest(double seconds, const Environment& environment) {
  tier_ = Tier::idle;
  full_seconds_left_ = 0;
  chip_watts_ = 0;
  board_watts_ = 0;
  cpu_ += share_of_way(seconds, 60) * (environment.room - cpu_);
  advance_heat(seconds, environment);
  fan_percent_ = spec_.fan_stops ? 0 : spec_.fan_percent_least;
  fan_target_ = fan_percent_;
}

void CardModel::advance_clocks(double dt, const Demand& demand, const Environment& environment) {
  full_seconds_left_ = demand.tier == Tier::full ? 5 : full_seconds_left_ - dt;
  tier_ = full_seconds_left_ > 0 ? Tier::full : demand.tier;
  perfcap_ = kCapUtilisation;
  if (tier_ == Tier::full) {
    choose_full_clock(dt, demand, environment);
  } else if (tier_ == Tier::light) {
    const double hop = std::floor(std::abs(random_.normal()) * 9) * spec_.clock_step;
    if (random_.chance(0.4)) clock_ = std::min(spec_.clock_light + hop * 1.5, spec_.clock_top);
  } else {
    clock_ = spec_.clock_idle;
    if (spec_.measures_clocks) clock_ += std::floor(std::abs(random_.normal()) * 6);
  }
}

// The top clock, less what the temperature takes, less what the power limit takes.
void CardModel::choose_full_clock(double dt, const Demand& demand, const Environment& environment) {
  const double over = die_ - spec_.limit_temperature;
  if (over > 0) {
    thermal_clock_ -=
        spec_.clock_step * std::ceil(std::min(dt, 4.0) * (1 + over) * 15 / spec_.clock_step);
  } else if (over < -1) {
    thermal_clock_ += spec_.clock_step * std::ceil(std::min(dt, 4.0) * 10 / spec_.clock_step);
  }
  thermal_clock_ = std::clamp(thermal_clock_, spec_.clock_knee * 0.5, spec_.clock_top);
  const double hot = std::max(0.0, die_ - spec_.boost_drop_from);
  const double boost =
      spec_.clock_top - spec_.clock_step * std::floor(hot / spec_.boost_drop_degrees);
  const double free_clock = std::min(boost, thermal_clock_);

  limit_wobble_ = 0.8 * random_.normal();
  const double others =
      spec_.limits_chip ? 0 : memory_watts(demand) + spec_.other_watts + 0.02 * fan_percent_;
  double clock = free_clock;
  while (clock > spec_.clock_knee * 0.5 &&
         chip_watts_at(clock, demand) + others > environment.limit_watts + limit_wobble_) {
    clock -= spec_.clock_step;
  }
  clock_ = clock;
  if (demand.load < 20) return;  // at a loading screen nothing is held back
  int caps = 0;
  if (clock < free_clock) caps |= kCapPower;
  if (thermal_clock_ < boost) caps |= kCapThermal;
  // At the end of its voltage table, an eager game is held by voltage alone.
  if (caps == 0 && demand.uncapped && demand.load > 90 && clock >= spec_.clock_top) {
    caps = kCapReliabilityVoltage;
  }
  if (caps != 0) perfcap_ = caps;
}

double CardModel::millivolts_at(double clock) const {
  const double share = (clock - spec_.clock_knee) / (spec_.clock_top - spec_.clock_knee);
  const double above = std::max(0.0, share) * (spec_.millivolts_top - spec_.millivolts_idle);
  return spec_.millivolts_idle +
         std::floor(above / spec_.millivolts_step + 0.5) * spec_.millivolts_step;
}

double CardModel::chip_watts_at(double clock, const Demand& demand) const {
  const double volts = millivolts_at(clock) / spec_.millivolts_top;
  constexpr double kAwake[] = {0.22, 0.6, 1};  // of the leakage, by tier
  const double awake = kAwake[static_cast<int>(tier_)];
  const double leak = spec_.chip_leak_watts * awake * volts * (1 + 0.005 * (die_ - 65));
  const double work =
      (spec_.chip_watts - spec_.chip_leak_watts) * (clock / spec_.clock_top) * volts * volts;
  return leak + work * demand.intensity * demand.load / 99;
}

double CardModel::memory_watts(const Demand& demand) const {
  const double base = spec_.memory_watts[static_cast<int>(tier_)];
  return base + (tier_ == Tier::idle ? 0 : spec_.memory_watts_per_load * demand.memory_load);
}

void CardModel::advance_heat(double dt, const Environment& environment) {
  case_rise_ += share_of_way(dt, kCaseSeconds) * (kCaseKelvinPerWatt * board_watts_ - case_rise_);
  const double air = environment.room + case_rise_;
  fan1_failed_ = environment.fan1_failed;
  const double working_fans = fan1_failed_ ? spec_.fans - 1 : spec_.fans;
  const double flow = fan_percent_ * working_fans / spec_.fans;
  const double resistance =
      environment.dust * (spec_.sink_resistance + spec_.sink_span / (1 + flow / 10));
  sink_ += share_of_way(dt, spec_.sink_seconds) * (air + board_watts_ * resistance - sink_);
  die_ += share_of_way(dt, spec_.die_seconds) * (sink_ + chip_watts_ * spec_.die_resistance - die_);
  memory_ += share_of_way(dt, 45) * (sink_ + 4 + board_watts_ * 0.045 - memory_);
  vrm_ += share_of_way(dt, 60) * (sink_ - 2 + board_watts_ * 0.03 - vrm_);
}

// A straight line over the smoothed temperature, with 2 % of play so that the fan does not hunt.
void CardModel::advance_fans(double dt, const Environment& environment) {
  const double smooth = sink_ + chip_watts_ * spec_.die_resistance;
  const bool turning = fan_target_ > 0 || !spec_.fan_stops;
  if (!turning && smooth < 56) return;
  double wanted = std::max(spec_.fan_percent_least,
                           spec_.fan_at_63 + spec_.fan_percent_per_degree * (smooth - 63));
  wanted = std::min({wanted, 100.0, environment.fan_percent_most});
  if (wanted > fan_target_ + 0.6) fan_target_ = wanted;
  if (wanted < fan_target_ - 2) fan_target_ = wanted + 1;
  fan_target_ = std::min(fan_target_, environment.fan_percent_most);
  if (spec_.fan_stops && smooth < 45) fan_target_ = 0;
  const double step = 1.2 * dt;
  if (fan_target_ > 0) fan_percent_ = std::max(fan_percent_, spec_.fan_percent_least);
  fan_percent_ += std::clamp(fan_target_ - fan_percent_, -step, step);
  if (fan_target_ == 0 && fan_percent_ < spec_.fan_percent_least) fan_percent_ = 0;
}

}  // namespace gpulse::generator
