#include "kafka/client.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace gpulse::kafka {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kLookEvery{1};
constexpr std::chrono::milliseconds kLook{100};

// librdkafka's reason without its remarks on time and repetition: "... Connection refused (after
// 0ms in state CONNECT, 1 identical error(s) suppressed)"; and in our words where its own lead
// astray.
std::string essence(std::string_view reason) {
  const std::string_view broker =
      reason.substr(0, reason.find_first_of("/: ", reason.find(':') + 1));
  if (reason.contains("Disconnected") && reason.contains("in state APIVERSION")) {
    return fmt::format("{} hangs up: its port may be for TLS, which a CA file or a user asks for",
                       broker);
  }
  if (reason.contains("Invalid response size")) {
    return fmt::format("what answers at {} is no Kafka", broker);
  }
  std::string words(reason.substr(0, reason.find(" (after ")));
  // "127.0.0.1:9999/bootstrap: Connect to ipv4#127.0.0.1:9999 failed: Connection refused"
  constexpr std::string_view kFirst = "/bootstrap";
  constexpr std::string_view kFailed = " failed: ";
  if (const auto at = words.find(kFirst); at != std::string::npos) words.erase(at, kFirst.size());
  const auto begin = words.find("Connect to ");
  const auto end = words.find(kFailed);
  if (begin != std::string::npos && end != std::string::npos && begin < end) {
    words.erase(begin, end + kFailed.size() - begin);
  }
  return words;
}

// Brokers hang up when nothing was asked for ten minutes; that is no news.
bool is_hang_up_of_idle(std::string_view words) {
  return words.contains("Disconnected") && words.contains("in state UP");
}

ClientState& state_of(void* opaque) { return *static_cast<ClientState*>(opaque); }

// librdkafka's own words for what no repetition cures: certificates, and a port that speaks no TLS.
bool is_tls_refusal(rd_kafka_resp_err_t code, std::string_view reason) {
  constexpr std::array<std::string_view, 6> kSigns{
      "certificate verify failed", "certificate required", "bad certificate", "unknown ca",
      "wrong version number",      "hostname mismatch"};
  return code == RD_KAFKA_RESP_ERR__SSL && std::ranges::any_of(kSigns, [&](std::string_view sign) {
           return reason.find(sign) != std::string_view::npos;
         });
}

Expected<void> set_all(const ConfPtr& conf,
                       std::initializer_list<std::pair<const char*, std::string>> settings) {
  for (const auto& [name, value] : settings) {
    if (auto done = set(conf, name, value); !done) return done;
  }
  return {};
}

const char* mechanism_name(KafkaMechanism mechanism) {
  switch (mechanism) {
    case KafkaMechanism::scram_sha_256: return "SCRAM-SHA-256";
    case KafkaMechanism::scram_sha_512: return "SCRAM-SHA-512";
    case KafkaMechanism::plain: break;
  }
  return "PLAIN";
}

Expected<void> set_security(const ConfPtr& conf, const KafkaConnection& connection) {
  if (connection.security == KafkaSecurity::plaintext) return {};
  // librdkafka would not say which file it is.
  if (auto readable = check_certificate_files(connection); !readable) return readable;
  const bool login = connection.security == KafkaSecurity::sasl_tls;
  if (auto done = set(conf, "security.protocol", login ? "SASL_SSL" : "SSL"); !done) return done;
  const std::pair<const char*, const std::filesystem::path*> files[] = {
      {"ssl.ca.location", &connection.ca_file},
      {"ssl.certificate.location", &connection.certificate_file},
      {"ssl.key.location", &connection.key_file}};
  for (const auto& [name, file] : files) {
    if (file->empty()) continue;
    if (auto done = set(conf, name, file->string()); !done) return done;
  }
  if (!login) return {};
  return set_all(conf, {{"sasl.mechanism", mechanism_name(connection.mechanism)},
                        {"sasl.username", connection.user},
                        {"sasl.password", connection.password}});
}

}  // namespace

