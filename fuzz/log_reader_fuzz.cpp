// A GPU-Z log of any bytes. However it is cut into pieces, and wherever another reader goes on from
// a saved state, the same rows and the same set-aside lines must come out, in file order.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "gpuz/log_reader.h"

namespace {

using namespace gpulse;
using fuzz::check;

struct Row {
  std::string source;
  std::int64_t session;
  std::int64_t offset;
  Timestamp time;
  std::vector<double> values;

  friend bool operator==(const Row& a, const Row& b) {
    const auto same = [](double x, double y) { return x == y || (x != x && y != y); };
    return a.source == b.source && a.session == b.session && a.offset == b.offset &&
           a.time == b.time && std::ranges::equal(a.values, b.values, same);
  }
};

class Collector : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    check(batch.layout != nullptr, "a batch has a layout");
    check(batch.columns.size() == batch.layout->columns.size(), "a column per name");
    check(batch.offsets.size() == batch.rows(), "an offset per row");
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      std::vector<double> values;
      for (const auto& column : batch.columns) {
        check(column.size() == batch.rows(), "columns are as long as the batch");
        values.push_back(column.value(row));
      }
      if (!rows.empty() && rows.back().source == batch.source) {
        check(rows.back().offset < batch.offsets[row], "offsets ascend");
      }
      check(batch.session <= batch.offsets[row], "a session begins at its first row");
      rows.push_back(
          {batch.source, batch.session, batch.offsets[row], batch.times[row], std::move(values)});
    }
  }
  void on_set_aside(const SetAside& line) override {
    check(line.bytes >= 0 && line.offset >= 0, "what is set aside has a place");
    set_aside.emplace_back(line.offset, line.bytes);
  }

  std::vector<Row> rows;
  std::vector<std::pair<std::int64_t, std::int64_t>> set_aside;
};

LogReaderOptions options() {
  static const auto zone = *TimeZone::find("Europe/Berlin");
  return {.device = {.host = "rig", .gpu = "gpu0"},
          .zone = zone,
          .source_suffix = "",
          .batch_rows_max = 8};
}

Collector read_whole(std::string_view log) {
  Collector found;
  LogReader reader(options());
  reader.push(log, found);
  reader.close(found);
  return found;
}

// The input's own bytes decide where it is cut; at every `restart_every`-th cut another reader goes
// on from the state, as after a restart of the program.
Collector read_in_pieces(std::string_view log, std::uint8_t seed, int restart_every) {
  Collector found;
  auto reader = std::make_unique<LogReader>(options());
  std::size_t at = 0;
  for (int cut = 1; at < log.size(); ++cut) {
    const auto step = 1 + (static_cast<unsigned char>(log[at]) * 7U + seed) % 97U;
    const auto piece = log.substr(at, step);
    reader->push(piece, found);
    at += piece.size();
    if (restart_every != 0 && cut % restart_every == 0) {
      const LogReaderState state = reader->state();
      check(state.position >= 0 && state.position <= static_cast<std::int64_t>(at),
            "a reader stands inside what it was given");
      reader = std::make_unique<LogReader>(options(), state);
      at = static_cast<std::size_t>(state.position);
      // What was kept back is pushed again in one piece, or a cut inside it would never get past
      // it.
      const auto again = log.substr(at, step + 512 + static_cast<std::size_t>(cut));
      reader->push(again, found);
      at += again.size();
    }
  }
  reader->close(found);
  return found;
}

void check_same(const Collector& whole, const Collector& pieces, const char* claim) {
  check(whole.rows == pieces.rows, claim);
  check(whole.set_aside == pieces.set_aside, claim);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t seed = data[0];
  const std::string_view log(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Collector whole = read_whole(log);
  check_same(whole, read_in_pieces(log, seed, 0), "pieces give other rows than the whole");
  check_same(whole, read_in_pieces(log, seed, 1 + seed % 5), "a restart gives other rows");
  return 0;
}
