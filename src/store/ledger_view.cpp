#include "store/ledger_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "platform/file.h"
#include "store/ledger_schema.h"
#include "store/row_codec.h"
#include "store/source_row.h"

namespace gpulse {
namespace {

constexpr std::size_t kBatchRows = 4096;

std::unexpected<Error> damaged(std::string_view what) {
  return operation_error(fmt::format("the ledger is damaged: {} is unreadable", what));
}

Expected<void> check_version(Database& database, const std::filesystem::path& file) {
  auto ask = database.prepare("PRAGMA user_version");
  if (!ask) return std::unexpected(ask.error());
  const auto version = ask->one_integer();
  if (!version) return std::unexpected(version.error());
  if (*version == kLedgerVersion) return {};
  return operation_error(fmt::format("{} is of another gpulse (version {}, this one reads {})",
                                     display(file), *version, kLedgerVersion));
}

}  // namespace

struct LedgerView::Format {
  RowFormat format;
  LayoutPtr layout;
};

Expected<std::unique_ptr<LedgerView>> LedgerView::open(const std::filesystem::path& folder) {
  const auto file = folder / kLedgerFile;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return operation_error(
        fmt::format("there is no ledger in {}: gpulse run has not used this folder; --data names "
                    "another",
                    display(folder)));
  }
  auto database = Database::open(file, Database::Mode::read_only);
  if (!database) return std::unexpected(database.error());
  if (auto fine = check_version(**database, file); !fine) return std::unexpected(fine.error());
  // All is read within one transaction, and so of one state.
  if (auto begun = (*database)->execute("PRAGMA cache_size=-1024; BEGIN"); !begun) {
    return std::unexpected(begun.error());
  }
  return std::unique_ptr<LedgerView>(new LedgerView(std::move(*database)));
}

Expected<std::vector<LedgerSource>> LedgerView::sources() {
  auto ask = database_->prepare(select_sources());
  if (!ask) return std::unexpected(ask.error());
  std::vector<LedgerSource> sources;
  auto read = ask->for_each([&]() -> Expected<void> {
    sources.push_back(read_source(*ask));
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return sources;
}

Expected<std::vector<LedgerView::Session>> LedgerView::sessions(const LedgerSource& source) {
  auto ask =
      database_->prepare("SELECT id, session, rows FROM sessions WHERE source=?1 ORDER BY session");
  if (!ask) return std::unexpected(ask.error());
  ask->bind(1, source.id);
  std::vector<Session> sessions;
  auto read = ask->for_each([&]() -> Expected<void> {
    sessions.push_back({ask->integer(0), ask->integer(1), ask->integer(2)});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return sessions;
}

Expected<LedgerView::Format> LedgerView::format(std::int64_t id) {
  auto ask = database_->prepare("SELECT columns FROM formats WHERE id=?1");
  if (!ask) return std::unexpected(ask.error());
  const auto row = ask->bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  auto format = *row ? RowFormat::from_text(ask->text(0)) : std::nullopt;
  if (!format) return damaged("a row format");
  auto layout = std::make_shared<const Layout>(format->layout);
  return Format{std::move(*format), std::move(layout)};
}

Expected<void> LedgerView::scan(const LedgerSource& source, const Session& session,
                                const std::function<Expected<void>(const SampleBatch&)>& visitor) {
  auto rows = database_->prepare(
      "SELECT time, offset, format, readings FROM samples WHERE session=?1 ORDER BY time");
  if (!rows) return std::unexpected(rows.error());
  rows->bind(1, session.id);
  std::int64_t format_id = 0;
  Format current;
  SampleBatch batch{source.record.device, source.record.source, session.session, {}, {}, {}, {}};
  const auto emit = [&]() -> Expected<void> {
    auto visited = batch.rows() > 0 ? visitor(batch) : Expected<void>();
    batch.times.clear();
    batch.offsets.clear();
    batch.columns.clear();
    batch.layout = current.layout;
    for (const int decimals : current.format.decimals)
      batch.columns.emplace_back(std::max(decimals, 0));
    return visited;
  };
  auto read = rows->for_each([&]() -> Expected<void> {
    if (rows->integer(2) != format_id) {
      format_id = rows->integer(2);
      auto next = format(format_id);
      if (!next) return std::unexpected(next.error());
      current = std::move(*next);
      if (auto visited = emit(); !visited) return visited;
    } else if (batch.rows() >= kBatchRows) {
      if (auto visited = emit(); !visited) return visited;
    }
    batch.times.push_back(from_microseconds(rows->integer(0)));
    batch.offsets.push_back(rows->integer(1));
    if (!decode_row(rows->text(3), current.format, batch.columns)) return damaged("a row");
    return {};
  });
  if (!read) return read;
  return emit();
}

}  // namespace gpulse
