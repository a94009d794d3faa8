// From a Kafka topic to InfluxDB: what `gpulse sink influxdb` does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "influxdb/writer.h"
#include "kafka/consumer.h"

namespace gpulse::cli {

struct InfluxRelayOptions {
  ConsumerOptions consumer;
  InfluxWriterOptions writer;
  // Records that cannot be stored are appended here, a JSON object a line, and are on the disk
  // before their offset is stored.
  std::filesystem::path set_aside_file;
};

struct InfluxRelayTotals {
  std::uint64_t records = 0;  // that were read
  std::uint64_t set_aside = 0;
  std::uint64_t stored = 0;  // lines
  std::uint64_t dropped = 0;  // by the server, which does not say which
};

// Reads records, renders them, and stores their offsets once InfluxDB has them, in order within a
// partition. A record may be written twice, by a restart or by two members around a rebalance: it
// is the same point then. Until a stop, which is no error: what was read until then is stored and
// committed first, if InfluxDB takes it within a few seconds. On the calling thread, with one more
// for the requests; `totals` is kept up all the while.
[[nodiscard]] Expected<void> relay_to_influx(const InfluxRelayOptions& options,
                                             const std::stop_token& stop,
                                             InfluxRelayTotals& totals);

}  // namespace gpulse::cli
