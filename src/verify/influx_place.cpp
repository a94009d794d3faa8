#include "verify/influx_place.h"

#include <fmt/format.h>

#include <algorithm>

#include "influxdb/inspection.h"
#include "verify/influx_points.h"
#include "verify/row_tally.h"
#include "verify/source_choice.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

constexpr auto kQueryTimeout = 120s;
constexpr auto kTick = 1us;

class InfluxComparison {
 public:
  InfluxComparison(InfluxClient& client, const LogUnderTest& log, Judging judging)
      : log_(log), points_(client, log.device), judging_(std::move(judging)) {}

  Expected<PlaceReport::OfLog> compare() {
    const auto present = points_.sources();
    if (!present) return std::unexpected(present.error());
    const SourceChoice choice = choose_sources(log_.survey.source, *present);
    std::vector<std::string> chosen = choice.replays;
    if (!choice.own.empty()) chosen.insert(chosen.begin(), choice.own);
    PlaceReport::OfLog report;
    if (chosen.empty()) {
      chosen.push_back(log_.survey.source);
      if (auto noted = note_devices(report); !noted) return std::unexpected(noted.error());
    }
    for (const std::string& source : chosen) {
      auto compared = compare_source(source);
      if (!compared) return std::unexpected(compared.error());
      report.sources.push_back(std::move(*compared));
    }
    note_earlier(choice.earlier, report);
    return report;
  }

 private:
  Expected<void> note_devices(PlaceReport::OfLog& report) {
    const auto devices = points_.devices_of(log_.survey.source);
    if (!devices) return std::unexpected(devices.error());
    for (const Device& device : *devices) {
      report.notes.push_back(
          fmt::format("this log is there as {} / {}: --host and --gpu choose "
                      "what is compared",
                      device.host, device.gpu));
    }
    return {};
  }

  Expected<SourceReport> compare_source(const std::string& source) {
    RowTally tally(log_, source);
    if (is_replay(source)) {
      if (auto found = find_shift(source, tally); !found) return std::unexpected(found.error());
    }
    if (auto taken = take_points(source, tally); !taken) return std::unexpected(taken.error());
    return tally.settle(judging_);
  }

  // The time that a replay added, by its earliest point.
  Expected<void> find_shift(const std::string& source, RowTally& tally) {
    const auto first = points_.first(source);
    if (!first) return std::unexpected(first.error());
    LogRows rows(log_);
    while (*first) {
      const auto batch = rows.next();
      if (!batch) return std::unexpected(batch.error());
      if (*batch == nullptr) break;
      const auto& offsets = (*batch)->offsets;
      const auto at = std::ranges::lower_bound(offsets, (*first)->offset);
      if (at == offsets.end()) continue;
      if (*at == (*first)->offset) {
        const auto row = static_cast<std::size_t>(at - offsets.begin());
        tally.set_shift((*first)->time - (*batch)->times[row]);
      }
      break;
    }
    return {};
  }

  // Slices follow the log and leave no time between them out, so that what stands between two rows
  // is seen. Only a log whose clock was set back has slices that overlap.
  Expected<void> take_points(const std::string& source, RowTally& tally) {
    Timestamp covered = kInfluxFirst;
    std::int64_t session = -1;
    Timestamp session_covered;
    LogRows rows(log_);
    for (;;) {
      const auto next = rows.next();
      if (!next) return std::unexpected(next.error());
      if (*next == nullptr) break;
      const SampleBatch& batch = **next;
      Timestamp from = batch.times.front() + tally.shift();
      if (from >= covered) {
        from = covered;
      } else if (batch.session == session) {
        from = session_covered;
      }
      session = batch.session;
      session_covered = batch.times.back() + tally.shift() + kTick;
      covered = std::max(covered, session_covered);
      auto taken = points_.visit(source, from, session_covered, true, [&](const PlaceRow& there) {
        return take_point(there, batch, rows.rows_before(), tally);
      });
      if (!taken) return taken;
    }
    return points_.visit(source, covered, kInfluxEnd, false, [&](const PlaceRow& there) {
      return tally.misplaced(there.offset, there.time);
    });
  }

  static Expected<void> take_point(const PlaceRow& there, const SampleBatch& batch,
                                   std::int64_t rows_before, RowTally& tally) {
    const auto at = std::ranges::lower_bound(batch.offsets, there.offset);
    const auto row = static_cast<std::size_t>(at - batch.offsets.begin());
    // A point is known by its instant: one that has another than its row may be a second one.
    if (at == batch.offsets.end() || *at != there.offset ||
        batch.times[row] + tally.shift() != there.time) {
      return tally.misplaced(there.offset, there.time);
    }
    tally.found(rows_before + static_cast<std::int64_t>(row), batch, row, there);
    return {};
  }

  const LogUnderTest& log_;
  InfluxPoints points_;
  const Judging judging_;
};

bool any_missing(const PlaceReport& report) {
  return std::ranges::any_of(report.logs, [](const PlaceReport::OfLog& log) {
    return std::ranges::any_of(log.sources, [](const SourceReport& of) { return of.missing > 0; });
  });
}

}  // namespace

Expected<void> check_verifiable(const InfluxEndpoint& endpoint) {
  const InfluxAddress& address = endpoint.address;
  if (address.version.value_or(InfluxVersion::v2) == InfluxVersion::v2 &&
      !address.organisation.empty()) {
    return {};
  }
  return usage_error(
      fmt::format("{} is no address of an InfluxDB 2, and no other can be compared: "
                  "influxdb://host:8086/organisation/bucket",
                  address.display()));
}

Expected<PlaceReport> verify_influx(const InfluxEndpoint& endpoint,
                                    std::span<const LogUnderTest> logs, const Clock& clock) {
  auto client = InfluxClient::build(endpoint, kQueryTimeout);
  if (!client) return std::unexpected(client.error());
  PlaceReport report("influxdb", endpoint.address.display());
  const auto bucket = find_bucket(**client, endpoint.address.bucket);
  if (!bucket) return std::unexpected(bucket.error());
  for (const LogUnderTest& log : logs) {
    Judging judging;
    judging.now = clock.now();
    if (*bucket && (*bucket)->retention > 0s)
      judging.kept_from = judging.now - (*bucket)->retention;
    auto of_log = InfluxComparison(**client, log, std::move(judging)).compare();
    if (!of_log) return std::unexpected(of_log.error());
    report.logs.push_back(std::move(*of_log));
  }
  if (!*bucket && any_missing(report)) {
    report.notes.emplace_back(
        "how long the bucket keeps rows this token may not ask: missing rows may be older");
  }
  return report;
}

}  // namespace gpulse
