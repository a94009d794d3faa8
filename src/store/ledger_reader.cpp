#include "store/ledger_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "platform/file.h"
#include "store/ledger_queries.h"
#include "store/ledger_schema.h"
#include "store/window_codec.h"

namespace gpulse {
namespace {

constexpr std::size_t kBlockRows = 4096;

// Rows of one format in the making: their times and the wanted readings.
class BlockBuilder {
 public:
  explicit BlockBuilder(std::size_t metrics) : values_(metrics) {}

  // Which columns of the format hold the metrics.
  void begin(const RowFormat& format, const std::vector<std::string>& metrics) {
    wanted_.clear();
    metric_of_.clear();
    std::vector<std::pair<std::size_t, std::size_t>> found;  // (column, metric)
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const auto& columns = format.layout.columns;
      const auto at = std::ranges::find(columns, metrics[m], &ColumnName::metric);
      if (at != columns.end()) found.emplace_back(at - columns.begin(), m);
    }
    std::ranges::sort(found);
    for (const auto& [column, metric] : found) {
      wanted_.push_back(column);
      metric_of_.push_back(metric);
    }
    readings_.resize(wanted_.size());
  }

  [[nodiscard]] bool add(Timestamp time, std::string_view bytes, const RowFormat& format) {
    if (!decode_row(bytes, format, wanted_, readings_)) return false;
    times_.push_back(time);
    for (std::size_t i = 0; i < wanted_.size(); ++i) values_[metric_of_[i]].push_back(readings_[i]);
    return true;
  }

  [[nodiscard]] bool emit(const SessionRecord& session,
                          const std::function<bool(const Block&)>& visitor) {
    if (times_.empty()) return true;
    std::vector<std::span<const double>> spans(values_.begin(), values_.end());
    const bool more = visitor({&session, times_, spans});
    times_.clear();
    for (auto& values : values_) values.clear();
    return more;
  }

  [[nodiscard]] std::size_t rows() const { return times_.size(); }

 private:
  std::vector<std::size_t> wanted_;
  std::vector<std::size_t> metric_of_;
  std::vector<double> readings_;
  std::vector<Timestamp> times_;
  std::vector<std::vector<double>> values_;
};

Alert read_alert(const Statement& row, const SessionRecord& session) {
  Alert alert;
  alert.device = session.device;
  alert.source = session.source;
  alert.session = session.session;
  alert.rule = {std::string(row.text(0)), row.real(1), row.real(2),
                std::chrono::seconds{row.integer(3)},
                parse_severity(row.text(4)).value_or(Severity::warning)};
  alert.began = from_microseconds(row.integer(5));
  if (const auto ended = row.optional_integer(6)) alert.ended = from_microseconds(*ended);
  if (!row.is_null(7)) {
    alert.end_reason =
        row.text(7) == to_string(AlertEnd::released) ? AlertEnd::released : AlertEnd::session_ended;
  }
  alert.peak = row.real(8);
  alert.peak_at = from_microseconds(row.integer(9));
  return alert;
}

constexpr std::string_view kSelectRows =
    "SELECT time, offset, format, readings FROM samples WHERE session=?1 AND time>=?2 AND time<=?3 "
    "ORDER BY time";

Expected<void> check_version(Database& database, const std::filesystem::path& file) {
  auto ask = database.prepare("PRAGMA user_version");
  if (!ask) return std::unexpected(ask.error());
  const auto version = ask->one_integer();
  if (!version) return std::unexpected(version.error());
  if (*version == kLedgerVersion) return {};
  return operation_error(fmt::format("{} is of another gpulse (version {}, this one reads {})",
                                     display(file), *version, kLedgerVersion));
}

}  // namespace

LedgerReader::LedgerReader(std::unique_ptr<Database> database) : database_(std::move(database)) {}

Expected<std::unique_ptr<LedgerReader>> LedgerReader::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Database::Mode::read_only);
  if (!database) return std::unexpected(database.error());
  if (auto set = (*database)->execute("PRAGMA cache_size=-1024"); !set) {
    return std::unexpected(set.error());
  }
  return std::unique_ptr<LedgerReader>(new LedgerReader(std::move(*database)));
}

Expected<std::unique_ptr<LedgerReader>> LedgerReader::open_snapshot(
    const std::filesystem::path& folder) {
  const auto file = folder / kLedgerFile;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return operation_error(
        fmt::format("there is no ledger in {}: gpulse run has not used this folder; --data names "
                    "another",
                    display(folder)));
  }
  auto reader = open(file);
  if (!reader) return reader;
  Database& database = *(*reader)->database_;
  if (auto fine = check_version(database, file); !fine) return std::unexpected(fine.error());
  if (auto begun = database.execute("BEGIN"); !begun) return std::unexpected(begun.error());
  return reader;
}

Expected<std::vector<LedgerSource>> LedgerReader::sources() { return read_sources(*database_); }

Expected<std::vector<LedgerSession>> LedgerReader::sessions() { return read_sessions(*database_); }

Expected<const RowFormat*> LedgerReader::format(std::int64_t id) {
  const auto known = formats_.find(id);
  if (known != formats_.end()) return &known->second;
  auto format = read_format(*database_, id);
  if (!format) return std::unexpected(format.error());
  return &formats_.emplace(id, std::move(*format)).first->second;
}

