// Where a Kafka cluster is and how one gets in: what its clients here have in common.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/error.h"

namespace gpulse {

enum class KafkaSecurity {
  plaintext,
  tls,       // encrypted; with a client certificate the broker knows us by it
  sasl_tls,  // encrypted, and a user with a password
};
enum class KafkaMechanism { scram_sha_512, scram_sha_256, plain };

// "plaintext", "tls", "sasl-tls"; "scram-sha-512", "scram-sha-256", "plain". None for other words.
[[nodiscard]] std::optional<KafkaSecurity> parse_kafka_security(std::string_view word);
[[nodiscard]] std::optional<KafkaMechanism> parse_kafka_mechanism(std::string_view word);

struct KafkaConnection {
  std::vector<std::string> brokers;  // "host:port", some of the cluster's; at least one
  std::string topic;
  KafkaSecurity security = KafkaSecurity::plaintext;
  KafkaMechanism mechanism = KafkaMechanism::scram_sha_512;
  std::string user;
  std::string password;
  // PEM files. Without a CA file the system's certificates are asked.
  std::filesystem::path ca_file;
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
};

// Reads "kafka://host[:port][,host[:port]...]/topic"; the port is 9092 when it is not said, an IPv6
// address stands in brackets. A usage error says what is wrong with it. Users and passwords are
// refused there: an address is seen by everybody who lists processes.
[[nodiscard]] Expected<KafkaConnection> parse_kafka_address(std::string_view address);

// One spelling for one topic: "kafka://a:9092,b:9092/gpu-metrics", the brokers in order and in
// small letters.
[[nodiscard]] std::string canonical_address(const KafkaConnection& connection);

// That the certificates' files, as far as they are named, can be read. Usage errors.
[[nodiscard]] Expected<void> check_certificate_files(const KafkaConnection& connection);

// Whether the parts go together: a usage error names the option that is missing or too much. Pure,
// looks at no file.
[[nodiscard]] Expected<void> validate(const KafkaConnection& connection);

// A password: the line of the file, which only its owner may be able to read, or, without a
// file, the environment variable GPULSE_KAFKA_PASSWORD. Empty when there is neither.
[[nodiscard]] Expected<std::string> read_kafka_password(const std::filesystem::path& file);

}  // namespace gpulse
