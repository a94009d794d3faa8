// librdkafka's handles as values: inside this module only.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kafka/connection.h"
#include "kafka/observer.h"

namespace gpulse::kafka {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Freer<rd_kafka_conf_destroy>>;
using HandlePtr = std::unique_ptr<rd_kafka_t, Freer<rd_kafka_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Freer<rd_kafka_topic_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Freer<rd_kafka_queue_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Freer<rd_kafka_event_destroy>>;
using PartitionsPtr =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Freer<rd_kafka_topic_partition_list_destroy>>;

// Without an answer for so long, and no sign of trouble, the cluster counts as away.
inline constexpr std::chrono::seconds kSilenceMax{10};

// What every client has to mind beyond its own business. Not thread-safe: librdkafka is told to
// call back only from the thread that polls.
class ClientState {
 public:
  explicit ClientState(KafkaObserver& observer) : observer_(observer) {}

  // An answer came that only a working cluster gives.
  void answered();
  // Nothing works; said once.
  void away(const std::string& reason);
  // The same of a topic that is not there.
  void no_topic(const std::string& topic);
  // For a client that waits and so would not notice: asks the cluster whether it is there, if a
  // connection has failed, it was away, or nothing was ever heard of it. At most once a second, for
  // at most a tenth of one.
  void look(rd_kafka_t* handle, const KafkaConnection& connection);
  void on_error(rd_kafka_t* handle, int number, const char* words);
  void on_log(int level, const char* facility, const char* line);

  // The error after which nothing can go on with the same settings.
  [[nodiscard]] const std::optional<Error>& verdict() const { return verdict_; }
  void judge(Error error);
  // The handle is of no more use, another may be.
  [[nodiscard]] bool fatal() const { return fatal_ != RD_KAFKA_RESP_ERR_NO_ERROR; }
  [[nodiscard]] rd_kafka_resp_err_t fatal_code() const { return fatal_; }
  [[nodiscard]] bool is_away() const { return away_; }
  // A connection failed, and no answer has come since.
  [[nodiscard]] bool in_trouble() const { return trouble_; }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  [[nodiscard]] bool login_refused() const { return login_refused_; }
  [[nodiscard]] const std::string& last_reason() const { return last_reason_; }
  [[nodiscard]] KafkaObserver& observer() { return observer_; }
  // For a new handle.
  void begin_anew();

 private:
  KafkaObserver& observer_;
  std::optional<Error> verdict_;
  rd_kafka_resp_err_t fatal_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::atomic<bool> away_ = false;  // these two are asked by any thread
  std::atomic<std::uint64_t> errors_ = 0;
  bool trouble_ = false;
  bool heard_ = false;  // of a cluster that works
  bool login_refused_ = false;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point looked_;
  std::string last_reason_;
};

// Settings of a connection; `state` gets the client's events and must outlive its handle.
[[nodiscard]] Expected<ConfPtr> make_conf(const KafkaConnection& connection, ClientState& state);
// Names and values that this program knows to exist; one that is refused is a usage error.
[[nodiscard]] Expected<void> set(const ConfPtr& conf, const char* name, const std::string& value);
// Takes the settings.
[[nodiscard]] Expected<HandlePtr> make_handle(rd_kafka_type_t type, ConfPtr conf);

// What to do about an answer that no repetition changes: no right, no login. None for all others.
[[nodiscard]] std::optional<Error> judge_answer(rd_kafka_resp_err_t code,
                                                const KafkaConnection& connection);
// "user collector", or how else the cluster knows us.
[[nodiscard]] std::string who(const KafkaConnection& connection);

// How many partitions a topic has; 0: there is none. Retryable errors are those of a cluster that
// is not there or not ready, after at most `timeout`.
[[nodiscard]] Expected<int> count_partitions(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                                             const KafkaConnection& connection,
                                             std::chrono::milliseconds timeout);

}  // namespace gpulse::kafka
