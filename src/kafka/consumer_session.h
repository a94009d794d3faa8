// The consumer's handle and what is known of its partitions.
#pragma once

#include <map>
#include <vector>

#include "kafka/client.h"
#include "kafka/consumer.h"
#include "kafka/messages.h"

namespace gpulse {

class KafkaConsumer::Session : kafka::ClientState {
 public:
  // Joins the group.
  [[nodiscard]] static Expected<std::unique_ptr<Session>> make(ConsumerOptions options,
                                                               ConsumerObserver& observer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Expected<std::span<const KafkaRecord>> poll(std::chrono::milliseconds timeout,
                                                            std::size_t records_max);
  void set_paused(bool paused);
  void store(std::string_view topic, int partition, std::int64_t next);
  [[nodiscard]] Expected<void> commit();
  [[nodiscard]] std::vector<PartitionLag> lag() const;
  using ClientState::is_away;

 private:
  struct Place {
    std::int64_t next = -1;    // behind the last record handed out
    std::int64_t stored = -1;  // where the group stands
    bool astray = false;       // the offset to read from is not there
  };

  Session(ConsumerOptions options, ConsumerObserver& observer);
  [[nodiscard]] Expected<void> subscribe();
  void on_rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions);
  void take(rd_kafka_topic_partition_list_t* partitions);
  void give_back(const rd_kafka_topic_partition_list_t* partitions);
  [[nodiscard]] Expected<void> on_message_error(const rd_kafka_message_t& message);
  [[nodiscard]] Expected<void> find_way();
  // Where to read on; none: the cluster did not answer, to be asked again.
  [[nodiscard]] Expected<std::optional<std::int64_t>> find_start(const TopicPartition& name,
                                                                 const Place& place);
  [[nodiscard]] Expected<void> judge_loss(const KafkaLoss& loss);
  [[nodiscard]] Expected<void> collect(std::chrono::milliseconds timeout, std::size_t records_max);
  void note_places(std::span<const KafkaRecord> records);

  const ConsumerOptions options_;
  ConsumerObserver& observer_;
  kafka::HandlePtr handle_;
  std::map<TopicPartition, Place> places_;
  bool astray_ = false;  // at least one is
  bool paused_ = false;
  kafka::Messages messages_;
};

}  // namespace gpulse
