#include "pipeline/replay_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "gpuz/log_file.h"
#include "pipeline/log_place.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr microseconds kNotMoved{0};

// "20261124T090000.123Z": sorts by time, and has no colon (HDFS allows none in names).
std::string start_label(Timestamp start) {
  std::string text = to_rfc3339(start);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text.replace(text.size() - 4, 3, "");
}

// Rows ahead of those that are played: when they are due, and where they begin.
class Scout final : public LogReceiver {
 public:
  struct Row {
    std::int64_t offset;
    Timestamp time;
  };

  void on_rows(const SampleBatch& batch) override {
    for (std::size_t i = 0; i < batch.rows(); ++i) {
      rows.push_back({batch.offsets[i], batch.times[i]});
    }
  }
  void on_set_aside(const SetAside& /*line*/) override {}

  std::vector<Row> rows;
};

class Extent final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    for (const Timestamp time : batch.times) {
      first = first.value_or(time);
      last = std::max(last.value_or(time), time);
    }
  }
  void on_set_aside(const SetAside& /*line*/) override {}

  std::optional<Timestamp> first;
  // The latest, not that of the last row, should time have stepped back.
  std::optional<Timestamp> last;
};

class ShiftedWriter final : public LogReceiver {
 public:
  ShiftedWriter(SourceWriter& writer, microseconds shift) : writer_(writer), shift_(shift) {}

  void on_rows(const SampleBatch& batch) override {
    if (shift_ == kNotMoved) return writer_.on_rows(batch);
    writer_.on_rows(slice(batch, 0, batch.rows(), shift_));
  }
  void on_set_aside(const SetAside& line) override { writer_.on_set_aside(line); }

 private:
  SourceWriter& writer_;
  const microseconds shift_;
};

// The timetable of one pass: when an instant of the log is played, and what it is called then.
struct Timetable {
  Timestamp start;       // by the clock
  Timestamp live_from;   // of the log: what is before it is played at once
  double speed;          // 0: everything is played at once
  microseconds shift;

  [[nodiscard]] Timestamp play_at(Timestamp time) const {
    if (speed == 0 || time <= live_from) return start;
    return start + microseconds(static_cast<std::int64_t>(
                       static_cast<double>((time - live_from).count()) / speed));
  }
};

void sleep_until(Timestamp time, const Clock& clock, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  // The clock may be set while we wait, so it is asked again.
  for (auto left = time - clock.now(); left.count() > 0 && !stop.stop_requested();
       left = time - clock.now()) {
    stopped.wait_for(lock, stop, std::min<microseconds>(left, std::chrono::seconds{1}),
                     [] { return false; });
  }
}

}  // namespace

struct ReplayFeed::Pass {
  LogPlace place;
  LogReader scout;  // reads ahead of place.reader
  Timetable timetable;
};

