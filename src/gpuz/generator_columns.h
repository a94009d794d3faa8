// The columns of made-up logs: their titles, and rows of text in GPU-Z's format.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpuz/generator_options.h"

namespace gpulse::generator {

// What a card can tell; each column shows one of them.
enum class Sensor : std::uint8_t {
  gpu_clock,
  memory_clock,
  uvd_clock,
  uvd_clock_2,
  gpu_temperature,
  hot_spot,
  memory_temperature,
  vrm_temperature,
  unwired,  // a sensor that the board does not have: always 0
  fan1_percent,
  fan1_rpm,
  fan2_percent,
  fan2_rpm,
  memory_used,
  memory_used_dynamic,
  gpu_load,
  memory_load,
  video_load,
  bus_load,
  board_power,
  chip_power,
  mvddc_power,
  mvddq_power,
  slot_power,
  slot_voltage,
  six_pin_power,
  six_pin_voltage,
  eight_pin_power,
  eight_pin_voltage,
  usb_c_power,
  power_percent,
  perfcap,
  gpu_voltage,
  memory_voltage,
  cpu_temperature,
  system_memory,
  count,
};

using Readings = std::array<double, static_cast<std::size_t>(Sensor::count)>;

struct Column {
  std::string_view title;   // with its unit, in Windows-1252: "GPU Temperature [\xB0" "C]"
  std::string_view metric;  // its name in the metric catalogue
  Sensor sensor;
  int decimals;
  int step;              // the sensor's resolution, in units of the last decimal
  int hold_ms;           // the sensor is read anew only after so long
  bool fails_first = false;  // its cell is "-" in a row whose first group of sensors did not answer
};

[[nodiscard]] std::span<const Column> columns_of(ColumnSet set);

// A reading as the count of its last decimal that GPU-Z would print.
[[nodiscard]] std::int32_t count_of(const Column& column, double reading);

[[nodiscard]] std::string header_text(ColumnSet set, DegreeSign degree);

// One row of text, rewritten in place: most cells of a log equal the cells above them.
class RowText {
 public:
  RowText(ColumnSet set, DegreeSign degree);

  static constexpr std::int32_t kAbsent = INT32_MIN;

  void set_time(LocalTime time);
  // `count` is non-negative, or kAbsent for "-".
  void set(std::size_t column, std::int32_t count);
  // With its line end.
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  struct Cell {
    std::uint32_t end;  // just behind the value's last character
    std::uint32_t width;  // characters that the value may take
    int decimals;
    std::int32_t count;  // as it stands in text_
  };

  std::string text_;
  std::vector<Cell> cells_;
  std::int64_t minute_ = INT64_MIN;  // since 1970, as it stands in text_
};

}  // namespace gpulse::generator
