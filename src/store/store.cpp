#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <system_error>

#include "store/source_writer.h"

namespace gpulse {
namespace {

constexpr std::chrono::minutes kEndedAfter{5};
constexpr std::chrono::seconds kStaleMin{10};
constexpr int kStaleSteps = 10;

}  // namespace

// A reading connection, given back when it goes.
class Store::ReaderLease {
 public:
  ReaderLease(const Store& store, std::unique_ptr<LedgerReader> reader)
      : store_(&store), reader_(std::move(reader)) {}
  ReaderLease(ReaderLease&&) noexcept = default;
  ReaderLease& operator=(ReaderLease&&) = delete;
  ~ReaderLease() {
    if (reader_ == nullptr) return;
    const std::lock_guard lock(store_->book_mutex_);
    store_->idle_readers_.push_back(std::move(reader_));
  }
  LedgerReader* operator->() { return reader_.get(); }

 private:
  const Store* store_;
  std::unique_ptr<LedgerReader> reader_;
};

std::string_view to_string(DeviceState state) {
  switch (state) {
    case DeviceState::live: return "live";
    case DeviceState::stale: return "stale";
    case DeviceState::ended: break;
  }
  return "ended";
}

Store::Store(StoreOptions options, const Clock& clock, FolderLock lock)
    : options_(std::move(options)), clock_(clock), lock_(std::move(lock)) {}

Expected<std::unique_ptr<Store>> Store::open(StoreOptions options, const Clock& clock) {
  const std::filesystem::path folder = options.folder;
  const std::filesystem::path uploads = folder / "uploads";
  std::error_code error;
  std::filesystem::create_directories(uploads, error);
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
  store->file_ = folder / "ledger.db";
  store->uploads_ = uploads;
  auto ledger = Ledger::open(store->file_);
  if (!ledger) return std::unexpected(ledger.error());
  store->ledger_ = std::move(*ledger);
  if (auto ended = store->ledger_->end_alerts(clock.now() - kEndedAfter); !ended) {
    return std::unexpected(ended.error());
  }
  if (auto loaded = store->load(); !loaded) return std::unexpected(loaded.error());
  return store;
}

// Fills the book from the ledger. Called with both locks held, or before anyone else knows the
// store.
Expected<void> Store::load() {
  auto sources = ledger_->sources();
  if (!sources) return std::unexpected(sources.error());
  auto sessions = ledger_->sessions();
  if (!sessions) return std::unexpected(sessions.error());
  const auto before = std::exchange(devices_, {});
  sources_.clear();
  for (LedgerSource& source : *sources) {
    const SourceRecord& from = source.record;
    DeviceBook& book = devices_[from.device];
    DeviceRecord& record = book.record;
    record.device = from.device;
    if (source.last_arrival >= record.last_arrival) record.timezone = from.timezone;
    record.last_arrival = std::max(record.last_arrival, source.last_arrival);
    if (const auto known = before.find(from.device); known != before.end()) {
      book.appended = known->second.appended;
      book.newest = known->second.newest;
      book.newest_at = known->second.newest_at;
    }
    sources_.emplace(from.source, std::move(source));
  }
  for (LedgerSession& session : *sessions) {
    DeviceBook& book = devices_[session.record.device];
    book.record.rows += session.record.rows;
    book.sessions.push_back(std::move(session));
  }
  for (auto& [device, book] : devices_) {
    auto metrics = ledger_->metrics(device);
    if (!metrics) return std::unexpected(metrics.error());
    book.record.metrics = std::move(*metrics);
    // Rows ahead of the clock do not count as newest.
    if (!book.sessions.empty()) {
      const Timestamp limit = clock_.now() + options_.windows.ahead_max;
      book.record.first = book.sessions.front().record.first;
      book.record.last = book.record.first;
      for (const LedgerSession& session : book.sessions) {
        if (session.record.last <= limit) {
          book.record.last = std::max(book.record.last, session.record.last);
        }
      }
    }
  }
  return {};
}

DeviceState Store::state_of(const DeviceBook& book) const {
  const Timestamp now = clock_.now();
  if (!book.appended && now - book.record.last > kEndedAfter) return DeviceState::ended;
  const Timestamp seen = book.appended ? book.record.last_arrival : book.record.last;
  std::chrono::microseconds limit = kStaleMin;
  if (!book.sessions.empty()) {
    limit = std::max(limit, kStaleSteps * book.sessions.back().record.usual_step());
  }
  return now - seen > limit ? DeviceState::stale : DeviceState::live;
}

Expected<std::vector<DeviceRecord>> Store::devices() const {
  const std::lock_guard lock(book_mutex_);
  std::vector<DeviceRecord> records;
  for (const auto& [device, book] : devices_) {
    if (book.record.rows == 0) continue;
    records.push_back(book.record);
    records.back().state = state_of(book);
  }
  std::ranges::stable_sort(records, std::ranges::greater{}, &DeviceRecord::last_arrival);
  return records;
}

Expected<std::vector<SourceRecord>> Store::sources() const {
  const std::lock_guard lock(book_mutex_);
  std::vector<SourceRecord> records;
  for (const auto& [identity, source] : sources_) records.push_back(source.record);
  return records;
}

Expected<std::vector<SessionRecord>> Store::sessions(const Device& device) const {
  const std::lock_guard lock(book_mutex_);
  std::vector<SessionRecord> records;
  const auto book = devices_.find(device);
  if (book == devices_.end()) return records;
  for (const LedgerSession& session : book->second.sessions) records.push_back(session.record);
  return records;
}

Expected<Store::ReaderLease> Store::reader() const {
  {
    const std::lock_guard lock(book_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return ReaderLease(*this, std::move(reader));
    }
  }
  auto reader = LedgerReader::open(file_);
  if (!reader) return std::unexpected(reader.error());
  return ReaderLease(*this, std::move(*reader));
}

Expected<std::vector<SetAsideRecord>> Store::set_aside(const std::string& source,
                                                       std::size_t limit) const {
  const auto known = find_source(source);
  if (!known) return std::vector<SetAsideRecord>{};
  auto from = reader();
  if (!from) return std::unexpected(from.error());
  return (*from)->set_aside(known->id, limit);
}

namespace {

std::map<std::int64_t, SessionRecord> touching(const std::vector<LedgerSession>& sessions,
                                               Timestamp from, Timestamp to) {
  std::map<std::int64_t, SessionRecord> found;
  for (const LedgerSession& session : sessions) {
    if (session.record.first <= to && session.record.last >= from) {
      found.emplace(session.id, session.record);
    }
  }
  return found;
}

}  // namespace

Expected<std::vector<Window>> Store::windows(const Device& device, Timestamp from, Timestamp to,
                                             std::size_t limit) const {
  std::map<std::int64_t, SessionRecord> sessions;
  {
    const std::lock_guard lock(book_mutex_);
    const auto book = devices_.find(device);
    if (book != devices_.end()) sessions = touching(book->second.sessions, from, to);
  }
  auto ledger = reader();
  if (!ledger) return std::unexpected(ledger.error());
  return (*ledger)->windows(sessions, from, to, limit);
}

Expected<std::vector<Alert>> Store::alerts(const Device& device, Timestamp from, Timestamp to,
                                           std::size_t limit) const {
  std::map<std::int64_t, SessionRecord> sessions;
  {
    const std::lock_guard lock(book_mutex_);
    const auto book = devices_.find(device);
    if (book != devices_.end()) sessions = touching(book->second.sessions, from, to);
  }
  auto ledger = reader();
  if (!ledger) return std::unexpected(ledger.error());
  return (*ledger)->alerts(sessions, from, to, limit);
}

Timestamp Store::hot_from(const DeviceBook& book) const { return book.record.last - options_.hot; }

Expected<void> Store::ensure_hot(const Device& device) const {
  {
    const std::lock_guard lock(book_mutex_);
    const auto book = devices_.find(device);
    if (book == devices_.end()) return {};
    book->second.last_asked = ++asks_;
    if (book->second.hot) return {};
  }
  // No row may come between reading the ledger and having the columns.
  const std::lock_guard turn(write_mutex_);
  std::vector<LedgerSession> sessions;
  Timestamp from;
  {
    const std::lock_guard lock(book_mutex_);
    const auto book = devices_.find(device);
    if (book == devices_.end() || book->second.hot) return {};
    sessions = book->second.sessions;
    from = hot_from(book->second);
  }
  HotColumns hot;
  auto ledger = reader();
  if (!ledger) return std::unexpected(ledger.error());
  for (const LedgerSession& session : sessions) {
    if (session.record.last < from) continue;
    auto scanned = (*ledger)->scan_batches(session, from, session.record.last,
                                           [&](const SampleBatch& rows) { hot.append(rows); });
    if (!scanned) return scanned;
  }
  const std::lock_guard lock(book_mutex_);
  devices_.at(device).hot = std::move(hot);
  let_hot_go(device);
  return {};
}

// Beyond the cap, the columns that were not asked for the longest go; those of devices that grow
// last.
void Store::let_hot_go(const Device& except) const {
  std::size_t total = 0;
  for (const auto& [device, book] : devices_) total += book.hot ? book.hot->bytes() : 0;
  while (total > options_.hot_bytes_max) {
    DeviceBook* oldest = nullptr;
    for (auto& [device, book] : devices_) {
      if (!book.hot || device == except) continue;
      if (oldest == nullptr || std::pair(book.appended, book.last_asked) <
                                   std::pair(oldest->appended, oldest->last_asked)) {
        oldest = &book;
      }
    }
    if (oldest == nullptr) return;
    total -= oldest->hot->bytes();
    oldest->hot.reset();
  }
}

namespace {

struct ScanRange {
  Timestamp from;
  Timestamp to;
};

// The rows of a chunk within a range, to the visitor; whether it wants more.
bool visit_chunk(const HotChunk& chunk, const SessionRecord& session, ScanRange range,
                 const std::vector<std::string>& metrics, const History::Visitor& visitor) {
  if (chunk.last() < range.from || chunk.first() > range.to) return true;
  const std::vector<Timestamp> times = chunk.times();
  const auto first = std::ranges::lower_bound(times, range.from) - times.begin();
  const auto last = std::ranges::upper_bound(times, range.to) - times.begin();
  if (first >= last) return true;
  std::vector<std::vector<double>> values;
  std::vector<std::span<const double>> spans;
  for (const std::string& metric : metrics) values.push_back(chunk.values(metric));
  for (const auto& column : values) {
    spans.push_back(column.empty()
                        ? std::span<const double>{}
                        : std::span(column).subspan(static_cast<std::size_t>(first),
                                                    static_cast<std::size_t>(last - first)));
  }
  return visitor({&session,
                  std::span(times).subspan(static_cast<std::size_t>(first),
                                           static_cast<std::size_t>(last - first)),
                  spans});
}

}  // namespace

Expected<void> Store::scan(const ScanRequest& request, const Visitor& visitor) const {
  if (auto hot = ensure_hot(request.device); !hot) return hot;
  std::vector<LedgerSession> sessions;
  std::vector<HotChunkPtr> chunks;
  Timestamp hot_begin;
  {
    const std::lock_guard lock(book_mutex_);
    const auto book = devices_.find(request.device);
    if (book == devices_.end()) return {};
    sessions = book->second.sessions;
    hot_begin = hot_from(book->second);
    if (book->second.hot) {
      chunks = book->second.hot->snapshot();
    } else {
      hot_begin = Timestamp::max();  // gone again, for lack of room: all from the ledger
    }
  }
  bool more = true;
  for (const LedgerSession& session : sessions) {
    const SessionRecord& record = session.record;
    if (record.first > request.to || record.last < request.from) continue;
    if (record.first < hot_begin && request.from < hot_begin) {
      auto ledger = reader();
      if (!ledger) return std::unexpected(ledger.error());
      auto scanned = (*ledger)->scan(
          session, request.from, std::min(request.to, hot_begin - std::chrono::microseconds{1}),
          request.metrics, [&](const Block& block) { return more = visitor(block); });
      if (!scanned || !more) return scanned;
    }
    const ScanRange range{std::max(request.from, hot_begin), request.to};
    for (const HotChunkPtr& chunk : chunks) {
      if (chunk->session() != record.session || chunk->source() != record.source) continue;
      if (!visit_chunk(*chunk, record, range, request.metrics, visitor)) return {};
    }
  }
  return {};
}

std::optional<Store::Newest> Store::newest(const Device& device) const {
  const std::lock_guard lock(book_mutex_);
  const auto found = devices_.find(device);
  if (found == devices_.end() || found->second.newest.empty()) return std::nullopt;
  const DeviceBook& book = found->second;
  Newest newest{book.newest_at, {}};
  for (const MetricRecord& metric : book.record.metrics) {
    const auto reading = book.newest.find(metric.name);
    newest.readings.push_back(
        reading == book.newest.end() ? std::numeric_limits<double>::quiet_NaN() : reading->second);
  }
  return newest;
}

std::optional<LedgerSource> Store::find_source(const std::string& source) const {
  const std::lock_guard lock(book_mutex_);
  const auto found = sources_.find(source);
  if (found == sources_.end()) return std::nullopt;
  return found->second;
}

std::optional<LedgerSource> Store::find_source_of_file(const std::string& file) const {
  const std::lock_guard lock(book_mutex_);
  const LedgerSource* newest = nullptr;
  for (const auto& [identity, source] : sources_) {
    if (source.record.file != file) continue;
    if (newest == nullptr || source.last_arrival > newest->last_arrival) newest = &source;
  }
  if (newest == nullptr) return std::nullopt;
  return *newest;
}

Expected<SourceClaim> Store::claim(const std::string& source, const std::string& file) {
  const std::lock_guard lock(book_mutex_);
  const auto [held, is_new] = claims_.try_emplace(source, file);
  if (!is_new) {
    return input_error(
        fmt::format("{} is the same log as {}, which is being read already", file, held->second));
  }
  return SourceClaim(*this, source);
}

SourceClaim::SourceClaim(SourceClaim&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)), source_(std::move(other.source_)) {}