ReplayFeed::ReplayFeed(Store& store, const Clock& clock, ReplayOptions options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

Expected<void> ReplayFeed::run(const std::stop_token& stop) {
  const auto file = ReadFile::open(options_.file);
  if (!file) return std::unexpected(file.error());
  const std::string start = options_.keep_time ? "" : "@" + start_label(clock_.now());
  for (int pass = 1; !stop.stop_requested(); ++pass) {
    auto prepared = prepare(*file, pass == 1 ? start : fmt::format("{}#{}", start, pass));
    if (!prepared) return std::unexpected(prepared.error());
    if (*prepared == nullptr) return {};
    if (auto played = play(*file, **prepared, stop); !played) return played;
    if (!options_.loop) break;
  }
  return {};
}

Expected<std::unique_ptr<ReplayFeed::Pass>> ReplayFeed::prepare(const ReadFile& file,
                                                                const std::string& suffix) const {
  const LogReaderOptions unread{
      .device = options_.device, .zone = options_.zone, .source_suffix = suffix};
  const SourceTarget target{options_.device, display(options_.file), options_.zone->name()};
  LogPlace place{LogReader(unread), std::make_unique<SourceWriter>(store_, target), 0};
  if (options_.keep_time) {
    auto found = find_place(
        store_, {display(options_.file), options_.device, options_.zone, false, {}}, file);
    if (!found) return std::unexpected(found.error());
    if (*found) place = std::move(**found);
  }
  const LogReader scout({.device = options_.device, .zone = options_.zone, .source_suffix = suffix},
                        place.reader.state());
  LogReader measurer = scout;
  Extent extent;
  if (auto measured = read_log_file(file, measurer, extent); !measured) {
    return std::unexpected(measured.error());
  }
  if (!extent.first && place.at > 0) return nullptr;
  if (!extent.first) {
    return input_error(fmt::format("{} holds no row to replay", display(options_.file)));
  }
  const auto [first, last] = std::pair(*extent.first, *extent.last);
  Timetable timetable{clock_.now(), first, options_.speed, kNotMoved};
  // Only the first pass brings history: the later ones have the earlier.
  if (!suffix.contains('#')) timetable.live_from = std::min(first + options_.history, last);
  if (!options_.keep_time) timetable.shift = timetable.play_at(last) - last;
  return std::make_unique<Pass>(std::move(place), scout, timetable);
}

// The scout tells when the next rows are due; then the reader is given just the bytes before the
// first that is not, so that what is committed is always a place from which reading can go on.
Expected<void> ReplayFeed::play(const ReadFile& file, Pass& pass,
                                const std::stop_token& stop) const {
  const Timetable& timetable = pass.timetable;
  const auto is_live = [&](const Scout::Row& row) {
    return timetable.speed == 0 || row.time > timetable.live_from;
  };
  std::vector<char> buffer(kChunkBytes);
  std::int64_t ahead = pass.place.at;
  bool ended = false;
  bool live = timetable.speed == 0;
  while (!ended && !stop.stop_requested()) {
    const auto got = file.read_at(ahead, buffer);
    if (!got) return std::unexpected(got.error());
    ended = *got == 0;
    Scout scout;
    ended ? pass.scout.close(scout) : pass.scout.push({buffer.data(), *got}, scout);
    ahead += static_cast<std::int64_t>(*got);
    const auto& rows = scout.rows;
    for (std::size_t from = 0; from < rows.size();) {
      if (auto done = advance(file, pass, rows[from].offset, live); !done) return done;
      sleep_until(timetable.play_at(rows[from].time), clock_, stop);
      if (stop.stop_requested()) return {};
      const Timestamp now = clock_.now();
      live = is_live(rows[from]);
      while (from < rows.size() && is_live(rows[from]) == live &&
             timetable.play_at(rows[from].time) <= now) {
        ++from;
      }
      const std::int64_t until =
          from < rows.size() ? rows[from].offset : pass.scout.state().position;
      if (auto done = advance(file, pass, until, live); !done) return done;
    }
  }
  if (stop.stop_requested()) return {};
  return advance(file, pass, -1, live);
}

// Reads on to that byte; -1: to the end, and closes.
Expected<void> ReplayFeed::advance(const ReadFile& file, Pass& pass, std::int64_t until,
                                   bool live) {
  LogPlace& place = pass.place;
  ShiftedWriter receiver(*place.writer, pass.timetable.shift);
  std::vector<char> buffer(kChunkBytes);
  const bool to_the_end = until < 0;
  const bool moved = pass.timetable.shift != kNotMoved;
  for (bool more = true; more;) {
    if (!to_the_end && place.at >= until) return {};
    std::span<char> piece(buffer);
    if (!to_the_end) {
      piece = piece.first(std::min(piece.size(), static_cast<std::size_t>(until - place.at)));
    }
    const auto got = file.read_at(place.at, piece);
    if (!got) return std::unexpected(got.error());
    more = *got > 0;
    if (!more && !to_the_end) return {};
    if (auto begun = place.writer->begin(); !begun) return begun;
    if (more) place.reader.push({buffer.data(), *got}, receiver);
    if (!more && moved) place.reader.close(receiver);
    const LogReaderState state =
        more || moved ? place.reader.state() : place.writer->close(place.reader);
    const auto hash = hash_before(file, state.position);
    if (!hash) {
      place.writer->abandon();
      return std::unexpected(hash.error());
    }
    if (auto done = place.writer->commit(state, *hash, live); !done) return done;
    place.at += static_cast<std::int64_t>(*got);
  }
  return place.writer->publish_end();
}

}  // namespace gpulse
