// The options of every command that speaks to Kafka.
#pragma once

#include <string>

#include "kafka/connection.h"
#include "kafka/observer.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

// As it stands on the command line. There is no option for a password: everybody who lists
// processes would see it.
struct KafkaArguments {
  std::string address;
  std::string security;
  std::string mechanism;
  std::string user;
  std::string password_file;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
};

// All but the address, whose option each command names itself. `arguments` must outlive the parse.
void add_kafka_options(CLI::App& app, KafkaArguments& arguments);

// Reads the password; usage errors.
[[nodiscard]] Expected<KafkaConnection> kafka_connection(const KafkaArguments& arguments);

// --dead-topic, and what it means: empty is the topic's own, its name and "-dead".
void add_dead_topic_option(CLI::App& app, std::string& name);
[[nodiscard]] std::string dead_topic_of(const std::string& name, const KafkaConnection& source);

// An address, in its one spelling, as the name of a folder for what belongs to that place:
// "kafka_3a_2f_2fhost_3aport_2ftopic". Two addresses never share one, also where a disk takes "A"
// for "a".
[[nodiscard]] std::string folder_name(const std::string& address);

// Says in the log what a Kafka client tells.
class KafkaReporter : public KafkaObserver {
 public:
  void on_away(const std::string& reason) override;
  void on_back() override;
  void on_no_topic(const std::string& topic) override;
  void on_refused(const RefusedRecord& record) override;
  void on_log(int level, std::string_view line) override;
};

}  // namespace gpulse::cli
