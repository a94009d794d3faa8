#include "store/ledger.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <utility>

#include "gpuz/header.h"
#include "store/ledger_schema.h"

namespace gpulse {

struct Ledger::Statements {
  Statement begin, commit, rollback;
  Statement insert_device, find_device, insert_format, find_format;
  Statement insert_source, update_source, insert_session, update_session;
  Statement insert_sample, put_session_format, put_arrival, put_set_aside, put_window, put_alert;
};

namespace {

std::int64_t day_of(Timestamp time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

std::optional<std::int64_t> microseconds(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return to_microseconds(*time);
}

std::optional<Timestamp> timestamp(const std::optional<std::int64_t>& us) {
  if (!us) return std::nullopt;
  return from_microseconds(*us);
}

constexpr std::string_view kSourceColumns =
    "source, device, file, timezone, importing, rows, sessions, set_aside, absent, absent_first, "
    "absent_last, first, last, last_arrival, longest_step, longest_step_at, position, tail_hash, "
    "header, session, session_pending, second_fold, last_local, last_second, largest_second, base, "
    "rank, windows, alerts";
constexpr int kSourceColumnCount = 29;

// Binds ?1 to ?29 in the order of kSourceColumns.
void bind_source(Statement& to, const LedgerSource& source, std::int64_t device) {
  const SourceRecord& record = source.record;
  const Checkpoint& at = source.checkpoint;
  const EventClockState& clock = at.reader.clock;
  to.bind(1, record.source).bind(2, device).bind(3, record.file).bind(4, record.timezone);
  to.bind(5, std::int64_t{source.importing}).bind(6, record.rows).bind(7, record.sessions);
  to.bind(8, record.set_aside).bind(9, record.absent);
  to.bind(10, microseconds(record.absent_first)).bind(11, microseconds(record.absent_last));
  to.bind(12, to_microseconds(record.first)).bind(13, to_microseconds(record.last));
  to.bind(14, to_microseconds(source.last_arrival));
  to.bind(15, std::int64_t{record.longest_step.count()});
  to.bind(16, microseconds(record.longest_step_at));
  to.bind(17, at.reader.position).bind(18, std::bit_cast<std::int64_t>(at.tail_hash));
  to.bind_blob(19, at.reader.header).bind(20, at.reader.session);
  to.bind(21, std::int64_t{at.reader.session_pending});
  to.bind(22, std::int64_t{clock.second_fold}).bind(23, clock.last_local);
  to.bind(24, clock.last_second).bind(25, clock.largest_second);
  to.bind(26, std::int64_t{clock.base}).bind(27, std::int64_t{clock.rank});
  to.bind_blob(28, at.windows).bind_blob(29, at.alerts);
}

// Reads what bind_source() wrote, from the column behind the id; then host and gpu.
LedgerSource read_source(const Statement& row) {
  LedgerSource source;
  source.id = row.integer(0);
  SourceRecord& record = source.record;
  record.source = row.text(1);
  record.file = row.text(3);
  record.timezone = row.text(4);
  source.importing = row.integer(5) != 0;
  record.rows = row.integer(6);
  record.sessions = row.integer(7);
  record.set_aside = row.integer(8);
  record.absent = row.integer(9);
  record.absent_first = timestamp(row.optional_integer(10));
  record.absent_last = timestamp(row.optional_integer(11));
  record.first = from_microseconds(row.integer(12));
  record.last = from_microseconds(row.integer(13));
  source.last_arrival = from_microseconds(row.integer(14));
  record.longest_step = std::chrono::microseconds{row.integer(15)};
  record.longest_step_at = timestamp(row.optional_integer(16));
  Checkpoint& at = source.checkpoint;
  at.reader.position = row.integer(17);
  record.bytes = at.reader.position;
  at.tail_hash = std::bit_cast<std::uint64_t>(row.integer(18));
  at.reader.source = record.source;
  at.reader.header = row.text(19);
  at.reader.session = row.integer(20);
  at.reader.session_pending = row.integer(21) != 0;
  EventClockState& clock = at.reader.clock;
  clock.started = true;
  clock.second_fold = row.integer(22) != 0;
  clock.last_local = row.integer(23);
  clock.last_second = row.integer(24);
  clock.largest_second = row.integer(25);
  clock.base = static_cast<std::int32_t>(row.integer(26));
  clock.rank = static_cast<std::int32_t>(row.integer(27));
  at.windows = row.text(28);
  at.alerts = row.text(29);
  record.device = {std::string(row.text(30)), std::string(row.text(31))};
  return source;
}

std::string placeholders(int count) {
  std::string text = "?1";
  for (int i = 2; i <= count; ++i) text += fmt::format(", ?{}", i);
  return text;
}

}  // namespace

Ledger::Ledger(std::unique_ptr<Database> database) : database_(std::move(database)) {}

Expected<std::unique_ptr<Ledger>> Ledger::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Database::Mode::read_write);
  if (!database) return std::unexpected(database.error());
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(*database)));
  if (auto prepared = ledger->prepare(); !prepared) return std::unexpected(prepared.error());
  return ledger;
}

