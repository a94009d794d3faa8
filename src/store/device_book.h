// What is known of one device in memory: its record, its sessions, its newest readings.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/ledger_records.h"
#include "store/row_codec.h"

namespace gpulse {

// A device with no newer row has ended, unless its log is being followed.
inline constexpr std::chrono::minutes kEndedAfter{5};

// The newest row of a device with its readings.
struct NewestRow {
  Timestamp time;
  std::vector<double> readings;  // one per metric of the device's record; NaN where absent
};

// Made from the ledger by load_*(), kept up by take_*() with what is committed. Rows later than an
// `ahead_limit` are ahead of the clock and do not count as newest. Not thread-safe.
class DeviceBook {
 public:
  void load_source(const LedgerSource& source);
  // In order of their first rows.
  void load_session(LedgerSession session);
  void load_format(const RowFormat& format);
  void finish_load(Timestamp ahead_limit);
  // What the ledger does not know, from this device's book before it was loaded anew.
  void keep_from(const DeviceBook& before);

  void take_rows(const SampleBatch& rows, Timestamp ahead_limit);
  // Of the rows that were just taken.
  void take_source(const LedgerSource& source);
  // A new session, or one that is known with a new record.
  void take_session(const LedgerSession& session);
  // Rows came while a log of the device was followed.
  void note_growth() { grows_ = true; }

  // Its state is left to state().
  [[nodiscard]] const DeviceRecord& record() const { return record_; }
  [[nodiscard]] DeviceState state(Timestamp now) const;
  [[nodiscard]] bool grows() const { return grows_; }
  // In order of their first rows.
  [[nodiscard]] const std::vector<LedgerSession>& sessions() const { return sessions_; }
  [[nodiscard]] std::vector<LedgerSession> sessions_touching(Timestamp from, Timestamp to) const;
  [[nodiscard]] std::optional<LedgerSession> find_session(const std::string& source,
                                                          std::int64_t session) const;
  // None before a row has come since the program began.
  [[nodiscard]] std::optional<NewestRow> newest() const;

 private:
  void note_ahead(Timestamp last_row, Timestamp ahead_limit);

  DeviceRecord record_;
  bool grows_ = false;
  std::vector<LedgerSession> sessions_;
  // Of the newest row, by column of its layout.
  Timestamp newest_at_;
  LayoutPtr newest_layout_;
  std::vector<double> newest_readings_;
};

}  // namespace gpulse