Expected<void> LedgerReader::scan(const LedgerSession& session, Timestamp from, Timestamp to,
                                  const std::vector<std::string>& metrics,
                                  const std::function<bool(const Block&)>& visitor) {
  auto rows = database_->prepare(kSelectRows);
  if (!rows) return std::unexpected(rows.error());
  rows->bind(1, session.id).bind(2, to_microseconds(from)).bind(3, to_microseconds(to));
  BlockBuilder block(metrics.size());
  std::int64_t format_id = 0;
  const RowFormat* row_format = nullptr;
  for (;;) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (row_format == nullptr || rows->integer(2) != format_id) {
      if (!block.emit(session.record, visitor)) return {};
      format_id = rows->integer(2);
      const auto known = format(format_id);
      if (!known) return std::unexpected(known.error());
      row_format = *known;
      block.begin(*row_format, metrics);
    }
    if (!block.add(from_microseconds(rows->integer(0)), rows->text(3), *row_format)) {
      return damaged_ledger("a row");
    }
    if (block.rows() >= kBlockRows && !block.emit(session.record, visitor)) return {};
  }
  static_cast<void>(block.emit(session.record, visitor));
  return {};
}

Expected<void> LedgerReader::scan_batches(const LedgerSession& session, Timestamp from,
                                          Timestamp to,
                                          const std::function<bool(const SampleBatch&)>& visitor) {
  auto rows = database_->prepare(kSelectRows);
  if (!rows) return std::unexpected(rows.error());
  rows->bind(1, session.id).bind(2, to_microseconds(from)).bind(3, to_microseconds(to));
  SampleBatch batch{session.record.device,
                    session.record.source,
                    session.record.session,
                    session.record.layout,
                    {},
                    {},
                    {}};
  std::int64_t format_id = 0;
  const RowFormat* row_format = nullptr;
  const auto emit = [&] {
    const bool more = batch.rows() == 0 || visitor(batch);
    batch.times.clear();
    batch.offsets.clear();
    batch.columns.clear();
    for (const int decimals : row_format->decimals)
      batch.columns.emplace_back(std::max(decimals, 0));
    return more;
  };
  for (;;) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (row_format == nullptr || rows->integer(2) != format_id || batch.rows() >= kBlockRows) {
      format_id = rows->integer(2);
      const auto known = format(format_id);
      if (!known) return std::unexpected(known.error());
      row_format = *known;
      if (!emit()) return {};
    }
    batch.times.push_back(from_microseconds(rows->integer(0)));
    batch.offsets.push_back(rows->integer(1));
    if (!decode_row(rows->text(3), *row_format, batch.columns)) return damaged_ledger("a row");
  }
  if (batch.rows() > 0) static_cast<void>(visitor(batch));
  return {};
}

Expected<std::vector<Window>> LedgerReader::windows(std::vector<LedgerSession> of, Timestamp from,
                                                    Timestamp to, std::size_t limit) {
  // Newest session first; a session's windows lie together in the ledger, in order of time.
  std::ranges::sort(of, std::ranges::greater{}, [](const auto& s) { return s.record.last; });
  auto rows = database_->prepare(
      "SELECT begin, end, rows, final, metrics FROM windows WHERE session=?1 AND begin<=?2 AND "
      "end>?3 ORDER BY begin DESC LIMIT ?4");
  if (!rows) return std::unexpected(rows.error());
  std::vector<Window> windows;
  for (const auto& [id, session] : of) {
    if (windows.size() >= limit) break;
    rows->bind(1, id).bind(2, to_microseconds(to)).bind(3, to_microseconds(from));
    rows->bind(4, static_cast<std::int64_t>(limit - windows.size()));
    auto read = rows->for_each([&, &record = session]() -> Expected<void> {
      Window window{record.device,
                    record.source,
                    record.session,
                    from_microseconds(rows->integer(0)),
                    from_microseconds(rows->integer(1)),
                    rows->integer(2),
                    rows->integer(3) != 0,
                    record.layout,
                    {}};
      if (!decode_window(rows->text(4), record.layout->columns.size(), window.metrics)) {
        return damaged_ledger("a window");
      }
      windows.push_back(std::move(window));
      return {};
    });
    if (!read) return std::unexpected(read.error());
  }
  std::ranges::stable_sort(windows, std::ranges::greater{}, &Window::begin);
  return windows;
}

Expected<std::vector<Alert>> LedgerReader::alerts(const std::vector<LedgerSession>& of,
                                                  Timestamp from, Timestamp to, std::size_t limit) {
  auto rows = database_->prepare(
      "SELECT metric, limit_, release, hold, severity, began, ended, end_reason, peak, peak_at "
      "FROM alerts WHERE session=?1 AND began<=?2 AND (ended IS NULL OR ended>=?3)");
  if (!rows) return std::unexpected(rows.error());
  std::vector<Alert> alerts;
  for (const auto& [id, record] : of) {
    rows->bind(1, id).bind(2, to_microseconds(to)).bind(3, to_microseconds(from));
    auto read = rows->for_each([&, &session = record]() -> Expected<void> {
      alerts.push_back(read_alert(*rows, session));
      return {};
    });
    if (!read) return std::unexpected(read.error());
  }
  std::ranges::stable_sort(alerts, std::ranges::greater{}, &Alert::began);
  if (alerts.size() > limit) alerts.resize(limit);
  return alerts;
}

Expected<std::vector<SetAsideRecord>> LedgerReader::set_aside(std::int64_t source_id,
                                                              std::size_t limit) {
  auto rows = database_->prepare(
      "SELECT offset, bytes, reason FROM set_aside WHERE source=?1 ORDER BY offset LIMIT ?2");
  if (!rows) return std::unexpected(rows.error());
  rows->bind(1, source_id).bind(2, static_cast<std::int64_t>(limit));
  std::vector<SetAsideRecord> records;
  auto read = rows->for_each([&]() -> Expected<void> {
    records.push_back({rows->integer(0), rows->integer(1), std::string(rows->text(2))});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return records;
}

}  // namespace gpulse