Expected<void> Ledger::prepare() {
  if (auto set = database_->execute(kLedgerPragmas); !set) return set;
  std::int64_t version = 0;
  {
    auto ask = database_->prepare("PRAGMA user_version");
    if (!ask) return std::unexpected(ask.error());
    if (auto row = ask->step(); !row) return std::unexpected(row.error());
    version = ask->integer(0);
  }
  if (version > kLedgerVersion) {
    return operation_error(fmt::format(
        "the ledger is of a newer gpulse (version {}, this one knows {}): update gpulse", version,
        kLedgerVersion));
  }
  if (version == 0) {
    const std::string make = fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version={}; COMMIT;",
                                         kLedgerSchema, kLedgerVersion);
    if (auto made = database_->execute(make); !made) return made;
  }
  std::optional<Error> failed;
  const auto sql = [&](std::string_view text) -> Statement {
    auto statement = database_->prepare(text);
    if (!statement && !failed) failed = statement.error();
    return statement ? std::move(*statement) : Statement();
  };
  std::string update;
  {
    std::string_view names = kSourceColumns;
    for (int i = 1; !names.empty(); ++i) {
      const auto comma = names.find(", ");
      update += fmt::format("{}{}=?{}", i > 1 ? ", " : "", names.substr(0, comma), i);
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 2);
    }
  }
  statements_ = std::make_shared<Statements>(Statements{
      sql("BEGIN IMMEDIATE"),
      sql("COMMIT"),
      sql("ROLLBACK"),
      sql("INSERT OR IGNORE INTO devices(host, gpu) VALUES(?1, ?2)"),
      sql("SELECT id FROM devices WHERE host=?1 AND gpu=?2"),
      sql("INSERT OR IGNORE INTO formats(columns) VALUES(?1)"),
      sql("SELECT id FROM formats WHERE columns=?1"),
      sql(fmt::format("INSERT INTO sources({}) VALUES({}) RETURNING id", kSourceColumns,
                      placeholders(kSourceColumnCount))),
      sql(fmt::format("UPDATE sources SET {} WHERE id=?{}", update, kSourceColumnCount + 1)),
      sql("INSERT INTO sessions(source, session, format, first, last, rows) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6) RETURNING id"),
      sql("UPDATE sessions SET last=?2, rows=?3 WHERE id=?1"),
      sql("INSERT INTO samples VALUES(?1, ?2, ?3, ?4, ?5)"),
      sql("INSERT OR IGNORE INTO session_formats(session, format) VALUES(?1, ?2)"),
      sql("INSERT INTO arrivals VALUES(?1, ?2, ?3) "
          "ON CONFLICT DO UPDATE SET last=max(last, excluded.last)"),
      sql("INSERT OR REPLACE INTO set_aside VALUES(?1, ?2, ?3, ?4)"),
      sql("INSERT OR REPLACE INTO windows VALUES(?1, ?2, ?3, ?4, ?5, ?6)"),
      sql("INSERT OR REPLACE INTO alerts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
          "?12)"),
  });
  if (failed) return std::unexpected(*failed);
  return {};
}

Expected<std::vector<LedgerSource>> Ledger::sources() {
  auto ask = database_->prepare(
      fmt::format("SELECT s.id, {}, host, gpu FROM sources s JOIN devices d ON d.id=s.device "
                  "ORDER BY s.id",
                  kSourceColumns));
  if (!ask) return std::unexpected(ask.error());
  std::vector<LedgerSource> sources;
  for (;;) {
    const auto row = ask->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return sources;
    sources.push_back(read_source(*ask));
  }
}

