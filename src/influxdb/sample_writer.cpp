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
