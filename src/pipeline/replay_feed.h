// Plays an old log as if it were being written now.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "gpuz/log_reader.h"
#include "platform/file.h"
#include "store/source_writer.h"
#include "store/store.h"

namespace gpulse {

struct ReplayOptions {
  std::filesystem::path file;
  Device device;
  std::shared_ptr<const TimeZone> zone;
  double speed = 1;  // times as fast as it was written, at least 1; 0: without any pause
  std::chrono::microseconds history{0};  // so much of its beginning is there at once
  bool loop = false;       // starts again at its end; not with keep_time
  bool keep_time = false;  // rows keep their instants, and the log its identity
};

// Rows get instants of now: all are moved by one amount, such that the last falls on the instant of its
// playing, and none is ahead of the clock when it is played. The source is "<id>@<start>", in pass n > 1
// of a loop with "#n" behind, so that a replay never meets the log itself or another replay of it.
class ReplayFeed {
 public:
  // `clock` must be the store's.
  ReplayFeed(Store& store, const Clock& clock, ReplayOptions options);

  // Until the log's end (with loop: never) or a stop, which is no error. On the calling thread.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  struct Extent {
    Timestamp first;
    Timestamp last;  // the latest, not that of the last row, should time have stepped back
  };
  [[nodiscard]] Expected<Extent> measure(const ReadFile& file) const;
  [[nodiscard]] Expected<void> play(const ReadFile& file, const Extent& extent,
                                    const std::string& suffix, const std::stop_token& stop);

  Store& store_;
  const Clock& clock_;
  const ReplayOptions options_;
};

}  // namespace gpulse
