// One source's way into the store: rows, what is worked out from them, and the position they came
// from, in transactions.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace gpulse {

struct SourceTarget {
  Device device;
  std::string file;      // where it is read from, as people know it
  std::string timezone;
  bool importing = false;
};

// Used by one thread: begin(), a reader's push() into it, commit(); again and again. After an error
// it must be thrown away, with its reader, and both made anew from the store's checkpoint: what had
// not been committed is read again.
class SourceWriter final : public LogReceiver {
 public:
  // For a source that the store does not know yet. `store` must outlive the writer.
  SourceWriter(Store& store, SourceTarget target);
  // Goes on behind a checkpoint of the store's. The device stays the one that it was first seen
  // with.
  [[nodiscard]] static Expected<std::unique_ptr<SourceWriter>> resume(Store& store,
                                                                      SourceTarget target,
                                                                      const LedgerSource& from);

  // Waits for its turn at the ledger.
  [[nodiscard]] Expected<void> begin();
  void on_rows(const SampleBatch& rows) override;
  void on_set_aside(const SetAside& line) override;
  // Makes all since begin() durable together with the reader's state. `live`: the rows came while
  // the log was followed, not from what it held before.
  [[nodiscard]] Expected<void> commit(const LogReaderState& reader, std::uint64_t tail_hash,
                                      bool live);
  // There is nothing more to come, for all that is known. Returns the state to commit: before a
  // last line that breaks off, which is set aside, so that it is read whole should the log go on
  // after all.
  [[nodiscard]] LogReaderState close(LogReader& reader);
  // With the next commit the import is whole: its rows are not taken back any more.
  void end_import() { source_.importing = false; }
  // Gives up what begin() began.
  void abandon();

  // No row has come for a while: what is open of the windows is published, provisionally.
  [[nodiscard]] Expected<void> publish_silence();
  // The log is at its end for all that is known: windows are closed and alerts ended, in a way that
  // a later row of the same session takes back.
  [[nodiscard]] Expected<void> publish_end();

  // Of a source's set-aside lines so many are listed, the first ones.
  static constexpr std::int64_t kSetAsideKept = 10'000;

  [[nodiscard]] const LedgerSource& source() const { return source_; }
  [[nodiscard]] const Device& device() const { return source_.record.device; }

 private:
  friend class Store;
  [[nodiscard]] Expected<void> take_turn();
  [[nodiscard]] Expected<void> take_torn_line_back();
  [[nodiscard]] Expected<void> make_source();
  void take_session(const SampleBatch& rows);
  void take_steps(const SampleBatch& rows);
  void take_presence(const SampleBatch& rows);
  void store_derived();
  [[nodiscard]] Expected<void> publish_derived();
  // Does a step of the transaction, unless one has failed: SQLite may have undone all by itself
  // then, and what came after would be kept without it.
  template <class Step>
  void attempt(Step step) {
    if (failed_) return;
    if (auto done = step(); !done) failed_ = done.error();
  }
  [[nodiscard]] LedgerSession* session_of(std::int64_t session);

  // What the removal of old rows has changed under this writer.
  void catch_up_with_retention();

  Store& store_;
  SourceClaim claim_;
  LedgerSource source_;
  WindowAggregator windows_;
  AlertEvaluator alerts_;
  // The running one, and those that this transaction began. An id of 0: without rows in the ledger.
  std::vector<LedgerSession> sessions_;
  std::optional<Timestamp> last_time_;  // of the running session's last row
  // The ledger may have alerts ended that go on with the next row: they are written anew with it.
  bool alerts_may_be_ended_ = false;
  std::vector<SetAside> before_source_;  // lines before the first row, until there is a source
  bool torn_line_is_back_ = true;  // false: what close() set aside last is still in the ledger
  std::uint64_t removals_ = 0;  // the store's, when sessions_ was right

  // Of the transaction under way.
  std::unique_lock<std::mutex> turn_;
  std::optional<Error> failed_;
  std::vector<SampleBatch> rows_;
  std::vector<Window> new_windows_;
  std::vector<Alert> new_alerts_;
  bool live_ = false;
};

}  // namespace gpulse
