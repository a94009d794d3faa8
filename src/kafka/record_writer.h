// Records of any kind into a topic: dead letters, and what is sent again of them.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "kafka/connection.h"
#include "kafka/observer.h"
#include "telemetry/error.h"

namespace gpulse {

struct OutgoingRecord {
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
  int partition = -1;  // -1: the one that the key says, as Java's clients choose it
};

struct RecordWriterOptions {
  KafkaConnection connection;  // its topic is the one that is written
  // The topic is made with so many partitions when it is missing; 0: it must be there.
  int partitions_if_missing = 0;
};

// A few at a time, each durable on return; for many samples there is SampleProducer. Not
// thread-safe.
class RecordWriter {
 public:
  // A usage error when the options don't go together. Connects to nothing. The observer must
  // outlive the writer; of it only on_away, on_back and on_log are called.
  [[nodiscard]] static Expected<std::unique_ptr<RecordWriter>> open(RecordWriterOptions options,
                                                                    KafkaObserver& observer);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Returns when all are acknowledged by all replicas in sync, in order within a partition. Waits
  // while the cluster is away. After an error some may have been written, and are again by the next
  // call. Errors: a stop (retryable); login, certificate or right refused, no such topic or
  // partition, a record that is too large (none of them retryable).
  [[nodiscard]] Expected<void> write(std::span<const OutgoingRecord> records,
                                     const std::stop_token& stop);

 private:
  struct Client;

  explicit RecordWriter(std::unique_ptr<Client> client);

  std::unique_ptr<Client> client_;
};

}  // namespace gpulse
