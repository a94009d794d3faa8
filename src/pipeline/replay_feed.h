// Plays an old log as if it were being written now.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "platform/file.h"
#include "store/store.h"
#include "telemetry/time_zone.h"

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

// Rows get instants of now: all are moved by one amount, such that the last falls on the instant of
// its playing, and none is ahead of the clock when it is played. The source is "<id>@<start>", in
// pass n > 1 of a loop with "#n" behind, so that a replay never meets the log itself or another
// replay of it.
class ReplayFeed {
 public:
  // `clock` must be the store's.
  ReplayFeed(Store& store, const Clock& clock, ReplayOptions options);

  // Until the log's end (with loop: never) or a stop, which is no error. With keep_time it goes on
  // where the log was read to, played or followed. On the calling thread.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  struct Pass;

  // A place to start from, and the rows that lie behind it; null when there are none.
  [[nodiscard]] Expected<std::unique_ptr<Pass>> prepare(const ReadFile& file,
                                                        const std::string& suffix) const;
  [[nodiscard]] Expected<void> play(const ReadFile& file, Pass& pass,
                                    const std::stop_token& stop) const;
  [[nodiscard]] static Expected<void> advance(const ReadFile& file, Pass& pass, std::int64_t until,
                                              bool live);

  Store& store_;
  const Clock& clock_;
  const ReplayOptions options_;
};

}  // namespace gpulse
