#include "stream/window.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "stream/reading_sum.h"
#include "stream/state_codec.h"

namespace gpulse {
namespace {

constexpr std::uint8_t kStateVersion = 1;
constexpr std::int64_t kNothingClosed = std::numeric_limits<std::int64_t>::min();
// The year 10000, either way: what a state may hold.
constexpr std::int64_t kTimeMax = 253'402'300'800'000'000;
constexpr std::int64_t kRowsMax = std::int64_t{1} << 40;
constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();

std::int64_t floor_to(std::int64_t time, std::int64_t length) {
  const std::int64_t rest = time % length;
  return time - (rest < 0 ? rest + length : rest);
}

std::int64_t microseconds(std::chrono::microseconds duration) { return duration.count(); }

}  // namespace

struct WindowAggregator::State {
  struct Open {
    std::int64_t begin = 0;
    std::int64_t rows = 0;
    bool changed = false;  // since it was last published
    std::vector<ReadingSum> sums;
  };

  std::int64_t length = 0;
  std::int64_t lateness = 0;
  std::size_t open_max = 0;

  Device device;
  std::string source;
  std::int64_t session = 0;
  LayoutPtr layout;  // null between sessions
  // No window that ends at or before this takes rows any more. Stands for the watermark and is
  // never behind it by a whole window.
  std::int64_t closed_until = kNothingClosed;
  std::vector<Open> open;  // by begin

  bool belongs(const SampleBatch& batch) const {
    return layout && session == batch.session && source == batch.source && device == batch.device;
  }

  void begin_session(const SampleBatch& batch) {
    device = batch.device;
    source = batch.source;
    session = batch.session;
    layout = batch.layout;
  }

  void end_session(std::vector<Window>& out) {
    for (const Open& window : open) out.push_back(published(window, true));
    reset();
  }

  void reset() {
    open.clear();
    layout = nullptr;
    closed_until = kNothingClosed;
  }

  Window published(const Open& from, bool final) const {
    Window window{.device = device,
                  .source = source,
                  .session = session,
                  .begin = from_microseconds(from.begin),
                  .end = from_microseconds(from.begin + length),
                  .rows = from.rows,
                  .final = final,
                  .layout = layout,
                  .metrics = {}};
    window.metrics.reserve(from.sums.size());
    for (const ReadingSum& sum : from.sums) window.metrics.push_back(sum.statistics());
    return window;
  }

  void close_until(std::int64_t end, std::vector<Window>& out) {
    if (end <= closed_until) return;
    closed_until = end;
    const auto first_open = std::ranges::find_if(
        open, [&](const Open& window) { return window.begin + length > closed_until; });
    for (auto window = open.begin(); window != first_open; ++window) {
      out.push_back(published(*window, true));
    }
    open.erase(open.begin(), first_open);
  }

  // Null when the window takes no more rows.
  Open* window_at(std::int64_t begin, std::vector<Window>& out) {
    if (begin + length <= closed_until) return nullptr;
    const auto at = std::ranges::lower_bound(open, begin, {}, &Open::begin);
    if (at != open.end() && at->begin == begin) return &*at;
    if (open.size() >= open_max) {
      close_until(open.front().begin + length, out);
      return window_at(begin, out);
    }
    return &*open.insert(at, Open{.begin = begin,
                                  .rows = 0,
                                  .changed = false,
                                  .sums = std::vector<ReadingSum>(layout->columns.size())});
  }

  // Rows [from, to) lie in the window that begins at `begin`.
  void take(const SampleBatch& batch, std::size_t from, std::size_t to, std::int64_t begin,
            std::vector<Window>& out) {
    Open* window = window_at(begin, out);
    if (window == nullptr) return;
    window->rows += static_cast<std::int64_t>(to - from);
    window->changed = true;
    for (std::size_t column = 0; column < batch.columns.size(); ++column) {
      window->sums[column].add(batch.columns[column], from, to);
    }
  }

  void save_session(StateWriter& writer) const {
    writer.number(session);
    writer.byte(closed_until == kNothingClosed ? 0 : 1);
    if (closed_until != kNothingClosed) writer.number(closed_until / length);
    writer.unsigned_number(layout->columns.size());
    writer.unsigned_number(open.size());
    for (const Open& window : open) {
      writer.number(window.begin / length);
      writer.byte(window.changed ? 1 : 0);
      writer.unsigned_number(static_cast<std::uint64_t>(window.rows));
      for (const ReadingSum& sum : window.sums) sum.save(writer);
    }
  }

