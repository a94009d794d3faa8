// Makes an InfluxDB 2 ready for gpulse, over its API: what is right is left alone.
//
// Organisation; bucket; tokens for writing and for reading; buckets for means, minima and maxima by
// the minute and the hour, and the tasks that fill them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "influxdb/client.h"
#include "influxdb/downsampling.h"

namespace gpulse {

struct InfluxSetupOptions {
  // Organisation and bucket to make; the token must have the right to, so it is an administrator's.
  InfluxEndpoint endpoint;
  // How long rows are kept; zero is for ever. InfluxDB keeps nothing for less than an hour, and
  // refuses rows that are older. Not told: a new bucket keeps for ever, an existing one stays as it
  // is.
  std::optional<std::chrono::seconds> retention;
  bool downsample = true;
  // What the files of tokens hold now, empty when there are none. One that still does what it
  // should is left alone; InfluxDB shows a token at its making only, so for any other a new one is
  // made.
  std::string write_token;
  std::string read_token;
};

// One piece, for a person to read: "bucket gpu-metrics: made, keeps for ever".
struct InfluxSetupStep {
  enum class Did { found, made, mended };
  Did did = Did::found;
  std::string what;
};

struct InfluxSetupResult {
  std::vector<InfluxSetupStep> steps;
  // New tokens, to be kept in files that only their owner can read; empty when the old one is
  // right.
  std::string write_token;
  std::string read_token;
};

// Pure. Usage errors.
[[nodiscard]] Expected<void> validate(const InfluxSetupOptions& options);

// An error says which piece failed; those before it stay, and a further call goes on behind them.
[[nodiscard]] Expected<InfluxSetupResult> set_up_influx(const InfluxSetupOptions& options,
                                                        const std::stop_token& stop = {});

// Fills the buckets of means, minima and maxima from rows that were stored before, or too late for
// their tasks: from `from` to `until`, rounded outwards to whole hours. `progress`, if there is
// one, hears up to where a bucket is filled, and whether that is all of it.
using BackfillProgress =
    std::function<void(const std::string& bucket, Timestamp until, bool is_all)>;
[[nodiscard]] Expected<void> backfill_influx(const InfluxEndpoint& endpoint, Timestamp from,
                                             Timestamp until, const BackfillProgress& progress,
                                             const std::stop_token& stop = {});

}  // namespace gpulse
