// What the ledger keeps of a source, a session and an import, as values. An id is the ledger's own
// row number; 0: not in the ledger yet.
#pragma once

#include <cstdint>
#include <string>

#include "gpuz/log_reader.h"
#include "store/history.h"

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
  std::int64_t id = 0;
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
  std::string id;  // the job's
  std::string file;  // in the store's upload folder
  std::string name;
  Device device;  // empty names: not asked for
  std::string timezone;
};

}  // namespace gpulse
