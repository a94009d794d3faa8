// The hot path of reading: rows that look like the one before. GPU-Z pads its cells to the width of
// their titles, so the rows of a layout have their commas, points and last digits at the same
// places; a row that fits is read by fixed offsets, without a search.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

class RowTemplate {
 public:
  // Learns from one good row, line end included. None when its form is not the padded one (a cell
  // with a sign, of more than 8 digits, or not at least as wide as a reading): such rows take the
  // slow way.
  [[nodiscard]] static std::optional<RowTemplate> learn(std::string_view row, std::size_t columns);

  // Bytes of a row, its line end included.
  [[nodiscard]] std::size_t stride() const { return stride_; }
  [[nodiscard]] std::size_t columns() const { return cells_.size(); }
  // How a cell of that column must look; absent: "-".
  [[nodiscard]] bool absent(std::size_t column) const { return cells_[column].absent; }
  [[nodiscard]] int decimals(std::size_t column) const { return cells_[column].decimals; }

  // What bounds a run of rows. Its rows step forwards by at most step_max seconds and stay before
  // local_until, so that they need no second look at time zone and session.
  struct Bounds {
    std::int64_t local_last;  // wall clock of the row before
    std::int64_t local_until;  // exclusive
    std::int64_t step_max;
    std::size_t rows_max;
  };

  // Reads rows from the start of `bytes` until one does not fit the template, the bounds or the
  // bytes. Writes a wall clock per row to `locals` and a count per row to counts[column]; both have
  // room for rows_max. Returns the rows read. Any thread, at once.
  [[nodiscard]] std::size_t read_rows(std::string_view bytes, Bounds bounds, std::int64_t* locals,
                                      std::span<std::int32_t* const> counts) const;

  // As read_rows, by the portable code; a test holds the two equal.
  [[nodiscard]] std::size_t read_rows_portable(std::string_view bytes, Bounds bounds,
                                               std::int64_t* locals,
                                               std::span<std::int32_t* const> counts) const;

  // A cell is judged by the 16 bytes that end at its comma. Bit i of a mask is byte i of those.
  struct Cell {
    alignas(16) std::array<char, 16> pattern{};  // what stands there when it is no digit
    alignas(
        16) std::array<std::uint8_t, 16> pick{};  // moves up to 8 digits to the front, for pshufb
    std::uint32_t window = 0;  // where the 16 bytes begin in the row
    std::uint16_t care = 0;  // bytes that belong to the cell
    std::uint16_t digits = 0;  // must be digits
    std::uint16_t no_digits = 0;  // must be as in the pattern
    std::uint16_t run = 0;  // a digit here has a digit behind it
    std::uint8_t decimals = 0;
    bool absent = false;
  };
  // Cells wider than 16 bytes: what is left of the window must be blank. 16 bytes at `begin`, of
  // which those in the mask count.
  struct Blank {
    std::uint32_t begin = 0;
    std::uint16_t mask = 0;
  };

 private:
  RowTemplate() = default;
  bool add_cell(std::string_view row, std::size_t begin, std::size_t comma);
  void add_blanks(std::size_t begin, std::size_t window);
  // Whether a row that says `local` may follow, and ends as a row must.
  [[nodiscard]] bool frame_fits(const char* text, std::int64_t local, const Bounds& bounds) const;

  std::size_t stride_ = 0;
  std::array<char, 2> line_end_{};
  std::size_t line_end_bytes_ = 0;
  std::vector<Cell> cells_;
  std::vector<Blank> blanks_;
};

}  // namespace gpulse
