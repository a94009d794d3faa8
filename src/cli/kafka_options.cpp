#include "cli/kafka_options.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <iterator>

#include "cli/log_options.h"
#include "kafka/dead_letter.h"

namespace gpulse::cli {
namespace {

constexpr int kWarningLevel = 4;  // syslog's

}  // namespace

void add_kafka_options(CLI::App& app, KafkaArguments& arguments) {
  app.add_option("--security", arguments.security,
                 "plaintext, tls or sasl-tls (default: sasl-tls with --user, tls with --ca-file, "
                 "else plaintext)")
      ->type_name("WORD");
  app.add_option("--mechanism", arguments.mechanism,
                 "scram-sha-512 (default), scram-sha-256 or plain")
      ->type_name("WORD");
  app.add_option("--user", arguments.user,
                 "user at the brokers; the password is in --password-file or "
                 "GPULSE_KAFKA_PASSWORD")
      ->type_name("NAME");
  app.add_option("--password-file", arguments.password_file,
                 "file with the password, readable by its owner only")
      ->type_name("FILE");
  app.add_option("--ca-file", arguments.ca_file, "PEM file of who signs the brokers' certificates")
      ->type_name("FILE");
  app.add_option("--certificate-file", arguments.certificate_file,
                 "PEM file of the certificate by which the brokers know us")
      ->type_name("FILE");
  app.add_option("--key-file", arguments.key_file, "PEM file of its key")->type_name("FILE");
}

void add_dead_topic_option(CLI::App& app, std::string& name) {
  app.add_option("--dead-topic", name,
                 "topic of the records that cannot be stored (default: the topic's name and "
                 "\"-dead\")")
      ->type_name("NAME");
}

std::string dead_topic_of(const std::string& name, const KafkaConnection& source) {
  return name.empty() ? dead_letter_topic(source.topic) : name;
}

Expected<KafkaConnection> kafka_connection(const KafkaArguments& arguments) {
  auto connection = parse_kafka_address(arguments.address);
  if (!connection) return connection;
  connection->user = arguments.user;
  connection->ca_file = path_of(arguments.ca_file);
  connection->certificate_file = path_of(arguments.certificate_file);
  connection->key_file = path_of(arguments.key_file);
  if (!arguments.security.empty()) {
    const auto security = parse_kafka_security(arguments.security);
    if (!security) {
      return usage_error(
          fmt::format("--security {}: give plaintext, tls or sasl-tls", arguments.security));
    }
    connection->security = *security;
  } else if (!arguments.user.empty()) {
    connection->security = KafkaSecurity::sasl_tls;
  } else if (!arguments.ca_file.empty() || !arguments.certificate_file.empty()) {
    connection->security = KafkaSecurity::tls;
  }
  if (!arguments.mechanism.empty()) {
    const auto mechanism = parse_kafka_mechanism(arguments.mechanism);
    if (!mechanism) {
      return usage_error(fmt::format("--mechanism {}: give scram-sha-512, scram-sha-256 or plain",
                                     arguments.mechanism));
    }
    connection->mechanism = *mechanism;
  }
  if (connection->security == KafkaSecurity::sasl_tls) {
    auto password = read_kafka_password(path_of(arguments.password_file));
    if (!password) return std::unexpected(password.error());
    connection->password = std::move(*password);
  }
  if (auto valid = validate(*connection); !valid) return std::unexpected(valid.error());
  if (auto readable = check_certificate_files(*connection); !readable) {
    return std::unexpected(readable.error());
  }
  return connection;
}

std::string folder_name(const std::string& address) {
  std::string name;
  for (const char c : address) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (plain) {
      name += c;
    } else {
      fmt::format_to(std::back_inserter(name), "_{:02x}", static_cast<unsigned char>(c));
    }
  }
  return name;
}

void KafkaReporter::on_away(const std::string& reason) {
  spdlog::warn("Kafka is away: {}; nothing is lost, it is tried until it is back", reason);
}

void KafkaReporter::on_no_topic(const std::string& topic) {
  spdlog::warn("there is no topic {}: is its name right? It is waited for", topic);
}

void KafkaReporter::on_back() { spdlog::info("Kafka is back"); }

void KafkaReporter::on_refused(const RefusedRecord& record) {
  spdlog::warn("set aside: {} / {}, source {} offset {}: {}", record.device.host, record.device.gpu,
               record.source, record.offset, record.reason);
}

void KafkaReporter::on_log(int level, std::string_view line) {
  if (level <= kWarningLevel) {
    spdlog::debug("librdkafka: {}", line);
  }
}

}  // namespace gpulse::cli
