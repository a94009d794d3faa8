// The hot columns of the devices that were asked for, within a cap on memory over all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "store/hot_columns.h"

namespace gpulse {

// Beyond the cap the columns that were not asked for the longest go; those of devices that grow go
// last, and the device that something is done for keeps its own. Not thread-safe.
class HotCache {
 public:
  explicit HotCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Whether a device's columns are here; they count as just asked for.
  [[nodiscard]] bool ask(const Device& device);
  // `grows`: its log is being followed.
  void put(const Device& device, HotColumns columns, bool grows);
  // Rows of a device whose columns are here, else nothing; what ends before `from` is dropped.
  void append(const Device& device, const std::vector<SampleBatch>& rows, Timestamp from,
              bool grows);
  void clear() { devices_.clear(); }

  // Null when they are not here.
  [[nodiscard]] const HotColumns* find(const Device& device) const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    HotColumns columns;
    bool grows = false;
    std::uint64_t last_asked = 0;
  };
  void let_go(const Device& except);

  const std::size_t bytes_max_;
  std::uint64_t asks_ = 0;
  std::map<Device, Entry> devices_;
};

}  // namespace gpulse
