#include "store/source_row.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <optional>
#include <string_view>

namespace gpulse {
namespace {

// In the order in which bind_source() binds them, and read_source() reads them behind the id.
constexpr std::string_view kColumns =
    "source, device, file, timezone, importing, rows, sessions, set_aside, absent, absent_first, "
    "absent_last, first, last, last_arrival, longest_step, longest_step_at, position, tail_hash, "
    "header, session, session_pending, second_fold, last_local, last_second, largest_second, base, "
    "rank, windows, alerts";
constexpr int kColumnCount = kSourceIdParameter - 1;

std::optional<std::int64_t> microseconds(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return to_microseconds(*time);
}

std::optional<Timestamp> timestamp(const std::optional<std::int64_t>& us) {
  if (!us) return std::nullopt;
  return from_microseconds(*us);
}

}  // namespace

std::string select_sources() {
  return fmt::format(
      "SELECT s.id, {}, host, gpu FROM sources s JOIN devices d ON d.id=s.device ORDER BY s.id",
      kColumns);
}

std::string insert_source() {
  std::string values = "?1";
  for (int i = 2; i <= kColumnCount; ++i) values += fmt::format(", ?{}", i);
  return fmt::format("INSERT INTO sources({}) VALUES({}) RETURNING id", kColumns, values);
}

std::string update_source() {
  std::string values;
  std::string_view names = kColumns;
  for (int i = 1; i <= kColumnCount; ++i) {
    const auto comma = names.find(", ");
    values += fmt::format("{}{}=?{}", i > 1 ? ", " : "", names.substr(0, comma), i);
    names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 2);
  }
  return fmt::format("UPDATE sources SET {} WHERE id=?{}", values, kSourceIdParameter);
}

void bind_source(Statement& to, const LedgerSource& source, std::int64_t device_id) {
  const SourceRecord& record = source.record;
  const Checkpoint& at = source.checkpoint;
  const EventClockState& clock = at.reader.clock;
  to.bind(1, record.source).bind(2, device_id).bind(3, record.file).bind(4, record.timezone);
  to.bind(5, std::int64_t{source.importing}).bind(6, record.rows).bind(7, record.sessions);
  to.bind(8, record.set_aside).bind(9, record.absent);
  to.bind(10, microseconds(record.absent_first)).bind(11, microseconds(record.absent_last));
  to.bind(12, to_microseconds(record.first)).bind(13, to_microseconds(record.last));
  to.bind(14, to_microseconds(source.last_arrival));
  to.bind(15, std::int64_t{record.longest_step.count()});
  to.bind(16, microseconds(record.longest_step_at));
  to.bind(17, at.reader.position).bind(18, std::bit_cast<std::int64_t>(at.tail_hash));
  to.bind_blob(19, at.reader.header).bind(20, at.reader.session);
  to.bind(21, std::int64_t{at.reader.session_pending});
  to.bind(22, std::int64_t{clock.second_fold}).bind(23, clock.last_local);
  to.bind(24, clock.last_second).bind(25, clock.largest_second);
  to.bind(26, std::int64_t{clock.base}).bind(27, std::int64_t{clock.rank});
  to.bind_blob(28, at.windows).bind_blob(29, at.alerts);
}

LedgerSource read_source(const Statement& row) {
  LedgerSource source;
  source.id = row.integer(0);
  SourceRecord& record = source.record;
  record.source = row.text(1);
  record.file = row.text(3);
  record.timezone = row.text(4);
  source.importing = row.integer(5) != 0;
  record.rows = row.integer(6);
  record.sessions = row.integer(7);
  record.set_aside = row.integer(8);
  record.absent = row.integer(9);
  record.absent_first = timestamp(row.optional_integer(10));
  record.absent_last = timestamp(row.optional_integer(11));
  record.first = from_microseconds(row.integer(12));
  record.last = from_microseconds(row.integer(13));
  source.last_arrival = from_microseconds(row.integer(14));
  record.longest_step = std::chrono::microseconds{row.integer(15)};
  record.longest_step_at = timestamp(row.optional_integer(16));
  Checkpoint& at = source.checkpoint;
  at.reader.position = row.integer(17);
  record.bytes = at.reader.position;
  at.tail_hash = std::bit_cast<std::uint64_t>(row.integer(18));
  at.reader.source = record.source;
  at.reader.header = row.text(19);
  at.reader.session = row.integer(20);
  at.reader.session_pending = row.integer(21) != 0;
  EventClockState& clock = at.reader.clock;
  clock.started = true;
  clock.second_fold = row.integer(22) != 0;
  clock.last_local = row.integer(23);
  clock.last_second = row.integer(24);
  clock.largest_second = row.integer(25);
  clock.base = static_cast<std::int32_t>(row.integer(26));
  clock.rank = static_cast<std::int32_t>(row.integer(27));
  at.windows = row.text(28);
  at.alerts = row.text(29);
  record.device = {std::string(row.text(30)), std::string(row.text(31))};
  return source;
}

}  // namespace gpulse
