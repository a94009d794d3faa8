#include "verify/ledger_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "store/ledger_reader.h"
#include "verify/row_merge.h"
#include "verify/source_choice.h"

namespace gpulse {
namespace {

class LedgerComparison {
 public:
  LedgerComparison(LedgerReader& ledger, std::span<const LedgerSource> sources,
                   std::span<const LedgerSession> sessions, Timestamp now)
      : ledger_(ledger), sources_(sources), sessions_(sessions), now_(now) {}

  Expected<PlaceReport::OfLog> compare(const LogUnderTest& log) {
    PlaceReport::OfLog report;
    std::vector<std::string> names;
    names.reserve(sources_.size());
    for (const LedgerSource& source : sources_) names.push_back(source.record.source);
    const SourceChoice choice = choose_sources(log.survey.source, names);
    std::vector<std::string> chosen = choice.replays;
    // A log that nobody knows is missing as a whole.
    if (!choice.own.empty()) chosen.insert(chosen.begin(), choice.own);
    if (chosen.empty()) chosen.push_back(log.survey.source);
    for (const std::string& name : chosen) {
      auto source = compare_source(log, name, report);
      if (!source) return std::unexpected(source.error());
      report.sources.push_back(std::move(*source));
    }
    note_earlier(choice.earlier, report);
    return report;
  }

 private:
  Expected<SourceReport> compare_source(const LogUnderTest& log, const std::string& name,
                                        PlaceReport::OfLog& report) {
    RowTally tally(log, name);
    Judging judging;
    judging.now = now_;
    const auto known = std::ranges::find(
        sources_, name, [](const LedgerSource& source) { return source.record.source; });
    if (known == sources_.end()) return tally.settle(judging);
    if (known->record.timezone != log.zone->name()) {
      return usage_error(
          fmt::format("{} was read in the zone {}, now {} is asked for: give "
                      "--timezone {}",
                      display(log.file->path()), known->record.timezone, log.zone->name(),
                      known->record.timezone));
    }
    if (known->record.device != log.device) {
      report.notes.push_back(fmt::format("it is there as {} / {}, with which it was first seen",
                                         known->record.device.host, known->record.device.gpu));
    }
    const auto sessions = sessions_of(name);
    if (auto read = take_rows(sessions, tally); !read) return std::unexpected(read.error());
    hold_retention(log, *known, sessions, judging);
    return tally.settle(judging);
  }

  // In the order of the log.
  [[nodiscard]] std::vector<LedgerSession> sessions_of(const std::string& source) const {
    std::vector<LedgerSession> found;
    std::ranges::copy_if(sessions_, std::back_inserter(found), [&](const LedgerSession& session) {
      return session.record.source == source;
    });
    std::ranges::sort(found, {}, [](const LedgerSession& each) { return each.record.session; });
    return found;
  }

  Expected<void> take_rows(std::span<const LedgerSession> sessions, RowTally& tally) {
    RowMerge merge(tally);
    for (const LedgerSession& session : sessions) {
      Expected<void> taken;
      auto read = ledger_.scan_batches(session, Timestamp::min(), Timestamp::max(),
                                       [&](const SampleBatch& batch) {
                                         taken = take_batch(batch, merge, tally);
                                         return taken.has_value();
                                       });
      if (!taken) return taken;
      if (!read) return read;
    }
    return {};
  }

  Expected<void> take_batch(const SampleBatch& batch, RowMerge& merge, RowTally& tally) {
    readings_.resize(batch.columns.size());
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const ReadingColumn& column = batch.columns[i];
        readings_[i] = {batch.layout->columns[i].metric,
                        column.present(row) ? std::optional(column.value(row)) : std::nullopt};
      }
      const PlaceRow there{batch.offsets[row], batch.times[row], batch.session, readings_};
      const auto taken = merge.take(there);
      if (!taken) return std::unexpected(taken.error());
      if (*taken) continue;
      if (auto kept = tally.misplaced(there.offset, there.time); !kept) return kept;
    }
    return {};
  }

  // What retention took of a session are its first rows: as many as were read of it less the
  // ledger's own count, which only retention lowers. Without any retention no row may be missing.
  static void hold_retention(const LogUnderTest& log, const LedgerSource& source,
                             std::span<const LedgerSession> sessions, Judging& judging) {
    std::map<std::int64_t, std::int64_t> left;
    std::int64_t all_left = 0;
    for (const auto& [id, record] : sessions) {
      left[record.session] = record.rows;
      all_left += record.rows;
    }
    if (all_left >= source.record.rows) return;
    // Of its last session the ledger may not have read all that the log has by now.
    const std::int64_t last = source.checkpoint.reader.session;
    std::int64_t read_of_last = source.record.rows;
    for (const LogSurvey::Session& session : log.survey.sessions) {
      if (session.session < last) read_of_last -= session.rows;
    }
    judging.taken_from = [left = std::move(left), last,
                          read_of_last](const LogSurvey::Session& session) -> std::int64_t {
      if (session.session > last) return 0;
      const auto found = left.find(session.session);
      const std::int64_t read = session.session == last ? read_of_last : session.rows;
      return read - (found == left.end() ? 0 : found->second);
    };
  }

  LedgerReader& ledger_;
  std::span<const LedgerSource> sources_;
  std::span<const LedgerSession> sessions_;
  const Timestamp now_;
  std::vector<PlaceReading> readings_;
};

}  // namespace

Expected<PlaceReport> verify_ledger(const std::filesystem::path& folder,
                                    std::span<const LogUnderTest> logs, const Clock& clock) {
  auto ledger = LedgerReader::open_snapshot(folder);
  if (!ledger) return std::unexpected(ledger.error());
  const auto sources = (*ledger)->sources();
  if (!sources) return std::unexpected(sources.error());
  const auto sessions = (*ledger)->sessions();
  if (!sessions) return std::unexpected(sessions.error());
  PlaceReport report("ledger", display(folder));
  LedgerComparison comparison(**ledger, *sources, *sessions, clock.now());
  for (const LogUnderTest& log : logs) {
    auto of_log = comparison.compare(log);
    if (!of_log) return std::unexpected(of_log.error());
    report.logs.push_back(std::move(*of_log));
  }
  return report;
}

}  // namespace gpulse
