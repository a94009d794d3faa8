#include "store/source_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "gpuz/header.h"

namespace gpulse {

SourceWriter::SourceWriter(Store& store, SourceTarget target)
    : store_(store), windows_(store.options_.windows), alerts_(store.options_.rules) {
  source_.record.device = std::move(target.device);
  source_.record.file = std::move(target.file);
  source_.record.timezone = std::move(target.timezone);
  source_.importing = target.importing;
}

Expected<std::unique_ptr<SourceWriter>> SourceWriter::resume(Store& store, SourceTarget target,
                                                             const LedgerSource& from) {
  target.device = from.record.device;
  auto writer = std::make_unique<SourceWriter>(store, std::move(target));
  const std::string file = writer->source_.record.file;
  const bool importing = writer->source_.importing;
  writer->source_ = from;
  writer->source_.record.file = file;
  writer->source_.importing = importing;
  writer->torn_line_is_back_ = false;
  auto claim = store.claim(from.record.source, file);
  if (!claim) return std::unexpected(claim.error());
  writer->claim_ = std::move(*claim);
  const auto now = store.find_source(from.record.source);
  if (!now || now->checkpoint.reader.position != from.checkpoint.reader.position) {
    return operation_error(fmt::format("{} was read on meanwhile", file), true);
  }
  SessionRecord running;
  running.device = from.record.device;
  running.source = from.record.source;
  running.session = from.checkpoint.reader.session;
  writer->sessions_ = {{0, std::move(running)}};
  {
    const std::lock_guard turn(store.write_mutex_);
    writer->catch_up_with_retention();
  }
  LedgerSession& session = writer->sessions_.back();
  if (session.id != 0) {
    writer->last_time_ = session.record.last;
  } else if (from.checkpoint.reader.session_pending) {
    // Retention took the session, and the heading in force is the next one's: a new state begins.
    writer->sessions_.clear();
    return writer;
  } else {
    session.record.layout =
        std::make_shared<const Layout>(parse_header(from.checkpoint.reader.header));
  }
  if (auto restored = writer->windows_.restore(from.checkpoint.windows, from.record.device,
                                               from.record.source, session.record.layout);
      !restored) {
    return std::unexpected(std::move(restored).error().wrapped("cannot go on with the windows"));
  }
  if (auto restored = writer->alerts_.restore(from.checkpoint.alerts); !restored) {
    return std::unexpected(std::move(restored).error().wrapped("cannot go on with the alerts"));
  }
  writer->alerts_may_be_ended_ = true;
  return writer;
}

// The store's writing turn is taken. Rows of the running session that were removed are not in its
// record any more; a session that was removed whole is put anew when its next rows come.
void SourceWriter::catch_up_with_retention() {
  removals_ = store_.removals_;
  if (sessions_.empty()) return;
  LedgerSession& running = sessions_.back();
  const SessionRecord& record = running.record;
  if (auto known =
          store_.book_.find_session(source_.record.device, record.source, record.session)) {
    running = *std::move(known);
    return;
  }
  running.id = 0;
  running.record.rows = 0;
}

Expected<void> SourceWriter::begin() {
  auto begun = take_turn();
  if (!begun || torn_line_is_back_) return begun;
  if (auto taken = take_torn_line_back(); !taken) {
    abandon();
    return taken;
  }
  return {};
}

// The line that had broken off is read again.
Expected<void> SourceWriter::take_torn_line_back() {
  const auto lines =
      store_.ledger_->remove_set_aside(source_.id, source_.checkpoint.reader.position);
  if (!lines) return std::unexpected(lines.error());
  source_.record.set_aside -= *lines;
  torn_line_is_back_ = true;
  return {};
}

Expected<void> SourceWriter::take_turn() {
  turn_ = std::unique_lock(store_.write_mutex_);
  if (removals_ != store_.removals_) catch_up_with_retention();
  failed_.reset();
  rows_.clear();
  new_windows_.clear();
  new_alerts_.clear();
  auto begun = store_.ledger_->begin();
  if (!begun) turn_.unlock();
  return begun;
}

void SourceWriter::abandon() {
  if (!turn_.owns_lock()) return;
  store_.ledger_->rollback();
  turn_.unlock();
}

LedgerSession* SourceWriter::session_of(std::int64_t session) {
  const auto found = std::ranges::find(sessions_, session,
                                       [](const LedgerSession& s) { return s.record.session; });
  return found == sessions_.end() ? nullptr : &*found;
}

void SourceWriter::on_rows(const SampleBatch& rows) {
  if (failed_) return;
  const Timestamp now = store_.clock_.now();
  SourceRecord& record = source_.record;
  if (record.source.empty()) {
    record.source = rows.source;
    record.first = record.last = rows.times.front();
  }
  if (source_.id == 0) attempt([&] { return make_source(); });
  if (failed_) return;
  for (const SetAside& line : before_source_) {
    attempt([&] { return store_.ledger_->put_set_aside(source_.id, line); });
  }
  before_source_.clear();
  attempt([&] { return store_.ledger_->use_format(rows); });
  take_session(rows);
  take_steps(rows);
  take_presence(rows);
  LedgerSession& session = sessions_.back();
  if (session.record.rows == 0) session.record.first = rows.times.front();
  session.record.rows += static_cast<std::int64_t>(rows.rows());
  session.record.last = rows.times.back();
  record.rows += static_cast<std::int64_t>(rows.rows());
  record.first = std::min(record.first, *std::ranges::min_element(rows.times));
  record.last = std::max(record.last, *std::ranges::max_element(rows.times));
  source_.last_arrival = now;
  if (session.id == 0) attempt([&] { return store_.ledger_->put_session(session, source_.id); });
  if (failed_) return;
  rows_.push_back(rows);
  if (store_.options_.sink != nullptr) return;
  attempt([&] { return store_.ledger_->add_rows(session, rows, now); });
  windows_.push(rows, now, new_windows_);
  if (alerts_may_be_ended_ && rows.session == source_.checkpoint.reader.session) {
    alerts_.firing(new_alerts_);
  }
  alerts_may_be_ended_ = false;
  alerts_.push(rows, new_alerts_);
}

// The first row has shown which log this is.
Expected<void> SourceWriter::make_source() {
  auto claim = store_.claim(source_.record.source, source_.record.file);
  if (!claim) return std::unexpected(claim.error());
  claim_ = std::move(*claim);
  if (store_.find_source(source_.record.source)) {
    return operation_error(fmt::format("{} turned out to be known already", source_.record.file),
                           true);
  }
  return store_.ledger_->put_source(source_);
}

void SourceWriter::on_set_aside(const SetAside& line) {
  // All are counted. A file that is hardly a log would fill memory and disk if all were listed.
  if (++source_.record.set_aside > kSetAsideKept) return;
  if (source_.id == 0) {
    before_source_.push_back(line);
  } else if (!failed_) {
    attempt([&] { return store_.ledger_->put_set_aside(source_.id, line); });
  }
}

void SourceWriter::take_session(const SampleBatch& rows) {
  if (!sessions_.empty() && sessions_.back().record.session == rows.session) return;
  SessionRecord record;
  record.device = source_.record.device;
  record.source = rows.source;
  record.session = rows.session;
  record.first = rows.times.front();
  record.layout = rows.layout;
  sessions_.push_back({0, std::move(record)});
  ++source_.record.sessions;
  last_time_.reset();
}

void SourceWriter::take_steps(const SampleBatch& rows) {
  for (const Timestamp time : rows.times) {
    if (last_time_ && time - *last_time_ > source_.record.longest_step) {
      source_.record.longest_step = time - *last_time_;
      source_.record.longest_step_at = time;
    }
    last_time_ = time;
  }
}

void SourceWriter::take_presence(const SampleBatch& rows) {
  for (const ReadingColumn& column : rows.columns) {
    const auto& presence = column.presence();
    auto absent = std::ranges::find(presence, 0);
    for (; absent != presence.end(); absent = std::find(absent + 1, presence.end(), 0)) {
      const Timestamp time = rows.times[static_cast<std::size_t>(absent - presence.begin())];
      SourceRecord& record = source_.record;
      ++record.absent;
      record.absent_first = std::min(record.absent_first.value_or(time), time);
      record.absent_last = std::max(record.absent_last.value_or(time), time);
    }
  }
}

LogReaderState SourceWriter::close(LogReader& reader) {
  const LogReaderState before = reader.state();
  const SourceRecord record = source_.record;
  reader.close(*this);
  const bool torn =
      source_.record.set_aside != record.set_aside && source_.record.rows == record.rows;
  return torn ? before : reader.state();
}

// Windows and alerts of this transaction; of a key that came several times the last state counts.
void SourceWriter::store_derived() {
  for (const Window& window : new_windows_) {
    if (const LedgerSession* session = session_of(window.session); session && session->id != 0) {
      attempt([&] { return store_.ledger_->put_window(session->id, window); });
    }
  }
  for (const Alert& alert : new_alerts_) {
    if (const LedgerSession* session = session_of(alert.session); session && session->id != 0) {
      attempt([&] { return store_.ledger_->put_alert(session->id, alert); });
    }
  }
}

Expected<void> SourceWriter::commit(const LogReaderState& reader, std::uint64_t tail_hash,
                                    bool live) {
  live_ = live;
  if (SampleSink* sink = store_.options_.sink; sink != nullptr && !rows_.empty()) {
    attempt([&] { return sink->deliver(rows_, store_.options_.sink_stop); });
  }
  if (source_.id != 0) {
    source_.record.bytes = reader.position;
    source_.checkpoint.reader = reader;
    source_.checkpoint.tail_hash = tail_hash;
    source_.checkpoint.windows = windows_.save();
    source_.checkpoint.alerts = alerts_.save();
    for (LedgerSession& session : sessions_) {
      if (session.id == 0) continue;
      attempt([&] { return store_.ledger_->put_session(session, source_.id); });
    }
    store_derived();
    attempt([&] { return store_.ledger_->put_source(source_); });
  }
  attempt([&] { return store_.ledger_->commit(); });
  if (failed_) {
    abandon();
    return std::unexpected(*failed_);
  }
  if (source_.id != 0) store_.publish(*this);
  turn_.unlock();
  if (sessions_.size() > 1) sessions_.erase(sessions_.begin(), sessions_.end() - 1);
  return {};
}

Expected<void> SourceWriter::publish_derived() {
  store_derived();
  attempt([&] { return store_.ledger_->commit(); });
  if (failed_) {
    abandon();
    return std::unexpected(*failed_);
  }
  store_.publish(*this);
  turn_.unlock();
  return {};
}

Expected<void> SourceWriter::publish_silence() {
  std::vector<Window> open;
  windows_.publish_provisional(open);
  if (open.empty()) return {};
  if (auto begun = take_turn(); !begun) return begun;
  new_windows_ = std::move(open);
  return publish_derived();
}

Expected<void> SourceWriter::publish_end() {
  if (sessions_.empty()) return {};
  // On copies: should the session go on after all, the state that goes on is the one before its
  // end.
  WindowAggregator windows(store_.options_.windows);
  AlertEvaluator alerts(store_.options_.rules);
  if (auto copied = windows.restore(windows_.save(), source_.record.device, source_.record.source,
                                    sessions_.back().record.layout);
      !copied) {
    return copied;
  }
  if (auto copied = alerts.restore(alerts_.save()); !copied) return copied;
  if (auto begun = take_turn(); !begun) return begun;
  windows.flush(new_windows_);
  alerts.flush(new_alerts_);
  alerts_may_be_ended_ = true;
  return publish_derived();
}

}  // namespace gpulse
