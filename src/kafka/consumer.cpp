#include "kafka/consumer.h"

#include "kafka/consumer_session.h"

namespace gpulse {

KafkaConsumer::KafkaConsumer(std::unique_ptr<Session> session) : session_(std::move(session)) {}
KafkaConsumer::~KafkaConsumer() = default;

Expected<std::unique_ptr<KafkaConsumer>> KafkaConsumer::open(ConsumerOptions options,
                                                             ConsumerObserver& observer) {
  auto session = Session::make(std::move(options), observer);
  if (!session) return std::unexpected(std::move(session.error()));
  return std::unique_ptr<KafkaConsumer>(new KafkaConsumer(std::move(*session)));
}

Expected<std::span<const KafkaRecord>> KafkaConsumer::poll(std::chrono::milliseconds timeout,
                                                           std::size_t records_max) {
  return session_->poll(timeout, records_max);
}

void KafkaConsumer::pause() { session_->set_paused(true); }
void KafkaConsumer::resume() { session_->set_paused(false); }

void KafkaConsumer::store(std::string_view topic, int partition, std::int64_t next) {
  session_->store(topic, partition, next);
}

Expected<void> KafkaConsumer::commit() { return session_->commit(); }

std::vector<PartitionLag> KafkaConsumer::lag() const { return session_->lag(); }

bool KafkaConsumer::is_away() const { return session_->is_away(); }

}  // namespace gpulse
