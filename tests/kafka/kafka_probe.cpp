// The Kafka module by hand, for tests on a real broker: kafka_probe produce|consume ...
//
//   produce LOG ADDRESS ROWS [name=value...]   delivers a log's rows, ROWS of them at a time
//   consume ADDRESS GROUP COUNT [name=value...]   prints that many records: partition, offset,
//   value lag ADDRESS GROUP
//
// Settings: security, mechanism, user, ca, partitions, create, compression, accept_loss, timeout
// (seconds), stop_after (milliseconds), stop_when_away. The password comes from the environment.
// What an observer hears goes to standard error, a line each.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "gpuz/log_reader.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "telemetry/time_zone.h"

namespace gpulse {
namespace {

using Settings = std::map<std::string, std::string>;

class Told final : public ConsumerObserver {
 public:
  // Requested once the cluster is known to be away.
  void stop_when_away(std::function<void()> stop) { when_away_ = std::move(stop); }

  void on_away(const std::string& reason) override {
    fmt::print(stderr, "away: {}\n", reason);
    if (when_away_) when_away_();
  }
  void on_back() override { fmt::print(stderr, "back\n"); }
  void on_refused(const RefusedRecord& record) override {
    fmt::print(stderr, "refused: {}/{} {} {}: {}\n", record.device.host, record.device.gpu,
               record.source, record.offset, record.reason);
  }
  void on_assigned(std::span<const TopicPartition> places) override { tell("assigned", places); }
  void on_revoked(std::span<const TopicPartition> places) override { tell("revoked", places); }
  void on_lost(std::span<const TopicPartition> places) override { tell("lost", places); }
  void on_loss(const KafkaLoss& loss) override {
    fmt::print(stderr, "loss: {} from {} until {}\n", loss.place.partition, loss.from, loss.until);
  }
  void on_log(int level, std::string_view line) override {
    fmt::print(stderr, "log {}: {}\n", level, line);
  }

 private:
  static void tell(std::string_view what, std::span<const TopicPartition> places) {
    fmt::print(stderr, "{}:", what);
    for (const TopicPartition& place : places) fmt::print(stderr, " {}", place.partition);
    fmt::print(stderr, "\n");
  }

