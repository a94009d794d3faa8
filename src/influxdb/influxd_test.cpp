// Against a real InfluxDB 2: GPULSE_INFLUXDB_URL (http://127.0.0.1:8086) and
// GPULSE_INFLUXDB_TOKEN_FILE, an administrator's; GPULSE_INFLUXDB_RESTART, a shell command that
// kills it and starts it again. Each test has an organisation of its own, and removes it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <random>

#include "gpuz/log_generator.h"
#include "gpuz/log_reader.h"
#include "influxdb/query.h"
#include "influxdb/sample_writer.h"
#include "influxdb/setup.h"
#include "influxdb/test_writer.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

// "http://127.0.0.1:8086" as an address of ours, to which "/org/bucket" is added.
std::string server_address() {
  const char* const url = std::getenv("GPULSE_INFLUXDB_URL");
  if (url == nullptr) return {};
  const std::string text = url;
  if (text.starts_with("https://")) return "influxdbs://" + text.substr(8);
  return text.starts_with("http://") ? "influxdb://" + text.substr(7) : text;
}

class Batches final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    all.push_back(slice(batch, 0, batch.rows(), std::chrono::microseconds(0)));
  }
  void on_set_aside(const SetAside&) override {}
  std::vector<SampleBatch> all;
};

std::vector<SampleBatch> generated(std::uint64_t rows, LocalTime start = GeneratorOptions{}.start) {
  GeneratorOptions options;
  options.start = start;
  options.rows = rows;
  LogGenerator generator(options);
  std::string log;
  while (generator.next(log)) {
  }
  LogReaderOptions reader_options;
  reader_options.device = {"my rig", "gpu0"};
  reader_options.zone = *TimeZone::find("UTC");
  LogReader reader(reader_options);
  Batches out;
  reader.push(log, out);
  reader.close(out);
  return std::move(out.all);
}

// Present readings per field, and `offset` for each row.
std::map<std::string, std::int64_t> readings_of(const std::vector<SampleBatch>& batches) {
  std::map<std::string, std::int64_t> out;
  for (const SampleBatch& batch : batches) {
    out["offset"] += static_cast<std::int64_t>(batch.rows());
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      const auto& presence = batch.columns[i].presence();
      const auto present = std::ranges::count(presence, std::uint8_t{1});
      if (present > 0) out[batch.layout->columns[i].metric] += present;
    }
  }
  return out;
}

class Influxd : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string server = server_address();
    if (server.empty())
      GTEST_SKIP() << "GPULSE_INFLUXDB_URL is not set: no InfluxDB to test against";
    organisation_ = "test-" + std::to_string(std::random_device{}());
    InfluxOptions options;
    options.address = server + '/' + organisation_ + "/gpu-metrics";
    if (const char* const file = std::getenv("GPULSE_INFLUXDB_TOKEN_FILE"))
      options.token_file = file;
    if (const char* const file = std::getenv("GPULSE_INFLUXDB_CA_FILE")) options.ca_file = file;
    auto endpoint = open_endpoint(options);
    ASSERT_TRUE(endpoint.has_value()) << endpoint.error().message;
    setup_.endpoint = *endpoint;
    auto client = InfluxClient::build(*endpoint);
    ASSERT_TRUE(client.has_value()) << client.error().message;
    client_ = *std::move(client);
    const auto made = set_up_influx(setup_);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    made_ = *made;
    writer_ = test::quick_options(1);
    writer_.endpoint = *endpoint;
    writer_.endpoint.token = made_.write_token;
  }
  void TearDown() override {
    if (client_ == nullptr) return;
    const auto found = client_->ask("GET", "/api/v2/orgs?org=" + organisation_);
    ASSERT_TRUE(found.has_value());
    const std::size_t at = found->body.find("/api/v2/orgs/");
    ASSERT_NE(at, std::string::npos);
    const auto removed = client_->ask("DELETE", found->body.substr(at, 13 + 16));
    ASSERT_TRUE(removed.has_value());
    EXPECT_EQ(removed->status, 204U);
  }

  std::vector<FluxTable> flux(const std::string& text) {
    auto tables = run_flux(*client_, text);
    EXPECT_TRUE(tables.has_value()) << tables.error().message;
    return tables.value_or(std::vector<FluxTable>{});
  }
  // Points per field of a bucket.
  std::map<std::string, std::int64_t> counts(const std::string& bucket = "gpu-metrics") {
    std::map<std::string, std::int64_t> out;
    for (const FluxTable& table :
         flux("from(bucket: \"" + bucket +
              "\") |> range(start: 1970-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)"
              " |> toFloat() |> count() |> group(columns: [\"_field\"]) |> sum()")) {
      const auto fields = table.column("_field");
      const auto values = table.column("_value");
      for (std::size_t i = 0; i < fields.size(); ++i) out[fields[i]] += std::stoll(values[i]);
    }
    return out;
  }

  std::string organisation_;
  InfluxSetupOptions setup_;
  InfluxSetupResult made_;
  InfluxWriterOptions writer_;
  std::unique_ptr<InfluxClient> client_;
  test::Heard heard_;
};

