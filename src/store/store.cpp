// The store opens, and what changes it. What it is asked is in store_history.cpp.
#include "store/store.h"

#include <fmt/format.h>

#include <system_error>

#include "store/ledger_schema.h"
#include "store/source_writer.h"

namespace gpulse {

Store::Store(StoreOptions options, const Clock& clock, FolderLock lock)
    : options_(std::move(options)),
      clock_(clock),
      lock_(std::move(lock)),
      uploads_(options_.folder / "uploads"),
      readers_(options_.folder / kLedgerFile),
      book_({options_.hot, options_.hot_bytes_max, options_.windows.ahead_max}, clock) {}

Expected<std::unique_ptr<Store>> Store::open(StoreOptions options, const Clock& clock) {
  const std::filesystem::path folder = options.folder;
  std::error_code error;
  std::filesystem::create_directories(folder / "uploads", error);
  if (error) {
    return operation_error(
        fmt::format("cannot make the data folder {}: {}", display(folder), error.message()));
  }
  auto lock = FolderLock::take(folder / "gpulse.lock");
  if (!lock) {
    return std::unexpected(std::move(lock).error().wrapped(
        fmt::format("cannot use the data folder {}", display(folder))));
  }
  std::unique_ptr<Store> store(new Store(std::move(options), clock, std::move(*lock)));
  auto ledger = Ledger::open(folder / kLedgerFile);
  if (!ledger) return std::unexpected(ledger.error());
  store->ledger_ = std::move(*ledger);
  if (auto ended = store->ledger_->end_alerts(clock.now() - kEndedAfter); !ended) {
    return std::unexpected(ended.error());
  }
  if (auto loaded = store->book_.load(*store->ledger_); !loaded) {
    return std::unexpected(loaded.error());
  }
  return store;
}

std::optional<LedgerSource> Store::find_source(const std::string& source) const {
  return book_.find_source(source);
}

Expected<SourceClaim> Store::claim(const std::string& source, const std::string& file) {
  return claims_.claim(source, file);
}

Device Store::free_device(const Device& wish) const { return book_.free_device(wish); }

Expected<std::vector<LedgerImport>> Store::imports() const {
  const std::lock_guard turn(write_mutex_);
  return ledger_->imports();
}

Expected<void> Store::put_import(const LedgerImport& import) {
  const std::lock_guard turn(write_mutex_);
  return ledger_->put_import(import);
}

Expected<void> Store::remove_import(const std::string& id) {
  const std::lock_guard turn(write_mutex_);
  return ledger_->remove_import(id);
}

Expected<void> Store::remove_source(const std::string& source) {
  const auto known = find_source(source);
  if (!known) return {};
  const auto claimed = claim(source, known->record.file);
  if (!claimed) return std::unexpected(claimed.error());
  const std::lock_guard turn(write_mutex_);
  if (auto begun = ledger_->begin(); !begun) return begun;
  auto removed = ledger_->remove_source(known->id);
  if (removed) removed = ledger_->commit();
  if (!removed) {
    ledger_->rollback();
    return removed;
  }
  return book_.load(*ledger_);
}

Expected<std::size_t> Store::apply_retention() {
  std::size_t removed = 0;
  for (;;) {
    const std::lock_guard turn(write_mutex_);
    Timestamp before = options_.keep ? clock_.now() - *options_.keep : Timestamp::min();
    if (options_.keep_bytes) {
      const auto bytes = ledger_->bytes();
      if (!bytes) return std::unexpected(bytes.error());
      // What arrived today stays, however large: it is what is being looked at.
      if (*bytes > *options_.keep_bytes) before = clock_.now();
    }
    if (before == Timestamp::min()) return removed;
    const auto session = ledger_->remove_oldest(before);
    if (!session) return std::unexpected(session.error());
    if (!*session) return removed;
    ++removed;
    ++removals_;
    if (auto loaded = book_.load(*ledger_); !loaded) return std::unexpected(loaded.error());
  }
}

void Store::publish(const SourceWriter& writer) {
  const bool news = book_.take({writer.source_, writer.sessions_, writer.rows_, writer.live_});
  if (listener_ == nullptr) return;
  if (news) listener_->on_device(writer.device());
  for (const SampleBatch& rows : writer.rows_) listener_->on_rows(rows);
  if (!writer.new_windows_.empty()) listener_->on_windows(writer.new_windows_);
  if (!writer.new_alerts_.empty()) listener_->on_alerts(writer.new_alerts_);
}

}  // namespace gpulse
