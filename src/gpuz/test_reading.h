// For the tests of this module: what a reader hands over, row by row, and logs to read.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gpuz/log_reader.h"

namespace gpulse {

struct ReadRow {
  std::string source;
  std::int64_t session = 0;
  std::int64_t offset = 0;
  Timestamp time;
  std::vector<std::string> metrics;
  std::vector<std::uint64_t> values;  // the bits of each double; of an absent reading ~0

  friend bool operator==(const ReadRow&, const ReadRow&) = default;

  [[nodiscard]] double value(std::size_t column) const {
    return std::bit_cast<double>(values.at(column));
  }
  [[nodiscard]] bool absent(std::size_t column) const { return values.at(column) == ~0ULL; }
};

// Everything that came, and whether each batch was whole in itself.
class Collected final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    ++batches;
    std::vector<std::string> metrics;
    for (const ColumnName& column : batch.layout->columns) metrics.push_back(column.metric);
    sound = sound && batch.rows() > 0 && batch.offsets.size() == batch.rows() &&
            batch.columns.size() == metrics.size();
    for (const ReadingColumn& column : batch.columns) {
      sound = sound && column.size() == batch.rows();
    }
    for (std::size_t row = 0; sound && row < batch.rows(); ++row) {
      ReadRow read{batch.source, batch.session, batch.offsets[row], batch.times[row], metrics, {}};
      for (const ReadingColumn& column : batch.columns) {
        read.values.push_back(column.present(row) ? std::bit_cast<std::uint64_t>(column.value(row))
                                                  : ~0ULL);
      }
      rows.push_back(std::move(read));
    }
  }
  void on_set_aside(const SetAside& line) override {
    set_aside.emplace_back(line.offset, line.bytes, line.reason);
  }

  std::vector<ReadRow> rows;
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> set_aside;
  int batches = 0;
  bool sound = true;
};

inline std::shared_ptr<const TimeZone> zone_named(std::string_view name) {
  return *TimeZone::find(name);
}

inline LogReaderOptions reader_options(std::string_view zone = "UTC") {
  return {.device = {"rig", "gpu0"}, .zone = zone_named(zone), .source_suffix = {}};
}

inline Collected read_log(std::string_view log, LogReaderOptions options = reader_options()) {
  Collected found;
  LogReader reader(std::move(options));
  reader.push(log, found);
  reader.close(found);
  return found;
}

inline constexpr std::string_view kHeading =
    "        Date        , GPU Clock [MHz] , GPU Temperature [\xB0"
    "C] , PerfCap Reason [] ,\r\n";

// A row as GPU-Z pads it, of the second after midnight of a day.
inline std::string padded_row(int second, std::string_view clock = "1995.0",
                              std::string_view temperature = "63.0", std::string_view reason = "16",
                              std::string_view end = "\r\n") {
  return fmt::format("2023-06-16 {:02}:{:02}:{:02} ,{:>14}   ,{:>20}   ,{:>16}   ,{}",
                     second / 3600, second / 60 % 60, second % 60, clock, temperature, reason, end);
}

}  // namespace gpulse
