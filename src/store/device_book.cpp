#include "store/device_book.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <ranges>

namespace gpulse {
namespace {

constexpr std::chrono::seconds kStaleMin{10};
constexpr int kStaleSteps = 10;

}  // namespace

void DeviceBook::load_source(const LedgerSource& source) {
  record_.device = source.record.device;
  if (source.last_arrival >= record_.last_arrival) record_.timezone = source.record.timezone;
  record_.last_arrival = std::max(record_.last_arrival, source.last_arrival);
}

void DeviceBook::load_session(LedgerSession session) {
  record_.rows += session.record.rows;
  sessions_.push_back(std::move(session));
}

void DeviceBook::load_format(const RowFormat& format) {
  for (std::size_t i = 0; i < format.decimals.size(); ++i) {
    const ColumnName& column = format.layout.columns[i];
    const int decimals = std::max(format.decimals[i], 0);
    const auto known = std::ranges::find(record_.metrics, column.metric, &MetricRecord::name);
    if (known == record_.metrics.end()) {
      record_.metrics.push_back({column.metric, column.unit, decimals});
    } else {
      known->decimals = std::max(known->decimals, decimals);
    }
  }
}

void DeviceBook::finish_load(Timestamp ahead_limit) {
  if (sessions_.empty()) return;
  record_.first = record_.last = sessions_.front().record.first;
  for (const LedgerSession& session : sessions_) {
    if (session.record.last <= ahead_limit) {
      record_.last = std::max(record_.last, session.record.last);
    }
  }
  note_ahead(sessions_.back().record.last, ahead_limit);
}

void DeviceBook::note_ahead(Timestamp last_row, Timestamp ahead_limit) {
  record_.ahead = last_row > ahead_limit ? std::optional(last_row) : std::nullopt;
}

void DeviceBook::keep_from(const DeviceBook& before) {
  grows_ = before.grows_;
  newest_at_ = before.newest_at_;
  newest_layout_ = before.newest_layout_;
  newest_readings_ = before.newest_readings_;
}

void DeviceBook::take_rows(const SampleBatch& rows, Timestamp ahead_limit) {
  if (record_.rows == 0) {
    record_.device = rows.device;
    record_.first = record_.last = rows.times.front();
  }
  record_.rows += static_cast<std::int64_t>(rows.rows());
  std::size_t newest = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    record_.first = std::min(record_.first, rows.times[row]);
    if (rows.times[row] <= ahead_limit && rows.times[row] >= record_.last) {
      record_.last = rows.times[row];
      newest = row;
    }
  }
  note_ahead(rows.times.back(), ahead_limit);
  load_format(RowFormat::of(rows));
  if (record_.last < newest_at_) return;
  newest_at_ = record_.last;
  newest_layout_ = rows.layout;
  newest_readings_.clear();
  for (const ReadingColumn& column : rows.columns) newest_readings_.push_back(column.value(newest));
}

void DeviceBook::take_source(const LedgerSource& source) {
  record_.last_arrival = source.last_arrival;
  record_.timezone = source.record.timezone;
}

void DeviceBook::take_session(const LedgerSession& session) {
  // The one that grows is among the last.
  auto last_first = std::views::reverse(sessions_);
  if (const auto known = std::ranges::find(last_first, session.id, &LedgerSession::id);
      known != last_first.end()) {
    known->record = session.record;
    return;
  }
  const auto behind =
      std::ranges::upper_bound(sessions_, session.record.first, {},
                               [](const LedgerSession& other) { return other.record.first; });
  sessions_.insert(behind, session);
}

DeviceState DeviceBook::state(Timestamp now) const {
  if (!grows_ && now - record_.last > kEndedAfter) return DeviceState::ended;
  const Timestamp seen = grows_ ? record_.last_arrival : record_.last;
  std::chrono::microseconds limit = kStaleMin;
  if (!sessions_.empty()) {
    limit = std::max(limit, kStaleSteps * sessions_.back().record.usual_step());
  }
  return now - seen > limit ? DeviceState::stale : DeviceState::live;
}

std::vector<LedgerSession> DeviceBook::sessions_touching(Timestamp from, Timestamp to) const {
  std::vector<LedgerSession> found;
  for (const LedgerSession& session : sessions_) {
    if (session.record.first > to) break;
    if (session.record.last >= from) found.push_back(session);
  }
  return found;
}

std::optional<LedgerSession> DeviceBook::find_session(const std::string& source,
                                                      std::int64_t session) const {
  for (const LedgerSession& known : sessions_) {
    if (known.record.source == source && known.record.session == session) return known;
  }
  return std::nullopt;
}

std::optional<NewestRow> DeviceBook::newest() const {
  if (newest_layout_ == nullptr) return std::nullopt;
  NewestRow newest{newest_at_, {}};
  const auto& columns = newest_layout_->columns;
  for (const MetricRecord& metric : record_.metrics) {
    const auto column = std::ranges::find(columns, metric.name, &ColumnName::metric);
    newest.readings.push_back(
        column == columns.end()
            ? std::numeric_limits<double>::quiet_NaN()
            : newest_readings_[static_cast<std::size_t>(column - columns.begin())]);
  }
  return newest;
}

}  // namespace gpulse
