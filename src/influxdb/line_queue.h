// Lines on their way: gathered into batches, taken in order, acknowledged in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "influxdb/line_protocol.h"
#include "telemetry/error.h"

namespace gpulse {

struct LineQueueLimits {
  std::size_t batch_lines_max = 500;
  std::size_t batch_bytes_max = std::size_t{1} << 20;
  std::size_t queue_bytes_max = std::size_t{8} << 20;  // waiting and being sent
  // Batches taken before the oldest one that is not done: what a kill makes be sent again.
  std::size_t batches_ahead_max = 64;
  std::chrono::milliseconds linger{100};  // what a line waits for others at most
};

// All calls from any thread.
class LineQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit LineQueue(LineQueueLimits limits) : limits_(limits) {}

  // What push() did that a taker may be waiting for: a batch was begun or became full.
  using Notify = void (*)(void*);
  void on_ready(Notify notify, void* context);

  // Appends lines, and waits while the queue is full. Their tickets must not be below earlier ones.
  // Errors: retryable on a stop, else the one that close() was given.
  [[nodiscard]] Expected<void> push(const Lines& lines, const std::stop_token& stop);
  // Whether push() would take lines of so many bytes without waiting, as long as nobody else
  // pushes.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  // What waits need not wait for more.
  void flush();

  // The oldest batch that is due, or when to look again (nothing: when notified).
  struct Taken {
    const Lines* batch = nullptr;
    std::optional<Time> look_again;
  };
  [[nodiscard]] Taken take(Time now);
  // All lines of a batch that was taken are stored or set aside. It must not be used after.
  void done(const Lines* batch);

  // The largest ticket such that it and all before it are done; 0 before the first.
  [[nodiscard]] std::uint64_t acknowledged() const;
  // Returns when all that was pushed is done. Errors as push().
  [[nodiscard]] Expected<void> wait_until_done(const std::stop_token& stop);
  // Nothing will be taken any more: ends every wait with this error.
  void close(Error error);

  struct Size {
    std::size_t lines = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Size size() const;  // waiting and being sent

 private:
  struct Batch {
    Lines lines;
    Time begun;
    bool flushed = false;
    bool done = false;
  };
  using Batches = std::list<Batch>;

  [[nodiscard]] bool is_full(const Batch& batch) const;
  [[nodiscard]] bool is_open() const { return !waiting_.empty() && !is_full(waiting_.back()); }
  [[nodiscard]] bool fits(std::size_t bytes) const {
    return size_.bytes == 0 || size_.bytes + bytes <= limits_.queue_bytes_max;
  }
  void open_batch();
  std::size_t append(const Lines& lines, std::size_t from, bool& ready);
  [[nodiscard]] std::unexpected<Error> end() const;

  const LineQueueLimits limits_;
  Notify notify_ = nullptr;
  void* notify_context_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Batches waiting_;  // in order; only the last may grow
  Batches taken_;  // in order, up to the newest one taken
  Batches spare_;  // empty, for their memory
  Size size_;
  std::uint64_t acknowledged_ = 0;
  std::optional<Error> closed_;
};

}  // namespace gpulse
