// parse_driver LOG: reads a log to typed columns on one thread, as inspect and import do, and
// prints what parse_bench.py compares: CPU seconds, rows, and every column's largest reading.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gpuz/log_reader.h"

namespace {

using namespace gpulse;

class Largest : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    rows += batch.rows();
    max.resize(std::max(max.size(), batch.columns.size()),
               -std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      max[i] = std::max(max[i], largest(batch.columns[i]));
    }
  }
  void on_set_aside(const SetAside& line) override { set_aside += line.bytes; }

  std::size_t rows = 0;
  std::int64_t set_aside = 0;
  std::vector<double> max;

 private:
  static double largest(const ReadingColumn& column) {
    return std::visit([&](const auto& counts) { return largest_of(counts, column); },
                      column.counts());
  }
  // In counts and without a branch, so that what is measured is the parser.
  template <class Count>
  static double largest_of(const std::vector<Count>& counts, const ReadingColumn& column) {
    constexpr Count kLeast = std::numeric_limits<Count>::lowest();
    Count largest = kLeast;
    const auto& presence = column.presence();
    for (std::size_t row = 0; row < counts.size(); ++row) {
      largest = std::max(largest, presence[row] != 0 ? counts[row] : kLeast);
    }
    if (largest == kLeast) return -std::numeric_limits<double>::infinity();
    return static_cast<double>(largest) /
           std::pow(10.0, column.is_double() ? 0 : column.decimals());
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: parse_driver LOG\n", stderr);
    return 2;
  }
  const std::clock_t began = std::clock();
  std::ifstream file(argv[1], std::ios::binary);
  LogReaderOptions options;
  options.device = {.host = "bench", .gpu = "gpu0"};
  options.zone = *TimeZone::find("UTC");
  LogReader reader(options);
  Largest found;
  std::vector<char> buffer(std::size_t{1} << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    reader.push({buffer.data(), static_cast<std::size_t>(file.gcount())}, found);
  }
  reader.close(found);
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  fmt::print("{{\"cpu_seconds\": {}, \"rows\": {}, \"set_aside\": {}, \"max\": [{}]}}\n", seconds,
             found.rows, found.set_aside, fmt::join(found.max, ", "));
  return 0;
}