Expected<std::vector<LedgerSession>> Ledger::sessions() {
  auto ask = database_->prepare(
      "SELECT n.id, n.session, n.first, n.last, n.rows, s.source, host, gpu, columns "
      "FROM sessions n JOIN sources s ON s.id=n.source JOIN devices d ON d.id=s.device "
      "JOIN formats f ON f.id=n.format ORDER BY n.first, n.id");
  if (!ask) return std::unexpected(ask.error());
  std::map<std::string, LayoutPtr, std::less<>> layouts;
  std::vector<LedgerSession> sessions;
  for (;;) {
    const auto row = ask->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return sessions;
    const std::string_view columns = ask->text(8);
    auto layout = layouts.find(columns);
    if (layout == layouts.end()) {
      auto format = RowFormat::from_text(columns);
      if (!format) return operation_error("the ledger is damaged: a row format is unreadable");
      layout =
          layouts.emplace(columns, std::make_shared<const Layout>(std::move(format->layout))).first;
    }
    SessionRecord record;
    record.session = ask->integer(1);
    record.first = from_microseconds(ask->integer(2));
    record.last = from_microseconds(ask->integer(3));
    record.rows = ask->integer(4);
    record.source = ask->text(5);
    record.device = {std::string(ask->text(6)), std::string(ask->text(7))};
    record.layout = layout->second;
    sessions.push_back({ask->integer(0), std::move(record)});
  }
}

Expected<std::vector<MetricRecord>> Ledger::metrics(const Device& device) {
  auto ask = database_->prepare(
      "SELECT columns FROM session_formats u JOIN formats f ON f.id=u.format "
      "JOIN sessions n ON n.id=u.session JOIN sources s ON s.id=n.source "
      "JOIN devices d ON d.id=s.device WHERE host=?1 AND gpu=?2 ORDER BY u.id");
  if (!ask) return std::unexpected(ask.error());
  ask->bind(1, device.host).bind(2, device.gpu);
  std::vector<MetricRecord> metrics;
  for (;;) {
    const auto row = ask->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return metrics;
    const auto format = RowFormat::from_text(ask->text(0));
    if (!format) return operation_error("the ledger is damaged: a row format is unreadable");
    merge_metrics(metrics, *format);
  }
}

Expected<std::vector<LedgerImport>> Ledger::imports() {
  auto ask = database_->prepare(
      "SELECT id, file, name, host, gpu, timezone FROM imports ORDER BY CAST(id AS INTEGER)");
  if (!ask) return std::unexpected(ask.error());
  std::vector<LedgerImport> imports;
  for (;;) {
    const auto row = ask->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return imports;
    const auto text = [&](int column) { return std::string(ask->text(column)); };
    imports.push_back({text(0), text(1), text(2), {text(3), text(4)}, text(5)});
  }
}

Expected<void> Ledger::begin() { return statements_->begin.run(); }

Expected<void> Ledger::commit() { return statements_->commit.run(); }

void Ledger::rollback() {
  // Fails when SQLite has rolled back by itself, as it does on a full disk: the same state.
  static_cast<void>(statements_->rollback.run());
  // Ids that the transaction gave may be given again to others.
  formats_.clear();
  last_format_id_ = 0;
  last_session_format_ = {};
}

Expected<std::int64_t> Ledger::device_id(const Device& device) {
  auto& insert = statements_->insert_device.bind(1, device.host).bind(2, device.gpu);
  if (auto done = insert.run(); !done) return std::unexpected(done.error());
  auto& find = statements_->find_device.bind(1, device.host).bind(2, device.gpu);
  if (auto row = find.step(); !row) return std::unexpected(row.error());
  const std::int64_t id = find.integer(0);
  find.reset();
  return id;
}

Expected<void> Ledger::put_source(LedgerSource& source) {
  const auto device = device_id(source.record.device);
  if (!device) return std::unexpected(device.error());
  if (source.id != 0) {
    bind_source(statements_->update_source, source, *device);
    return statements_->update_source.bind(kSourceColumnCount + 1, source.id).run();
  }
  Statement& insert = statements_->insert_source;
  bind_source(insert, source, *device);
  if (auto row = insert.step(); !row) return std::unexpected(row.error());
  source.id = insert.integer(0);
  insert.reset();
  return {};
}

Expected<void> Ledger::put_session(LedgerSession& session, std::int64_t source_id) {
  const SessionRecord& record = session.record;
  if (session.id != 0) {
    return statements_->update_session.bind(1, session.id)
        .bind(2, to_microseconds(record.last))
        .bind(3, record.rows)
        .run();
  }
  Statement& insert = statements_->insert_session;
  insert.bind(1, source_id).bind(2, record.session).bind(3, last_format_id_);
  insert.bind(4, to_microseconds(record.first)).bind(5, to_microseconds(record.last));
  if (auto row = insert.bind(6, record.rows).step(); !row) return std::unexpected(row.error());
  session.id = insert.integer(0);
  insert.reset();
  return {};
}

