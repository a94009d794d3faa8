// What the ledger's writer and those who look on both ask it. Of use inside store/ only.
#pragma once

#include <string_view>
#include <vector>

#include "store/ledger_records.h"
#include "store/row_codec.h"
#include "store/sqlite.h"

namespace gpulse {

// All of them, in the order in which they came.
[[nodiscard]] Expected<std::vector<LedgerSource>> read_sources(Database& database);
// All of them, in order of their first rows. Those of one layout share it.
[[nodiscard]] Expected<std::vector<LedgerSession>> read_sessions(Database& database);
[[nodiscard]] Expected<RowFormat> read_format(Database& database, std::int64_t id);

// An operation error: "a row" or what it is cannot be read.
[[nodiscard]] std::unexpected<Error> damaged_ledger(std::string_view what);

}  // namespace gpulse