void ClientState::answered() {
  heard_ = true;
  trouble_ = false;
  last_reason_.clear();
  if (!away_) return;
  away_ = false;
  observer_.on_back();
}

void ClientState::away(const std::string& reason) {
  if (away_) return;
  away_ = true;
  observer_.on_away(reason);
}

void ClientState::no_topic(const std::string& topic) {
  if (away_) return;
  away_ = true;
  observer_.on_no_topic(topic);
}

void ClientState::look(rd_kafka_t* handle, const KafkaConnection& connection) {
  const auto now = Steady::now();
  const bool silent = !heard_ && now - began_ > kSilenceMax;
  if ((!away_ && !trouble_ && !silent) || now - looked_ < kLookEvery) return;
  looked_ = now;
  const TopicPtr topic(rd_kafka_topic_new(handle, connection.topic.c_str(), nullptr));
  const auto count = count_partitions(handle, topic.get(), connection, kLook);
  if (count && *count > 0) return answered();
  if (count) return no_topic(connection.topic);
  if (!count.error().retryable) return judge(count.error());
  if (!last_reason_.empty()) return away(last_reason_);
  if (silent) away(fmt::format("no answer for {} s", kSilenceMax.count()));
}

void ClientState::judge(Error error) {
  if (!verdict_) verdict_ = std::move(error);
}

void ClientState::begin_anew() {
  verdict_.reset();
  fatal_ = RD_KAFKA_RESP_ERR_NO_ERROR;
}

void ClientState::on_error(rd_kafka_t* handle, int number, const char* words) {
  if (is_hang_up_of_idle(words)) return;
  const std::string reason = essence(words);
  const auto code = static_cast<rd_kafka_resp_err_t>(number);
  ++errors_;
  switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL: {
      std::array<char, 512> text{};
      fatal_ = rd_kafka_fatal_error(handle, text.data(), text.size());
      last_reason_ = text.data();
      return;
    }
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      // A broker that dies in the middle of a login has refused nobody.
      if (reason.contains("handshake failed: Local:")) break;
      login_refused_ = true;
      judge({ErrorKind::operation,
             fmt::format(
                 "Kafka refused the login: check the user, the password and the mechanism ({})",
                 reason)});
      return;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      away(last_reason_.empty() ? reason : last_reason_);
      return;
    default: break;
  }
  last_reason_ = reason;
  trouble_ = true;
  if (is_tls_refusal(code, last_reason_)) {
    judge({ErrorKind::operation, fmt::format("no TLS connection to Kafka: check the CA file, the "
                                             "client certificate, and that the port is "
                                             "the one for TLS ({})",
                                             reason)});
  }
}

void ClientState::on_log(int level, const char* facility, const char* line) {
  if (std::string_view(facility) == "CONFWARN") return;  // what we set is meant so
  // Of a broker that hangs up at once, as one for TLS does, librdkafka makes no error.
  const std::string_view words = line;
  if (std::string_view(facility) == "FAIL" && !is_hang_up_of_idle(words) && last_reason_.empty()) {
    const auto thread_end = words.find("]: ");
    last_reason_ =
        essence(thread_end == std::string_view::npos ? words : words.substr(thread_end + 3));
    trouble_ = true;
  }
  observer_.on_log(level, fmt::format("{}: {}", facility, line));
}

Expected<void> set(const ConfPtr& conf, const char* name, const std::string& value) {
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(conf.get(), name, value.c_str(), text.data(), text.size()) ==
      RD_KAFKA_CONF_OK)
    return {};
  // Its message repeats the value, and a password is one.
  return usage_error(fmt::format("this build of librdkafka ({}) does not take the setting {}",
                                 rd_kafka_version_str(), name));
}

