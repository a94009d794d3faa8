// Growing, jittered pauses between attempts.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <stop_token>

namespace gpulse::kafka {

// From 0.1 s to 10 s, doubling, each shortened by up to half at random, so that many clients do not
// come back at one instant.
class Pauses {
 public:
  [[nodiscard]] std::chrono::milliseconds next() {
    std::uniform_int_distribution<std::int64_t> jittered(next_.count() / 2, next_.count());
    const std::chrono::milliseconds pause(jittered(random_));
    next_ = std::min(2 * next_, kMax);
    return pause;
  }
  void reset() { next_ = kMin; }
  [[nodiscard]] bool grew() const { return next_ > kMin; }

 private:
  static constexpr std::chrono::milliseconds kMin{100};
  static constexpr std::chrono::milliseconds kMax{10'000};

  std::chrono::milliseconds next_ = kMin;
  std::minstd_rand random_{std::random_device{}()};
};

// Returns after the pause, or at once with a stop.
inline void wait(std::chrono::milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, pause, [] { return false; });
}

}  // namespace gpulse::kafka
