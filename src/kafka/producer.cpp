#include "kafka/producer.h"

#include <fmt/format.h>

#include "kafka/pauses.h"
#include "kafka/producer_session.h"

namespace gpulse {

std::optional<KafkaCompression> parse_kafka_compression(std::string_view word) {
  if (word == "zstd") return KafkaCompression::zstd;
  if (word == "gzip") return KafkaCompression::gzip;
  if (word == "lz4") return KafkaCompression::lz4;
  if (word == "none") return KafkaCompression::none;
  return std::nullopt;
}

Expected<std::unique_ptr<SampleProducer>> SampleProducer::open(ProducerOptions options,
                                                               KafkaObserver& observer) {
  if (auto valid = validate(options.connection); !valid)
    return std::unexpected(std::move(valid.error()));
  if (options.partitions &&
      (*options.partitions < 1 || *options.partitions > ProducerOptions::kPartitionsMax)) {
    return usage_error(
        fmt::format("a topic has 1 to {} partitions", ProducerOptions::kPartitionsMax));
  }
  return std::unique_ptr<SampleProducer>(new SampleProducer(std::move(options), observer));
}

SampleProducer::SampleProducer(ProducerOptions options, KafkaObserver& observer)
    : shared_(std::make_unique<Shared>(std::move(options), observer)),
      watching_([this](const std::stop_token& stop) { watch(stop); }) {}
SampleProducer::~SampleProducer() = default;

Expected<void> SampleProducer::open_session(const std::stop_token& stop) {
  if (session_) return {};
  auto made = Session::make(*shared_);
  if (!made) return std::unexpected(std::move(made.error()));
  session_ = std::move(*made);
  return session_->find_topic(stop);
}

// What the cluster does between deliveries nobody would notice: librdkafka tells it to who polls.
void SampleProducer::watch(const std::stop_token& stop) {
  constexpr std::chrono::seconds kEvery{1};
  while (!stop.stop_requested()) {
    kafka::wait(kEvery, stop);
    const std::unique_lock working(working_, std::try_to_lock);
    if (working && session_) session_->look();
  }
}

Expected<void> SampleProducer::connect(const std::stop_token& stop) {
  const std::lock_guard working(working_);
  kafka::Pauses pauses;
  while (true) {
    auto opened = open_session(stop);
    if (opened) return opened;
    session_.reset();
    if (!opened.error().retryable || stop.stop_requested()) return opened;
    ++shared_->rebuilt;
    shared_->away(opened.error().message);
    kafka::wait(pauses.next(), stop);
  }
}

Expected<void> SampleProducer::deliver(std::span<const SampleBatch> batches,
                                       const std::stop_token& stop) {
  const std::lock_guard working(working_);
  kafka::Delivery delivery(batches);
  shared_->delivery = &delivery;
  kafka::Pauses pauses;
  std::size_t open_before = delivery.open();
  Expected<void> result;
  while (result && !delivery.complete()) {
    Expected<void> step = open_session(stop);
    if (step) step = session_->send(stop);
    if (step) continue;
    session_.reset();
    delivery.forget_outstanding();
    if (delivery.complete()) break;
    if (!step.error().retryable || stop.stop_requested()) {
      result = std::move(step);
      break;
    }
    ++shared_->rebuilt;
    const bool progress = delivery.open() < open_before;
    open_before = delivery.open();
    if (progress) {
      pauses.reset();
      continue;
    }
    if (pauses.grew()) shared_->away(step.error().message);
    kafka::wait(pauses.next(), stop);
  }
  shared_->delivery = nullptr;
  return result;
}

int SampleProducer::partitions() const { return shared_->partitions; }

TopicIdentity SampleProducer::identity() const {
  const std::lock_guard working(working_);
  return shared_->identity.value_or(TopicIdentity{});
}

ProducerStatistics SampleProducer::statistics() const {
  return {.records = shared_->records,
          .bytes = shared_->bytes,
          .refused = shared_->refused,
          .errors = shared_->errors() + shared_->failures,
          .rebuilt = shared_->rebuilt,
          .acknowledged_after = std::chrono::microseconds(shared_->acknowledged_after_us),
          .away = shared_->is_away()};
}

}  // namespace gpulse
