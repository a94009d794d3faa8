// Samples in columns: the unit that moves through the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "telemetry/timestamp.h"

namespace gpulse {

// What is measured. A GPU-Z log names neither; both come from options.
struct Device {
  std::string host;
  std::string gpu;

  friend auto operator<=>(const Device&, const Device&) = default;
};

struct ColumnName {
  std::string metric;
  std::string unit;  // UTF-8, "" for none

  friend bool operator==(const ColumnName&, const ColumnName&) = default;
};

// The ordered columns of a session, without the date. Shared and immutable once made.
struct Layout {
  std::vector<ColumnName> columns;

  friend bool operator==(const Layout&, const Layout&) = default;
};
using LayoutPtr = std::shared_ptr<const Layout>;

// One column of readings as the text had them: value = count / 10^decimals, exactly. A reading is
// present or absent; the count of an absent one is 0 and means nothing.
//
// Counts are 32 bits wide until a reading does not fit, then 64, then (more than 18 digits or 9
// decimals) the column is kept in doubles. Widening keeps all readings before it; nothing is
// rounded in silence.
class ReadingColumn {
 public:
  using Counts =
      std::variant<std::vector<std::int32_t>, std::vector<std::int64_t>, std::vector<double>>;

  explicit ReadingColumn(int decimals = 0) : decimals_(decimals) {}

  [[nodiscard]] std::size_t size() const { return present_.size(); }
  [[nodiscard]] int decimals() const { return decimals_; }
  [[nodiscard]] bool present(std::size_t row) const { return present_[row] != 0; }
  [[nodiscard]] bool is_double() const {
    return std::holds_alternative<std::vector<double>>(counts_);
  }
  // The reading as a plain number, NaN when absent. count / 10^decimals is correctly rounded, so it
  // is the double that the text would parse to.
  [[nodiscard]] double value(std::size_t row) const;
  // The count; the column must not be kept in doubles.
  [[nodiscard]] std::int64_t count(std::size_t row) const;

  void push_absent();
  // Takes a reading of `decimals` decimals; the column's own grow to it and never shrink.
  void push(std::int64_t count, int decimals);
  void push_double(double value);
  // Takes over readings [from, until) of another column.
  void append(const ReadingColumn& other, std::size_t from, std::size_t until);

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const std::vector<std::uint8_t>& presence() const { return present_; }

  // Empties the column, 32 bits wide again; its memory is kept.
  void reset(int decimals);

  // For the reader's hot loop: appends `rows` absent readings and returns where to write their
  // counts, in the column's own decimals. The column must be 32 bits wide.
  [[nodiscard]] std::int32_t* grow(std::size_t rows);
  void shrink(std::size_t rows);
  // The readings from row `from` on are present.
  void mark_present(std::size_t from);
  [[nodiscard]] bool is_32_bit() const {
    return std::holds_alternative<std::vector<std::int32_t>>(counts_);
  }

 private:
  void rescale(int decimals);
  void widen_to_64();
  void widen_to_double();

  int decimals_;
  Counts counts_;
  std::vector<std::uint8_t> present_;
};

// Samples of one device, source, session and layout, in file order. Owned by whoever holds it; no
// thread rule beyond that.
struct SampleBatch {
  Device device;
  std::string source;  // the log's identity, see gpuz/log_reader.h
  std::int64_t session = 0;  // byte offset of the session's first row
  LayoutPtr layout;
  std::vector<Timestamp> times;
  std::vector<std::int64_t> offsets;  // byte offset of each row
  std::vector<ReadingColumn> columns;  // one per column of the layout, each of rows() readings

  [[nodiscard]] std::size_t rows() const { return times.size(); }
};

// Rows [from, until) of a batch, their times moved by `shift`.
[[nodiscard]] SampleBatch slice(const SampleBatch& batch, std::size_t from, std::size_t until,
                                std::chrono::microseconds shift);

}  // namespace gpulse
