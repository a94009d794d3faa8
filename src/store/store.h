// The embedded store: a data folder with the ledger in it, and the newest rows in memory.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/file.h"
#include "store/history.h"
#include "store/hot_columns.h"
#include "store/ledger.h"

namespace gpulse {

// Hears what has been committed, after it can be read from the history. Called from the writing
// thread; must be quick and must not call the store's writing members.
class StoreListener {
 public:
  virtual ~StoreListener() = default;
  virtual void on_rows(const SampleBatch& rows) = 0;
  virtual void on_windows(const std::vector<Window>& windows) = 0;
  virtual void on_alerts(const std::vector<Alert>& alerts) = 0;
  // A device that is new, or whose metrics or state may have changed.
  virtual void on_device(const Device& device) = 0;
};

struct StoreOptions {
  std::filesystem::path folder;
  std::chrono::hours hot{36};  // how far back from a device's newest row rows stay in memory
  std::size_t hot_bytes_max = std::size_t{256} << 20;  // over all devices; live ones go last
  // Rows that arrived longer ago are removed, and the oldest arrivals while the ledger is larger.
  std::optional<std::chrono::days> keep;
  std::optional<std::int64_t> keep_bytes;
  std::vector<AlertRule> rules;
  WindowOptions windows;
};

class SourceWriter;
class Store;

// A source is read by one at a time: whoever holds this. Given back when it goes, which must be
// before the store does.
class SourceClaim {
 public:
  SourceClaim() = default;  // of nothing
  SourceClaim(SourceClaim&& other) noexcept;
  SourceClaim& operator=(SourceClaim&& other) noexcept;
  ~SourceClaim();

 private:
  friend class Store;
  SourceClaim(Store& store, std::string source) : store_(&store), source_(std::move(source)) {}
  Store* store_ = nullptr;
  std::string source_;
};

// One program at a time per folder. Members may be called from any thread; writers take turns.
class Store final : public History {
 public:
  // Makes the folder when it is missing. `clock` must outlive the store.
  [[nodiscard]] static Expected<std::unique_ptr<Store>> open(StoreOptions options,
                                                             const Clock& clock);

  // `listener` must outlive the store; null for none. Before the first writer.
  void set_listener(StoreListener* listener) { listener_ = listener; }

  [[nodiscard]] Expected<std::vector<DeviceRecord>> devices() const override;
  [[nodiscard]] Expected<std::vector<SourceRecord>> sources() const override;
  [[nodiscard]] Expected<std::vector<SetAsideRecord>> set_aside(const std::string& source,
                                                                std::size_t limit) const override;
  [[nodiscard]] Expected<std::vector<SessionRecord>> sessions(const Device& device) const override;
  [[nodiscard]] Expected<std::vector<Window>> windows(const Device& device, Timestamp from,
                                                      Timestamp to,
                                                      std::size_t limit) const override;
  [[nodiscard]] Expected<std::vector<Alert>> alerts(const Device& device, Timestamp from,
                                                    Timestamp to, std::size_t limit) const override;
  [[nodiscard]] Expected<void> scan(const ScanRequest& request,
                                    const Visitor& visitor) const override;

  // The newest row of a device with its readings; none when there is no such device.
  struct Newest {
    Timestamp time;
    std::vector<double> readings;  // one per metric of the device's record; NaN where absent
  };
  [[nodiscard]] std::optional<Newest> newest(const Device& device) const;

  // What is known of the source of that identity, or was last read from that file.
  [[nodiscard]] std::optional<LedgerSource> find_source(const std::string& source) const;
  [[nodiscard]] std::optional<LedgerSource> find_source_of_file(const std::string& file) const;
  // For reading that source from `file`. An input error that names the other file when it is being
  // read already.
  [[nodiscard]] Expected<SourceClaim> claim(const std::string& source, const std::string& file);
  // The device that a new source of this wish gets: as wished unless another source of `taken`'s
  // kind bears it already; then with "-2", "-3", ... behind the gpu.
  [[nodiscard]] Device free_device(const Device& wish) const;

  // Imports that were handed over and not ended.
  [[nodiscard]] Expected<std::vector<LedgerImport>> imports() const;
  [[nodiscard]] Expected<void> put_import(const LedgerImport& import);
  [[nodiscard]] Expected<void> remove_import(const std::string& id);
  // Takes a source with all its rows back. An error, as of claim(), while it is being read.
  [[nodiscard]] Expected<void> remove_source(const std::string& source);

  // Removes what the retention says; returns the sessions touched.
  [[nodiscard]] Expected<std::size_t> apply_retention();
  // The folder in which uploads are kept until they are read.
  [[nodiscard]] const std::filesystem::path& uploads() const { return uploads_; }
  [[nodiscard]] const StoreOptions& options() const { return options_; }
  [[nodiscard]] std::size_t hot_bytes() const;

 private:
  friend class SourceWriter;
  friend class SourceClaim;

  struct DeviceBook {
    DeviceRecord record;  // its state is worked out when asked
    bool appended = false;  // grew while followed
    std::vector<LedgerSession> sessions;  // in order of their first rows
    std::optional<HotColumns> hot;  // when loaded
    std::uint64_t last_asked = 0;  // of hot, by asks_
    Timestamp newest_at;  // time of the newest row, and its readings by metric
    std::map<std::string, double> newest;
  };

  Store(StoreOptions options, const Clock& clock, FolderLock lock);
  [[nodiscard]] Expected<void> load();
  [[nodiscard]] DeviceState state_of(const DeviceBook& book) const;
  [[nodiscard]] Timestamp hot_from(const DeviceBook& book) const;
  // Loads a device's hot columns when they are not, letting others go beyond the cap.
  [[nodiscard]] Expected<void> ensure_hot(const Device& device) const;
  void let_hot_go(const Device& except) const;
  void publish(const SourceWriter& writer);
  void apply_rows(DeviceBook& book, const SampleBatch& rows);

  class ReaderLease;
  [[nodiscard]] Expected<ReaderLease> reader() const;

  const StoreOptions options_;
  const Clock& clock_;
  const FolderLock lock_;
  std::filesystem::path file_;
  std::filesystem::path uploads_;
  StoreListener* listener_ = nullptr;

  // Taken in this order.
  mutable std::mutex write_mutex_;  // the ledger's writing connection
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t removals_ = 0;  // times that retention took rows
  mutable std::mutex book_mutex_;  // all that is below
  mutable std::map<Device, DeviceBook> devices_;
  std::map<std::string, LedgerSource> sources_;  // by identity
  std::map<std::string, std::string> claims_;  // the files that sources are being read from
  mutable std::uint64_t asks_ = 0;
  mutable std::vector<std::unique_ptr<LedgerReader>> idle_readers_;
};

}  // namespace gpulse
