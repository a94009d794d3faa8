// Rows and windows as they may come back from a damaged ledger: refused, or read the same by every
// way of reading them.
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "store/row_codec.h"
#include "store/window_codec.h"

namespace {

using namespace gpulse;
using fuzz::check;

bool same(double a, double b) { return a == b || (a != a && b != b); }

void check_row(std::string_view bytes, const RowFormat& format) {
  std::vector<std::size_t> wanted(format.decimals.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
  std::vector<double> values(wanted.size());
  const bool taken = decode_row(bytes, format, wanted, values);

  std::vector<ReadingColumn> columns;
  for (const int decimals : format.decimals) columns.emplace_back(decimals < 0 ? 0 : decimals);
  check(decode_row(bytes, format, columns) == taken, "one way takes what the other refuses");
  if (!taken) return;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    check(columns[i].size() == 1, "a row appends one reading a column");
    check(same(columns[i].value(0), values[i]), "two ways read two values");
  }
}

void check_window(std::string_view bytes, std::size_t columns) {
  Window window;
  if (!decode_window(bytes, columns, window.metrics)) return;
  check(window.metrics.size() == columns, "a window has a column per name");
  std::string once;
  encode_window(window, once);
  Window again;
  check(decode_window(once, columns, again.metrics), "what was written is not read");
  std::string twice;
  encode_window(again, twice);
  check(once == twice, "what was read is written otherwise");
}

}  // namespace

// A format's text, a NUL, then a row or a window of that many columns.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\0');
  if (end == std::string_view::npos) return 0;
  const auto format = RowFormat::from_text(input.substr(0, end));
  if (!format) return 0;
  // What a text may hold and a format not, such as a line end in a unit, goes at the first writing.
  const auto written = format->to_text();
  const auto again = RowFormat::from_text(written);
  check(again && again->to_text() == written, "a format does not survive its text");
  check_row(input.substr(end + 1), *format);
  check_window(input.substr(end + 1), format->decimals.size());
  return 0;
}
