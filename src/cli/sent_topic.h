// The topic that a log's rows were sent to, kept beside their positions.
//
// Positions of one topic say nothing of another, nor of one of the same name in another cluster or
// made anew; and a device's partition follows from the topic's number of partitions, while the mark
// that tells doubles from new rows belongs to the partition: a topic that was given more would take
// rows twice.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

#include "kafka/producer.h"
#include "telemetry/sample_sink.h"

namespace gpulse::cli {

// Makes the topic of `options` the very one to which the first row was sent, with as many
// partitions as then, if one was sent from `folder`. Usage errors when they ask for another.
[[nodiscard]] Expected<void> hold_topic(ProducerOptions& options,
                                        const std::filesystem::path& folder);

// The producer, which remembers in `folder` what it sent to once something was delivered. As its
// sink: thread rule and errors; and retryable ones of the folder.
class RememberingProducer final : public SampleSink {
 public:
  // Of the producer's own `topic`. Both must outlive it.
  RememberingProducer(SampleProducer& producer, std::string topic,
                      const std::filesystem::path& folder);

  Expected<void> deliver(std::span<const SampleBatch> batches,
                         const std::stop_token& stop) override;

 private:
  [[nodiscard]] Expected<void> remember() const;

  SampleProducer& producer_;
  const std::string topic_;
  const std::filesystem::path file_;
  bool written_ = false;
};

}  // namespace gpulse::cli