Expected<ConfPtr> make_conf(const KafkaConnection& connection, ClientState& state) {
  if (auto valid = validate(connection); !valid) return std::unexpected(std::move(valid.error()));
  ConfPtr conf(rd_kafka_conf_new());
  auto done = set_all(
      conf, {
                {"bootstrap.servers", fmt::format("{}", fmt::join(connection.brokers, ","))},
                {"client.id", "gpulse"},
                // A port for TLS hangs up on a client without it, and nothing else tells why.
                {"log.connection.close", "true"},
                {"log.queue", "true"},
                {"reconnect.backoff.ms", "100"},
                {"reconnect.backoff.max.ms", "2000"},
                {"socket.keepalive.enable", "true"},
                {"socket.nagle.disable", "true"},
                {"topic.metadata.refresh.interval.ms", "60000"},
                {"allow.auto.create.topics", "false"},
            });
  if (done) done = set_security(conf, connection);
  if (!done) return std::unexpected(std::move(done.error()));
  rd_kafka_conf_set_opaque(conf.get(), &state);
  rd_kafka_conf_set_error_cb(conf.get(),
                             [](rd_kafka_t* handle, int code, const char* reason, void* opaque) {
                               state_of(opaque).on_error(handle, code, reason);
                             });
  rd_kafka_conf_set_log_cb(
      conf.get(), [](const rd_kafka_t* handle, int level, const char* facility, const char* line) {
        // Before the handle is made there is none to ask for the state.
        if (handle != nullptr) state_of(rd_kafka_opaque(handle)).on_log(level, facility, line);
      });
  return conf;
}

Expected<HandlePtr> make_handle(rd_kafka_type_t type, ConfPtr conf) {
  std::array<char, 512> text{};
  HandlePtr handle(rd_kafka_new(type, conf.get(), text.data(), text.size()));
  if (!handle) return usage_error(fmt::format("cannot set up the Kafka client: {}", text.data()));
  static_cast<void>(conf.release());  // is the handle's now
  rd_kafka_set_log_queue(handle.get(), nullptr);
  return handle;
}

std::string who(const KafkaConnection& connection) {
  if (!connection.user.empty()) return "the user " + connection.user;
  return connection.certificate_file.empty() ? "an unknown user" : "the client certificate's owner";
}

std::optional<Error> judge_answer(rd_kafka_resp_err_t code, const KafkaConnection& connection) {
  const auto refused = [&](std::string_view what) {
    return Error{
        ErrorKind::operation,
        fmt::format("Kafka refuses {}: {}; ask whoever runs the cluster for that right (an ACL)",
                    who(connection), what)};
  };
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return refused(fmt::format("no right to the topic {}", connection.topic));
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return refused("no right to the consumer group");
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return refused("no right to the cluster (to write idempotently, or to make a topic)");
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return Error{ErrorKind::operation,
                   "Kafka refused the login: check the user, the password and the mechanism"};
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return Error{ErrorKind::operation, fmt::format("Kafka refuses the topic {}: {}",
                                                     connection.topic, rd_kafka_err2str(code))};
    default: return {};
  }
}

Expected<int> count_partitions(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                               const KafkaConnection& connection,
                               std::chrono::milliseconds timeout) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code =
      rd_kafka_metadata(handle, 0, topic, &metadata, static_cast<int>(timeout.count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (auto verdict = judge_answer(code, connection)) return std::unexpected(std::move(*verdict));
    return operation_error(code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE
                               ? "what answers there serves no clients: is it a controller's port?"
                               : rd_kafka_err2str(code),
                           true);
  }
  const std::unique_ptr<const rd_kafka_metadata_t, Freer<rd_kafka_metadata_destroy>> owned(
      metadata);
  if (metadata->topic_cnt != 1)
    return operation_error("the cluster did not describe the topic", true);
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (auto verdict = judge_answer(found.err, connection))
      return std::unexpected(std::move(*verdict));
    return operation_error(rd_kafka_err2str(found.err), true);
  }
  return found.partition_cnt;
}

}  // namespace gpulse::kafka
