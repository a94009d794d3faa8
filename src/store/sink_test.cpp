// A store whose rows go to a sink: the book of what that has taken.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "gpuz/log_reader.h"
#include "store/source_writer.h"

namespace gpulse {
namespace {

const std::string kHeading = "Date , GPU Temperature [C] ,\r\n";

std::string row(int second) {
  return fmt::format("2026-03-01 10:{:02}:{:02} , {:.1f} ,\r\n", second / 60, second % 60,
                     40 + second * 0.1);
}

class FakeSink final : public SampleSink {
 public:
  Expected<void> deliver(std::span<const SampleBatch> batches,
                         const std::stop_token& /*stop*/) override {
    if (away) return operation_error("the sink is away", true);
    for (const SampleBatch& batch : batches) {
      offsets.insert(offsets.end(), batch.offsets.begin(), batch.offsets.end());
    }
    return {};
  }
  bool away = false;
  std::vector<std::int64_t> offsets;
};

class SinkTest : public ::testing::Test {
 protected:
  SinkTest() {
    std::random_device random;
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("gpulse-sink-{}", random());
    open();
  }
  ~SinkTest() override {
    writer_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void open() {
    writer_.reset();
    store_.reset();
    StoreOptions options;
    options.folder = folder_;
    options.sink = &sink_;
    options.rules.assign(default_alert_rules().begin(), default_alert_rules().end());
    auto store = Store::open(options, system_clock());
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  // Reads what of `text` was not committed yet.
  Expected<void> read(const std::string& text) {
    const Device device{"rig", "gpu0"};
    const SourceTarget target{device, "log.txt", "Etc/UTC"};
    const auto zone = *TimeZone::find("Etc/UTC");
    const auto sources = *store_->sources();
    std::optional<LedgerSource> known;
    if (!sources.empty()) known = store_->find_source(sources.front().source);
    LogReader reader = known ? LogReader({device, zone, {}}, known->checkpoint.reader)
                             : LogReader({device, zone, {}});
    if (known) {
      auto resumed = SourceWriter::resume(*store_, target, *known);
      if (!resumed) return std::unexpected(resumed.error());
      writer_ = std::move(*resumed);
    } else {
      writer_ = std::make_unique<SourceWriter>(*store_, target);
    }
    if (auto begun = writer_->begin(); !begun) return begun;
    reader.push(std::string_view(text).substr(static_cast<std::size_t>(reader.state().position)),
                *writer_);
    auto done = writer_->commit(reader.state(), 1, true);
    if (done) done = writer_->publish_end();
    writer_.reset();
    return done;
  }

  FakeSink sink_;
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<SourceWriter> writer_;
};

TEST_F(SinkTest, ThePositionMovesPastWhatTheSinkHas) {
  std::string log = kHeading;
  for (int i = 0; i < 20; ++i) log += row(i);
  ASSERT_TRUE(read(log));
  EXPECT_EQ(sink_.offsets.size(), 20U);
  for (int i = 20; i < 30; ++i) log += row(i);
  sink_.away = true;
  const auto refused = read(log);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the sink is away");
  EXPECT_TRUE(refused.error().retryable);
  open();
  EXPECT_EQ(store_->sources()->front().rows, 20) << "rows that the sink does not have";
  sink_.away = false;
  ASSERT_TRUE(read(log));
  std::vector<std::int64_t> every;
  for (int i = 0; i < 30; ++i) {
    every.push_back(static_cast<std::int64_t>(kHeading.size() + row(0).size() * std::size_t(i)));
  }
  EXPECT_EQ(sink_.offsets, every);
}

TEST_F(SinkTest, NoRowsWindowsOrAlertsAreKept) {
  std::string log = kHeading;
  for (int i = 0; i < 600; ++i)
    log += fmt::format("2026-03-01 10:{:02}:{:02} , 95.0 ,\r\n", i / 60, i % 60);
  ASSERT_TRUE(read(log));
  const Device device{"rig", "gpu0"};
  const Timestamp from = Timestamp::min();
  const Timestamp to = Timestamp::max();
  EXPECT_TRUE(store_->windows(device, from, to, 100)->empty());
  EXPECT_TRUE(store_->alerts(device, from, to, 100)->empty());
  ASSERT_EQ(store_->sessions(device)->size(), 1U);
  EXPECT_EQ(store_->sessions(device)->front().rows, 600);
  std::size_t kept = 0;
  ASSERT_TRUE(store_->scan({device, from, to, {"gpu_temperature"}}, [&](const Block& block) {
    kept += block.times.size();
    return true;
  }));
  EXPECT_EQ(kept, 0U);
}

}  // namespace
}  // namespace gpulse
