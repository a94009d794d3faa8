// What the store is asked.
#include <algorithm>

#include "store/store.h"

namespace gpulse {

Expected<std::vector<DeviceRecord>> Store::devices() const { return book_.devices(); }

Expected<std::vector<SourceRecord>> Store::sources() const { return book_.sources(); }

Expected<std::vector<SessionRecord>> Store::sessions(const Device& device) const {
  return book_.sessions(device);
}

std::optional<NewestRow> Store::newest(const Device& device) const { return book_.newest(device); }

std::size_t Store::hot_bytes() const { return book_.hot_bytes(); }

Expected<std::vector<SetAsideRecord>> Store::set_aside(const std::string& source,
                                                       std::size_t limit) const {
  const auto known = book_.find_source(source);
  if (!known) return std::vector<SetAsideRecord>{};
  auto ledger = readers_.lease();
  if (!ledger) return std::unexpected(ledger.error());
  return (*ledger)->set_aside(known->id, limit);
}

Expected<std::vector<Window>> Store::windows(const Device& device, Timestamp from, Timestamp to,
                                             std::size_t limit) const {
  auto ledger = readers_.lease();
  if (!ledger) return std::unexpected(ledger.error());
  return (*ledger)->windows(book_.sessions_touching(device, from, to), from, to, limit);
}

Expected<std::vector<Alert>> Store::alerts(const Device& device, Timestamp from, Timestamp to,
                                           std::size_t limit) const {
  auto ledger = readers_.lease();
  if (!ledger) return std::unexpected(ledger.error());
  return (*ledger)->alerts(book_.sessions_touching(device, from, to), from, to, limit);
}

Expected<void> Store::ensure_hot(const Device& device, const std::stop_token& stop) const {
  if (!book_.missing_hot(device)) return {};
  // No row may come between reading the ledger and having the columns.
  const std::lock_guard turn(write_mutex_);
  const auto missing = book_.missing_hot(device);
  if (!missing) return {};
  HotColumns hot;
  auto ledger = readers_.lease();
  if (!ledger) return std::unexpected(ledger.error());
  for (const LedgerSession& session : missing->sessions) {
    auto scanned = (*ledger)->scan_batches(session, missing->from, session.record.last,
                                           [&](const SampleBatch& rows) {
                                             hot.append(rows);
                                             return !stop.stop_requested();
                                           });
    if (!scanned) return scanned;
    if (stop.stop_requested()) return scan_stopped();
  }
  book_.put_hot(device, std::move(hot));
  return {};
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
  values.reserve(metrics.size());
  spans.reserve(metrics.size());
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
  if (auto hot = ensure_hot(request.device, request.stop); !hot) return hot;
  bool more = true;
  const Visitor visit = [&](const Block& block) {
    return more = !request.stop.stop_requested() && visitor(block);
  };
  const auto plan = book_.plan_scan(request.device, request.from, request.to);
  for (const LedgerSession& session : plan.sessions) {
    if (auto scanned = scan_session(session, plan, request, visit); !scanned) return scanned;
    if (!more) break;
  }
  if (request.stop.stop_requested()) return scan_stopped();
  return {};
}

// What of the session is in the ledger alone, then what is in memory.
Expected<void> Store::scan_session(const LedgerSession& session, const StoreBook::ScanPlan& plan,
                                   const ScanRequest& request, const Visitor& visitor) const {
  const SessionRecord& record = session.record;
  bool more = true;
  if (record.first < plan.hot_begin && request.from < plan.hot_begin) {
    auto ledger = readers_.lease();
    if (!ledger) return std::unexpected(ledger.error());
    const Timestamp cold_end = plan.hot_begin - std::chrono::microseconds{1};
    auto scanned =
        (*ledger)->scan(session, request.from, std::min(request.to, cold_end), request.metrics,
                        [&](const Block& block) { return more = visitor(block); });
    if (!scanned || !more) return scanned;
  }
  const ScanRange range{std::max(request.from, plan.hot_begin), request.to};
  for (const HotChunkPtr& chunk : plan.chunks) {
    if (chunk->session() != record.session || chunk->source() != record.source) continue;
    if (!visit_chunk(*chunk, record, range, request.metrics, visitor)) return {};
  }
  return {};
}

}  // namespace gpulse
