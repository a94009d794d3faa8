#include "gpuz/log_search.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <string>

#include "gpuz/test_reading.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Kind = GpuzPlace::Kind;

class LogSearchTest : public testing::Test {
 protected:
  LogSearchTest() {
    fs::remove_all(root_);
    for (const char* folder : {"desktop", "documents"}) fs::create_directories(root_ / folder);
  }
  ~LogSearchTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  fs::path write(const fs::path& name, std::chrono::minutes ago,
                 const std::string& content = kLog) {
    const fs::path file = root_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    fs::last_write_time(file, now_ - ago);
    return file;
  }
  static std::vector<fs::path> found(std::vector<GpuzPlace> places) {
    std::vector<fs::path> files;
    for (const FoundLog& log : LogSearch(std::move(places)).look()) files.push_back(log.file);
    return files;
  }

  inline static const std::string kLog = std::string(kHeading) + padded_row(0);
  const fs::path root_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  const fs::file_time_type now_ = fs::file_time_type::clock::now();
  const GpuzPlace desktop_{root_ / "desktop"};
  const GpuzPlace documents_{root_ / "documents"};
};

TEST(LogName, AsGpuzHasItAndAsCopiesAreCalled) {
  EXPECT_TRUE(is_log_name("GPU-Z Sensor Log.txt"));
  EXPECT_TRUE(is_log_name("gpu-z sensor log.TXT"));
  EXPECT_TRUE(is_log_name("GPU-Z Sensor Log (2).txt"));
  EXPECT_TRUE(is_log_name("GPU-Z Sensor Log - Kopie für Ann.txt"));
  EXPECT_FALSE(is_log_name("GPU-Z Sensor Log.txt.bak"));
  EXPECT_FALSE(is_log_name("My GPU-Z Sensor Log.txt"));
  EXPECT_FALSE(is_log_name("GPU-Z Sensor Lo.txt"));
  EXPECT_FALSE(is_log_name(".txt"));
}

TEST_F(LogSearchTest, TheOneWrittenLastComesFirst) {
  const auto old = write("desktop/GPU-Z Sensor Log.txt", 60min);
  const auto newest = write("documents/gpu-z sensor log (2).txt", 1min);
  const auto middle = write("desktop/GPU-Z Sensor Log 7.txt", 30min);
  EXPECT_EQ(found({desktop_, documents_}), (std::vector{newest, middle, old}));
}

TEST_F(LogSearchTest, OtherNamesFoldersAndWhatIsNoLogDoNotCount) {
  write("desktop/rtx.txt", 1min);
  write("desktop/below/GPU-Z Sensor Log.txt", 1min);
  fs::create_directories(root_ / "desktop" / "GPU-Z Sensor Log 3.txt");
  write("desktop/GPU-Z Sensor Log 4.txt", 1min, "Dear Sir,\r\nyour card is hot.\r\n");
  EXPECT_EQ(found({desktop_}), std::vector<fs::path>());
  // One that GPU-Z has just made is empty, and counts.
  const auto fresh = write("desktop/GPU-Z Sensor Log.txt", 0min, "");
  EXPECT_EQ(found({desktop_}), std::vector{fresh});
}

TEST_F(LogSearchTest, AFileThatSettingsNameCountsUnderAnyName) {
  const auto named = write("elsewhere/rtx.txt", 1min);
  write("elsewhere/letter.txt", 0min, "Dear Sir,\r\nyour card is hot.\r\n");
  EXPECT_EQ(found({{root_ / "elsewhere" / "rtx.txt", Kind::file},
                   {root_ / "elsewhere" / "letter.txt", Kind::file},
                   {root_ / "elsewhere" / "none.txt", Kind::file}}),
            std::vector{named});
}

TEST_F(LogSearchTest, TheFoldersOfEveryUserOfAWindows) {
  const auto ann = write("Users/ann/Desktop/GPU-Z Sensor Log.txt", 3min);
  const auto bob = write("Users/bob/OneDrive/Desktop/GPU-Z Sensor Log.txt", 2min);
  const auto cid = write("Users/cid/Downloads/GPU-Z Sensor Log.txt", 1min);
  write("Users/dan/GPU-Z Sensor Log.txt", 0min);
  write("Users/dan/Pictures/GPU-Z Sensor Log.txt", 0min);
  EXPECT_EQ(found({{root_ / "Users", Kind::users}}), (std::vector{cid, bob, ann}));
}

TEST_F(LogSearchTest, AFileFoundByTwoWaysIsOneUnderItsFirstName) {
  const auto log = write("desktop/GPU-Z Sensor Log.txt", 1min);
  EXPECT_EQ(found({desktop_, {root_ / "documents" / ".." / "desktop"}, {log, Kind::file}}),
            std::vector{log});
}

TEST_F(LogSearchTest, PlacesThatAreNotThereHaveNone) {
  EXPECT_EQ(found({{root_ / "none"}, {root_ / "none", Kind::users}, {root_ / "n", Kind::file}}),
            std::vector<fs::path>());
}

TEST_F(LogSearchTest, ADriveThatDoesNotAnswerHoldsNobodyUp) {
  const auto log = write("desktop/GPU-Z Sensor Log.txt", 1min);
  struct Drive {
    std::promise<void> back;
    const std::shared_future<void> is_back = back.get_future().share();
    std::atomic<int> asked = 0;
  };
  const auto drive = std::make_shared<Drive>();
  LogSearch search({{"/dead"}, desktop_}, 1s, [drive](const GpuzPlace& place) {
    if (place.path != "/dead") return logs_in(place);
    ++drive->asked;
    drive->is_back.wait();
    return std::vector<FoundLog>{{"/dead/GPU-Z Sensor Log.txt", Timestamp::max(), {1, 1}}};
  });
  const auto first = search.look();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].file, log);
  EXPECT_EQ(search.silent(), std::vector{GpuzPlace{"/dead"}});
  EXPECT_EQ(search.look().size(), 1U);
  EXPECT_EQ(drive->asked, 1);  // not a second time meanwhile
  drive->back.set_value();
  // It may take a look until the answer is noticed.
  std::vector<FoundLog> later;
  for (int tries = 0; tries < 100 && later.size() != 2; ++tries) later = search.look();
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0].file, "/dead/GPU-Z Sensor Log.txt");
  EXPECT_EQ(search.silent(), std::vector<GpuzPlace>());
}

}  // namespace
}  // namespace gpulse
