// What a Kafka client tells while it works.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/sample_batch.h"

namespace gpulse {

// A record that the cluster refuses for good: too large, invalid.
struct RefusedRecord {
  Device device;
  std::string source;
  std::int64_t offset = 0;
  std::string reason;
};

// Called on the thread that works with the client, during its calls; by a SampleProducer between
// them, too, on a thread of its own. Never two calls at once. Nothing has to be overridden.
class KafkaObserver {
 public:
  virtual ~KafkaObserver() = default;
  // The cluster cannot be reached, or does not answer; it is tried again until it does. Once per
  // outage.
  virtual void on_away(const std::string& /*reason*/) {}
  virtual void on_back() {}
  // The cluster has no such topic, for which the client waits as for a cluster that is away.
  virtual void on_no_topic(const std::string& /*topic*/) {}
  virtual void on_refused(const RefusedRecord& /*record*/) {}
  // A line of librdkafka's, of syslog's levels: 3 error, 4 warning, 5 notice, 6 info, 7 debug.
  virtual void on_log(int /*level*/, std::string_view /*line*/) {}
};

}  // namespace gpulse
