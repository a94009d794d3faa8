// The store over a disk that forgets what was not flushed: whatever a power loss leaves, a restart
// finds a whole earlier state, and reading the log on from there ends as if nothing had happened.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gpuz/log_generator.h"
#include "platform/file.h"
#include "store/power_loss_vfs.h"
#include "store/source_writer.h"
#include "store/store.h"

namespace gpulse {
namespace {

using Loss = FragileDisk::Loss;

int rounds() {
  const char* wanted = std::getenv("GPULSE_FAULT_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
  return wanted != nullptr ? std::max(3, std::atoi(wanted) / 3) : 6;
}

// Sessions, absent readings and lines that are none.
std::string make_log(std::uint64_t seed) {
  GeneratorOptions options;
  options.seed = seed;
  options.rows = 5000;
  options.scenarios = {Scenario::gaming, Scenario::restarts, Scenario::thermal_throttle};
  LogGenerator generator(options);
  std::mt19937_64 random(seed);
  std::string log;
  for (std::string line; line.clear(), generator.next(line);) {
    if (log.size() > 2000 && random() % 300 == 0) log += "garbage\r\n";
    if (log.size() > 2000 && random() % 200 == 0) {
      const auto from = line.find(',') + 1;
      line.replace(from, line.find(',', from) - from, "   -   ");
    }
    log += line;
  }
  return log;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gpulse-power-XXXXXX").string();
    std::random_device random;
    for (char& c : name) {
      if (c == 'X') c = static_cast<char>('a' + random() % 26);
    }
    path_ = name;
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<Store> open_store(const std::filesystem::path& folder) {
  StoreOptions options;
  options.folder = folder;
  options.rules.assign(default_alert_rules().begin(), default_alert_rules().end());
  auto store = Store::open(options, system_clock());
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

// Reads the log from where the store stands to its end, in pieces of many sizes; or until an error.
Expected<void> try_to_read_on(Store& store, const std::string& log, std::uint64_t seed) {
  const SourceTarget target{{"rig", "gpu0"}, "log.txt", "Etc/UTC"};
  const auto zone = TimeZone::find("Etc/UTC");
  LogReader reader({target.device, *zone, {}});
  auto writer = std::make_unique<SourceWriter>(store, target);
  const auto sources = store.sources();
  if (!sources->empty()) {
    const auto known = store.find_source(sources->front().source);
    auto resumed = SourceWriter::resume(store, target, *known);
    if (!resumed) return std::unexpected(resumed.error());
    writer = std::move(*resumed);
    reader = LogReader({target.device, *zone, {}}, known->checkpoint.reader);
  }
  std::mt19937_64 random(seed);
  auto at = static_cast<std::size_t>(reader.state().position);
  while (at < log.size()) {
    const std::size_t size = random() % (random() % 4 == 0 ? 30'000 : 3'000) + 1;
    const auto piece = std::string_view(log).substr(at, size);
    at += piece.size();
    if (auto begun = writer->begin(); !begun) return begun;
    reader.push(piece, *writer);
    if (auto committed = writer->commit(reader.state(), 0, true); !committed) return committed;
  }
  return writer->publish_end();
}

void read_on(Store& store, const std::string& log, std::uint64_t seed) {
  const auto done = try_to_read_on(store, log, seed);
  ASSERT_TRUE(done) << done.error().message;
}

using Rows = std::vector<std::string>;

Rows ask(const std::filesystem::path& folder, const std::string& sql) {
  sqlite3* database = nullptr;
  sqlite3_open(display(folder / "ledger.db").c_str(), &database);
  Rows rows;
  const auto take = [](void* to, int columns, char** values, char** /*names*/) {
    std::string row;
    for (int i = 0; i < columns; ++i) row += std::string(values[i] ? values[i] : "null") + "|";
    static_cast<Rows*>(to)->push_back(row);
    return 0;
  };
  char* error = nullptr;
  sqlite3_exec(database, sql.c_str(), take, &rows, &error);
  EXPECT_EQ(error, nullptr) << error << " in " << sql;
  sqlite3_free(error);
  sqlite3_close(database);
  return rows;
}

// All that was worked out, less numbers of the ledger's own and the hour of arrival.
const std::vector<std::string> kContents = {
    R"(SELECT source, host, gpu, rows, sessions, set_aside, absent, absent_first, absent_last, first,
       last, longest_step, longest_step_at, position, hex(header), session, session_pending,
       last_second, largest_second, base, rank, hex(windows), hex(alerts)
       FROM sources s JOIN devices d ON d.id=s.device)",
    R"(SELECT session, columns, first, last, rows FROM sessions n JOIN formats f ON f.id=n.format
       ORDER BY session)",
    R"(SELECT n.session, time, offset, columns, hex(readings) FROM samples r
       JOIN sessions n ON n.id=r.session JOIN formats f ON f.id=r.format ORDER BY n.session, time)",
    "SELECT offset, bytes, reason FROM set_aside ORDER BY offset",
    R"(SELECT n.session, begin, end, w.rows, final, hex(metrics) FROM windows w
       JOIN sessions n ON n.id=w.session ORDER BY n.session, begin)",
    R"(SELECT n.session, metric, limit_, began, ended, end_reason, peak, peak_at FROM alerts a
       JOIN sessions n ON n.id=a.session ORDER BY n.session, metric, limit_, began)",
};