  void load_session(StateReader& reader, std::size_t columns) {
    const std::int64_t begin_max = kTimeMax / length;
    session = reader.number(0, kNumberMax);
    if (reader.unsigned_number(1) == 1) {
      closed_until = reader.number(-begin_max, begin_max) * length;
    }
    reader.require(reader.unsigned_number(kNumberMax) == static_cast<std::int64_t>(columns));
    const std::int64_t windows = reader.unsigned_number(static_cast<std::int64_t>(open_max));
    for (std::int64_t i = 0; i < windows && reader.good(); ++i) {
      Open window;
      window.begin = reader.number(-begin_max, begin_max) * length;
      window.changed = reader.unsigned_number(1) == 1;
      window.rows = reader.unsigned_number(kRowsMax);
      reader.require(window.rows > 0 && window.begin + length > closed_until &&
                     (open.empty() || open.back().begin < window.begin));
      for (std::size_t column = 0; column < columns && reader.good(); ++column) {
        window.sums.push_back(ReadingSum::load(reader, window.rows));
      }
      open.push_back(std::move(window));
    }
  }
};

WindowAggregator::WindowAggregator(WindowOptions options)
    : state_(std::make_unique<State>()), options_(options) {
  assert(options.length.count() > 0 && options.lateness.count() >= 0);
  state_->length = microseconds(options.length);
  state_->lateness = microseconds(options.lateness);
  state_->open_max = std::max(options.open_windows_max,
                              static_cast<std::size_t>(options.lateness / options.length) + 3);
}
WindowAggregator::~WindowAggregator() = default;
WindowAggregator::WindowAggregator(WindowAggregator&&) noexcept = default;
WindowAggregator& WindowAggregator::operator=(WindowAggregator&&) noexcept = default;

void WindowAggregator::push(const SampleBatch& batch, Timestamp now, std::vector<Window>& out) {
  State& state = *state_;
  if (batch.rows() == 0) return;
  if (!state.belongs(batch)) {
    flush(out);
    state.begin_session(batch);
  }
  assert(batch.columns.size() == state.layout->columns.size());
  const std::int64_t length = state.length;
  const std::int64_t trusted_until = to_microseconds(now) + microseconds(options_.ahead_max);
  const auto time = [&](std::size_t row) { return to_microseconds(batch.times[row]); };
  // A run is the longest stretch of rows in one window. No row of a run can make the run's own
  // window final, so taking runs whole equals taking rows one by one.
  for (std::size_t from = 0; from < batch.rows();) {
    const std::int64_t begin = floor_to(time(from), length);
    std::int64_t newest = kNothingClosed;
    std::size_t to = from;
    for (; to < batch.rows() && time(to) >= begin && time(to) - begin < length; ++to) {
      if (time(to) <= trusted_until) newest = std::max(newest, time(to));
    }
    state.take(batch, from, to, begin, out);
    if (newest != kNothingClosed) {
      state.close_until(floor_to(newest - state.lateness, length), out);
    }
    from = to;
  }
}

void WindowAggregator::flush(std::vector<Window>& out) { state_->end_session(out); }

void WindowAggregator::publish_provisional(std::vector<Window>& out) {
  for (State::Open& window : state_->open) {
    if (window.changed) out.push_back(state_->published(window, false));
    window.changed = false;
  }
}

std::string WindowAggregator::save() const {
  StateWriter writer;
  writer.byte(kStateVersion);
  writer.unsigned_number(static_cast<std::uint64_t>(state_->length));
  writer.byte(state_->layout ? 1 : 0);
  if (state_->layout) state_->save_session(writer);
  return writer.take();
}

Expected<void> WindowAggregator::restore(std::string_view state, const Device& device,
                                         std::string_view source, const LayoutPtr& layout) {
  state_->reset();
  StateReader reader(state);
  if (reader.byte() != kStateVersion) {
    return input_error("the kept windows are of no version that this program knows");
  }
  const std::int64_t length = reader.unsigned_number(kNumberMax);
  if (reader.good() && length != state_->length) {
    return input_error("the kept windows are " + std::to_string(length / 1'000'000) +
                       " s long, not " + std::to_string(state_->length / 1'000'000));
  }
  if (reader.unsigned_number(1) == 1) {
    reader.require(layout != nullptr);
    if (layout) state_->load_session(reader, layout->columns.size());
    state_->device = device;
    state_->source = source;
    state_->layout = layout;
  }
  if (!reader.done()) {
    state_->reset();
    return input_error("the kept windows are damaged or of another layout");
  }
  return {};
}

}  // namespace gpulse
