// The ledger: the small transactional book of what is known and durable, an SQLite file. Rows, the
// position that they came from, and what was worked out from them commit together; that is the
// whole of exactly-once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/ledger_records.h"
#include "store/row_codec.h"
#include "store/sqlite.h"

namespace gpulse {

// The writing connection; LedgerReader is a reading one. Not thread-safe. Between begin() and
// commit() everything is undone by rollback() or by the end of the process, however it ends. Errors
// are Database's; after one within a transaction only rollback() is right.
class Ledger {
 public:
  // Makes the file when it is missing. One of a newer program is an operation error.
  [[nodiscard]] static Expected<std::unique_ptr<Ledger>> open(const std::filesystem::path& file);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  [[nodiscard]] Expected<std::vector<LedgerSource>> sources();
  // In order of their first rows.
  [[nodiscard]] Expected<std::vector<LedgerSession>> sessions();
  // What the rows of a device were written in, in the order in which it came.
  [[nodiscard]] Expected<std::vector<RowFormat>> formats(const Device& device);
  [[nodiscard]] Expected<std::vector<LedgerImport>> imports();

  [[nodiscard]] Expected<void> begin();
  [[nodiscard]] Expected<void> commit();
  void rollback();

  // Gives a source or session that is not in the ledger its id.
  [[nodiscard]] Expected<void> put_source(LedgerSource& source);
  // A new session is filed under the format of the rows that use_format() or add_rows() took last.
  [[nodiscard]] Expected<void> put_session(LedgerSession& session, std::int64_t source_id);
  [[nodiscard]] Expected<void> use_format(const SampleBatch& rows);
  [[nodiscard]] Expected<void> add_rows(const LedgerSession& session, const SampleBatch& rows,
                                        Timestamp arrival);
  [[nodiscard]] Expected<void> put_set_aside(std::int64_t source_id, const SetAside& line);
  [[nodiscard]] Expected<void> put_window(std::int64_t session_id, const Window& window);
  [[nodiscard]] Expected<void> put_alert(std::int64_t session_id, const Alert& alert);
  // These two, and all that was committed before them, are on the disk itself on return: what is
  // handed over is promised to be kept, and its file goes when it has been read.
  [[nodiscard]] Expected<void> put_import(const LedgerImport& import);
  [[nodiscard]] Expected<void> remove_import(const std::string& id);

  // Removes the lines from that offset on; returns how many there were.
  [[nodiscard]] Expected<std::int64_t> remove_set_aside(std::int64_t source_id, std::int64_t from);
  // A source with all that came of it.
  [[nodiscard]] Expected<void> remove_source(std::int64_t source_id);
  // Removes rows that arrived on a day (UTC) before that of `arrived_before`, oldest day first:
  // those of one day and session a call, in a transaction of its own. Returns the session's id,
  // none when there was nothing to remove. Positions outlive the rows.
  [[nodiscard]] Expected<std::optional<std::int64_t>> remove_oldest(Timestamp arrived_before);
  // Ends the firing alerts of sessions whose last row is older than `before`: whatever comes next
  // is of another session. Should it not be, its writer takes that back.
  [[nodiscard]] Expected<void> end_alerts(Timestamp before);
  // What the ledger takes of the disk, less what it would use again.
  [[nodiscard]] Expected<std::int64_t> bytes();

 private:
  struct Statements;

  explicit Ledger(std::unique_ptr<Database> database);
  [[nodiscard]] Expected<void> prepare();
  // Days since 1970, UTC: how retention counts arrivals.
  [[nodiscard]] static std::int64_t day_of(Timestamp arrival);
  [[nodiscard]] Expected<void> run_durably(Statement& statement);
  [[nodiscard]] Expected<void> remove_arrivals(std::int64_t session, std::int64_t day,
                                               std::int64_t last);
  [[nodiscard]] Expected<std::int64_t> format_id(const SampleBatch& rows);
  [[nodiscard]] Expected<std::int64_t> device_id(const Device& device);

  std::unique_ptr<Database> database_;
  std::unique_ptr<Statements> statements_;
  std::map<std::string, std::int64_t> formats_;  // text of a row format -> id
  // The format of the last rows, and the session and format that they were filed under.
  RowFormat last_format_;
  std::int64_t last_format_id_ = 0;
  std::pair<std::int64_t, std::int64_t> last_session_format_;
  std::string row_bytes_;  // of the row that is being put
};

}  // namespace gpulse