TEST_F(Influxd, EveryRowOfALogIsThereOnceHoweverOftenItIsDelivered) {
  const auto batches = generated(5000);
  auto sink = InfluxSampleSink::build(writer_, heard_);
  ASSERT_TRUE(sink.has_value());
  for (int i = 0; i < 2; ++i) {
    const auto delivered = (*sink)->deliver(batches, {});
    ASSERT_TRUE(delivered.has_value()) << delivered.error().message;
    EXPECT_EQ(counts(), readings_of(batches));
  }
  EXPECT_TRUE(heard_.set_aside().empty());
  EXPECT_EQ(heard_.dropped(), 0U);
}

TEST_F(Influxd, ReadingsAndNamesComeBackAsTheyWere) {
  auto batches = generated(1);
  batches[0].device = {"a b,c=d\\e", "gpu0"};
  auto options = writer_;
  options.compression = Compression::always;
  auto sink = InfluxSampleSink::build(options, heard_);
  ASSERT_TRUE(sink.has_value());
  ASSERT_TRUE((*sink)->deliver(batches, {}).has_value());
  const auto tables =
      flux("from(bucket: \"gpu-metrics\") |> range(start: 0, stop: 2100-01-01T00:00:00Z)");
  std::map<std::string, double> values;
  for (const FluxTable& table : tables) {
    const auto fields = table.column("_field");
    const auto read = table.column("_value");
    for (std::size_t i = 0; i < fields.size(); ++i) values[fields[i]] = std::stod(read[i]);
    EXPECT_EQ(table.column("host").front(), "a b,c=d\\e");
    EXPECT_EQ(table.column("source").front(), batches[0].source);
    EXPECT_EQ(parse_timestamp(table.column("_time").front()), batches[0].times[0]);
  }
  EXPECT_EQ(values.at("offset"), static_cast<double>(batches[0].offsets[0]));
  for (std::size_t i = 0; i < batches[0].columns.size(); ++i) {
    if (!batches[0].columns[i].present(0)) continue;
    EXPECT_EQ(values.at(batches[0].layout->columns[i].metric), batches[0].columns[i].value(0));
  }
}

