#include "pipeline/replay_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "gpuz/log_file.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;

// "20261124T090000.123Z": sorts by time, and has no colon (HDFS allows none in names).
std::string start_label(Timestamp start) {
  std::string text = to_rfc3339(start);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text.replace(text.size() - 4, 3, "");
}

class ExtentReceiver final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    for (const Timestamp time : batch.times) {
      first = std::min(first.value_or(time), time);
      last = std::max(last.value_or(time), time);
    }
  }
  void on_set_aside(const SetAside& /*line*/) override {}

  std::optional<Timestamp> first;
  std::optional<Timestamp> last;
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

// Hands rows on to the writer when their time has come.
class Player final : public LogReceiver {
 public:
  Player(SourceWriter& writer, const Clock& clock, const Timetable& timetable, bool move_times,
         const std::stop_token& stop)
      : writer_(writer), clock_(clock), timetable_(timetable), move_times_(move_times), stop_(stop) {}

  // The reader whose rows these are, for its state.
  void follow(const LogReader& reader) { reader_ = &reader; }

  void on_rows(const SampleBatch& batch) override {
    for (std::size_t from = 0; from < batch.rows() && go_on();) {
      wait_until(timetable_.play_at(batch.times[from]));
      if (!go_on()) return;
      const Timestamp now = clock_.now();
      std::size_t until = from + 1;
      while (until < batch.rows() && timetable_.play_at(batch.times[until]) <= now) ++until;
      const bool live = timetable_.speed == 0 || batch.times[from] > timetable_.live_from;
      commit(live, [&] {
        writer_.on_rows(slice(batch, from, until, move_times_ ? timetable_.shift : microseconds{0}));
      });
      from = until;
    }
  }

  void on_set_aside(const SetAside& line) override {
    if (go_on()) commit(false, [&] { writer_.on_set_aside(line); });
  }

  [[nodiscard]] bool go_on() const { return !failed_ && !stop_.stop_requested(); }
  [[nodiscard]] const std::optional<Error>& failed() const { return failed_; }

 private:
  template <class Write>
  void commit(bool live, Write write) {
    auto done = writer_.begin();
    if (done) {
      write();
      done = writer_.commit(reader_->state(), 0, live);
    }
    if (!done) failed_ = done.error();
  }

  void wait_until(Timestamp time) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop_, time - clock_.now(), [] { return false; });
  }

  SourceWriter& writer_;
  const Clock& clock_;
  const Timetable& timetable_;
  const bool move_times_;
  const std::stop_token& stop_;
  const LogReader* reader_ = nullptr;
  std::optional<Error> failed_;
};

}  // namespace

ReplayFeed::ReplayFeed(Store& store, const Clock& clock, ReplayOptions options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

Expected<ReplayFeed::Extent> ReplayFeed::measure(const ReadFile& file) const {
  ExtentReceiver extent;
  LogReader reader({options_.device, options_.zone, {}});
  if (auto read = read_log_file(file, reader, extent); !read) return std::unexpected(read.error());
  if (!extent.first) {
    return input_error(fmt::format("{} holds no row to replay", display(options_.file)));
  }
  return Extent{*extent.first, *extent.last};
}

Expected<void> ReplayFeed::run(const std::stop_token& stop) {
  const auto file = ReadFile::open(options_.file);
  if (!file) return std::unexpected(file.error());
  const auto extent = measure(*file);
  if (!extent) return std::unexpected(extent.error());
  const std::string start = options_.keep_time ? "" : "@" + start_label(clock_.now());
  for (int pass = 1; !stop.stop_requested(); ++pass) {
    const std::string suffix = pass == 1 ? start : fmt::format("{}#{}", start, pass);
    if (auto played = play(*file, *extent, suffix, stop); !played) return played;
    if (!options_.loop) break;
  }
  return {};
}

Expected<void> ReplayFeed::play(const ReadFile& file, const Extent& extent,
                                const std::string& suffix, const std::stop_token& stop) {
  // Only the first pass brings history: the later ones have the earlier.
  const bool first_pass = !suffix.contains('#');
  Timetable timetable{clock_.now(), extent.first, options_.speed, microseconds{0}};
  if (first_pass) timetable.live_from = std::min(extent.first + options_.history, extent.last);
  timetable.shift = timetable.play_at(extent.last) - extent.last;

  SourceTarget target{options_.device, display(options_.file), options_.zone->name()};
  auto writer = std::make_unique<SourceWriter>(store_, target);
  LogReaderOptions reader_options{options_.device, options_.zone, suffix};
  LogReader reader(reader_options);
  if (options_.keep_time) {
    const auto identified = identify_log(file);
    if (!identified) return std::unexpected(identified.error());
    if (const auto known = store_.find_source(identified->source.value_or(""))) {
      auto resumed = SourceWriter::resume(store_, target, *known);
      if (!resumed) return std::unexpected(resumed.error());
      writer = std::move(*resumed);
      reader_options.device = known->record.device;
      reader = LogReader(reader_options, known->checkpoint.reader);
    }
  }
  Player player(*writer, clock_, timetable, !options_.keep_time, stop);
  player.follow(reader);
  auto read = read_log_file(file, reader, player, [&](std::int64_t) { return player.go_on(); });
  if (player.failed()) return std::unexpected(*player.failed());
  if (!read || stop.stop_requested()) return read;
  return writer->publish_end();
}

}  // namespace gpulse
