// Questions about topics and groups, for who looks from outside: a few requests, each with its own
// timeout.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kafka/connection.h"
#include "kafka/consumer.h"

namespace gpulse {

// Not thread-safe. Errors are retryable when the cluster is not there.
class KafkaAdmin {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<KafkaAdmin>> open(KafkaConnection connection,
                                                                  KafkaObserver& observer);
  ~KafkaAdmin();
  KafkaAdmin(const KafkaAdmin&) = delete;
  KafkaAdmin& operator=(const KafkaAdmin&) = delete;

  // How many partitions the connection's topic has; 0: there is no such topic.
  [[nodiscard]] Expected<int> partitions(std::chrono::milliseconds timeout);
  // The groups that have members or offsets, by name.
  [[nodiscard]] Expected<std::vector<std::string>> groups(std::chrono::milliseconds timeout);
  // How far a group is in the connection's topic, a line a partition; a group that nobody knows has
  // no offset anywhere.
  [[nodiscard]] Expected<std::vector<PartitionLag>> group_lag(const std::string& group,
                                                              std::chrono::milliseconds timeout);

 private:
  struct Client;

  explicit KafkaAdmin(std::unique_ptr<Client> client);

  std::unique_ptr<Client> client_;
};

}  // namespace gpulse