TEST_F(Influxd, BadLinesAreSetAsideAndATypeConflictIsCounted) {
  test::RunningWriter running(writer_);
  Lines lines = test::numbered_lines(1, 500);
  const auto replace = [&](std::size_t index, const std::string& text) {
    Lines out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      out.text += (i == index ? text : std::string(lines.line(i))) + '\n';
      out.ends.push_back(out.text.size());
      out.tickets.push_back(lines.tickets[i]);
    }
    lines = std::move(out);
  };
  replace(76, "m f=oops 77");
  replace(400, "m f=1e999 401");
  ASSERT_TRUE(running.writer->submit(lines, {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  ASSERT_EQ(running.heard.set_aside().size(), 2U);
  EXPECT_EQ(running.heard.set_aside().at(77).first, "m f=oops 77");
  EXPECT_EQ(counts().at("f"), 498);

  lines = test::numbered_lines(501, 10);
  replace(3, "m f=\"text\" 504");
  ASSERT_TRUE(running.writer->submit(lines, {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(running.heard.dropped(), 1U);
  EXPECT_NE(running.heard.dropped_reason().find("field type conflict"), std::string::npos);
  EXPECT_EQ(counts().at("f"), 507);
}

TEST_F(Influxd, KilledAndRestartedInMidStreamLosesNothing) {
  const char* const restart = std::getenv("GPULSE_INFLUXDB_RESTART");
  if (restart == nullptr)
    GTEST_SKIP() << "GPULSE_INFLUXDB_RESTART is not set: nothing kills InfluxDB";
  const auto batches = generated(30'000);
  auto options = writer_;
  options.pause_max = 100ms;
  auto sink = InfluxSampleSink::build(options, heard_);
  ASSERT_TRUE(sink.has_value());
  Expected<void> delivered;
  std::atomic<bool> restarted = false;
  // Again and again, so that the kill comes into the midst of it.
  std::thread deliverer([&] {
    do {
      delivered = (*sink)->deliver(batches, {});
    } while (delivered && !restarted);
  });
  while ((*sink)->statistics().lines_stored < 5'000) std::this_thread::yield();
  EXPECT_EQ(std::system(restart), 0);
  restarted = true;
  deliverer.join();
  ASSERT_TRUE(delivered.has_value()) << delivered.error().message;
  EXPECT_GT((*sink)->statistics().retries, 0U) << "nobody was disturbed by the kill";
  EXPECT_EQ(counts(), readings_of(batches));
  EXPECT_TRUE(heard_.set_aside().empty());
}

TEST_F(Influxd, ARowIsSeenByAQueryWithinHalfASecond) {
  auto options = writer_;
  options.linger = InfluxWriterOptions{}.linger;
  test::RunningWriter running(options);
  std::vector<std::chrono::steady_clock::duration> took;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(running.writer->submit(test::numbered_lines(n, 1), {}).has_value());
    while (counts()["f"] < static_cast<std::int64_t>(n)) std::this_thread::yield();
    took.push_back(std::chrono::steady_clock::now() - began);
  }
  std::ranges::sort(took);
  RecordProperty("median_ms", static_cast<int>(took[10] / 1ms));
  RecordProperty("max_ms", static_cast<int>(took.back() / 1ms));
  EXPECT_LT(took[10], 500ms);
}

TEST_F(Influxd, WrongTokenReadTokenAndMissingBucketAreToldApart) {
  const auto refusal = [&](const InfluxWriterOptions& options) {
    test::RunningWriter running(options);
    static_cast<void>(running.writer->submit(test::numbered_lines(1, 3), {}));
    const auto waited = running.writer->wait_acknowledged({});
    EXPECT_FALSE(waited.has_value());
    return waited ? std::string() : waited.error().message;
  };
  auto options = writer_;
  options.endpoint.token = "wrong";
  EXPECT_NE(refusal(options).find("does not know us (401"), std::string::npos);
  options.endpoint.token = made_.read_token;
  EXPECT_NE(refusal(options).find("the right to write"), std::string::npos);
  options.endpoint = setup_.endpoint;
  options.endpoint.address.bucket = "nowhere";
  EXPECT_NE(refusal(options).find("check organisation and bucket"), std::string::npos);
}

TEST_F(Influxd, SetUpAgainChangesNothingAndMendsWhatDiffers) {
  EXPECT_EQ(made_.steps.size(), 8U);
  auto again = setup_;
  again.write_token = made_.write_token;
  again.read_token = made_.read_token;
  const auto second = set_up_influx(again);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  for (const InfluxSetupStep& step : second->steps) {
    EXPECT_EQ(step.did, InfluxSetupStep::Did::found) << step.what;
  }
  EXPECT_EQ(second->write_token, "");

  again.retention = 72h;
  again.read_token = "stale";
  const auto mended = set_up_influx(again);
  ASSERT_TRUE(mended.has_value()) << mended.error().message;
  std::vector<std::string> changed;
  for (const InfluxSetupStep& step : mended->steps) {
    if (step.did == InfluxSetupStep::Did::mended) changed.push_back(step.what);
  }
  EXPECT_EQ(changed, (std::vector<std::string>{"bucket gpu-metrics, kept for ever, now for 3 days",
                                               "read-only token"}));
  EXPECT_NE(mended->read_token, "");
}

TEST_F(Influxd, TheReadTokenReadsAndDoesNotWriteTheWriteTokenWritesAndDoesNotRead) {
  auto endpoint = setup_.endpoint;
  endpoint.token = made_.read_token;
  auto reader = InfluxClient::build(endpoint);
  EXPECT_TRUE(
      run_flux(**reader, "from(bucket: \"gpu-metrics-1h\") |> range(start: -1h)").has_value());
  EXPECT_EQ(
      (*reader)
          ->ask("POST", write_target(endpoint.address, InfluxVersion::v2), "text/plain", "m f=1")
          ->status,
      403U);
  endpoint.token = made_.write_token;
  auto writer = InfluxClient::build(endpoint);
  EXPECT_FALSE(
      run_flux(**writer, "from(bucket: \"gpu-metrics\") |> range(start: -1h)").has_value());
}

TEST_F(Influxd, BackfillMakesMeansMinimaAndMaximaOfOldRows) {
  const auto batches = generated(5000);
  auto sink = InfluxSampleSink::build(writer_, heard_);
  ASSERT_TRUE((*sink)->deliver(batches, {}).has_value());
  const Timestamp from = batches.front().times.front();
  const Timestamp until = batches.back().times.back() + 1s;
  for (int i = 0; i < 2; ++i) {
    const auto filled = backfill_influx(setup_.endpoint, from, until, {});
    ASSERT_TRUE(filled.has_value()) << filled.error().message;
  }
  std::map<Timestamp, std::pair<double, int>> minutes;
  for (const SampleBatch& batch : batches) {
    std::size_t at = 0;
    while (batch.layout->columns[at].metric != "gpu_temperature") ++at;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (!batch.columns[at].present(row)) continue;
      auto& [sum, count] = minutes[std::chrono::floor<std::chrono::minutes>(batch.times[row])];
      sum += batch.columns[at].value(row);
      ++count;
    }
  }
  std::size_t found = 0;
  for (const FluxTable& table :
       flux("from(bucket: \"gpu-metrics-1m\") |> range(start: 0, stop: 2100-01-01T00:00:00Z)"
            " |> filter(fn: (r) => r._field == \"gpu_temperature\" and r.aggregate == \"mean\")")) {
    const auto times = table.column("_time");
    const auto values = table.column("_value");
    for (std::size_t i = 0; i < times.size(); ++i, ++found) {
      const auto& [sum, count] = minutes.at(*parse_timestamp(times[i]));
      EXPECT_NEAR(std::stod(values[i]), sum / count, 1e-9) << times[i];
    }
  }
  EXPECT_EQ(found, minutes.size());
  EXPECT_FALSE(counts("gpu-metrics-1h").contains("offset"));
  EXPECT_FALSE(counts("gpu-metrics-1h").contains("perfcap_reason"));
}

TEST_F(Influxd, TheTasksRunByThemselvesWithoutAnError) {
  const auto now = std::chrono::floor<std::chrono::hours>(std::chrono::system_clock::now());
  const auto batches = generated(600, LocalTime{now.time_since_epoch()} - 10min);
  auto sink = InfluxSampleSink::build(writer_, heard_);
  ASSERT_TRUE((*sink)->deliver(batches, {}).has_value());
  const auto list =
      client_->ask("GET", "/api/v2/tasks?org=" + organisation_ + "&name=gpu-metrics-1h");
  ASSERT_TRUE(list.has_value());
  const std::size_t at = list->body.find(R"("self":"/api/v2/tasks/)");
  const std::size_t spaced = list->body.find(R"("self": "/api/v2/tasks/)");
  const std::size_t begin = list->body.find("/api/v2/tasks/", std::min(at, spaced));
  ASSERT_NE(begin, std::string::npos) << list->body;
  const std::string runs = list->body.substr(begin, 14 + 16) + "/runs";
  ASSERT_EQ(client_->ask("POST", runs, "application/json", "{}")->status, 201U);
  std::string state;
  do {
    state = client_->ask("GET", runs)->body;
    ASSERT_EQ(state.find("\"failed\""), std::string::npos) << state;
  } while (state.find("\"success\"") == std::string::npos);
  EXPECT_EQ(counts("gpu-metrics-1h").at("gpu_temperature"), 3) << "mean, min and max of one hour";
}

TEST_F(Influxd, AnUnknownBucketAndASyntaxErrorOfAQueryAreErrors) {
  EXPECT_FALSE(run_flux(*client_, "from(bucket: \"nowhere\") |> range(start: 0)").has_value());
  const auto wrong = run_flux(*client_, "from(");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().message.find("cannot query"), std::string::npos);
}

}  // namespace
}  // namespace gpulse
