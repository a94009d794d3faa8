// The ledger: the small transactional book of what is known and durable, an SQLite file. Rows, the
// position that they came from, and what was worked out from them commit together; that is the
// whole of exactly-once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gpuz/log_reader.h"
#include "store/history.h"
#include "store/row_codec.h"
#include "store/sqlite.h"

namespace gpulse {

// Where reading of a source goes on, and the state that belongs to that position.
struct Checkpoint {
  LogReaderState reader;
  // hash_before(reader.position), see gpuz/log_file.h.
  std::uint64_t tail_hash = 0;
  std::string windows;  // WindowAggregator::save()
  std::string alerts;   // AlertEvaluator::save()
};

struct LedgerSource {
  std::int64_t id = 0;  // of the ledger; 0: not in it yet
  SourceRecord record;
  Timestamp last_arrival;
  bool importing = false;  // an import that has not ended: its rows may still be taken back
  Checkpoint checkpoint;
};

struct LedgerSession {
  std::int64_t id = 0;
  SessionRecord record;
};

// A log that was handed over and has not been read to its end, so that a restart can go on with it.
struct LedgerImport {
  std::string id;
  std::string file;  // in the store's upload folder
  std::string name;
  Device device;  // empty names: not asked for
  std::string timezone;
};

// The writing connection. Not thread-safe. Between begin() and commit() everything is undone by
// rollback() or by the end of the process, however it ends.
class Ledger {
 public:
  // Makes the file when it is missing. One of a newer program is an operation error.
  [[nodiscard]] static Expected<std::unique_ptr<Ledger>> open(const std::filesystem::path& file);

  [[nodiscard]] Expected<std::vector<LedgerSource>> sources();
  [[nodiscard]] Expected<std::vector<LedgerSession>> sessions();
  // The metrics of a device with the decimals that they had, in the order in which they came.
  [[nodiscard]] Expected<std::vector<MetricRecord>> metrics(const Device& device);
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
  // Removes the lines from that offset on; returns how many there were.
  [[nodiscard]] Expected<std::int64_t> remove_set_aside(std::int64_t source_id, std::int64_t from);
  [[nodiscard]] Expected<void> put_window(std::int64_t session_id, const Window& window);
  [[nodiscard]] Expected<void> put_alert(std::int64_t session_id, const Alert& alert);
  // These two, and all that was committed before them, are on the disk itself on return: what is
  // handed over is promised to be kept, and its file goes when it has been read.
  [[nodiscard]] Expected<void> put_import(const LedgerImport& import);
  [[nodiscard]] Expected<void> remove_import(const std::string& id);
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
  explicit Ledger(std::unique_ptr<Database> database);
  [[nodiscard]] Expected<void> prepare();
  [[nodiscard]] Expected<void> run_durably(Statement& statement);
  [[nodiscard]] Expected<void> remove_arrivals(std::int64_t session, std::int64_t day,
                                               std::int64_t last);
  [[nodiscard]] Expected<std::int64_t> format_id(const SampleBatch& rows);
  [[nodiscard]] Expected<std::int64_t> device_id(const Device& device);

  std::unique_ptr<Database> database_;
  std::map<std::string, std::int64_t> formats_;  // text of a row format -> id
  RowFormat last_format_;
  // The session and format that the last rows were filed under.
  std::pair<std::int64_t, std::int64_t> last_session_format_;
  std::int64_t last_format_id_ = 0;
  std::string row_bytes_;
  struct Statements;
  std::shared_ptr<Statements> statements_;
};

// A reading connection. Not thread-safe; any number beside the writer.
class LedgerReader {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<LedgerReader>> open(
      const std::filesystem::path& file);

  // Visits the rows of a session in [from, to], in time order, in blocks of at most some thousand
  // rows.
  [[nodiscard]] Expected<void> scan(const LedgerSession& session, Timestamp from, Timestamp to,
                                    const std::vector<std::string>& metrics,
                                    const std::function<bool(const Block&)>& visitor);
  // As above, as batches with their offsets and exact counts.
  [[nodiscard]] Expected<void> scan_batches(const LedgerSession& session, Timestamp from,
                                            Timestamp to,
                                            const std::function<void(const SampleBatch&)>& visitor);
  [[nodiscard]] Expected<std::vector<Window>> windows(
      const std::map<std::int64_t, SessionRecord>& of, Timestamp from, Timestamp to,
      std::size_t limit);
  [[nodiscard]] Expected<std::vector<Alert>> alerts(const std::map<std::int64_t, SessionRecord>& of,
                                                    Timestamp from, Timestamp to,
                                                    std::size_t limit);
  [[nodiscard]] Expected<std::vector<SetAsideRecord>> set_aside(std::int64_t source_id,
                                                                std::size_t limit);

 private:
  explicit LedgerReader(std::unique_ptr<Database> database);
  // The format of that id, read once.
  [[nodiscard]] Expected<const RowFormat*> format(std::int64_t id);

  std::unique_ptr<Database> database_;
  std::map<std::int64_t, RowFormat> formats_;
};

// Adds the metrics of a format to a device's list: new ones behind, decimals to the most seen.
void merge_metrics(std::vector<MetricRecord>& metrics, const RowFormat& format);

// How a window's statistics are written into the ledger, and read back. Fuzzed: false when the
// bytes are not of that many columns.
void encode_window(const Window& window, std::string& out);
[[nodiscard]] bool decode_window(std::string_view bytes, std::size_t columns,
                                 std::vector<WindowStatistics>& out);

}  // namespace gpulse