  std::function<void()> when_away_;
};

void print(const PartitionLag& lag) {
  fmt::print("{} committed {} begin {} end {} lag {}\n", lag.place.partition, lag.committed,
             lag.begin, lag.end, lag.lag());
}

class Rows final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override { batches.push_back(batch); }
  void on_set_aside(const SetAside&) override {}
  std::vector<SampleBatch> batches;
};

std::vector<SampleBatch> read_rows(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Rows rows;
  LogReader reader(
      {.device = {"rig", "gpu0"}, .zone = *TimeZone::find("UTC"), .source_suffix = {}});
  reader.push(text, rows);
  reader.close(rows);
  return std::move(rows.batches);
}

// As many batches at a time as make `rows` rows; a batch with more is cut.
std::vector<std::vector<SampleBatch>> in_portions(const std::vector<SampleBatch>& batches,
                                                  std::size_t rows) {
  std::vector<std::vector<SampleBatch>> portions;
  std::size_t room = 0;
  for (const SampleBatch& batch : batches) {
    for (std::size_t from = 0; from < batch.rows();) {
      if (room == 0) {
        portions.emplace_back();
        room = rows;
      }
      const std::size_t until = std::min(batch.rows(), from + room);
      portions.back().push_back(slice(batch, from, until, {}));
      room -= until - from;
      from = until;
    }
  }
  return portions;
}

std::string setting(const Settings& settings, const std::string& name,
                    const std::string& otherwise = "") {
  const auto found = settings.find(name);
  return found == settings.end() ? otherwise : found->second;
}

Expected<KafkaConnection> connection_of(const std::string& address, const Settings& settings) {
  auto connection = parse_kafka_address(address);
  if (!connection) return connection;
  connection->security = *parse_kafka_security(setting(settings, "security", "plaintext"));
  connection->mechanism = *parse_kafka_mechanism(setting(settings, "mechanism", "scram-sha-512"));
  connection->user = setting(settings, "user");
  connection->ca_file = setting(settings, "ca");
  connection->password = *read_kafka_password({});
  return connection;
}

int failed(const Error& error) {
  fmt::print(stderr, "error{}: {}\n", error.retryable ? " (retryable)" : "", error.message);
  return exit_code(error.kind);
}

int produce(const std::string& log, const std::string& address, std::size_t rows,
            const Settings& settings) {
  auto connection = connection_of(address, settings);
  if (!connection) return failed(connection.error());
  ProducerOptions options;
  options.connection = *connection;
  if (settings.contains("partitions")) options.partitions = std::stoi(settings.at("partitions"));
  options.create_topic = setting(settings, "create", "1") == "1";
  options.compression = *parse_kafka_compression(setting(settings, "compression", "zstd"));
  const auto portions = in_portions(read_rows(log), rows);
  Told told;
  auto producer = SampleProducer::open(options, told);
  if (!producer) return failed(producer.error());
  std::stop_source stop;
  std::chrono::steady_clock::time_point stopped;
  const auto request_stop = [&] {
    stopped = std::chrono::steady_clock::now();
    stop.request_stop();
  };
  if (settings.contains("stop_when_away")) told.stop_when_away(request_stop);
  std::jthread stopper;
  if (settings.contains("stop_after")) {
    // The moment, within a wait that has no end, is what is under test.
    stopper = std::jthread([&, after = std::stol(settings.at("stop_after"))] {
      std::this_thread::sleep_for(std::chrono::milliseconds(after));
      request_stop();
    });
  }
  const auto began = std::chrono::steady_clock::now();
  for (const auto& portion : portions) {
    const auto done = (*producer)->deliver(portion, stop.get_token());
    if (!done) {
      const std::chrono::duration<double, std::milli> late =
          std::chrono::steady_clock::now() - stopped;
      if (stop.stop_requested()) fmt::print("stopped after {:.0f} ms\n", late.count());
      return failed(done.error());
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const ProducerStatistics counts = (*producer)->statistics();
  fmt::print(
      "{} records {} bytes {} refused {} errors {} rebuilt {} partitions, {:.3f} s, last "
      "acknowledged after {} us\n",
      counts.records, counts.bytes, counts.refused, counts.errors, counts.rebuilt,
      (*producer)->partitions(), took.count(), counts.acknowledged_after.count());
  return 0;
}

// Until COUNT records, or `timeout` seconds without any.
int consume(const std::string& address, const std::string& group, std::size_t count,
            const Settings& settings) {
  auto connection = connection_of(address, settings);
  if (!connection) return failed(connection.error());
  Told told;
  auto consumer = KafkaConsumer::open(
      {.connection = *connection, .group = group, .accept_loss = settings.contains("accept_loss")},
      told);
  if (!consumer) return failed(consumer.error());
  const std::chrono::seconds timeout(std::stol(setting(settings, "timeout", "10")));
  auto until = std::chrono::steady_clock::now() + timeout;
  while (count > 0 && std::chrono::steady_clock::now() < until) {
    const auto records =
        (*consumer)->poll(std::chrono::milliseconds(100), std::min<std::size_t>(count, 1000));
    if (!records) return failed(records.error());
    if (!records->empty()) until = std::chrono::steady_clock::now() + timeout;
    count -= records->size();
    for (const KafkaRecord& record : *records) {
      fmt::print("{} {} {} {}\n", record.partition, record.offset, record.key, record.value);
      (*consumer)->store(record.topic, record.partition, record.offset + 1);
    }
    std::fflush(stdout);
  }
  if (const auto done = (*consumer)->commit(); !done) return failed(done.error());
  for (const PartitionLag& lag : (*consumer)->lag()) {
    fmt::print(stderr, "lag of {}: {}\n", lag.place.partition, lag.lag());
  }
  return 0;
}

int lag(const std::string& address, const std::string& group, const Settings& settings) {
  auto connection = connection_of(address, settings);
  if (!connection) return failed(connection.error());
  Told told;
  constexpr std::chrono::seconds kTimeout{10};
  auto admin = KafkaAdmin::open(*connection, told);
  if (!admin) return failed(admin.error());
  const auto partitions = (*admin)->partitions(kTimeout);
  if (!partitions) return failed(partitions.error());
  const auto groups = (*admin)->groups(kTimeout);
  if (!groups) return failed(groups.error());
  fmt::print("{} partitions\ngroups: {}\n", *partitions, fmt::join(*groups, " "));
  const auto lags = (*admin)->group_lag(group, kTimeout);
  if (!lags) return failed(lags.error());
  for (const PartitionLag& one : *lags) print(one);
  return 0;
}

int run(const std::vector<std::string>& words) {
  Settings settings;
  std::vector<std::string> arguments;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      arguments.push_back(word);
    } else {
      settings[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  if (arguments.size() == 4 && arguments[0] == "produce") {
    return produce(arguments[1], arguments[2], std::stoul(arguments[3]), settings);
  }
  if (arguments.size() == 4 && arguments[0] == "consume") {
    return consume(arguments[1], arguments[2], std::stoul(arguments[3]), settings);
  }
  if (arguments.size() == 3 && arguments[0] == "lag")
    return lag(arguments[1], arguments[2], settings);
  fmt::print(stderr, "usage: see the top of kafka_probe.cpp\n");
  return 2;
}

}  // namespace
}  // namespace gpulse

int main(int argc, char** argv) { return gpulse::run({argv + 1, argv + argc}); }
