// Questions about topics and groups, for who looks from outside: a few requests, each with its own
// timeout.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/connection.h"
#include "kafka/consumer.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct PartitionCopies {
  int partition = 0;
  bool has_leader = false;  // without one nobody can write to it or read it
  int replicas = 0;
  int in_sync = 0;
};

// What the cluster lets us do.
struct KafkaRights {
  bool read = false;
  bool write = false;
};

struct GroupDescription {
  bool exists = false;  // it has members, or offsets
  int members = 0;
  std::optional<bool> may_read;  // nothing: this build cannot ask
};

// Not thread-safe. Errors are retryable when the cluster is not there.
class KafkaAdmin {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<KafkaAdmin>> open(KafkaConnection connection,
                                                                  KafkaObserver& observer);
  ~KafkaAdmin();
  KafkaAdmin(const KafkaAdmin&) = delete;
  KafkaAdmin& operator=(const KafkaAdmin&) = delete;

  // Of what was asked so far: user, password or mechanism are not those of the cluster.
  [[nodiscard]] bool login_refused() const;
  // How many partitions the connection's topic has; 0: there is no such topic.
  [[nodiscard]] Expected<int> partitions(std::chrono::milliseconds timeout);
  // The groups that have members or offsets, by name.
  [[nodiscard]] Expected<std::vector<std::string>> groups(std::chrono::milliseconds timeout);
  // How far a group is in the connection's topic, a line a partition; a group that nobody knows has
  // no offset anywhere.
  [[nodiscard]] Expected<std::vector<PartitionLag>> group_lag(const std::string& group,
                                                              std::chrono::milliseconds timeout);

  // The brokers that are up, as "host:port": where the cluster says that they are.
  [[nodiscard]] Expected<std::vector<std::string>> brokers(std::chrono::milliseconds timeout);
  // The connection's topic, a line a partition; none: there is no such topic.
  [[nodiscard]] Expected<std::vector<PartitionCopies>> copies(std::chrono::milliseconds timeout);
  // Its settings, as "retention.ms", with the brokers' where it has none of its own.
  [[nodiscard]] Expected<std::map<std::string, std::string>> topic_settings(
      std::chrono::milliseconds timeout);
  // Nothing: this build's librdkafka is too old to ask.
  [[nodiscard]] Expected<std::optional<KafkaRights>> topic_rights(
      std::chrono::milliseconds timeout);
  // By Kafka's message time, which is that of sending; nothing in an empty topic, or where this
  // build cannot ask.
  [[nodiscard]] Expected<std::optional<Timestamp>> newest_record(std::chrono::milliseconds timeout);
  [[nodiscard]] Expected<GroupDescription> group(const std::string& name,
                                                 std::chrono::milliseconds timeout);

 private:
  struct Client;

  explicit KafkaAdmin(std::unique_ptr<Client> client);

  std::unique_ptr<Client> client_;
};

}  // namespace gpulse
