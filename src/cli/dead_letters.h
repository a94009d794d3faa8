// What could not be stored, wherever it was set aside: the topic of a sink's dead letters, or the
// file of an outlet of `gpulse run`.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "cli/influx_options.h"
#include "cli/kafka_options.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

struct ShownLetter {
  Timestamp time;  // when it was set aside
  // Where it came from: a record of a topic, or a row of a log.
  std::optional<std::string> topic;
  std::optional<int> partition;
  std::optional<std::string> source;
  std::int64_t offset = 0;
  std::string by;  // the consumer group, or the address that refused it
  std::string reason;
  std::string key;
  std::string value;  // the record, or the line
  std::size_t value_bytes = 0;  // before it was cut
  // Why it cannot be sent again; no value: it can.
  std::optional<Error> unsendable;
};

// Not thread-safe.
class DeadLetters {
 public:
  // Both are given the letter's place, "0:17" in a topic, "17" in a file.
  struct Visitor {
    std::function<Expected<void>(const std::string& place, ShownLetter letter)> letter;
    std::function<void(const std::string& place)> resent;
  };

  virtual ~DeadLetters() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  // In the order of their setting aside, with the notes of what was sent again.
  [[nodiscard]] virtual Expected<void> visit(const Visitor& visitor) = 0;
  // Sends these, which are there and can be sent, and notes that it did. Returns where to.
  [[nodiscard]] virtual Expected<std::string> resend(const std::set<std::string>& places,
                                                     const std::stop_token& stop) = 0;
};

// An empty name is the default's. Usage errors.
[[nodiscard]] Expected<std::unique_ptr<DeadLetters>> open_dead_topic(const KafkaArguments& kafka,
                                                                     const std::string& dead_topic);
// The token is read when it is sent again. An input error when there is no such file.
[[nodiscard]] Expected<std::unique_ptr<DeadLetters>> open_dead_file(
    const std::filesystem::path& file, const InfluxArguments& influx);

}  // namespace gpulse::cli