SourceClaim& SourceClaim::operator=(SourceClaim&& other) noexcept {
  std::swap(store_, other.store_);
  std::swap(source_, other.source_);
  return *this;
}

SourceClaim::~SourceClaim() {
  if (store_ == nullptr) return;
  const std::lock_guard lock(store_->book_mutex_);
  store_->claims_.erase(source_);
}

Device Store::free_device(const Device& wish) const {
  const std::lock_guard lock(book_mutex_);
  Device device = wish;
  for (int n = 2; devices_.contains(device); ++n) device.gpu = fmt::format("{}-{}", wish.gpu, n);
  return device;
}

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
  const std::lock_guard lock(book_mutex_);
  return load();
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
    const std::lock_guard lock(book_mutex_);
    if (auto loaded = load(); !loaded) return std::unexpected(loaded.error());
  }
}

std::size_t Store::hot_bytes() const {
  const std::lock_guard lock(book_mutex_);
  std::size_t total = 0;
  for (const auto& [device, book] : devices_) total += book.hot ? book.hot->bytes() : 0;
  return total;
}

void Store::apply_rows(DeviceBook& book, const SampleBatch& rows) {
  DeviceRecord& record = book.record;
  const Timestamp limit = clock_.now() + options_.windows.ahead_max;
  if (record.rows == 0) {
    record.device = rows.device;
    record.first = record.last = rows.times.front();
  }
  record.rows += static_cast<std::int64_t>(rows.rows());
  std::size_t newest = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    record.first = std::min(record.first, rows.times[row]);
    if (rows.times[row] <= limit && rows.times[row] >= record.last) {
      record.last = rows.times[row];
      newest = row;
    }
  }
  if (record.last >= book.newest_at) {
    book.newest_at = record.last;
    book.newest.clear();
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      book.newest[rows.layout->columns[i].metric] = rows.columns[i].value(newest);
    }
  }
  if (book.hot) {
    book.hot->append(rows);
    book.hot->drop_before(hot_from(book));
  }
}

