// Where samples go: a Kafka topic, an InfluxDB bucket.
#pragma once

#include <span>
#include <stop_token>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

// Takes batches and answers for them. One deliver() at a time, on any thread.
class SampleSink {
 public:
  virtual ~SampleSink() = default;

  // Returns when every row is durable behind the sink, in order per device. While the other side is
  // away it blocks and keeps trying, by growing, jittered pauses, and says so once per change of
  // state. A row may arrive twice (after an error, or a kill before the position was kept); it is
  // recognised by its identity. Rows that the other side refuses for good are set aside, counted,
  // and no error. An error that is not retryable ends the way (wrong password, no right to write);
  // a stop is a retryable one.
  [[nodiscard]] virtual Expected<void> deliver(std::span<const SampleBatch> batches,
                                               const std::stop_token& stop) = 0;
};

}  // namespace gpulse
