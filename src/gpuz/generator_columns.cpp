#include "gpuz/generator_columns.h"

#include <algorithm>
#include <cassert>

namespace gpulse::generator {
namespace {

#define DEGREE "\xB0"

constexpr Column kNvidia[] = {
    {"GPU Clock [MHz]", "gpu_clock", Sensor::gpu_clock, 1, 1, 0, true},
    {"Memory Clock [MHz]", "memory_clock", Sensor::memory_clock, 1, 1, 0, true},
    {"GPU Temperature [" DEGREE "C]", "gpu_temperature", Sensor::gpu_temperature, 1, 1, 0, true},
    {"Hot Spot [" DEGREE "C]", "hot_spot_temperature", Sensor::hot_spot, 1, 1, 0, true},
    {"Fan 1 Speed (%) [%]", "fan1_speed_percent", Sensor::fan1_percent, 0, 1, 0, true},
    {"Fan 1 Speed (RPM) [RPM]", "fan1_speed_rpm", Sensor::fan1_rpm, 0, 1, 2000, true},
    {"Fan 2 Speed (%) [%]", "fan2_speed_percent", Sensor::fan2_percent, 0, 1, 0, true},
    {"Fan 2 Speed (RPM) [RPM]", "fan2_speed_rpm", Sensor::fan2_rpm, 0, 1, 2000, true},
    {"Memory Used [MB]", "gpu_memory_used", Sensor::memory_used, 0, 1, 0, true},
    {"GPU Load [%]", "gpu_load", Sensor::gpu_load, 0, 1, 0, true},
    {"Memory Controller Load [%]", "memory_controller_load", Sensor::memory_load, 0, 1, 0, true},
    {"Video Engine Load [%]", "video_engine_load", Sensor::video_load, 0, 1, 0, true},
    {"Bus Interface Load [%]", "bus_interface_load", Sensor::bus_load, 0, 1, 0, true},
    {"Board Power Draw [W]", "board_power_draw", Sensor::board_power, 1, 1, 0, true},
    {"GPU Chip Power Draw [W]", "gpu_chip_power_draw", Sensor::chip_power, 1, 1, 0},
    {"MVDDC Power Draw [W]", "mvddc_power_draw", Sensor::mvddc_power, 1, 1, 0},
    {"MVDDQ Power Draw [W]", "mvddq_power_draw", Sensor::mvddq_power, 1, 1, 0},
    {"PCIe Slot Power [W]", "pcie_slot_power", Sensor::slot_power, 1, 1, 0},
    {"PCIe Slot Voltage [V]", "pcie_slot_voltage", Sensor::slot_voltage, 1, 1, 0},
    {"6-Pin #1 Power [W]", "pcie_6pin1_power", Sensor::six_pin_power, 1, 1, 0},
    {"6-Pin #1 Voltage [V]", "pcie_6pin1_voltage", Sensor::six_pin_voltage, 1, 1, 0},
    {"8-Pin #1 Power [W]", "pcie_8pin1_power", Sensor::eight_pin_power, 1, 1, 0},
    {"8-Pin #1 Voltage [V]", "pcie_8pin1_voltage", Sensor::eight_pin_voltage, 1, 1, 0},
    {"USB-C Power Draw [W]", "usb_c_power_draw", Sensor::usb_c_power, 1, 1, 0},
    {"Power Consumption (%) [% TDP]", "power_consumption_percent", Sensor::power_percent, 1, 1, 0},
    {"PerfCap Reason []", "perfcap_reason", Sensor::perfcap, 0, 1, 0},
    {"GPU Voltage [V]", "gpu_voltage", Sensor::gpu_voltage, 4, 10, 0},
    {"CPU Temperature [" DEGREE "C]", "cpu_temperature", Sensor::cpu_temperature, 1, 10, 0},
    {"System Memory Used [MB]", "system_memory_used", Sensor::system_memory, 0, 1, 0},
};

constexpr Column kAmd[] = {
    {"GPU Clock [MHz]", "gpu_clock", Sensor::gpu_clock, 1, 10, 0, true},
    {"Memory Clock [MHz]", "memory_clock", Sensor::memory_clock, 1, 20, 0, true},
    {"UVD Clock [MHz]", "uvd_clock", Sensor::uvd_clock, 1, 10, 0, true},
    {"UVD Clock [MHz]", "uvd_clock_2", Sensor::uvd_clock_2, 1, 10, 0, true},
    {"GPU Temperature [" DEGREE "C]", "gpu_temperature", Sensor::gpu_temperature, 1, 10, 0, true},
    {"GPU Temperature (Hot Spot) [" DEGREE "C]", "hot_spot_temperature", Sensor::hot_spot, 1, 10, 0,
     true},
    {"Memory Temperature [" DEGREE "C]", "memory_temperature", Sensor::memory_temperature, 1, 20,
     2000, true},
    {"GPU VRM Temperature [" DEGREE "C]", "vrm_temperature", Sensor::vrm_temperature, 1, 10, 3000,
     true},
    {"Mem1 VRM Temperature [" DEGREE "C]", "memory1_vrm_temperature", Sensor::unwired, 1, 1, 0,
     true},
    {"Mem2 VRM Temperature [" DEGREE "C]", "memory2_vrm_temperature", Sensor::unwired, 1, 1, 0,
     true},
    {"Fan Speed (%) [%]", "fan1_speed_percent", Sensor::fan1_percent, 0, 1, 0, true},
    {"Fan Speed (RPM) [RPM]", "fan1_speed_rpm", Sensor::fan1_rpm, 0, 1, 0, true},
    {"GPU Load [%]", "gpu_load", Sensor::gpu_load, 0, 1, 0, true},
    {"Memory Controller Load [%]", "memory_controller_load", Sensor::memory_load, 0, 1, 0, true},
    {"Memory Used (Dedicated) [MB]", "gpu_memory_used", Sensor::memory_used, 0, 1, 0},
    {"Memory Used (Dynamic) [MB]", "gpu_memory_used_dynamic", Sensor::memory_used_dynamic, 0, 1,
     3000},
    {"GPU Chip Power Draw [W]", "gpu_chip_power_draw", Sensor::chip_power, 1, 10, 0},
    {"GPU Voltage [V]", "gpu_voltage", Sensor::gpu_voltage, 3, 1, 0},
    {"Memory Voltage [V]", "memory_voltage", Sensor::memory_voltage, 3, 1, 0},
    {"CPU Temperature [" DEGREE "C]", "cpu_temperature", Sensor::cpu_temperature, 1, 1, 3000},
    {"System Memory Used [MB]", "system_memory_used", Sensor::system_memory, 0, 1, 0},
};

constexpr Column kIntel[] = {
    {"GPU Clock [MHz]", "gpu_clock", Sensor::gpu_clock, 1, 1, 0, true},
    {"Memory Clock [MHz]", "memory_clock", Sensor::memory_clock, 1, 1, 0, true},
    {"GPU Temperature [" DEGREE "C]", "gpu_temperature", Sensor::gpu_temperature, 1, 10, 0, true},
    {"Memory Temperature [" DEGREE "C]", "memory_temperature", Sensor::memory_temperature, 1, 20,
     2000, true},
    {"Fan 1 Speed (RPM) [RPM]", "fan1_speed_rpm", Sensor::fan1_rpm, 0, 1, 2000, true},
    {"Memory Used [MB]", "gpu_memory_used", Sensor::memory_used, 0, 1, 0, true},
    {"GPU Load [%]", "gpu_load", Sensor::gpu_load, 0, 1, 0, true},
    {"Memory Controller Load [%]", "memory_controller_load", Sensor::memory_load, 0, 1, 0, true},
    {"Video Engine Load [%]", "video_engine_load", Sensor::video_load, 0, 1, 0, true},
    {"Board Power Draw [W]", "board_power_draw", Sensor::board_power, 1, 1, 0, true},
    {"GPU Chip Power Draw [W]", "gpu_chip_power_draw", Sensor::chip_power, 1, 1, 0},
    {"PWR_SRC Voltage [V]", "pwr_src_voltage", Sensor::eight_pin_voltage, 1, 1, 0},
    {"GPU Voltage [V]", "gpu_voltage", Sensor::gpu_voltage, 3, 5, 0},
    {"CPU Temperature [" DEGREE "C]", "cpu_temperature", Sensor::cpu_temperature, 1, 10, 0},
    {"System Memory Used [MB]", "system_memory_used", Sensor::system_memory, 0, 1, 0},
};

constexpr Column kOld[] = {
    {"GPU Core Clock [MHz]", "gpu_clock", Sensor::gpu_clock, 1, 1, 0, true},
    {"GPU Memory Clock [MHz]", "memory_clock", Sensor::memory_clock, 1, 1, 0, true},
    {"GPU Temperature [" DEGREE "C]", "gpu_temperature", Sensor::gpu_temperature, 1, 10, 0, true},
    {"GPU Power [W]", "gpu_chip_power_draw", Sensor::chip_power, 1, 1, 0},
    {"GPU Load [%]", "gpu_load", Sensor::gpu_load, 0, 1, 0},
    {"Memory Usage [MB]", "gpu_memory_used", Sensor::memory_used, 0, 1, 0},
};

#undef DEGREE

constexpr int kPowersOfTen[] = {1, 10, 100, 1000, 10000};

std::string_view line_end(ColumnSet set) { return set == ColumnSet::old ? "\n" : "\r\n"; }

std::string_view degree_celsius(DegreeSign degree) {
  switch (degree) {
    case DegreeSign::byte:
      return "\xB0"
             "C";
    case DegreeSign::utf8:
      return "\xC2\xB0"
             "C";
    case DegreeSign::none: return "C";
    case DegreeSign::korean: return "\xEC\xBA\x9C";
  }
  return "";
}

// Writes the two digits of a number below 100.
void put_two(char* at, std::int64_t number) {
  at[0] = static_cast<char>('0' + number / 10);
  at[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

std::span<const Column> columns_of(ColumnSet set) {
  switch (set) {
    case ColumnSet::nvidia: return kNvidia;
    case ColumnSet::amd: return kAmd;
    case ColumnSet::intel: return kIntel;
    case ColumnSet::old: break;
  }
  return kOld;
}

std::int32_t count_of(const Column& column, double reading) {
  const double in_steps = reading * kPowersOfTen[column.decimals] / column.step;
  // The small excess keeps 1.043 V, which is a little less in binary, from becoming 1.042.
  return static_cast<std::int32_t>(std::max(0.0, in_steps) + 0.500001) * column.step;
}

std::string header_text(ColumnSet set, DegreeSign degree) {
  std::string text = "        Date        ,";
  for (const Column& column : columns_of(set)) {
    std::string title(column.title);
    const std::size_t at = title.find('\xB0');
    if (at != std::string::npos) title.replace(at, 2, degree_celsius(degree));
    text.append(" ").append(title).append(" ,");
  }
  return text.append(line_end(set));
}

RowText::RowText(ColumnSet set, DegreeSign degree) : text_("0000-00-00 00:00:00 ,") {
  for (const Column& column : columns_of(set)) {
    // GPU-Z pads a value to its title as its own code page counts it, and sets three blanks behind.
    const bool shorter = degree == DegreeSign::none && column.title.contains('\xB0');
    const std::size_t width = column.title.size() - (shorter ? 2 : 1);
    text_.append(width - 1, ' ').append("-   ,");
    const auto end = static_cast<std::uint32_t>(text_.size() - 4);
    cells_.push_back({end, static_cast<std::uint32_t>(width), column.decimals, kAbsent});
  }
  text_.append(line_end(set));
}

void RowText::set_time(LocalTime time) {
  using namespace std::chrono;
  const std::int64_t second = floor<seconds>(time).time_since_epoch().count();
  const std::int64_t minute = floor<minutes>(time).time_since_epoch().count();
  put_two(&text_[17], second - minute * 60);
  if (minute == minute_) return;
  minute_ = minute;
  const local_days day = floor<days>(time);
  const year_month_day date{day};
  const std::int64_t minute_of_day = minute - floor<minutes>(day).time_since_epoch().count();
  put_two(text_.data(), int{date.year()} / 100);
  put_two(&text_[2], int{date.year()} % 100);
  put_two(&text_[5], unsigned{date.month()});
  put_two(&text_[8], unsigned{date.day()});
  put_two(&text_[11], minute_of_day / 60);
  put_two(&text_[14], minute_of_day % 60);
}

void RowText::set(std::size_t column, std::int32_t count) {
  Cell& cell = cells_[column];
  if (cell.count == count) return;
  cell.count = count;
  char* at = &text_[cell.end];
  const char* const begin = at - cell.width;
  if (count == kAbsent) {
    *--at = '-';
  } else {
    auto rest = static_cast<std::uint32_t>(count);
    for (int i = 0; i < cell.decimals; ++i, rest /= 10) *--at = static_cast<char>('0' + rest % 10);
    if (cell.decimals > 0) *--at = '.';
    do {
      *--at = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest > 0);
  }
  assert(at >= begin);
  // Only the value above can stand here, and it was at most this wide.
  while (at > begin && *(at - 1) != ' ') *--at = ' ';
}

}  // namespace gpulse::generator
