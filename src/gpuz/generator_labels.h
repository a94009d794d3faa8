// What is true of a made-up log: what was put into it and where, and what an answer about it must
// say.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpuz/generator_columns.h"
#include "gpuz/generator_options.h"

namespace gpulse {

// One thing that was put into the log. Times are those of rows, in local time as printed; offsets
// are bytes from the start of the log.
struct Label {
  std::string kind;     // power_limit, gap, absent_row ...: docs/generate.md lists them
  Scenario scenario = Scenario::idle;
  std::string metric;   // its name in the metric catalogue; "" where it concerns whole rows
  double magnitude = 0;
  std::string unit;     // of the magnitude, UTF-8
  LocalTime begin = {}; // the first row that it touches; of a pause, the last row before
  LocalTime end = {};   // the last row that it touches; of a pause, the first row after
  std::uint64_t begin_offset = 0;  // of the first byte of the row of `begin`
  std::uint64_t end_offset = 0;    // one past the row of `end`; of a pause, of its first byte
};

struct MetricFacts {
  std::string_view metric;
  int decimals = 0;
  std::uint64_t count = 0;   // rows with a reading
  std::uint64_t absent = 0;
  std::int32_t min = 0;      // in units of the last decimal, as are all readings here
  std::int32_t max = 0;
  LocalTime max_at = {};     // of the first row that reads max
  std::uint64_t max_offset = 0;
};

// Facts about a stretch of the log: all of it, or the rows of one scenario.
struct Facts {
  std::string scenario;      // "" for the whole log
  LocalTime begin;           // of the first row
  LocalTime end;             // of the last row
  std::uint64_t begin_offset = 0;
  std::uint64_t end_offset = 0;
  std::uint64_t rows = 0;
  std::uint64_t headers = 0;
  std::vector<MetricFacts> metrics;                // in the order of the columns
  std::array<std::uint64_t, 64> perfcap_rows = {};  // rows by the value of PerfCap Reason
};

namespace generator {

// One row as it was written. `counts` holds a count per column, or RowText::kAbsent.
struct WrittenRow {
  LocalTime time;
  std::uint64_t begin_offset;
  std::uint64_t end_offset;
  std::span<const std::int32_t> counts;
};

[[nodiscard]] Facts make_facts(ColumnSet set, std::string_view scenario);
void add_row(Facts& facts, const WrittenRow& row);

}  // namespace generator

// The labels file (docs/generate.md) is the beginning, the labels with commas between, and the end.
[[nodiscard]] std::string labels_file_begin(const GeneratorOptions& options);
[[nodiscard]] std::string to_json(const Label& label);
[[nodiscard]] std::string labels_file_end(const Facts& whole, std::span<const Facts> segments);

}  // namespace gpulse
