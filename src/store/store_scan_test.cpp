// What a scan finds, whichever part of it lies in memory and which in the ledger.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "gpuz/test_reading.h"
#include "store/source_writer.h"
#include "store/store.h"

namespace gpulse {
namespace {

class SetClock final : public Clock {
 public:
  Timestamp now() const override { return from_microseconds(now_); }
  void set(Timestamp now) { now_ = to_microseconds(now); }

 private:
  std::atomic<std::int64_t> now_ = to_microseconds(*parse_timestamp("2023-07-01T00:00:00Z"));
};

class TestFolder {
 public:
  TestFolder() {
    std::random_device random;
    path_ = std::filesystem::path(testing::TempDir()) / fmt::format("gpulse-scan-{}", random());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<Store> open_store(const TestFolder& folder, const Clock& clock, int hot_hours,
                                  std::size_t hot_bytes_max = std::size_t{256} << 20) {
  StoreOptions options;
  options.folder = folder.path();
  options.hot = std::chrono::hours{hot_hours};
  options.hot_bytes_max = hot_bytes_max;
  auto store = Store::open(options, clock);
  EXPECT_TRUE(store);
  return std::move(*store);
}

// A log on its way into the store, and what a scan must find of it.
struct Written {
  Written(Store& store, const Device& device, std::string text)
      : log(std::move(text)),
        reader({.device = device, .zone = zone_named("UTC"), .source_suffix = {}}),
        writer(store, {device, "log", "UTC"}) {}

  void write(std::size_t bytes) {
    const std::string_view piece = std::string_view(log).substr(at, bytes);
    ASSERT_TRUE(writer.begin());
    reader.push(piece, writer);
    reader_beside.push(piece, found);
    ASSERT_TRUE(writer.commit(reader.state(), 0, true));
    at += piece.size();
  }
  [[nodiscard]] bool whole() const { return at == log.size(); }

  std::string log;
  std::size_t at = 0;
  LogReader reader;
  SourceWriter writer;
  LogReader reader_beside{reader_options()};
  Collected found;
};

struct Found {
  std::string source;
  std::int64_t session = 0;
  Timestamp time;
  std::vector<std::uint64_t> values;

  friend bool operator==(const Found&, const Found&) = default;
};

// Rows of [from, to]: sessions by their first rows, in time order.
std::vector<Found> expected_rows(const std::vector<const Written*>& logs,
                                 const ScanRequest& request) {
  std::map<std::pair<std::string, std::int64_t>, Timestamp> firsts;
  std::vector<std::pair<Timestamp, Found>> rows;
  for (const Written* log : logs) {
    for (const ReadRow& row : log->found.rows) {
      const Timestamp first = firsts.try_emplace({row.source, row.session}, row.time).first->second;
      if (row.time < request.from || row.time > request.to) continue;
      Found found{row.source, row.session, row.time, {}};
      for (const std::string& metric : request.metrics) {
        const auto at = std::ranges::find(row.metrics, metric) - row.metrics.begin();
        const auto column = static_cast<std::size_t>(at);
        found.values.push_back(column == row.metrics.size() ? ~0ULL : row.values[column]);
      }
      rows.emplace_back(first, std::move(found));
    }
  }
  std::ranges::stable_sort(rows, {}, &std::pair<Timestamp, Found>::first);
  std::vector<Found> found;
  for (auto& row : rows) found.push_back(std::move(row.second));
  return found;
}

std::vector<Found> scanned_rows(const Store& store, const ScanRequest& request) {
  std::vector<Found> rows;
  const auto scanned = store.scan(request, [&](const Block& block) {
    EXPECT_FALSE(block.times.empty());
    EXPECT_EQ(block.values.size(), request.metrics.size());
    for (std::size_t row = 0; row < block.times.size(); ++row) {
      Found found{block.session->source, block.session->session, block.times[row], {}};
      for (const auto& values : block.values) {
        const bool absent = values.empty() || std::isnan(values[row]);
        found.values.push_back(absent ? ~0ULL : std::bit_cast<std::uint64_t>(values[row]));
      }
      rows.push_back(std::move(found));
    }
    return true;
  });
  EXPECT_TRUE(scanned);
  return rows;
}

// Rows of some hours: steps of up to some minutes, clocks set back, headings of other columns,
// readings that are absent, grow decimals or outgrow 32 bits.
std::string random_log(std::mt19937& random, int rows) {
  const std::vector<std::string> headings = {
      std::string(kHeading), "Date , GPU Temperature [C] , Liquid Flow [l/h] , GPU Load [%] ,\r\n"};
  std::string log = headings[0];
  auto second = static_cast<std::int64_t>(random() % 100'000);
  for (int row = 0; row < rows; ++row) {
    const auto dice = random() % 100;
    if (dice == 0) log += headings[random() % 2];
    second += dice < 2 ? -static_cast<std::int64_t>(random() % 5000)
                       : static_cast<std::int64_t>(random() % (dice < 5 ? 2000 : 60));
    second = std::max<std::int64_t>(second, 0);
    const auto time =
        std::chrono::sys_days{std::chrono::year{2023} / 6 / 16} + std::chrono::seconds{second};
    std::string text = to_rfc3339(time).substr(0, 19);
    text[10] = ' ';
    log += text;
    for (int column = 0; column < 3; ++column) {
      const auto kind = random() % 40;
      const auto value = static_cast<int>(random() % 2000);
      log += kind == 0   ? " , -"
             : kind == 1 ? fmt::format(" , {}.{:02}", value, value % 100)
             : kind == 2 ? fmt::format(" , {}000000000.5", value)
             : kind == 3 ? fmt::format(" , -{}.5", value)
                         : fmt::format(" , {:>12}.{}  ", value, value % 10);
    }
    log += " ,\r\n";
  }
  return log;
}

ScanRequest random_request(std::mt19937& random, const Device& device,
                           const std::vector<const Written*>& logs) {
  const std::vector<std::string> metrics = {"gpu_temperature", "gpu_clock",   "perfcap_reason",
                                            "liquid_flow",     "no_such_one", "gpu_load"};
  ScanRequest request{device, Timestamp::min(), Timestamp::max(), {}};
  const auto time = [&] {
    const auto& rows = logs[random() % logs.size()]->found.rows;
    return rows[random() % rows.size()].time + std::chrono::microseconds{random() % 3} -
           std::chrono::microseconds{1};
  };
  if (random() % 4 != 0) request.from = time();
  if (random() % 4 != 0) request.to = time();
  for (auto count = random() % 4; count > 0; --count) {
    request.metrics.push_back(metrics[random() % metrics.size()]);
  }
  return request;
}

TEST(StoreScan, FindsTheSameWhicheverPartIsInMemory) {
  std::mt19937 random(20230616);
  for (int round = 0; round < 25; ++round) {
    const TestFolder folder;
    SetClock clock;
    // Some rows may be ahead of the clock.
    if (random() % 3 == 0) clock.set(*parse_timestamp("2023-06-16T20:00:00Z"));
    const int hot_hours = static_cast<int>(random() % 5);
    const std::size_t hot_bytes_max = random() % 3 == 0 ? 1000 : 1 << 20;
    auto store = open_store(folder, clock, hot_hours, hot_bytes_max);
    const std::vector<Device> devices = {{"rig", "gpu0"}, {"rig", "gpu1"}};
    std::vector<std::unique_ptr<Written>> logs;
    std::map<Device, std::vector<const Written*>> of_device;
    for (int i = 0; i < 3; ++i) {
      const Device& device = devices[static_cast<std::size_t>(i) % 2];
      logs.push_back(std::make_unique<Written>(*store, device, random_log(random, 400)));
    }
    while (std::ranges::any_of(logs, [](const auto& log) { return !log->whole(); })) {
      const std::size_t i = random() % logs.size();
      logs[i]->write(1 + random() % (logs[i]->log.size() / 4));
      auto& written = of_device[devices[i % 2]];
      if (!logs[i]->found.rows.empty() &&
          std::ranges::find(written, logs[i].get()) == written.end()) {
        written.push_back(logs[i].get());
      }
      const Device& device = devices[random() % 2];
      if (of_device[device].empty()) continue;
      const ScanRequest request = random_request(random, device, of_device[device]);
      ASSERT_EQ(scanned_rows(*store, request), expected_rows(of_device[device], request));
    }
  }
}

TEST(StoreScan, FindsTheSameAfterARestart) {
  std::mt19937 random(1);
  for (const int hot_hours : {0, 1, 36}) {
    const TestFolder folder;
    const SetClock clock;
    const Device device{"rig", "gpu0"};
    auto store = open_store(folder, clock, hot_hours);
    auto log = std::make_unique<Written>(*store, device, random_log(random, 600));
    log->write(log->log.size());
    std::vector<std::pair<ScanRequest, std::vector<Found>>> expected;
    for (int i = 0; i < 20; ++i) {
      const ScanRequest request = random_request(random, device, {log.get()});
      expected.emplace_back(request, expected_rows({log.get()}, request));
    }
    log.reset();
    store.reset();
    store = open_store(folder, clock, hot_hours);
    for (const auto& [request, rows] : expected) ASSERT_EQ(scanned_rows(*store, request), rows);
  }
}

TEST(StoreScan, BothEndsOfTheRangeBelongToIt) {
  for (const int hot_hours : {0, 36}) {
    const TestFolder folder;
    const SetClock clock;
    auto store = open_store(folder, clock, hot_hours);
    Written log(
        *store, {"rig", "gpu0"},
        std::string(kHeading) + padded_row(0) + padded_row(1) + padded_row(2) + padded_row(7200));
    log.write(log.log.size());
    const Timestamp first = log.found.rows[0].time;
    const auto count = [&](std::chrono::microseconds from, std::chrono::microseconds to) {
      return scanned_rows(*store, {{"rig", "gpu0"}, first + from, first + to, {}}).size();
    };
    using std::chrono::microseconds;
    EXPECT_EQ(count(microseconds{0}, microseconds{2'000'000}), 3U);
    EXPECT_EQ(count(microseconds{1}, microseconds{1'999'999}), 1U);
    EXPECT_EQ(count(microseconds{1'000'000}, microseconds{1'000'000}), 1U);
    EXPECT_EQ(count(microseconds{2'000'001}, microseconds{7'199'999'999}), 0U);
    EXPECT_EQ(count(microseconds{2'000'000}, microseconds{0}), 0U);
  }
}

TEST(StoreScan, StopsWhenTheVisitorHasSeenEnough) {
  const TestFolder folder;
  const SetClock clock;
  auto store = open_store(folder, clock, 1);
  Written log(*store, {"rig", "gpu0"},
              std::string(kHeading) + padded_row(0) + padded_row(7200) + padded_row(14400));
  log.write(log.log.size());
  int blocks = 0;
  ASSERT_TRUE(store->scan({{"rig", "gpu0"}, Timestamp::min(), Timestamp::max(), {}},
                          [&](const Block&) { return ++blocks < 2; }));
  EXPECT_EQ(blocks, 2);
  ASSERT_TRUE(store->scan({{"rig", "none"}, Timestamp::min(), Timestamp::max(), {}},
                          [&](const Block&) { return ++blocks < 2; }));
  EXPECT_EQ(blocks, 2);
}

// Whether the rows lie in the ledger, in memory, or have to be brought there first.
TEST(StoreScan, EndsWithAnErrorWhenItIsStopped) {
  for (const int hot_hours : {0, 1, 36}) {
    const TestFolder folder;
    const SetClock clock;
    auto store = open_store(folder, clock, hot_hours);
    Written log(*store, {"rig", "gpu0"},
                std::string(kHeading) + padded_row(0) + padded_row(7200) + padded_row(14400));
    log.write(log.log.size());
    std::stop_source before;
    before.request_stop();
    ScanRequest request{
        {"rig", "gpu0"}, Timestamp::min(), Timestamp::max(), {"gpu_clock"}, before.get_token()};
    const auto visits_nothing = [](const Block&) {
      ADD_FAILURE() << "a stopped scan visits nothing";
      return true;
    };
    EXPECT_FALSE(store->scan(request, visits_nothing));
    std::stop_source meanwhile;
    request.stop = meanwhile.get_token();
    int blocks = 0;
    const auto stopped = store->scan(request, [&](const Block&) {
      ++blocks;
      meanwhile.request_stop();
      return true;
    });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().message, "gpulse is stopping");
    EXPECT_EQ(blocks, 1);
    request.stop = {};
    EXPECT_TRUE(store->scan(request, [&](const Block&) { return ++blocks > 0; }));
    EXPECT_EQ(blocks, 4);
  }
}

// A device that grows pushes out those that were not asked for lately, and stays itself.
TEST(StoreScan, HotColumnsStayWithinTheirCap) {
  const TestFolder folder;
  const SetClock clock;
  constexpr std::size_t kCap = 80'000;
  auto store = open_store(folder, clock, 36, kCap);
  std::mt19937 random(3);
  std::vector<std::unique_ptr<Written>> logs;
  for (int i = 0; i < 4; ++i) {
    const Device device{"rig", fmt::format("gpu{}", i)};
    logs.push_back(std::make_unique<Written>(*store, device, random_log(random, 1500)));
    logs.back()->write(20'000);
    static_cast<void>(scanned_rows(*store, {device, Timestamp::min(), Timestamp::max(), {}}));
  }
  while (!logs[0]->whole()) {
    logs[0]->write(20'000);
    EXPECT_LE(store->hot_bytes(), kCap);
  }
}

TEST(StoreSetAside, OfAFileThatIsHardlyALogOnlyTheFirstLinesAreListed) {
  const TestFolder folder;
  const SetClock clock;
  auto store = open_store(folder, clock, 36);
  std::string junk;
  for (int i = 0; i < 8000; ++i) junk += "x\n";
  Written log(*store, {"rig", "gpu0"}, junk + std::string(kHeading) + padded_row(0) + junk);
  log.write(log.log.size());
  const auto sources = store->sources();
  ASSERT_TRUE(sources);
  EXPECT_EQ(sources->at(0).set_aside, 16'000);
  const auto listed = store->set_aside(sources->at(0).source, 100'000);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->size(), static_cast<std::size_t>(SourceWriter::kSetAsideKept));
}

// Of a log that is being written a scan finds the beginning: no row twice, none left out.
TEST(StoreScan, BesideTheWriterFindsAllUpToSomeRow) {
  const TestFolder folder;
  const SetClock clock;
  auto store = open_store(folder, clock, 1);
  const Device device{"rig", "gpu0"};
  const Device other{"rig", "gpu1"};
  const auto text = [](std::string_view temperature) {
    std::string log(kHeading);
    for (int i = 0; i < 3000; ++i) log += padded_row(i * 3, "1995.0", temperature);
    return log;
  };
  Written log(*store, device, text("63.0"));
  Written beside(*store, other, text("64.0"));
  log.write(log.log.size() / 10);
  beside.write(log.log.size() / 10);
  std::atomic<bool> done = false;
  std::atomic<int> scans = 0;
  const auto scan = [&](const Device& of) {
    std::size_t before = 0;
    while (!done) {
      const auto rows =
          scanned_rows(*store, {of, Timestamp::min(), Timestamp::max(), {"gpu_clock"}});
      EXPECT_GE(rows.size(), before);
      before = rows.size();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].time != rows[0].time + std::chrono::seconds{3 * static_cast<int>(i)}) {
          ADD_FAILURE() << "row " << i << " of " << rows.size() << " is another";
          return;
        }
      }
      ++scans;
      static_cast<void>(store->devices());
      static_cast<void>(store->newest(of));
      static_cast<void>(store->windows(of, Timestamp::min(), Timestamp::max(), 100));
    }
  };
  std::vector<std::jthread> readers;
  readers.emplace_back(scan, device);
  readers.emplace_back(scan, other);
  while (!log.whole() || scans < 20) {
    if (!log.whole()) log.write(300);
    if (!beside.whole()) beside.write(300);
  }
  done = true;
}

}  // namespace
}  // namespace gpulse
