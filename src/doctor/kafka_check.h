// The Kafka part of the way: brokers, topic, rights, group. Writes nothing to the cluster.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "doctor/check.h"
#include "kafka/admin.h"

namespace gpulse::doctor {

struct KafkaQuestions {
  KafkaConnection connection;
  std::string group;    // empty: no group is meant
  bool writes = false;  // this machine is to write to the topic
  bool reads = false;
  std::optional<std::chrono::seconds> retention;  // what the topic is to keep at least
};

// Asks each named broker for itself, all at once, then the cluster. At most a few seconds for each
// question that nobody answers; what only an answering cluster can tell is skipped without one.
[[nodiscard]] Checks check_kafka(const KafkaQuestions& questions, const Clock& clock);

// What the answers mean. Pure.
using TopicSettings = std::map<std::string, std::string>;
[[nodiscard]] Check judge_topic(const std::string& topic,
                                const std::vector<PartitionCopies>& copies, std::size_t brokers,
                                const TopicSettings& settings);
[[nodiscard]] Check judge_topic_retention(const KafkaQuestions& questions,
                                          const TopicSettings& settings);
[[nodiscard]] Check judge_right(const KafkaConnection& connection, std::string_view right,
                                bool granted, bool needed);
[[nodiscard]] Check judge_group(const std::string& name, const GroupDescription& group,
                                const std::vector<PartitionLag>& lags);

}  // namespace gpulse::doctor
