// How long to wait before the next try of what failed: longer each time, and never in step with
// others.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace gpulse {

class RetryPause {
 public:
  using Duration = std::chrono::milliseconds;

  RetryPause(Duration first, Duration longest)
      : first_(first), longest_(longest), whole_(first), random_(std::random_device{}()) {}

  // From half of the present pause to all of it, doubled for the next time; at least what the
  // server asked for, which is believed up to five minutes.
  [[nodiscard]] Duration next(std::optional<std::uint32_t> retry_after_seconds) {
    constexpr std::chrono::seconds kRetryAfterMax{300};
    std::uniform_int_distribution<Duration::rep> jitter(whole_.count() / 2, whole_.count());
    const Duration pause(jitter(random_));
    whole_ = std::min(whole_ * 2, longest_);
    const std::chrono::seconds asked(retry_after_seconds.value_or(0));
    return std::max<Duration>(pause, std::min(asked, kRetryAfterMax));
  }
  // It went well.
  void reset() { whole_ = first_; }

 private:
  Duration first_;
  Duration longest_;
  Duration whole_;
  std::minstd_rand random_;
};

}  // namespace gpulse
