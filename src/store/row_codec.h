// A row's readings as the few bytes that the ledger keeps of it. Pure functions; fuzzed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

// What the bytes of a row mean: the columns, and how each is written. Stored once and shared by all
// rows that are written alike.
struct RowFormat {
  static constexpr int kDouble = -1;
  Layout layout;
  std::vector<int> decimals;  // one per column; kDouble: the reading is kept as a double

  // The format of a batch's rows.
  [[nodiscard]] static RowFormat of(const SampleBatch& batch);
  // As text, a line a column: metric, unit and decimals between tabs. Tabs and line ends cannot
  // occur in names, and are taken out of units.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] static std::optional<RowFormat> from_text(std::string_view text);

  friend bool operator==(const RowFormat&, const RowFormat&) = default;
};

// Appends row `row` of `batch`: a byte that is 0 when every reading is present; else 1 and a bitmap
// of the present ones, lowest bit first; then each present reading as a zigzag varint of its count,
// or as the 8 bytes of a double, little-endian.
void encode_row(const SampleBatch& batch, std::size_t row, std::string& out);

// Reads one row; `wanted` names the columns to read in ascending order, one of them twice if need
// be; out[i] receives wanted[i], NaN where absent. False when the bytes are not a row of that
// format.
[[nodiscard]] bool decode_row(std::string_view bytes, const RowFormat& format,
                              std::span<const std::size_t> wanted, std::span<double> out);

// Reads one row whole, appending it to columns made for that format. False as above.
[[nodiscard]] bool decode_row(std::string_view bytes, const RowFormat& format,
                              std::span<ReadingColumn> columns);

}  // namespace gpulse
