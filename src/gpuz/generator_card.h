// A made-up graphics card: clocks, power, heat and fans that follow the work.
#pragma once

#include <cstdint>

#include "gpuz/generator_columns.h"
#include "gpuz/generator_random.h"
#include "gpuz/generator_workload.h"

namespace gpulse::generator {

// PerfCap bits.
constexpr int kCapPower = 1;
constexpr int kCapThermal = 2;
constexpr int kCapReliabilityVoltage = 4;
constexpr int kCapUtilisation = 16;

// One model of card. Temperatures in °C, clocks in MHz, power in W, times in s.
struct CardSpec {
  double clock_idle, clock_light, clock_top, clock_step;
  double boost_drop_from, boost_drop_degrees;  // one step of clock less for each so many degrees
  bool measures_clocks;  // and voltages, as AMD does: readings move on their own
  double millivolts_idle, millivolts_top, millivolts_step, clock_knee;
  double memory_clocks[3];                     // by tier
  double memory_clock_flicker;                 // chance to be elsewhere while not at full
  double chip_watts;                           // at the top clock under the heaviest usual game
  double chip_leak_watts;                      // of it, without any work
  double memory_watts[3], memory_watts_per_load;
  double other_watts;                          // what is neither chip nor memory
  bool limits_chip;                            // the power limit counts the chip, not the board
  double limit_watts, tdp_watts;
  double limit_temperature;
  double die_resistance, die_seconds;          // K/W between the die and its cooler
  double sink_resistance, sink_span, sink_seconds;  // K/W to the air: r + span / (1 + fan% / 10)
  double hot_spot_base, hot_spot_per_watt;
  int fans;
  bool fan_stops;                              // zero-RPM mode
  double fan_percent_least, rpm_per_percent;
  double fan_at_63, fan_percent_per_degree;
  double vram_mb, system_memory_idle_mb;
  double cpu_idle, cpu_full, cpu_spread;       // of the CPU's temperature
};

[[nodiscard]] const CardSpec& card_of(ColumnSet set);

// What is done to the card from outside.
struct Environment {
  double room = 27;               // °C
  double dust = 1;                // factor on the cooler's resistance
  double limit_watts = 0;
  double fan_percent_most = 100;
  bool fan1_failed = false;
};

class CardModel {
 public:
  CardModel(const CardSpec& spec, std::uint64_t seed);

  // `dt`: seconds since the call before.
  void advance(double dt, const Demand& demand, const Environment& environment);
  // Switched off for so many seconds.
  void rest(double seconds, const Environment& environment);

  [[nodiscard]] const Readings& readings() const { return readings_; }

 private:
  void advance_clocks(double dt, const Demand& demand, const Environment& environment);
  void choose_full_clock(double dt, const Demand& demand, const Environment& environment);
  void advance_heat(double dt, const Environment& environment);
  void advance_fans(double dt, const Environment& environment);
  void read_clocks(const Demand& demand);
  void read_memory(const Demand& demand);
  void read_power(const Demand& demand);
  void read_rails();
  void read_heat(double dt, const Demand& demand);
  [[nodiscard]] double millivolts_at(double clock) const;
  [[nodiscard]] double chip_watts_at(double clock, const Demand& demand) const;
  [[nodiscard]] double memory_watts(const Demand& demand) const;
  double& reading(Sensor sensor) { return readings_[static_cast<std::size_t>(sensor)]; }

  const CardSpec& spec_;
  Random random_;
  Readings readings_{};

  Tier tier_ = Tier::idle;
  double full_seconds_left_ = 0;  // the driver lets go of a high state only after a while
  double clock_ = 0;
  double thermal_clock_;          // what the temperature allows
  double limit_wobble_ = 0;
  int perfcap_ = kCapUtilisation;
  double chip_watts_ = 5;
  double board_watts_ = 15;
  double case_rise_ = 0;          // of the air in the case over the room, K
  double sink_ = 38;
  double die_ = 39;
  double memory_ = 44;
  double vrm_ = 40;
  double cpu_;
  double fan_percent_ = 0;
  double fan_target_ = 0;
  bool fan1_failed_ = false;
  double vram_reading_ = 0;
  double system_wander_ = 0;
};

}  // namespace gpulse::generator
