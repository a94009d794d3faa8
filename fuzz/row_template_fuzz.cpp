// The hot path of reading: the code with vector instructions and the portable code must take the
// same rows and read the same numbers, and those that the slow way reads.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "gpuz/cell.h"
#include "gpuz/header.h"
#include "gpuz/row_template.h"

namespace {

using namespace gpulse;
using fuzz::check;

constexpr std::size_t kRowsMax = 64;

struct Rows {
  explicit Rows(std::size_t columns)
      : locals(kRowsMax), columns(columns, std::vector<std::int32_t>(kRowsMax)) {
    for (auto& column : this->columns) counts.push_back(column.data());
  }
  std::vector<std::int64_t> locals;
  std::vector<std::vector<std::int32_t>> columns;
  std::vector<std::int32_t*> counts;
};

void check_slow_way(const RowTemplate& form, std::string_view row, const Rows& rows,
                    std::size_t index) {
  while (row.ends_with('\n') || row.ends_with('\r')) row.remove_suffix(1);
  const auto cells = split_cells(row);
  check(cells.size() == form.columns() + 1, "a fast row has every cell");
  check(parse_local_time(cells[0]) == rows.locals[index], "the wall clock is another");
  for (std::size_t column = 0; column < form.columns(); ++column) {
    const auto reading = parse_reading(cells[column + 1]);
    check(reading.has_value() != form.absent(column), "a reading is absent in one way only");
    if (!reading) continue;
    check(!reading->approximate && reading->decimals == form.decimals(column) &&
              reading->count == rows.columns[column][index],
          "a reading is another");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto first = text.substr(0, end + 1);
  const auto cells = split_cells(first.substr(0, end));
  // learn() is given good rows only.
  if (cells.size() < 2) return 0;
  const auto local = parse_local_time(cells[0]);
  const auto form = local ? RowTemplate::learn(first, cells.size() - 1) : std::nullopt;
  if (!form) return 0;

  const RowTemplate::Bounds bounds{
      .local_last = *local, .local_until = *local + 100'000, .step_max = 300, .rows_max = kRowsMax};
  // The reader hands over bytes of its own, which end where the log ends: an exact copy, so that a
  // step past the end is seen.
  const std::vector<char> bytes(text.begin(), text.end());
  const std::string_view copy(bytes.data(), bytes.size());
  Rows fast(form->columns());
  Rows portable(form->columns());
  const auto rows = form->read_rows(copy, bounds, fast.locals.data(), fast.counts);
  check(rows == form->read_rows_portable(copy, bounds, portable.locals.data(), portable.counts),
        "the two ways take another number of rows");
  check(rows <= kRowsMax && rows * form->stride() <= size, "more rows than there are");
  for (std::size_t row = 0; row < rows; ++row) {
    check(fast.locals[row] == portable.locals[row], "the two ways read another wall clock");
    for (std::size_t column = 0; column < form->columns(); ++column) {
      check(form->absent(column) || fast.columns[column][row] == portable.columns[column][row],
            "the two ways read another number");
    }
    check_slow_way(*form, copy.substr(row * form->stride(), form->stride()), fast, row);
  }
  return 0;
}