std::vector<Rows> contents(const std::filesystem::path& folder) {
  std::vector<Rows> all;
  for (const std::string& sql : kContents) all.push_back(ask(folder, sql));
  return all;
}

void expect_same(const std::vector<Rows>& have, const std::vector<Rows>& want) {
  for (std::size_t table = 0; table < want.size(); ++table) {
    ASSERT_EQ(have[table].size(), want[table].size()) << kContents[table];
    for (std::size_t row = 0; row < want[table].size(); ++row) {
      ASSERT_EQ(have[table][row], want[table][row]) << kContents[table];
    }
  }
}

// The rows are those before the position, neither more nor fewer.
void expect_whole_prefix(const std::filesystem::path& folder, const Rows& all_rows) {
  EXPECT_EQ(ask(folder, "PRAGMA integrity_check"), Rows{"ok|"});
  const Rows rows = ask(folder, kContents[2]);
  EXPECT_EQ(rows,
            Rows(all_rows.begin(), all_rows.begin() + static_cast<std::ptrdiff_t>(rows.size())));
  EXPECT_EQ(ask(folder, "SELECT count(*) FROM samples"),
            ask(folder, "SELECT coalesce(sum(rows), 0) FROM sources"));
  EXPECT_EQ(ask(folder, "SELECT count(*) FROM samples"),
            ask(folder, "SELECT coalesce(sum(rows), 0) FROM sessions"));
  EXPECT_EQ(
      ask(folder, "SELECT count(*) FROM samples WHERE offset >= (SELECT position FROM sources)"),
      Rows{"0|"});
}

class PowerLoss : public ::testing::Test {
 protected:
  // Reads the log while the power goes at some operations, and holds what each leaves against
  // `want`.
  static void lose_power_at(const std::vector<std::uint64_t>& moments, const std::string& log,
                            std::uint64_t seed, const std::vector<Rows>& want) {
    FragileDisk disk;
    Folder folder;
    std::vector<std::unique_ptr<Folder>> left;
    std::uint64_t operation = 0;
    disk.on_operation = [&] {
      if (!std::ranges::binary_search(moments, operation++)) return;
      for (const Loss loss : {Loss::everything, Loss::from_some_point, Loss::scattered}) {
        left.push_back(std::make_unique<Folder>());
        disk.lose_power(loss, seed + operation, left.back()->path());
      }
    };
    {
      const FragileVfs vfs(disk);
      const auto store = open_store(folder.path());
      ASSERT_NE(store, nullptr);
      read_on(*store, log, seed);
    }
    ASSERT_EQ(left.size(), 3 * moments.size());
    for (const auto& image : left) {
      {
        const auto store = open_store(image->path());
        ASSERT_NE(store, nullptr);
        expect_whole_prefix(image->path(), want[2]);
        read_on(*store, log, seed + 1);
      }
      expect_same(contents(image->path()), want);
      if (HasFatalFailure()) return;
    }
  }

