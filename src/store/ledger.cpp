#include "store/ledger.h"

#include <fmt/format.h>

#include <chrono>

#include "store/ledger_queries.h"
#include "store/ledger_schema.h"
#include "store/source_row.h"
#include "store/window_codec.h"

namespace gpulse {

struct Ledger::Statements {
  Statement begin, commit, rollback;
  Statement insert_device, find_device, insert_format, find_format;
  Statement insert_source, update_source, insert_session, update_session;
  Statement insert_sample, put_session_format, put_arrival, put_set_aside, put_window, put_alert;
};

Ledger::Ledger(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Ledger::~Ledger() = default;

Expected<std::unique_ptr<Ledger>> Ledger::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Database::Mode::read_write);
  if (!database) return std::unexpected(database.error());
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(*database)));
  if (auto prepared = ledger->prepare(); !prepared) return std::unexpected(prepared.error());
  return ledger;
}

// What every commit runs; the rest is prepared when it is needed.
Expected<void> Ledger::prepare() {
  if (auto prepared = prepare_ledger(*database_); !prepared) return prepared;
  std::optional<Error> failed;
  const auto sql = [&](std::string_view text) -> Statement {
    auto statement = database_->prepare(text);
    if (!statement && !failed) failed = statement.error();
    return statement ? std::move(*statement) : Statement();
  };
  statements_ = std::make_unique<Statements>(Statements{
      .begin = sql("BEGIN IMMEDIATE"),
      .commit = sql("COMMIT"),
      .rollback = sql("ROLLBACK"),
      .insert_device = sql("INSERT OR IGNORE INTO devices(host, gpu) VALUES(?1, ?2)"),
      .find_device = sql("SELECT id FROM devices WHERE host=?1 AND gpu=?2"),
      .insert_format = sql("INSERT OR IGNORE INTO formats(columns) VALUES(?1)"),
      .find_format = sql("SELECT id FROM formats WHERE columns=?1"),
      .insert_source = sql(insert_source()),
      .update_source = sql(update_source()),
      .insert_session = sql("INSERT INTO sessions(source, session, format, first, last, rows) "
                            "VALUES(?1, ?2, ?3, ?4, ?5, ?6) RETURNING id"),
      .update_session = sql("UPDATE sessions SET last=?2, rows=?3 WHERE id=?1"),
      .insert_sample = sql("INSERT INTO samples VALUES(?1, ?2, ?3, ?4, ?5)"),
      .put_session_format =
          sql("INSERT OR IGNORE INTO session_formats(session, format) VALUES(?1, ?2)"),
      .put_arrival = sql("INSERT INTO arrivals VALUES(?1, ?2, ?3) "
                         "ON CONFLICT DO UPDATE SET last=max(last, excluded.last)"),
      .put_set_aside = sql("INSERT OR REPLACE INTO set_aside VALUES(?1, ?2, ?3, ?4)"),
      .put_window = sql("INSERT OR REPLACE INTO windows VALUES(?1, ?2, ?3, ?4, ?5, ?6)"),
      .put_alert = sql("INSERT OR REPLACE INTO alerts "
                       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
  });
  if (failed) return std::unexpected(*failed);
  return {};
}

Expected<std::vector<LedgerSource>> Ledger::sources() { return read_sources(*database_); }

Expected<std::vector<LedgerSession>> Ledger::sessions() { return read_sessions(*database_); }

Expected<std::vector<RowFormat>> Ledger::formats(const Device& device) {
  auto ask = database_->prepare(
      "SELECT columns FROM session_formats u JOIN formats f ON f.id=u.format "
      "JOIN sessions n ON n.id=u.session JOIN sources s ON s.id=n.source "
      "JOIN devices d ON d.id=s.device WHERE host=?1 AND gpu=?2 ORDER BY u.id");
  if (!ask) return std::unexpected(ask.error());
  ask->bind(1, device.host).bind(2, device.gpu);
  std::vector<RowFormat> formats;
  auto read = ask->for_each([&]() -> Expected<void> {
    auto format = RowFormat::from_text(ask->text(0));
    if (!format) return damaged_ledger("a row format");
    formats.push_back(std::move(*format));
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return formats;
}

Expected<std::vector<LedgerImport>> Ledger::imports() {
  auto ask = database_->prepare(
      "SELECT id, file, name, host, gpu, timezone FROM imports ORDER BY CAST(id AS INTEGER)");
  if (!ask) return std::unexpected(ask.error());
  std::vector<LedgerImport> imports;
  auto read = ask->for_each([&]() -> Expected<void> {
    const auto text = [&](int column) { return std::string(ask->text(column)); };
    imports.push_back({text(0), text(1), text(2), {text(3), text(4)}, text(5)});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return imports;
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
  return statements_->find_device.bind(1, device.host).bind(2, device.gpu).one_integer();
}

Expected<void> Ledger::put_source(LedgerSource& source) {
  const auto device = device_id(source.record.device);
  if (!device) return std::unexpected(device.error());
  if (source.id != 0) {
    bind_source(statements_->update_source, source, *device);
    return statements_->update_source.bind(kSourceIdParameter, source.id).run();
  }
  bind_source(statements_->insert_source, source, *device);
  const auto id = statements_->insert_source.one_integer();
  if (!id) return std::unexpected(id.error());
  source.id = *id;
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
  const auto id = insert.bind(6, record.rows).one_integer();
  if (!id) return std::unexpected(id.error());
  session.id = *id;
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
    const auto id = statements_->find_format.bind(1, text).one_integer();
    if (!id) return id;
    known = formats_.emplace(text, *id).first;
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
  alert.ended ? put.bind(9, to_microseconds(*alert.ended)) : put.bind_null(9);
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

std::int64_t Ledger::day_of(Timestamp arrival) {
  return std::chrono::floor<std::chrono::days>(arrival).time_since_epoch().count();
}

}  // namespace gpulse
