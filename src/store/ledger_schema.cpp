#include "store/ledger_schema.h"

#include <fmt/format.h>

namespace gpulse {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE devices(
  id INTEGER PRIMARY KEY, host TEXT NOT NULL, gpu TEXT NOT NULL, UNIQUE(host, gpu)) STRICT;
CREATE TABLE formats(
  id INTEGER PRIMARY KEY, columns TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE sources(
  id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, device INTEGER NOT NULL REFERENCES devices,
  file TEXT NOT NULL, timezone TEXT NOT NULL, importing INTEGER NOT NULL,
  rows INTEGER NOT NULL, sessions INTEGER NOT NULL, set_aside INTEGER NOT NULL,
  absent INTEGER NOT NULL, absent_first INTEGER, absent_last INTEGER,
  first INTEGER NOT NULL, last INTEGER NOT NULL, last_arrival INTEGER NOT NULL,
  longest_step INTEGER NOT NULL, longest_step_at INTEGER,
  position INTEGER NOT NULL, tail_hash INTEGER NOT NULL, header BLOB NOT NULL,
  session INTEGER NOT NULL, session_pending INTEGER NOT NULL,
  second_fold INTEGER NOT NULL, last_local INTEGER NOT NULL, last_second INTEGER NOT NULL,
  largest_second INTEGER NOT NULL, base INTEGER NOT NULL, rank INTEGER NOT NULL,
  windows BLOB NOT NULL, alerts BLOB NOT NULL) STRICT;
CREATE TABLE sessions(
  id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources, session INTEGER NOT NULL,
  format INTEGER NOT NULL REFERENCES formats, first INTEGER NOT NULL, last INTEGER NOT NULL,
  rows INTEGER NOT NULL, UNIQUE(source, session)) STRICT;
CREATE TABLE session_formats(
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL, format INTEGER NOT NULL,
  UNIQUE(session, format)) STRICT;
CREATE TABLE samples(
  session INTEGER NOT NULL, time INTEGER NOT NULL, offset INTEGER NOT NULL,
  format INTEGER NOT NULL, readings BLOB NOT NULL,
  PRIMARY KEY(session, time)) STRICT, WITHOUT ROWID;
CREATE TABLE arrivals(
  day INTEGER NOT NULL, session INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY(day, session)) STRICT, WITHOUT ROWID;
CREATE TABLE set_aside(
  source INTEGER NOT NULL, offset INTEGER NOT NULL, bytes INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY(source, offset)) STRICT, WITHOUT ROWID;
CREATE TABLE windows(
  session INTEGER NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL, rows INTEGER NOT NULL,
  final INTEGER NOT NULL, metrics BLOB NOT NULL, PRIMARY KEY(session, begin)) STRICT, WITHOUT ROWID;
CREATE TABLE alerts(
  session INTEGER NOT NULL, metric TEXT NOT NULL, high INTEGER NOT NULL, limit_ REAL NOT NULL,
  began INTEGER NOT NULL, release REAL NOT NULL, hold INTEGER NOT NULL, severity TEXT NOT NULL,
  ended INTEGER, end_reason TEXT, peak REAL NOT NULL, peak_at INTEGER NOT NULL,
  PRIMARY KEY(session, metric, high, limit_, began)) STRICT, WITHOUT ROWID;
CREATE TABLE imports(
  id TEXT PRIMARY KEY, file TEXT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL, gpu TEXT NOT NULL,
  timezone TEXT NOT NULL) STRICT;
)sql";

// WAL: readers go on beside the writer. NORMAL: a commit that a power cut takes is read from the
// log again, its position went with it; what is left is always a whole state. The cache is small,
// since the hot columns answer what is asked all the time.
constexpr const char* kPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2048;"
    "PRAGMA journal_size_limit=8388608; PRAGMA temp_store=MEMORY;";

}  // namespace

Expected<void> prepare_ledger(Database& database) {
  if (auto set = database.execute(kPragmas); !set) return set;
  auto ask = database.prepare("PRAGMA user_version");
  if (!ask) return std::unexpected(ask.error());
  const auto version = ask->one_integer();
  if (!version) return std::unexpected(version.error());
  if (*version > kLedgerVersion) {
    return operation_error(fmt::format(
        "the ledger is of a newer gpulse (version {}, this one knows {}): update gpulse", *version,
        kLedgerVersion));
  }
  if (*version != 0) return {};
  return database.execute(
      fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version={}; COMMIT;", kSchema, kLedgerVersion));
}

}  // namespace gpulse
