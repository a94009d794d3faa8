// A source as a row of the ledger's table of that name. Of use inside store/ only.
#pragma once

#include <string>

#include "store/ledger_records.h"
#include "store/sqlite.h"

namespace gpulse {

// SELECT of every source, with its device's host and gpu last; read_source() reads its rows.
[[nodiscard]] std::string select_sources();
[[nodiscard]] LedgerSource read_source(const Statement& row);

// INSERT that returns the id, and UPDATE of the row whose id is bound to ?kSourceIdParameter; the
// rest is what bind_source() binds, of which what `source` holds must live until the next step().
inline constexpr int kSourceIdParameter = 30;
[[nodiscard]] std::string insert_source();
[[nodiscard]] std::string update_source();
void bind_source(Statement& to, const LedgerSource& source, std::int64_t device_id);

}  // namespace gpulse