Expected<std::int64_t> Ledger::format_id(const SampleBatch& rows) {
  RowFormat format = RowFormat::of(rows);
  if (last_format_id_ != 0 && format == last_format_) return last_format_id_;
  const std::string text = format.to_text();
  auto known = formats_.find(text);
  if (known == formats_.end()) {
    if (auto done = statements_->insert_format.bind(1, text).run(); !done) {
      return std::unexpected(done.error());
    }
    Statement& find = statements_->find_format.bind(1, text);
    if (auto row = find.step(); !row) return std::unexpected(row.error());
    known = formats_.emplace(text, find.integer(0)).first;
    find.reset();
  }
  last_format_ = std::move(format);
  last_format_id_ = known->second;
  return last_format_id_;
}

Expected<void> Ledger::use_format(const SampleBatch& rows) {
  if (auto id = format_id(rows); !id) return std::unexpected(id.error());
  return {};
}

Expected<void> Ledger::add_rows(const LedgerSession& session, const SampleBatch& rows,
                                Timestamp arrival) {
  const auto format = format_id(rows);
  if (!format) return std::unexpected(format.error());
  if (const std::pair used(session.id, *format); used != last_session_format_) {
    auto put = statements_->put_session_format.bind(1, session.id).bind(2, *format).run();
    if (!put) return put;
    last_session_format_ = used;
  }
  Statement& insert = statements_->insert_sample;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    row_bytes_.clear();
    encode_row(rows, row, row_bytes_);
    insert.bind(1, session.id).bind(2, to_microseconds(rows.times[row]));
    insert.bind(3, rows.offsets[row]).bind(4, *format).bind_blob(5, row_bytes_);
    if (auto done = insert.run(); !done) return done;
  }
  return statements_->put_arrival.bind(1, day_of(arrival))
      .bind(2, session.id)
      .bind(3, to_microseconds(rows.times.back()))
      .run();
}

Expected<void> Ledger::put_set_aside(std::int64_t source_id, const SetAside& line) {
  return statements_->put_set_aside.bind(1, source_id)
      .bind(2, line.offset)
      .bind(3, line.bytes)
      .bind(4, line.reason)
      .run();
}

Expected<std::int64_t> Ledger::remove_set_aside(std::int64_t source_id, std::int64_t from) {
  auto ask = database_->prepare("SELECT count(*) FROM set_aside WHERE source=?1 AND offset>=?2");
  if (!ask) return std::unexpected(ask.error());
  if (auto row = ask->bind(1, source_id).bind(2, from).step(); !row) {
    return std::unexpected(row.error());
  }
  const std::int64_t lines = ask->integer(0);
  ask->reset();
  if (lines == 0) return 0;
  auto remove = database_->prepare("DELETE FROM set_aside WHERE source=?1 AND offset>=?2");
  if (!remove) return std::unexpected(remove.error());
  if (auto done = remove->bind(1, source_id).bind(2, from).run(); !done) {
    return std::unexpected(done.error());
  }
  return lines;
}

Expected<void> Ledger::put_window(std::int64_t session_id, const Window& window) {
  row_bytes_.clear();
  encode_window(window, row_bytes_);
  return statements_->put_window.bind(1, session_id)
      .bind(2, to_microseconds(window.begin))
      .bind(3, to_microseconds(window.end))
      .bind(4, window.rows)
      .bind(5, std::int64_t{window.final})
      .bind_blob(6, row_bytes_)
      .run();
}

Expected<void> Ledger::put_alert(std::int64_t session_id, const Alert& alert) {
  Statement& put = statements_->put_alert;
  put.bind(1, session_id).bind(2, alert.rule.metric).bind(3, std::int64_t{alert.rule.above()});
  put.bind(4, alert.rule.limit).bind(5, to_microseconds(alert.began)).bind(6, alert.rule.release);
  put.bind(7, std::int64_t{alert.rule.hold.count()}).bind(8, to_string(alert.rule.severity));
  put.bind(9, microseconds(alert.ended));
  alert.end_reason ? put.bind(10, to_string(*alert.end_reason)) : put.bind_null(10);
  return put.bind(11, alert.peak).bind(12, to_microseconds(alert.peak_at)).run();
}

