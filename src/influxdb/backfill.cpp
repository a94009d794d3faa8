#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "influxdb/query.h"
#include "influxdb/setup.h"

namespace gpulse {
namespace {

Expected<void> backfill_one(InfluxClient& client, const Downsampling& downsampling, Timestamp from,
                            Timestamp until, const BackfillProgress& progress,
                            const std::stop_token& stop) {
  const std::string& bucket = client.endpoint().address.bucket;
  for (Timestamp at = from; at < until; at += downsampling.piece) {
    const Timestamp end = std::min<Timestamp>(at + downsampling.piece, until);
    const auto done = run_flux(client, downsampling_query(bucket, downsampling, at, end), stop);
    if (!done) {
      Error error = done.error();
      return std::unexpected(std::move(error).wrapped(fmt::format(
          "cannot fill {} from {}", downsampled_bucket(bucket, downsampling), to_rfc3339(at))));
    }
    if (progress) progress(downsampled_bucket(bucket, downsampling), end, end == until);
  }
  return {};
}

}  // namespace

Expected<void> backfill_influx(const InfluxEndpoint& endpoint, Timestamp from, Timestamp until,
                               const BackfillProgress& progress, const std::stop_token& stop) {
  // A piece takes long on a busy server; better to wait than to have it run twice.
  auto client = InfluxClient::build(endpoint, std::chrono::minutes(10));
  if (!client) return std::unexpected(std::move(client).error());
  const Timestamp first = std::chrono::floor<std::chrono::hours>(from);
  const Timestamp last = std::chrono::ceil<std::chrono::hours>(until);
  for (const Downsampling& each : kDownsamplings) {
    if (auto done = backfill_one(**client, each, first, last, progress, stop); !done) return done;
  }
  return {};
}

}  // namespace gpulse
