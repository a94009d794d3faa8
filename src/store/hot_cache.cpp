#include "store/hot_cache.h"

#include <utility>

namespace gpulse {

bool HotCache::ask(const Device& device) {
  const auto found = devices_.find(device);
  if (found == devices_.end()) return false;
  found->second.last_asked = ++asks_;
  return true;
}

void HotCache::put(const Device& device, HotColumns columns, bool grows) {
  devices_.insert_or_assign(device, Entry{std::move(columns), grows, ++asks_});
  let_go(device);
}

void HotCache::append(const Device& device, const std::vector<SampleBatch>& rows, Timestamp from,
                      bool grows) {
  const auto found = devices_.find(device);
  if (found == devices_.end()) return;
  Entry& entry = found->second;
  entry.grows = grows;
  for (const SampleBatch& batch : rows) entry.columns.append(batch);
  entry.columns.drop_before(from);
  let_go(device);
}

void HotCache::let_go(const Device& except) {
  std::size_t total = bytes();
  while (total > bytes_max_) {
    auto oldest = devices_.end();
    for (auto at = devices_.begin(); at != devices_.end(); ++at) {
      if (at->first == except) continue;
      if (oldest == devices_.end() ||
          std::pair(at->second.grows, at->second.last_asked) <
              std::pair(oldest->second.grows, oldest->second.last_asked)) {
        oldest = at;
      }
    }
    if (oldest == devices_.end()) return;
    total -= oldest->second.columns.bytes();
    devices_.erase(oldest);
  }
}

const HotColumns* HotCache::find(const Device& device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? nullptr : &found->second.columns;
}

std::size_t HotCache::bytes() const {
  std::size_t total = 0;
  for (const auto& [device, entry] : devices_) total += entry.columns.bytes();
  return total;
}

}  // namespace gpulse
