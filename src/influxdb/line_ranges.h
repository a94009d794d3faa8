// What of a batch is yet to be stored, as it is narrowed down to the lines that cannot be. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gpulse {

// Lines [from, until) of a batch.
struct LineRange {
  std::size_t from = 0;
  std::size_t until = 0;
  int server_errors_max = 0;  // so many, and it is split
  int server_errors = 0;
  std::uint64_t stored_before = 0;  // requests that had been stored at the first such error

  [[nodiscard]] std::size_t size() const { return until - from; }
};

// The ranges left, from the batch's front to its back.
class LineRanges {
 public:
  // All `lines` of a new batch.
  void assign(std::size_t lines, int server_errors_max);
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] LineRange take();

  // Each puts back what was taken last: whole,
  void put_back(const LineRange& range) { ranges_.push_back(range); }
  // in halves (of two lines at least),
  void put_back_halves(const LineRange& range, int server_errors_max);
  // or with each of the lines `bad` (of the range, counted from 0, rising) alone. What is beyond
  // the range is ignored; with nothing left of them in halves.
  void put_back_around(const LineRange& range, std::span<const std::size_t> bad);

 private:
  void add(std::size_t from, std::size_t until, int server_errors_max);

  std::vector<LineRange> ranges_;  // the next one last
};

}  // namespace gpulse
