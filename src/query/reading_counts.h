// How often a metric read each value: the exact distribution, in memory that follows the number of
// distinct values. Of use inside query/ only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace gpulse {

// Not thread-safe.
class ReadingCounts {
 public:
  // `decimals`: the most that a reading of the metric has. With a wrong number all is as exact, but
  // slower.
  explicit ReadingCounts(int decimals);

  // Absent readings (NaN) do not count.
  void add(std::span<const double> readings);

  struct Summary {
    std::int64_t count = 0;  // with 0 the rest means nothing
    double mean = 0;  // of the exact sum
    double p95 = 0;  // numpy's default: linear between the two nearest readings
  };
  [[nodiscard]] Summary summary() const;

 private:
  struct Entry {
    double value;
    std::int64_t count;
  };
  [[nodiscard]] bool make_room(std::int64_t count);
  void give_up_window();
  [[nodiscard]] std::vector<Entry> sorted() const;
  [[nodiscard]] double mean(std::span<const Entry> entries, std::int64_t count) const;

  // Counts of the last decimal lie in a small window, as a rule, and are counted in an array: about
  // 2 ns a reading where a hash map takes 30. Else everything moves to the map.
  double scale_;
  bool dense_;
  std::int64_t base_ = 0;
  std::vector<std::int64_t> window_;
  std::unordered_map<double, std::int64_t> sparse_;
};

}  // namespace gpulse
