// From a Kafka topic to InfluxDB: what `gpulse sink influxdb` does.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "influxdb/writer.h"
#include "kafka/consumer.h"

namespace gpulse::cli {

struct InfluxRelayOptions {
  ConsumerOptions consumer;
  InfluxWriterOptions writer;
  // Records that cannot be stored are sent there before their offset is stored. In the same
  // cluster; made when it is missing.
  std::string dead_topic;
};

// Counted since build().
struct InfluxRelayStatistics {
  std::uint64_t records = 0;  // that were read
  std::uint64_t set_aside = 0;
  // When run() has ended: neither stored nor set aside; whoever reads next reads them again.
  std::uint64_t unsettled = 0;
  InfluxWriterStatistics writer;
  std::vector<PartitionLag> lag;  // of the partitions that are read
  bool kafka_away = false;
  bool influx_away = false;
};

// Reads records, renders them, and stores their offsets once InfluxDB has them, in order within a
// partition. A record may be written twice, by a restart or by two members around a rebalance: it
// is the same point then.
class InfluxRelay {
 public:
  // Connects to nothing yet; reads the CA files. Usage errors.
  [[nodiscard]] static Expected<std::unique_ptr<InfluxRelay>> build(InfluxRelayOptions options);
  ~InfluxRelay();
  InfluxRelay(const InfluxRelay&) = delete;
  InfluxRelay& operator=(const InfluxRelay&) = delete;

  // Until a stop, which is no error: what was read until then is stored and committed first, if
  // InfluxDB takes it within a few seconds. On the calling thread, with one more for the requests.
  // Once.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);
  // Any thread.
  [[nodiscard]] InfluxRelayStatistics statistics() const;

 private:
  class Impl;
  class WriterEvents;
  explicit InfluxRelay(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpulse::cli
