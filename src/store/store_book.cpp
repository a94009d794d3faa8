#include "store/store_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gpulse {

Expected<void> StoreBook::load(Ledger& ledger) {
  auto sources = ledger.sources();
  if (!sources) return std::unexpected(sources.error());
  auto sessions = ledger.sessions();
  if (!sessions) return std::unexpected(sessions.error());
  std::map<Device, DeviceBook> devices;
  for (const LedgerSource& source : *sources) {
    devices[source.record.device].load_source(source);
  }
  for (LedgerSession& session : *sessions) {
    devices[session.record.device].load_session(std::move(session));
  }
  for (auto& [device, book] : devices) {
    const auto formats = ledger.formats(device);
    if (!formats) return std::unexpected(formats.error());
    for (const RowFormat& format : *formats) book.load_format(format);
    book.finish_load(ahead_limit());
  }
  const std::lock_guard lock(mutex_);
  for (auto& [device, book] : devices) {
    if (const DeviceBook* before = find(device)) book.keep_from(*before);
  }
  devices_ = std::move(devices);
  sources_.clear();
  for (LedgerSource& source : *sources) sources_.emplace(source.record.source, std::move(source));
  hot_.clear();
  return {};
}

bool StoreBook::take(const Commit& commit) {
  const Device& device = commit.source.record.device;
  const std::lock_guard lock(mutex_);
  DeviceBook& book = devices_[device];
  const std::size_t metrics = book.record().metrics.size();
  bool news = book.record().rows == 0 || (commit.live && !book.grows());
  if (!commit.rows.empty()) {
    if (commit.live) book.note_growth();
    for (const SampleBatch& rows : commit.rows) book.take_rows(rows, ahead_limit());
    news = news || metrics != book.record().metrics.size();
    hot_.append(device, commit.rows, hot_from(book), book.grows());
    book.take_source(commit.source);
  }
  for (const LedgerSession& session : commit.sessions) {
    if (session.id != 0) book.take_session(session);
  }
  sources_[commit.source.record.source] = commit.source;
  return news;
}

const DeviceBook* StoreBook::find(const Device& device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? nullptr : &found->second;
}

std::vector<DeviceRecord> StoreBook::devices() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeviceRecord> records;
  for (const auto& [device, book] : devices_) {
    if (book.record().rows == 0) continue;
    records.push_back(book.record());
    records.back().state = book.state(clock_.now());
  }
  std::ranges::stable_sort(records, std::ranges::greater{}, &DeviceRecord::last_arrival);
  return records;
}

std::vector<SourceRecord> StoreBook::sources() const {
  const std::lock_guard lock(mutex_);
  std::vector<SourceRecord> records;
  records.reserve(sources_.size());
  for (const auto& [identity, source] : sources_) records.push_back(source.record);
  return records;
}

std::vector<SessionRecord> StoreBook::sessions(const Device& device) const {
  const std::lock_guard lock(mutex_);
  std::vector<SessionRecord> records;
  if (const DeviceBook* book = find(device)) {
    for (const LedgerSession& session : book->sessions()) records.push_back(session.record);
  }
  return records;
}

std::vector<LedgerSession> StoreBook::sessions_touching(const Device& device, Timestamp from,
                                                        Timestamp to) const {
  const std::lock_guard lock(mutex_);
  const DeviceBook* book = find(device);
  return book != nullptr ? book->sessions_touching(from, to) : std::vector<LedgerSession>{};
}

std::optional<LedgerSession> StoreBook::find_session(const Device& device,
                                                     const std::string& source,
                                                     std::int64_t session) const {
  const std::lock_guard lock(mutex_);
  const DeviceBook* book = find(device);
  return book != nullptr ? book->find_session(source, session) : std::nullopt;
}

std::optional<LedgerSource> StoreBook::find_source(const std::string& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(source);
  if (found == sources_.end()) return std::nullopt;
  return found->second;
}

std::optional<NewestRow> StoreBook::newest(const Device& device) const {
  const std::lock_guard lock(mutex_);
  const DeviceBook* book = find(device);
  return book != nullptr ? book->newest() : std::nullopt;
}

Device StoreBook::free_device(const Device& wish) const {
  const std::lock_guard lock(mutex_);
  Device device = wish;
  for (int n = 2; devices_.contains(device); ++n) device.gpu = fmt::format("{}-{}", wish.gpu, n);
  return device;
}

Timestamp StoreBook::hot_from(const DeviceBook& book) const {
  return book.record().last - options_.hot;
}

StoreBook::ScanPlan StoreBook::plan_scan(const Device& device, Timestamp from, Timestamp to) const {
  const std::lock_guard lock(mutex_);
  ScanPlan plan;
  const DeviceBook* book = find(device);
  if (book == nullptr) return plan;
  plan.sessions = book->sessions_touching(from, to);
  // Not there: gone again, for lack of room. All is in the ledger.
  if (const HotColumns* hot = hot_.find(device)) {
    plan.chunks = hot->snapshot();
    plan.hot_begin = hot_from(*book);
  }
  return plan;
}

std::optional<StoreBook::HotRows> StoreBook::missing_hot(const Device& device) {
  const std::lock_guard lock(mutex_);
  const DeviceBook* book = find(device);
  if (book == nullptr || hot_.ask(device)) return std::nullopt;
  const Timestamp from = hot_from(*book);
  return HotRows{book->sessions_touching(from, Timestamp::max()), from};
}

void StoreBook::put_hot(const Device& device, HotColumns columns) {
  const std::lock_guard lock(mutex_);
  const DeviceBook* book = find(device);
  hot_.put(device, std::move(columns), book != nullptr && book->grows());
}

std::size_t StoreBook::hot_bytes() const {
  const std::lock_guard lock(mutex_);
  return hot_.bytes();
}

}  // namespace gpulse
