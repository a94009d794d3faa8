// Reads the ledger beside its writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/ledger_records.h"
#include "store/row_codec.h"
#include "store/sqlite.h"

namespace gpulse {

// A reading connection. Not thread-safe; any number beside the writer. Errors are Database's, and
// an operation error for what is unreadable.
class LedgerReader {
 public:
  // The file must have been made by a Ledger.
  [[nodiscard]] static Expected<std::unique_ptr<LedgerReader>> open(
      const std::filesystem::path& file);
  // For a program beside the one that uses the folder. Not a way round the folder's lock: that
  // keeps a second writer out, and this one cannot write. All that it reads is of one committed
  // state, whatever is written meanwhile; SQLite's WAL gives it that without holding the writer up,
  // and its -wal file only grows until the reader goes. An operation error that says so when there
  // is no ledger in the folder, or one of another version.
  [[nodiscard]] static Expected<std::unique_ptr<LedgerReader>> open_snapshot(
      const std::filesystem::path& folder);

  [[nodiscard]] Expected<std::vector<LedgerSource>> sources();
  // In order of their first rows; `rows` of a record are those that retention left.
  [[nodiscard]] Expected<std::vector<LedgerSession>> sessions();
  // Visits the rows of a session in [from, to], in time order, in blocks of at most some thousand
  // rows, until the visitor returns false.
  [[nodiscard]] Expected<void> scan(const LedgerSession& session, Timestamp from, Timestamp to,
                                    const std::vector<std::string>& metrics,
                                    const std::function<bool(const Block&)>& visitor);
  // The same, as batches with their offsets and exact counts.
  [[nodiscard]] Expected<void> scan_batches(const LedgerSession& session, Timestamp from,
                                            Timestamp to,
                                            const std::function<bool(const SampleBatch&)>& visitor);
  // Windows and alerts of the sessions that touch [from, to], newest first.
  [[nodiscard]] Expected<std::vector<Window>> windows(std::vector<LedgerSession> of, Timestamp from,
                                                      Timestamp to, std::size_t limit);
  [[nodiscard]] Expected<std::vector<Alert>> alerts(const std::vector<LedgerSession>& of,
                                                    Timestamp from, Timestamp to,
                                                    std::size_t limit);
  // In order of offset.
  [[nodiscard]] Expected<std::vector<SetAsideRecord>> set_aside(std::int64_t source_id,
                                                                std::size_t limit);

 private:
  explicit LedgerReader(std::unique_ptr<Database> database);
  // The format of that id, read once.
  [[nodiscard]] Expected<const RowFormat*> format(std::int64_t id);

  std::unique_ptr<Database> database_;
  std::map<std::int64_t, RowFormat> formats_;
};

}  // namespace gpulse
