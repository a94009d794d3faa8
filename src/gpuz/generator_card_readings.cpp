// What a made-up card's sensors tell of its state: noise, quantised steps, and sums that hold.
#include <algorithm>
#include <cmath>

#include "gpuz/generator_card.h"

namespace gpulse::generator {
namespace {

double to_tenths(double value) { return std::floor(value * 10 + 0.5) / 10; }

}  // namespace

void CardModel::read_clocks(const Demand& demand) {
  double clock = clock_;
  if (tier_ == Tier::full && spec_.measures_clocks && demand.load < 99) clock -= 1;
  reading(Sensor::gpu_clock) = clock;
  double memory_clock = spec_.memory_clocks[static_cast<int>(tier_)];
  double memory_millivolts = tier_ == Tier::full || memory_clock > 700 ? 850 : 675;
  if (tier_ != Tier::full && random_.chance(spec_.memory_clock_flicker)) {
    memory_clock = spec_.measures_clocks ? random_.uniform(200, 1000) : spec_.memory_clocks[1];
    memory_millivolts = memory_clock > 700 ? 850 : 675;
  }
  reading(Sensor::memory_clock) = memory_clock;
  reading(Sensor::memory_voltage) = memory_millivolts / 1000;
  const bool video = demand.video_load > 0 || tier_ != Tier::idle;
  reading(Sensor::uvd_clock) = video ? 105 : 0;
  reading(Sensor::uvd_clock_2) = video ? 102 : 0;
  // GPU-Z cuts the half millivolts of NVIDIA's 6.25 mV steps.
  double millivolts = std::floor(millivolts_at(clock_));
  if (spec_.measures_clocks && tier_ != Tier::full) {
    millivolts = random_.chance(0.06) ? spec_.millivolts_top : spec_.millivolts_idle;
  }
  reading(Sensor::gpu_voltage) = millivolts / 1000;
  reading(Sensor::perfcap) = perfcap_;
}

void CardModel::read_memory(const Demand& demand) {
  reading(Sensor::gpu_load) = demand.load;
  reading(Sensor::memory_load) = demand.memory_load;
  reading(Sensor::video_load) = demand.video_load;
  reading(Sensor::bus_load) = demand.bus_load;
  // Small allocations come and go; the rest of the time nothing moves.
  const double vram = demand.vram_share * spec_.vram_mb;
  const bool moves = tier_ == Tier::full ? random_.chance(0.5) : random_.chance(0.25);
  if (moves || std::abs(vram - vram_reading_) > 12) vram_reading_ = vram + 2.5 * random_.normal();
  reading(Sensor::memory_used) = vram_reading_;
  reading(Sensor::memory_used_dynamic) = 40 + demand.system_memory * 0.006;
  const double system_noise = tier_ == Tier::full ? 11 : 4;
  system_wander_ += 0.35 * (system_noise * random_.normal() - system_wander_);
  reading(Sensor::system_memory) = demand.system_memory + system_wander_;
}

void CardModel::read_power(const Demand& demand) {
  const double memory = memory_watts(demand);
  const double share = tier_ == Tier::idle ? 0.93 : 0.365;
  const double mvddc = to_tenths(memory * share + 0.05 * random_.normal());
  const double mvddq = to_tenths(std::max(0.0, memory - mvddc + 0.1 * random_.normal()));
  reading(Sensor::mvddc_power) = mvddc;
  reading(Sensor::mvddq_power) = mvddq;
  reading(Sensor::chip_power) = chip_watts_;
  reading(Sensor::board_power) = board_watts_;
  reading(Sensor::power_percent) = board_watts_ * 100 / spec_.tdp_watts;
}

// The slot and the connectors share what the board draws, to a tenth of a watt each.
void CardModel::read_rails() {
  const double board = board_watts_;
  const double slot =
      std::min(board * 0.4, 9.3 + 0.142 * board) + (0.001 * board) * random_.normal();
  const double usb = board > 60 ? 0.1 : 0.0;
  const double rest = std::max(0.0, board - slot - usb);
  const double skew = std::min(0.9, rest * 0.02) - 0.0008 * board * random_.normal();
  reading(Sensor::slot_power) = slot;
  reading(Sensor::usb_c_power) = usb;
  reading(Sensor::six_pin_power) = (rest - skew) / 2;
  reading(Sensor::eight_pin_power) = (rest + skew) / 2;
  reading(Sensor::slot_voltage) = 11.92 - 0.0009 * board + 0.006 * random_.normal();
  reading(Sensor::six_pin_voltage) = 11.90 - 0.00033 * board + 0.014 * random_.normal();
  reading(Sensor::eight_pin_voltage) = 11.90 - 0.00036 * board + 0.008 * random_.normal();
}

void CardModel::read_heat(double dt, const Demand& demand) {
  const double die = die_ + 0.07 * random_.normal();
  reading(Sensor::gpu_temperature) = die;
  const double spread = spec_.hot_spot_base + spec_.hot_spot_per_watt * chip_watts_;
  reading(Sensor::hot_spot) = die + std::max(0.0, spread + 0.09 * random_.normal());
  reading(Sensor::memory_temperature) = memory_;
  reading(Sensor::vrm_temperature) = vrm_;
  reading(Sensor::fan1_percent) = fan_percent_;
  reading(Sensor::fan2_percent) = fan_percent_;
  const double rpm = fan_percent_ * spec_.rpm_per_percent;
  const double jitter = fan_percent_ > 0 ? 3 : 0;
  reading(Sensor::fan1_rpm) = fan1_failed_ ? 0 : rpm + jitter * random_.normal();
  reading(Sensor::fan2_rpm) = rpm * 0.995 + jitter * random_.normal();

  const double cpu = spec_.cpu_idle + (spec_.cpu_full - spec_.cpu_idle) * demand.cpu;
  cpu_ += share_of_way(dt, 10) * (cpu - cpu_);
  // Whichever core works at this moment is read, so that neighbours differ widely.
  const double noise =
      spec_.cpu_spread * std::clamp(random_.uniform(-1.5, 1.5) + 0.4 * random_.normal(), -2.2, 2.2);
  const double spread_share = 0.5 + 0.5 * std::min(1.0, demand.cpu * 1.5);
  const double cpu_reading = cpu_ + noise * spread_share;
  // AMD's sensor tells eighths of a degree.
  reading(Sensor::cpu_temperature) = std::floor(cpu_reading * 8 + 0.5) / 8;
}

}  // namespace gpulse::generator