// Brings the book to what a writer has just committed, then tells the listener.
void Store::publish(const SourceWriter& writer) {
  const Device& device = writer.device();
  bool news = false;
  {
    const std::lock_guard lock(book_mutex_);
    DeviceBook& book = devices_[device];
    news = book.record.rows == 0 || (writer.live_ && !book.appended);
    if (writer.live_ && !writer.rows_.empty()) book.appended = true;
    for (const SampleBatch& rows : writer.rows_) {
      apply_rows(book, rows);
      const std::size_t metrics = book.record.metrics.size();
      merge_metrics(book.record.metrics, RowFormat::of(rows));
      news = news || metrics != book.record.metrics.size();
    }
    if (book.hot) let_hot_go(device);
    if (!writer.rows_.empty()) {
      book.record.last_arrival = writer.source_.last_arrival;
      book.record.timezone = writer.source_.record.timezone;
    }
    for (const LedgerSession& session : writer.sessions_) {
      if (session.id == 0) continue;
      const auto known = std::ranges::find(book.sessions, session.id, &LedgerSession::id);
      if (known != book.sessions.end()) {
        known->record = session.record;
        continue;
      }
      const auto behind =
          std::ranges::upper_bound(book.sessions, session.record.first, {},
                                   [](const LedgerSession& other) { return other.record.first; });
      book.sessions.insert(behind, session);
    }
    sources_[writer.source_.record.source] = writer.source_;
  }
  if (listener_ == nullptr) return;
  if (news) listener_->on_device(device);
  for (const SampleBatch& rows : writer.rows_) listener_->on_rows(rows);
  if (!writer.new_windows_.empty()) listener_->on_windows(writer.new_windows_);
  if (!writer.new_alerts_.empty()) listener_->on_alerts(writer.new_alerts_);
}

}  // namespace gpulse
