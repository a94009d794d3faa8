// Old rows are removed under a store that goes on being written to.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "store/source_writer.h"
#include "store/store.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

class SetClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  void advance(std::chrono::microseconds by) { now_ += by; }

 private:
  Timestamp now_ = *parse_timestamp("2026-03-01T12:00:00Z");
};

const std::string kHeading =
    "        Date        , GPU Temperature [\xB0"
    "C] ,\r\n";

std::string rows(int from, int until) {
  std::string text;
  for (int second = from; second < until; ++second) {
    text += fmt::format("2026-03-01 10:{:02}:{:02} ,  {}.0  ,\r\n", second / 60, second % 60,
                        60 + second % 7);
  }
  return text;
}

class Retention : public ::testing::Test {
 protected:
  Retention() {
    std::random_device random;
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("gpulse-keep-{}", random());
    open();
  }
  ~Retention() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void open() {
    store_.reset();
    StoreOptions options;
    options.folder = folder_;
    options.keep = std::chrono::days{30};
    auto store = Store::open(options, clock_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  // A log that is being read.
  struct Log {
    LogReader reader;
    SourceWriter writer;
  };
  std::unique_ptr<Log> begin_log(const std::string& gpu) {
    const SourceTarget target{{"rig", gpu}, gpu + ".txt", "Etc/UTC"};
    return std::make_unique<Log>(LogReader({target.device, *TimeZone::find("Etc/UTC"), {}}),
                                 SourceWriter(*store_, target));
  }
  static void append(Log& log, const std::string& text) {
    ASSERT_TRUE(log.writer.begin());
    log.reader.push(text, log.writer);
    const auto committed = log.writer.commit(log.reader.state(), 0, true);
    ASSERT_TRUE(committed) << committed.error().message;
  }

  void remove_old(std::size_t expected) {
    const auto removed = store_->apply_retention();
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(*removed, expected);
  }

  std::size_t rows_served(const std::string& gpu) {
    std::size_t found = 0;
    const auto scanned =
        store_->scan({{"rig", gpu}, Timestamp::min(), Timestamp::max(), {"gpu_temperature"}},
                     [&](const Block& block) {
                       found += block.times.size();
                       return true;
                     });
    EXPECT_TRUE(scanned);
    return found;
  }

  void expect_rows(const std::string& gpu, int from, int until) {
    const auto count = static_cast<std::size_t>(until - from);
    EXPECT_EQ(rows_served(gpu), count);
    const auto sessions = store_->sessions({"rig", gpu});
    ASSERT_TRUE(sessions);
    ASSERT_EQ(sessions->size(), 1U);
    EXPECT_EQ(sessions->front().rows, until - from);
    EXPECT_EQ(sessions->front().first,
              *parse_timestamp("2026-03-01T10:00:00Z") + std::chrono::seconds{from});
    EXPECT_EQ(sessions->front().session, static_cast<std::int64_t>(kHeading.size()));
    const auto devices = store_->devices();
    ASSERT_TRUE(devices);
    ASSERT_EQ(devices->size(), 1U);
    EXPECT_EQ(devices->front().rows, until - from);
    EXPECT_EQ(devices->front().first, sessions->front().first);
  }

  SetClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(Retention, RowsThatComeAfterAllOthersOfTheirSessionWentAreServed) {
  auto log = begin_log("gpu0");
  append(*log, kHeading + rows(0, 200));
  clock_.advance(std::chrono::days{40});
  remove_old(1);
  EXPECT_EQ(rows_served("gpu0"), 0U);
  EXPECT_TRUE(store_->devices()->empty());
  append(*log, rows(200, 300));
  expect_rows("gpu0", 200, 300);
  const auto source = store_->find_source(log->writer.source().record.source);
  ASSERT_TRUE(source);
  EXPECT_EQ(source->record.sessions, 1);
  EXPECT_EQ(source->record.rows, 300);
  log.reset();
  open();
  expect_rows("gpu0", 200, 300);
}

TEST_F(Retention, ASessionThatKeepsItsLatestRowsCountsThoseAlone) {
  auto log = begin_log("gpu0");
  append(*log, kHeading + rows(0, 200));
  clock_.advance(std::chrono::days{20});
  append(*log, rows(200, 250));
  clock_.advance(std::chrono::days{20});
  remove_old(1);
  expect_rows("gpu0", 200, 250);
  append(*log, rows(250, 300));
  expect_rows("gpu0", 200, 300);
  log.reset();
  open();
  expect_rows("gpu0", 200, 300);
}

TEST_F(Retention, ALogGoesOnWhereItWasThoughItsRowsAreGone) {
  {
    const auto log = begin_log("gpu0");
    append(*log, kHeading + rows(0, 200));
  }
  clock_.advance(std::chrono::days{40});
  remove_old(1);
  open();
  const auto sources = store_->sources();
  ASSERT_TRUE(sources);
  ASSERT_EQ(sources->size(), 1U);
  const auto known = store_->find_source(sources->front().source);
  auto writer = SourceWriter::resume(*store_, {{"rig", "gpu0"}, "gpu0.txt", "Etc/UTC"}, *known);
  ASSERT_TRUE(writer) << writer.error().message;
  LogReader reader({{"rig", "gpu0"}, *TimeZone::find("Etc/UTC"), {}}, known->checkpoint.reader);
  ASSERT_TRUE((*writer)->begin());
  reader.push(rows(200, 260), **writer);
  ASSERT_TRUE((*writer)->commit(reader.state(), 0, true));
  expect_rows("gpu0", 200, 260);
  EXPECT_EQ((*writer)->source().record.sessions, 1);
}

TEST_F(Retention, NothingOfASessionThatWentTurnsUpInANewOne) {
  {
    const auto old = begin_log("gpu0");
    append(*old, kHeading + rows(0, 200));
    ASSERT_TRUE(old->writer.publish_end());
  }
  clock_.advance(std::chrono::days{40});
  remove_old(1);
  const auto log = begin_log("gpu1");
  append(*log, kHeading + rows(300, 310));
  ASSERT_TRUE(log->writer.publish_end());
  const auto windows =
      store_->windows({"rig", "gpu1"}, Timestamp::min() + 1h, Timestamp::max() - 1h, 100);
  ASSERT_TRUE(windows);
  ASSERT_EQ(windows->size(), 1U);
  EXPECT_EQ(windows->front().rows, 10);
}

TEST_F(Retention, NoOtherReadsALogThatIsBeingRead) {
  const auto log = begin_log("gpu0");
  append(*log, kHeading + rows(0, 10));
  const auto copy = begin_log("copy");
  ASSERT_TRUE(copy->writer.begin());
  copy->reader.push(kHeading + rows(0, 20), copy->writer);
  const auto refused = copy->writer.commit(copy->reader.state(), 0, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "copy.txt is the same log as gpu0.txt, which is being read already");
  EXPECT_FALSE(store_->remove_source(log->writer.source().record.source));
  append(*log, rows(10, 30));
  expect_rows("gpu0", 0, 30);
}

}  // namespace
}  // namespace gpulse
