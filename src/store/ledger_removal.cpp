// How the ledger forgets: a line read again, an import taken back, rows past their time.
#include "store/ledger.h"

namespace gpulse {

Expected<std::int64_t> Ledger::remove_set_aside(std::int64_t source_id, std::int64_t from) {
  auto ask = database_->prepare("SELECT count(*) FROM set_aside WHERE source=?1 AND offset>=?2");
  if (!ask) return std::unexpected(ask.error());
  const auto lines = ask->bind(1, source_id).bind(2, from).one_integer();
  if (!lines || *lines == 0) return lines;
  auto remove = database_->prepare("DELETE FROM set_aside WHERE source=?1 AND offset>=?2");
  if (!remove) return std::unexpected(remove.error());
  if (auto done = remove->bind(1, source_id).bind(2, from).run(); !done) {
    return std::unexpected(done.error());
  }
  return lines;
}

Expected<void> Ledger::remove_source(std::int64_t source_id) {
  last_session_format_ = {};  // ids of sessions that are gone are given again
  for (const char* sql : {
           "DELETE FROM samples WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM arrivals WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM windows WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM alerts WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM session_formats WHERE session IN (SELECT id FROM sessions WHERE source=?1)",
           "DELETE FROM sessions WHERE source=?1",
           "DELETE FROM set_aside WHERE source=?1",
           "DELETE FROM sources WHERE id=?1",
       }) {
    auto remove = database_->prepare(sql);
    if (!remove) return std::unexpected(remove.error());
    if (auto done = remove->bind(1, source_id).run(); !done) return done;
  }
  return {};
}

Expected<std::optional<std::int64_t>> Ledger::remove_oldest(Timestamp arrived_before) {
  auto ask = database_->prepare(
      "SELECT day, session, last FROM arrivals WHERE day < ?1 ORDER BY day, session LIMIT 1");
  if (!ask) return std::unexpected(ask.error());
  const auto found = ask->bind(1, day_of(arrived_before)).step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  const std::int64_t day = ask->integer(0);
  const std::int64_t session = ask->integer(1);
  const std::int64_t last = ask->integer(2);
  ask->reset();
  if (auto begun = begin(); !begun) return std::unexpected(begun.error());
  auto removed = remove_arrivals(session, day, last);
  if (removed) removed = commit();
  if (!removed) {
    rollback();
    return std::unexpected(removed.error());
  }
  return session;
}

// Within a transaction: the rows of a session up to `last`, which arrived on or before `day`. A
// session without rows goes whole, since its id is given again.
Expected<void> Ledger::remove_arrivals(std::int64_t session, std::int64_t day, std::int64_t last) {
  last_session_format_ = {};
  for (const char* sql : {
           "DELETE FROM samples WHERE session=?1 AND time<=?3",
           "DELETE FROM windows WHERE session=?1 AND end<=?3",
           "DELETE FROM alerts WHERE session=?1 AND ended<=?3",
           "DELETE FROM arrivals WHERE session=?1 AND day<=?2",
           R"(UPDATE sessions SET rows=(SELECT count(*) FROM samples WHERE session=?1),
              first=coalesce((SELECT min(time) FROM samples WHERE session=?1), first) WHERE id=?1)",
           "DELETE FROM sessions WHERE id=?1 AND rows=0",
           "DELETE FROM windows WHERE session=?1 AND session NOT IN (SELECT id FROM sessions)",
           "DELETE FROM alerts WHERE session=?1 AND session NOT IN (SELECT id FROM sessions)",
           "DELETE FROM arrivals WHERE session=?1 AND session NOT IN (SELECT id FROM sessions)",
           R"(DELETE FROM session_formats
              WHERE session=?1 AND session NOT IN (SELECT id FROM sessions))",
       }) {
    auto change = database_->prepare(sql);
    if (!change) return std::unexpected(change.error());
    if (auto done = change->bind(1, session).bind(2, day).bind(3, last).run(); !done) return done;
  }
  return {};
}

Expected<void> Ledger::end_alerts(Timestamp before) {
  auto end = database_->prepare(
      "UPDATE alerts SET ended=(SELECT last FROM sessions WHERE id=session), end_reason=?2 "
      "WHERE ended IS NULL AND session IN (SELECT id FROM sessions WHERE last<?1)");
  if (!end) return std::unexpected(end.error());
  return end->bind(1, to_microseconds(before)).bind(2, to_string(AlertEnd::session_ended)).run();
}

Expected<std::int64_t> Ledger::bytes() {
  auto ask = database_->prepare(
      "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
      "pragma_freelist_count, pragma_page_size");
  if (!ask) return std::unexpected(ask.error());
  return ask->one_integer();
}

}  // namespace gpulse
