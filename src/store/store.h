// The embedded store: a data folder with the ledger in it, and the newest rows in memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "platform/file.h"
#include "store/history.h"
#include "store/ledger.h"
#include "store/reader_pool.h"
#include "store/source_claims.h"
#include "store/store_book.h"
#include "telemetry/sample_sink.h"

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
  // With a sink the store is the book of what that has taken: rows go there and are not kept here,
  // nor is anything worked out from them; positions commit once it has them. Must outlive the
  // store.
  SampleSink* sink = nullptr;
  std::stop_token sink_stop;  // ends a wait for the sink
};

class SourceWriter;

// One program at a time per folder. Members may be called from any thread. Writers take turns; a
// scan waits for one only where a device's newest rows have to be brought into memory. Errors are
// of operation, and name the file.
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

  // None before a row of the device has come since the program began.
  [[nodiscard]] std::optional<NewestRow> newest(const Device& device) const;

  // What is known of the source of that identity.
  [[nodiscard]] std::optional<LedgerSource> find_source(const std::string& source) const;
  // See SourceClaims; it must go before the store does.
  [[nodiscard]] Expected<SourceClaim> claim(const std::string& source, const std::string& file);
  // The device that a new source of this wish gets: as wished unless another source bears it
  // already; then with "-2", "-3", ... behind the gpu.
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

  Store(StoreOptions options, const Clock& clock, FolderLock lock);
  // Loads a device's hot columns when they are not there.
  [[nodiscard]] Expected<void> ensure_hot(const Device& device, const std::stop_token& stop) const;
  [[nodiscard]] Expected<void> scan_session(const LedgerSession& session,
                                            const StoreBook::ScanPlan& plan,
                                            const ScanRequest& request,
                                            const Visitor& visitor) const;
  // What a writer has just committed, into the book and to the listener. It has the writing turn.
  void publish(const SourceWriter& writer);

  const StoreOptions options_;
  const Clock& clock_;
  const FolderLock lock_;
  const std::filesystem::path uploads_;
  StoreListener* listener_ = nullptr;

  SourceClaims claims_;
  mutable ReaderPool readers_;
  mutable StoreBook book_;
  // The writing turn, of all below. Whoever has it may still call any of the above.
  mutable std::mutex write_mutex_;
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t removals_ = 0;  // times that retention took rows
};

}  // namespace gpulse
