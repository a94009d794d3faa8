// What the ledger holds, less its rows, in memory; and beside it the newest rows of the devices
// that are looked at. Most questions are answered here, without a disk.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/device_book.h"
#include "store/hot_cache.h"
#include "store/ledger.h"

namespace gpulse {

struct StoreBookOptions {
  std::chrono::hours hot;      // how far back from a device's newest row rows stay in memory
  std::size_t hot_bytes_max;   // over all devices
  std::chrono::microseconds ahead_max;  // rows further ahead of the clock never count as newest
};

// Any thread; each call sees and leaves a whole state. load(), take() and put_hot() are for whoever
// has the writing turn.
class StoreBook {
 public:
  // `clock` must outlive the book.
  StoreBook(StoreBookOptions options, const Clock& clock) : options_(options), clock_(clock) {}

  // All of it anew. The errors are the ledger's; the book is then as it was.
  [[nodiscard]] Expected<void> load(Ledger& ledger);

  // What a writer has just committed. Sessions without an id are not in the ledger.
  struct Commit {
    const LedgerSource& source;
    std::span<const LedgerSession> sessions;
    const std::vector<SampleBatch>& rows;
    bool live;  // they came while the log was followed
  };
  // Whether the device is new, or its metrics or state may have changed.
  bool take(const Commit& commit);

  // Those with rows, the one whose rows arrived last first.
  [[nodiscard]] std::vector<DeviceRecord> devices() const;
  [[nodiscard]] std::vector<SourceRecord> sources() const;
  // In order of their first rows, as all sessions here.
  [[nodiscard]] std::vector<SessionRecord> sessions(const Device& device) const;
  // Those with a row in [from, to], or rows on both sides of it.
  [[nodiscard]] std::vector<LedgerSession> sessions_touching(const Device& device, Timestamp from,
                                                             Timestamp to) const;
  [[nodiscard]] std::optional<LedgerSession> find_session(const Device& device,
                                                          const std::string& source,
                                                          std::int64_t session) const;
  [[nodiscard]] std::optional<LedgerSource> find_source(const std::string& source) const;
  [[nodiscard]] std::optional<NewestRow> newest(const Device& device) const;
  // `wish`, or with "-2", "-3", ... behind the gpu when that device is there.
  [[nodiscard]] Device free_device(const Device& wish) const;

  // What a scan of [from, to] has to go through. Rows from `hot_begin` on are in the chunks, those
  // before it in the ledger alone.
  struct ScanPlan {
    std::vector<LedgerSession> sessions;
    std::vector<HotChunkPtr> chunks;
    Timestamp hot_begin = Timestamp::max();
  };
  [[nodiscard]] ScanPlan plan_scan(const Device& device, Timestamp from, Timestamp to) const;

  // A device's rows that should be hot and are not; none when it has none, or they are. Counts as
  // asking for them.
  struct HotRows {
    std::vector<LedgerSession> sessions;
    Timestamp from;
  };
  [[nodiscard]] std::optional<HotRows> missing_hot(const Device& device);
  // Those rows. No row may have been committed since missing_hot().
  void put_hot(const Device& device, HotColumns columns);
  [[nodiscard]] std::size_t hot_bytes() const;

 private:
  [[nodiscard]] const DeviceBook* find(const Device& device) const;
  [[nodiscard]] Timestamp hot_from(const DeviceBook& book) const;
  [[nodiscard]] Timestamp ahead_limit() const { return clock_.now() + options_.ahead_max; }

  const StoreBookOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // of all below
  std::map<Device, DeviceBook> devices_;
  std::map<std::string, LedgerSource> sources_;  // by identity
  HotCache hot_{options_.hot_bytes_max};
};

}  // namespace gpulse
