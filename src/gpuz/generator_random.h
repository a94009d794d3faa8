// Random numbers that are the same on every machine, for made-up logs only.
//
// The standard library's distributions differ between implementations, and so do sin and log; this
// uses integer arithmetic and correctly rounded operations alone.
#pragma once

#include <bit>
#include <cstdint>
#include <numbers>

namespace gpulse::generator {

// xoshiro256**, seeded by splitmix64. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      std::uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9U;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
      word = mixed ^ (mixed >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }

  // Mean 0, standard deviation 1, never beyond 3.5: the sum of four 16-bit uniforms. The tails of a
  // true normal are no loss in a sensor.
  double normal() {
    const std::uint64_t bits = next();
    const auto sum = static_cast<std::int64_t>((bits & 0xffff) + ((bits >> 16) & 0xffff) +
                                               ((bits >> 32) & 0xffff) + (bits >> 48));
    constexpr double kScale = std::numbers::sqrt3 / 65536;  // sqrt(12 / 4) per unit of 2^-16
    return static_cast<double>(sum - 131070) * kScale;
  }

 private:
  std::uint64_t state_[4] = {};
};

}  // namespace gpulse::generator
