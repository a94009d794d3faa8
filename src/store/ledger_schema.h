// The ledger's tables, described in docs/formats.md.
#pragma once

#include "store/sqlite.h"

namespace gpulse {

// In the data folder.
inline constexpr const char* kLedgerFile = "ledger.db";

// What PRAGMA user_version says of a ledger that this program writes.
inline constexpr int kLedgerVersion = 1;

// Sets up a writing connection, and makes the tables where there are none. An operation error when
// the ledger is of a newer program.
[[nodiscard]] Expected<void> prepare_ledger(Database& database);

}  // namespace gpulse