Expected<void> Ledger::put_import(const LedgerImport& import) {
  auto put = database_->prepare("INSERT OR REPLACE INTO imports VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  if (!put) return std::unexpected(put.error());
  put->bind(1, import.id).bind(2, import.file).bind(3, import.name);
  put->bind(4, import.device.host).bind(5, import.device.gpu).bind(6, import.timezone);
  return run_durably(*put);
}

Expected<void> Ledger::remove_import(const std::string& id) {
  auto remove = database_->prepare("DELETE FROM imports WHERE id=?1");
  if (!remove) return std::unexpected(remove.error());
  return run_durably(remove->bind(1, id));
}

// For a statement outside a transaction. The other commits are left to the system to write: what a
// power cut takes of them is read from the log again.
Expected<void> Ledger::run_durably(Statement& statement) {
  if (auto set = database_->execute("PRAGMA synchronous=FULL"); !set) return set;
  auto done = statement.run();
  if (auto set = database_->execute("PRAGMA synchronous=NORMAL"); !set && done) return set;
  return done;
}

Expected<void> Ledger::remove_source(std::int64_t source_id) {
  last_session_format_ = {};  // ids of sessions that are gone are given again
  for (const char* sql : {
           "DELETE FROM samples WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM arrivals WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM windows WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM alerts WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM session_formats WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM sessions WHERE source=?1",
           "DELETE FROM set_aside WHERE source=?1",
           "DELETE FROM sources WHERE id=?1",
       }) {
    auto remove = database_->prepare(sql);
    if (!remove) return std::unexpected(remove.error());
    if (auto done = remove->bind(1, source_id).run(); !done) return done;
  }
  return {};
}

Expected<std::optional<std::int64_t>> Ledger::remove_oldest(Timestamp arrived_before) {
  auto ask = database_->prepare(
      "SELECT day, session, last FROM arrivals WHERE day < ?1 ORDER BY day, session LIMIT 1");
  if (!ask) return std::unexpected(ask.error());
  const auto found = ask->bind(1, day_of(arrived_before)).step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  const std::int64_t day = ask->integer(0);
  const std::int64_t session = ask->integer(1);
  const std::int64_t last = ask->integer(2);
  ask->reset();
  if (auto begun = begin(); !begun) return std::unexpected(begun.error());
  auto removed = remove_arrivals(session, day, last);
  if (removed) removed = commit();
  if (!removed) {
    rollback();
    return std::unexpected(removed.error());
  }
  return session;
}

// Within a transaction: the rows of a session up to `last`, which arrived on or before `day`. A
// session without rows goes whole, since its id is given again.
Expected<void> Ledger::remove_arrivals(std::int64_t session, std::int64_t day, std::int64_t last) {
  last_session_format_ = {};
  for (const char* sql : {
           "DELETE FROM samples WHERE session=?1 AND time<=?3",
           "DELETE FROM windows WHERE session=?1 AND end<=?3",
           "DELETE FROM alerts WHERE session=?1 AND ended<=?3",
           "DELETE FROM arrivals WHERE session=?1 AND day<=?2",
           "UPDATE sessions SET rows=(SELECT count(*) FROM samples WHERE session=?1), "
           "first=coalesce((SELECT min(time) FROM samples WHERE session=?1), first) WHERE id=?1",
           "DELETE FROM sessions WHERE id=?1 AND rows=0",
           "DELETE FROM windows WHERE session=?1 AND session NOT IN (SELECT id FROM sessions)",
           "DELETE FROM alerts WHERE session=?1 AND session NOT IN (SELECT id FROM sessions)",
           "DELETE FROM arrivals WHERE session=?1 AND session NOT IN (SELECT id FROM sessions)",
           "DELETE FROM session_formats WHERE session=?1 AND session NOT IN (SELECT id FROM "
           "sessions)",
       }) {
    auto change = database_->prepare(sql);
    if (!change) return std::unexpected(change.error());
    if (auto done = change->bind(1, session).bind(2, day).bind(3, last).run(); !done) return done;
  }
  return {};
}

Expected<void> Ledger::end_alerts(Timestamp before) {
  auto end = database_->prepare(
      "UPDATE alerts SET ended=(SELECT last FROM sessions WHERE id=session), end_reason=?2 "
      "WHERE ended IS NULL AND session IN (SELECT id FROM sessions WHERE last<?1)");
  if (!end) return std::unexpected(end.error());
  return end->bind(1, to_microseconds(before)).bind(2, to_string(AlertEnd::session_ended)).run();
}

Expected<std::int64_t> Ledger::bytes() {
  auto ask = database_->prepare(
      "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
      "pragma_freelist_count, pragma_page_size");
  if (!ask) return std::unexpected(ask.error());
  if (auto row = ask->step(); !row) return std::unexpected(row.error());
  return ask->integer(0);
}

}  // namespace gpulse
