#include "store/ledger_queries.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

#include "store/source_row.h"

namespace gpulse {

std::unexpected<Error> damaged_ledger(std::string_view what) {
  return operation_error(fmt::format("the ledger is damaged: {} is unreadable", what));
}

Expected<std::vector<LedgerSource>> read_sources(Database& database) {
  auto ask = database.prepare(select_sources());
  if (!ask) return std::unexpected(ask.error());
  std::vector<LedgerSource> sources;
  auto read = ask->for_each([&]() -> Expected<void> {
    sources.push_back(read_source(*ask));
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return sources;
}

Expected<std::vector<LedgerSession>> read_sessions(Database& database) {
  auto ask = database.prepare(
      "SELECT n.id, n.session, n.first, n.last, n.rows, s.source, host, gpu, columns "
      "FROM sessions n JOIN sources s ON s.id=n.source JOIN devices d ON d.id=s.device "
      "JOIN formats f ON f.id=n.format ORDER BY n.first, n.id");
  if (!ask) return std::unexpected(ask.error());
  std::map<std::string, LayoutPtr, std::less<>> layouts;
  std::vector<LedgerSession> sessions;
  auto read = ask->for_each([&]() -> Expected<void> {
    const std::string_view columns = ask->text(8);
    auto layout = layouts.find(columns);
    if (layout == layouts.end()) {
      auto format = RowFormat::from_text(columns);
      if (!format) return damaged_ledger("a row format");
      layout =
          layouts.emplace(columns, std::make_shared<const Layout>(std::move(format->layout))).first;
    }
    SessionRecord record;
    record.session = ask->integer(1);
    record.first = from_microseconds(ask->integer(2));
    record.last = from_microseconds(ask->integer(3));
    record.rows = ask->integer(4);
    record.source = ask->text(5);
    record.device = {std::string(ask->text(6)), std::string(ask->text(7))};
    record.layout = layout->second;
    sessions.push_back({ask->integer(0), std::move(record)});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return sessions;
}

Expected<RowFormat> read_format(Database& database, std::int64_t id) {
  auto ask = database.prepare("SELECT columns FROM formats WHERE id=?1");
  if (!ask) return std::unexpected(ask.error());
  const auto row = ask->bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  auto format = *row ? RowFormat::from_text(ask->text(0)) : std::nullopt;
  if (!format) return damaged_ledger("a row format");
  return *std::move(format);
}

}  // namespace gpulse
