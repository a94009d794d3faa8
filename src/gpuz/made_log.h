// A made-up log taken apart again by the plainest means: for the generator's tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "gpuz/generator_columns.h"
#include "gpuz/log_generator.h"

namespace gpulse::generator_test {

using namespace std::chrono_literals;

inline constexpr std::array kSets = {ColumnSet::nvidia, ColumnSet::amd, ColumnSet::intel,
                                     ColumnSet::old};
inline constexpr std::array kScenarios = {
    Scenario::idle,           Scenario::gaming,           Scenario::mixed,
    Scenario::power_throttle, Scenario::thermal_throttle, Scenario::dust,
    Scenario::fan_failure,    Scenario::stuck_sensor,     Scenario::gaps,
    Scenario::restarts};

struct Row {
  std::uint64_t offset = 0;
  std::uint64_t end = 0;
  std::string time;
  std::vector<std::optional<double>> values;  // a column each
  std::size_t headers_before = 0;
};

// A made-up log taken apart again by the plainest means.
struct MadeLog {
  explicit MadeLog(const GeneratorOptions& options) {
    LogGenerator generator(options);
    std::string line;
    for (std::size_t headers = 0; line.clear(), generator.next(line);) {
      if (line.starts_with("  ")) {
        ++headers;
        header = line;
      } else {
        add_row(line, headers);
      }
      text += line;
      for (Label& label : generator.take_labels()) labels.push_back(std::move(label));
    }
    for (Label& label : generator.take_labels()) labels.push_back(std::move(label));
    facts = generator.facts();
    segments.assign(generator.segments().begin(), generator.segments().end());
    for (std::size_t i = 0; i < facts.metrics.size(); ++i) column[facts.metrics[i].metric] = i;
  }

  void add_row(const std::string& line, std::size_t headers) {
    Row row{text.size(), text.size() + line.size(), line.substr(0, 19), {}, headers};
    std::istringstream cells(line.substr(21));
    for (std::string cell;
         std::getline(cells, cell, ',') && cell.find('\n') == std::string::npos;) {
      std::string value;
      std::istringstream(cell) >> value;
      row.values.push_back(value == "-" ? std::nullopt : std::optional(std::stod(value)));
    }
    rows.push_back(std::move(row));
  }

  std::optional<double> value(const Row& row, std::string_view metric) const {
    return row.values.at(column.at(metric));
  }

  const Row* row_at(std::uint64_t offset) const {
    const auto found = std::ranges::lower_bound(rows, offset, {}, &Row::offset);
    return found != rows.end() && found->offset == offset ? &*found : nullptr;
  }

  std::vector<Label> labels_of(std::string_view kind) const {
    std::vector<Label> some;
    std::ranges::copy_if(labels, std::back_inserter(some),
                         [&](const Label& label) { return label.kind == kind; });
    return some;
  }

  // The rows that a label of a lasting fault covers.
  std::span<const Row> rows_in(const Label& label) const {
    const Row* const first = row_at(label.begin_offset);
    const auto last = std::ranges::find(rows, label.end_offset, &Row::end);
    EXPECT_NE(first, nullptr);
    EXPECT_NE(last, rows.end());
    return {first, static_cast<std::size_t>(&*last - first) + 1};
  }

  std::string text;
  std::string header;
  std::vector<Row> rows;
  std::vector<Label> labels;
  Facts facts;
  std::vector<Facts> segments;
  std::map<std::string_view, std::size_t> column;
};

inline GeneratorOptions options_for(ColumnSet set, Scenario scenario, std::uint64_t rows) {
  GeneratorOptions options;
  options.seed = 7;
  options.columns = set;
  options.scenarios = {scenario};
  options.rows = rows;
  return options;
}

inline std::string printed(LocalTime time) {
  generator::RowText row(ColumnSet::old, DegreeSign::byte);
  row.set_time(time);
  return std::string(row.text().substr(0, 19));
}

inline std::int64_t seconds_between(const std::string& from, const std::string& to) {
  return (*parse_start_time(to) - *parse_start_time(from)) / 1s;
}

}  // namespace gpulse::generator_test
