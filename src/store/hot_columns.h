// The newest rows of a device in memory, in columns, packed: what the page looks at all the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

// Integers by their distance from the smallest, in as few bytes each as the largest needs: 0, 1, 2,
// 4 or 8. Sensors move within a range of a few hundred steps, so most columns take a byte a row.
class PackedIntegers {
 public:
  PackedIntegers() = default;
  explicit PackedIntegers(const std::vector<std::int64_t>& values);

  void unpack(std::vector<std::int64_t>& out) const;
  [[nodiscard]] std::size_t bytes() const { return packed_.capacity(); }

 private:
  std::int64_t base_ = 0;
  std::uint8_t width_ = 0;
  std::size_t size_ = 0;
  std::vector<std::uint8_t> packed_;
};

// Some rows of one session, never changed once made. Any thread.
class HotChunk {
 public:
  explicit HotChunk(const SampleBatch& rows);

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] std::int64_t session() const { return session_; }
  [[nodiscard]] Timestamp first() const { return first_; }
  [[nodiscard]] Timestamp last() const { return last_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t bytes() const;

  [[nodiscard]] std::vector<Timestamp> times() const;
  // The readings of a metric, NaN where absent; empty when the chunk has no such column.
  [[nodiscard]] std::vector<double> values(const std::string& metric) const;

 private:
  struct Column {
    int decimals = 0;
    PackedIntegers counts;
    std::vector<double> doubles;  // instead of counts, for a column kept in doubles
    std::vector<std::uint8_t> presence;  // empty: all present
  };
  std::string source_;
  std::int64_t session_ = 0;
  LayoutPtr layout_;
  Timestamp first_;
  Timestamp last_;
  std::size_t rows_ = 0;
  PackedIntegers steps_;  // from each row to the next, microseconds
  std::vector<Column> columns_;
};
using HotChunkPtr = std::shared_ptr<const HotChunk>;

// The chunks of one device: sealed ones, and the rows that came since in an open one.
// Not thread-safe; a snapshot can be read without the lock that guards the rest.
class HotColumns {
 public:
  // Rows of any source of the device, in the order of their arrival.
  void append(const SampleBatch& rows);
  // Lets chunks go that end before `time`.
  void drop_before(Timestamp time);

  // All rows, as chunks in order of arrival; the open ones are packed for it.
  [[nodiscard]] std::vector<HotChunkPtr> snapshot() const;
  [[nodiscard]] std::size_t bytes() const;

  static constexpr std::size_t kChunkRows = 1024;

 private:
  void seal();

  std::vector<HotChunkPtr> sealed_;
  std::size_t sealed_bytes_ = 0;  // kept up, since it is asked for at every commit
  SampleBatch open_;
  mutable HotChunkPtr open_packed_;  // of the open rows, until the next append
};

}  // namespace gpulse
