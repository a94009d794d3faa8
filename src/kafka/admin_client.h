// The librdkafka side of KafkaAdmin: inside this module only.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "kafka/admin.h"
#include "kafka/client.h"

namespace gpulse {

struct KafkaAdmin::Client : kafka::ClientState {
  using Metadata =
      std::unique_ptr<const rd_kafka_metadata_t, kafka::Freer<rd_kafka_metadata_destroy>>;
  // Begins an admin request, whose answer comes by the queue.
  using Start = std::function<void(rd_kafka_t*, const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;

  Client(KafkaConnection the_connection, KafkaObserver& observer)
      : ClientState(observer), connection(std::move(the_connection)) {}

  [[nodiscard]] Expected<kafka::HandlePtr> make(const std::string& group);

  // What an error event said weighs more than that a request failed.
  template <class T>
  [[nodiscard]] Expected<T> judged(rd_kafka_t* client, Expected<T> answer) {
    if (answer) return answer;
    rd_kafka_poll(client, 0);
    if (verdict()) return std::unexpected(*verdict());
    return answer;
  }

  [[nodiscard]] Expected<int> partitions(rd_kafka_t* client, std::chrono::milliseconds timeout);
  // A request that the whole cluster can answer. It ends before its time when no broker can be
  // reached, or when login or certificate are refused.
  [[nodiscard]] Expected<kafka::EventPtr> ask(std::string_view doing, rd_kafka_admin_op_t kind,
                                              bool with_rights, std::chrono::milliseconds timeout,
                                              const Start& start);
  // Of the topic, or of the brokers alone; ends early likewise.
  [[nodiscard]] Expected<Metadata> metadata(bool of_topic, std::chrono::milliseconds timeout);
  [[nodiscard]] std::unexpected<Error> failure(rd_kafka_resp_err_t code, std::string_view doing);

  const KafkaConnection connection;
  kafka::HandlePtr handle;

 private:
  // Nothing comes any more that is worth waiting for.
  [[nodiscard]] bool is_hopeless();
};

}  // namespace gpulse
