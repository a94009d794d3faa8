#include "kafka/connection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include "platform/file.h"
#include "platform/secret_file.h"

namespace gpulse {
namespace {

constexpr std::string_view kScheme = "kafka://";
constexpr std::string_view kDefaultPort = "9092";
constexpr std::size_t kTopicBytesMax = 249;  // Kafka's own limit
constexpr const char* kPasswordVariable = "GPULSE_KAFKA_PASSWORD";

constexpr std::array<std::pair<std::string_view, KafkaSecurity>, 3> kSecurities{{
    {"plaintext", KafkaSecurity::plaintext},
    {"tls", KafkaSecurity::tls},
    {"sasl-tls", KafkaSecurity::sasl_tls},
}};
constexpr std::array<std::pair<std::string_view, KafkaMechanism>, 3> kMechanisms{{
    {"scram-sha-512", KafkaMechanism::scram_sha_512},
    {"scram-sha-256", KafkaMechanism::scram_sha_256},
    {"plain", KafkaMechanism::plain},
}};

template <class Table>
auto find_word(const Table& table, std::string_view word) {
  const auto found = std::ranges::find(table, word, [](const auto& entry) { return entry.first; });
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

// "host", "host:port", "[::1]" or "[::1]:port", with its port.
Expected<std::string> read_broker(std::string_view text) {
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos)
      return usage_error(fmt::format("\"{}\" lacks its ]", text));
    ++host_end;
  }
  const std::string_view host = text.substr(0, host_end);
  if (host.empty()) return usage_error("a broker's host is missing");
  if (host.size() == text.size()) return fmt::format("{}:{}", host, kDefaultPort);
  if (text[host.size()] != ':' || !is_port(text.substr(host.size() + 1))) {
    return usage_error(
        fmt::format("\"{}\" does not end in a port between 1 and 65535 (an IPv6 address "
                    "stands in brackets: [::1]:9092)",
                    text));
  }
  return std::string(text);
}

bool is_topic_name(std::string_view name) {
  return !name.empty() && name.size() <= kTopicBytesMax && name != "." && name != ".." &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

Expected<void> validate_login(const KafkaConnection& connection) {
  if (connection.security != KafkaSecurity::sasl_tls) {
    if (connection.user.empty()) return {};
    return usage_error(
        "a Kafka user needs the security sasl-tls: without TLS anybody on the way can read or "
        "misuse the login, and tls alone knows no user");
  }
  if (connection.user.empty()) return usage_error("the security sasl-tls needs a Kafka user");
  if (connection.password.empty()) {
    return usage_error(fmt::format(
        "the Kafka user {} needs a password: in a file that only you can read, or in the "
        "environment variable {}",
        connection.user, kPasswordVariable));
  }
  return {};
}

Expected<void> validate_certificates(const KafkaConnection& connection) {
  const bool certificate = !connection.certificate_file.empty();
  if (certificate != !connection.key_file.empty()) {
    return usage_error(certificate ? "a Kafka client certificate needs its key file, too"
                                   : "a Kafka client key needs its certificate file, too");
  }
  if (connection.security != KafkaSecurity::plaintext) return {};
  if (!certificate && connection.ca_file.empty()) return {};
  return usage_error(
      "certificates are given, but the Kafka security is plaintext: say tls or sasl-tls");
}

}  // namespace

std::optional<KafkaSecurity> parse_kafka_security(std::string_view word) {
  return find_word(kSecurities, word);
}

std::optional<KafkaMechanism> parse_kafka_mechanism(std::string_view word) {
  return find_word(kMechanisms, word);
}

Expected<KafkaConnection> parse_kafka_address(std::string_view address) {
  const auto wrong = [&](std::string_view why) {
    return usage_error(
        fmt::format("\"{}\" is no Kafka address: {}; it looks like "
                    "kafka://host:9092,host2:9092/gpu-metrics",
                    address, why));
  };
  if (address.find('@') != std::string_view::npos) {
    // Not repeated: it may hold a password.
    return usage_error(
        "a Kafka address holds no user and no password: everybody who lists processes would read "
        "them; there are options for the user and for a file with the password");
  }
  if (!address.starts_with(kScheme)) return wrong("it does not begin with kafka://");
  std::string_view rest = address.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return wrong("its topic is missing");
  KafkaConnection connection;
  connection.topic = rest.substr(slash + 1);
  if (!is_topic_name(connection.topic)) {
    return wrong(fmt::format("a topic is 1 to {} letters, digits, dots, underscores and hyphens",
                             kTopicBytesMax));
  }
  rest = rest.substr(0, slash);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    auto broker = read_broker(rest.substr(0, comma));
    if (!broker) return wrong(broker.error().message);
    connection.brokers.push_back(std::move(*broker));
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return connection;
}

Expected<void> validate(const KafkaConnection& connection) {
  if (connection.brokers.empty()) return usage_error("no Kafka broker is named");
  if (!is_topic_name(connection.topic)) {
    return usage_error(fmt::format("\"{}\" is no name of a Kafka topic", connection.topic));
  }
  if (auto login = validate_login(connection); !login) return login;
  return validate_certificates(connection);
}

std::string canonical_address(const KafkaConnection& connection) {
  std::vector<std::string> brokers = connection.brokers;
  for (std::string& broker : brokers) {
    std::ranges::transform(broker, broker.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  std::ranges::sort(brokers);
  return fmt::format("{}{}/{}", kScheme, fmt::join(brokers, ","), connection.topic);
}

Expected<void> check_certificate_files(const KafkaConnection& connection) {
  for (const auto* file :
       {&connection.ca_file, &connection.certificate_file, &connection.key_file}) {
    if (!file->empty() && !std::ifstream(*file)) {
      return usage_error(
          fmt::format("the certificate or key file {} cannot be read", display(*file)));
    }
  }
  return {};
}

Expected<std::string> read_kafka_password(const std::filesystem::path& file) {
  if (file.empty()) {
    const char* const value =
        std::getenv(kPasswordVariable);  // NOLINT(concurrency-mt-unsafe): nobody sets it
    return std::string(value == nullptr ? "" : value);
  }
  return read_secret_file(file, "password file");
}

}  // namespace gpulse
