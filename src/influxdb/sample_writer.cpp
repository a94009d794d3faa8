#include "influxdb/sample_writer.h"

#include <utility>

namespace gpulse {

Expected<void> InfluxSampleSink::validate(const InfluxWriterOptions& options) {
  return InfluxWriter::validate(options);
}

Expected<std::unique_ptr<InfluxSampleSink>> InfluxSampleSink::build(
    const InfluxWriterOptions& options, InfluxWriterObserver& observer) {
  auto writer = InfluxWriter::build(options, observer);
  if (!writer) return std::unexpected(std::move(writer).error());
  return std::unique_ptr<InfluxSampleSink>(new InfluxSampleSink(*std::move(writer)));
}

InfluxSampleSink::InfluxSampleSink(std::unique_ptr<InfluxWriter> writer)
    : writer_(std::move(writer)), thread_([this](const std::stop_token& stop) {
        // Why it ended is what deliver() returns from then on.
        static_cast<void>(writer_->run(stop));
      }) {}

InfluxSampleSink::~InfluxSampleSink() = default;

Expected<void> InfluxSampleSink::deliver(std::span<const SampleBatch> batches,
                                         const std::stop_token& stop) {
  set_under_way(batches);
  auto done = send(batches, stop);
  set_under_way({});
  return done;
}

void InfluxSampleSink::set_under_way(std::span<const SampleBatch> batches) {
  const std::lock_guard lock(mutex_);
  under_way_ = batches;
  first_ticket_ = next_ticket_;
}

std::optional<DeliveredRow> InfluxSampleSink::row_of(std::uint64_t ticket) const {
  const std::lock_guard lock(mutex_);
  if (ticket < first_ticket_) return std::nullopt;
  std::uint64_t row = ticket - first_ticket_;
  for (const SampleBatch& batch : under_way_) {
    if (row < batch.rows()) return DeliveredRow{batch.device, batch.source, batch.offsets[row]};
    row -= batch.rows();
  }
  return std::nullopt;
}

Expected<void> InfluxSampleSink::send(std::span<const SampleBatch> batches,
                                      const std::stop_token& stop) {
  for (const SampleBatch& batch : batches) {
    lines_.clear();
    renderer_.render(batch, next_ticket_, lines_);
    next_ticket_ += batch.rows();
    if (auto taken = writer_->submit(lines_, stop); !taken) return taken;
  }
  writer_->flush();
  return writer_->wait_acknowledged(stop);
}

}  // namespace gpulse