  // How many operations an undisturbed run has, and what it ends with.
  static std::uint64_t undisturbed(const std::string& log, std::uint64_t seed,
                                   std::vector<Rows>& ends_with) {
    FragileDisk disk;
    Folder folder;
    std::uint64_t operations = 0;
    disk.on_operation = [&] { ++operations; };
    {
      const FragileVfs vfs(disk);
      const auto store = open_store(folder.path());
      if (store != nullptr) read_on(*store, log, seed);
    }
    ends_with = contents(folder.path());
    return operations;
  }
};

TEST_F(PowerLoss, AnyMomentLeavesAWholeStateThatEndsTheSame) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const std::string log = make_log(seed);
    std::vector<Rows> want;
    const std::uint64_t operations = undisturbed(log, seed, want);
    ASSERT_EQ(want[2].size(), 5000U);
    ASSERT_GT(operations, 3000U);  // several times through the write-ahead log
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> moments;
    // The first ones too: files that are new may lose their very names.
    for (int i = 0; i < rounds(); ++i) {
      moments.push_back(random() % (i % 3 == 0 ? 60 : operations));
    }
    std::ranges::sort(moments);
    moments.erase(std::ranges::unique(moments).begin(), moments.end());
    lose_power_at(moments, log, seed, want);
    if (HasFatalFailure()) return;
  }
}

// Not a loss of power, but of room: for some writes, again and again.
TEST_F(PowerLoss, ADiskThatIsFullNowAndThenChangesNothing) {
  const std::string log = make_log(4);
  std::vector<Rows> want;
  undisturbed(log, 4, want);
  FragileDisk disk;
  Folder folder;
  {
    const FragileVfs vfs(disk);
    const auto store = open_store(folder.path());
    ASSERT_NE(store, nullptr);
    std::mt19937_64 random(4);
    int full_for = 0;  // writes
    disk.has_room = [&] {
      if (full_for == 0 && random() % 200 == 0) full_for = static_cast<int>(random() % 20) + 1;
      if (full_for == 0) return true;
      --full_for;
      return false;
    };
    std::uint64_t failures = 0;
    for (auto done = try_to_read_on(*store, log, 4); !done;
         done = try_to_read_on(*store, log, 4 + failures)) {
      ASSERT_TRUE(done.error().retryable) << done.error().message;
      ASSERT_LT(++failures, 1000U);
    }
    EXPECT_GT(failures, 10U);
    disk.has_room = [] { return true; };
  }
  EXPECT_EQ(ask(folder.path(), "PRAGMA integrity_check"), Rows{"ok|"});
  expect_same(contents(folder.path()), want);
}

TEST_F(PowerLoss, AnImportIsOnTheDiskBeforeItsFileGoes) {
  const std::string log = make_log(3);
  FragileDisk disk;
  Folder folder;
  Folder accepted;
  Folder done;
  {
    const FragileVfs vfs(disk);
    const auto store = open_store(folder.path());
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->put_import({"1", "upload-1.log", "log.txt", {"rig", "gpu0"}, "Etc/UTC"}));
    disk.lose_power(Loss::everything, 0, accepted.path());
    read_on(*store, log, 3);
    ASSERT_TRUE(store->remove_import("1"));
    disk.lose_power(Loss::everything, 0, done.path());
  }
  const auto promised = open_store(accepted.path())->imports();
  ASSERT_TRUE(promised);
  ASSERT_EQ(promised->size(), 1U);
  EXPECT_EQ(promised->front().file, "upload-1.log");
  EXPECT_EQ(ask(done.path(), "SELECT count(*) FROM imports"), Rows{"0|"});
  expect_same(contents(done.path()), contents(folder.path()));
}

}  // namespace
}  // namespace gpulse
