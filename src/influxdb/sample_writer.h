// InfluxDB as a place where `gpulse run` sends its samples.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "influxdb/line_protocol.h"
#include "influxdb/writer.h"
#include "telemetry/sample_sink.h"

namespace gpulse {

// A row, and where in its log it stands.
struct DeliveredRow {
  Device device;
  std::string source;
  std::int64_t offset = 0;
};

class InfluxSampleSink final : public SampleSink {
 public:
  // Usage errors only: nothing is asked of the server yet.
  [[nodiscard]] static Expected<void> validate(const InfluxWriterOptions& options);
  // Starts the thread that sends. The observer must outlive the sink; its tickets are counted from
  // 1 over all rows that were delivered.
  [[nodiscard]] static Expected<std::unique_ptr<InfluxSampleSink>> build(
      const InfluxWriterOptions& options, InfluxWriterObserver& observer);
  // What is not acknowledged then was not delivered.
  ~InfluxSampleSink() override;

  // See SampleSink. After an error that is not retryable every further call returns it.
  [[nodiscard]] Expected<void> deliver(std::span<const SampleBatch> batches,
                                       const std::stop_token& stop) override;

  // Of which row the line with this ticket was made, for the observer; nothing when deliver() has
  // returned. Any thread.
  [[nodiscard]] std::optional<DeliveredRow> row_of(std::uint64_t ticket) const;
  [[nodiscard]] InfluxWriterStatistics statistics() const { return writer_->statistics(); }

 private:
  explicit InfluxSampleSink(std::unique_ptr<InfluxWriter> writer);
  [[nodiscard]] Expected<void> send(std::span<const SampleBatch> batches,
                                    const std::stop_token& stop);
  void set_under_way(std::span<const SampleBatch> batches);

  std::unique_ptr<InfluxWriter> writer_;
  BatchRenderer renderer_;
  Lines lines_;
  std::uint64_t next_ticket_ = 1;
  mutable std::mutex mutex_;  // of the two below
  std::span<const SampleBatch> under_way_;
  std::uint64_t first_ticket_ = 1;  // of under_way_
  std::jthread thread_;
};

}  // namespace gpulse
