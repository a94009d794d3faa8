// Tumbling windows of event time: for each window of a session the count, mean, minimum and maximum
// of every metric.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

// All in the metric's own unit. The mean is the nearest double to the exact sum over the count;
// which batches the rows came in does not change it.
struct WindowStatistics {
  std::int64_t count = 0;  // present readings; with 0 the rest means nothing
  double mean = 0;
  double min = 0;
  double max = 0;
};

// Identified by (device, source, session, begin).
struct Window {
  Device device;
  std::string source;
  std::int64_t session = 0;
  Timestamp begin;
  Timestamp end;  // exclusive; begin + length
  std::int64_t rows = 0;  // also rows without any reading
  bool final = false;  // false: published in a silence; a later row may replace it
  LayoutPtr layout;
  std::vector<WindowStatistics> metrics;  // one per column of the layout
};

struct WindowOptions {
  std::chrono::seconds length{30};
  // The watermark is the session's largest event time minus this; a window that ends at or before
  // it is final.
  std::chrono::seconds lateness{60};
  // A silence of this long publishes what is open, provisionally.
  std::chrono::seconds silence{60};
  // Rows further ahead of the clock than this never move a watermark.
  std::chrono::seconds ahead_max{300};
  // At so many open windows the oldest becomes final without a watermark. Only rows ahead of the
  // clock pile up so many: a log read in a wrong time zone. Never less than the lateness needs.
  std::size_t open_windows_max = 64;
};

// The windows of one source. Windows begin at multiples of the length since 1970; one without rows
// is never published. Not thread-safe.
//
// What comes out final depends on the rows alone, never on how they were cut into batches; that is
// what lets a restart end in the same state as an undisturbed run.
class WindowAggregator {
 public:
  explicit WindowAggregator(WindowOptions options = {});
  ~WindowAggregator();
  WindowAggregator(WindowAggregator&&) noexcept;
  WindowAggregator& operator=(WindowAggregator&&) noexcept;

  // Takes the next rows of the source, in file order; appends what became final to `out`, oldest
  // first. Rows of another session than the last batch's end that session first. A row of a window
  // that is final already is left out. `now` serves ahead_max alone.
  void push(const SampleBatch& batch, Timestamp now, std::vector<Window>& out);
  // The session or the source has ended: all open windows become final.
  void flush(std::vector<Window>& out);
  // Windows that are open and have changed since they were last published, as provisional ones. To
  // be called when no row came for `silence`.
  void publish_provisional(std::vector<Window>& out);

  // The state between two pushes, stored with the position it belongs to. restore() takes what
  // save() gave an aggregator of the same window length; anything else is an input error and leaves
  // this one empty. `layout` is the running session's, null when no session runs (the state knows);
  // device and source are the position's own.
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Expected<void> restore(std::string_view state, const Device& device,
                                       std::string_view source, const LayoutPtr& layout);

 private:
  struct State;
  std::unique_ptr<State> state_;
  WindowOptions options_;
};

}  // namespace gpulse
