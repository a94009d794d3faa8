#include "gpuz/log_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "gpuz/cell.h"
#include "gpuz/header.h"
#include "gpuz/log_generator.h"
#include "gpuz/test_reading.h"
#include "platform/process_stats.h"

namespace gpulse {
namespace {

using namespace std::string_literals;

const std::string kMark = "\xEF\xBB\xBF";
const std::string kHeader(kHeading);
const std::string kOtherHeader = "Date , Fan Speed [RPM] , Liquid Flow [l/h] ,\n";

std::string rows_of(int from, int until) {
  std::string text;
  for (int second = from; second < until; ++second) {
    text += padded_row(second, fmt::format("{}.{}", 300 + second % 1700, second % 10));
  }
  return text;
}

LogReaderOptions small_batches() {
  LogReaderOptions options = reader_options("Europe/Berlin");
  options.batch_rows_max = 4;
  return options;
}

bool same(const LogReaderState& a, const LogReaderState& b) {
  return a.position == b.position && a.source == b.source && a.header == b.header &&
         a.session == b.session && a.session_pending == b.session_pending && a.clock == b.clock;
}

// What a log gives, and where the reader stands at its end.
struct Read {
  Collected found;
  LogReaderState end;
};

void expect_same(const Read& expected, const Read& found, const std::string& how) {
  EXPECT_TRUE(found.found.sound) << how;
  EXPECT_EQ(expected.found.rows.size(), found.found.rows.size()) << how;
  EXPECT_TRUE(expected.found.rows == found.found.rows) << how;
  EXPECT_EQ(expected.found.set_aside, found.found.set_aside) << how;
  EXPECT_TRUE(same(expected.end, found.end)) << how;
}

Read read_pieces(std::string_view log, const std::vector<std::size_t>& sizes) {
  Read read;
  LogReader reader(small_batches());
  for (const std::size_t size : sizes) {
    reader.push(log.substr(0, size), read.found);
    log.remove_prefix(std::min(size, log.size()));
  }
  reader.push(log, read.found);
  reader.close(read.found);
  read.end = reader.state();
  return read;
}

// Reads up to a cut, then with another reader from the state that the first one left.
Read read_resumed(std::string_view log, std::size_t cut) {
  Read read;
  LogReader first(small_batches());
  first.push(log.substr(0, cut), read.found);
  LogReader second(small_batches(), first.state());
  second.push(log.substr(static_cast<std::size_t>(first.state().position)), read.found);
  second.close(read.found);
  read.end = second.state();
  return read;
}

// One of everything that can be wrong with a log.
std::string nasty_log() {
  const std::string nuls(7, '\0');
  const std::string torn = padded_row(30).substr(0, 50);
  return kMark + "a line before\r\n" + kHeader + rows_of(0, 6) + "garbage\r\n" + padded_row(5) +
         padded_row(5) + nuls + padded_row(6) + torn + nuls + padded_row(7) + padded_row(8, "-") +
         padded_row(9).insert(40, nuls) + "\r\n\n   \r\n" + padded_row(400) + padded_row(399) +
         "2023-06-31 00:00:00 , 1 , 2 , 3 ,\r\n" + "2023-06-16 00:10:00 , 1 , 2 ,\r\n" +
         rows_of(401, 409) + kMark + kOtherHeader + "2023-06-16 02:00:00 , 1200 , 0.25 ,\n" +
         "2023-06-16 02:00:01 , +5 , -1.5 ,\n" + nuls + "2023-06-16 02:00:02 , .5 , 5. ," + nuls +
         "\n" + kHeader + rows_of(8000, 8003) + padded_row(8003, "12345678901234.567") +
         rows_of(8004, 8006) + padded_row(8006).substr(0, 60);
}

TEST(LogReader, ReadsANastyLog) {
  const Collected found = read_log(nasty_log());
  EXPECT_TRUE(found.sound);
  EXPECT_EQ(found.rows.size(), 31U);
  EXPECT_EQ(found.set_aside.size(), 6U);
}

TEST(LogReader, CuttingALogAnywhereGivesTheSame) {
  const std::string log = nasty_log();
  const Read expected = read_pieces(log, {});
  for (std::size_t cut = 0; cut <= log.size(); ++cut) {
    expect_same(expected, read_pieces(log, {cut}), fmt::format("cut at {}", cut));
    if (HasFailure()) return;
  }
  expect_same(expected, read_pieces(log, std::vector<std::size_t>(log.size(), 1)), "byte by byte");
}

TEST(LogReader, GoingOnFromTheStateAtAnyByteGivesTheSame) {
  const std::string log = nasty_log();
  const Read expected = read_pieces(log, {});
  for (std::size_t cut = 0; cut <= log.size(); ++cut) {
    expect_same(expected, read_resumed(log, cut), fmt::format("resumed at {}", cut));
    if (HasFailure()) return;
  }
}

// Pieces of the nasty log and of made-up ones in any order, with any byte changed.
std::string random_log(std::mt19937& random) {
  const std::vector<std::string> pieces = {kMark,
                                           kHeader,
                                           kOtherHeader,
                                           rows_of(0, 5),
                                           rows_of(3, 9),
                                           padded_row(700),
                                           padded_row(2, "-"),
                                           padded_row(3, "63"),
                                           padded_row(3, "63.25"),
                                           padded_row(4, "-1.5"),
                                           padded_row(4, "5000000000.5"),
                                           std::string(5, '\0'),
                                           std::string(1, '\0'),
                                           "\r\n",
                                           "\n",
                                           "   ",
                                           "garbage",
                                           ",",
                                           padded_row(8).substr(0, 33),
                                           "2023-06-16 02:00:01 , 5 , 1.5 ,\n",
                                           "2023-10-29 02:30:00 , 1 , 2 , 3 ,\n",
                                           "2023-10-29 02:00:00 , 1 , 2 , 3 ,\n"};
  std::string log = random() % 2 == 0 ? kHeader : ""s;
  for (std::size_t i = 0, count = 3 + random() % 20; i < count; ++i) {
    log += pieces[random() % pieces.size()];
  }
  for (std::size_t i = 0, count = random() % 3; i < count; ++i) {
    log[random() % log.size()] = "\0\n\r ,9-.D\xEF"s[random() % 10];
  }
  return log;
}

TEST(LogReader, RandomLogsCutAtRandomGiveTheSame) {
  std::mt19937 random(20230616);
  for (int round = 0; round < 3000; ++round) {
    const std::string log = random_log(random);
    const Read expected = read_pieces(log, {});
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 40; ++i) sizes.push_back(random() % (log.size() / 4 + 2));
    expect_same(expected, read_pieces(log, sizes), log);
    expect_same(expected, read_resumed(log, random() % (log.size() + 1)), log);
    if (HasFailure()) return;
  }
}

// The readings of each line that is a row by the slow functions alone.
std::vector<std::vector<std::uint64_t>> slow_readings(std::string_view log, std::size_t columns) {
  std::vector<std::vector<std::uint64_t>> rows;
  while (!log.empty()) {
    const auto end = log.find('\n');
    std::string_view line = log.substr(0, end);
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto cells = split_cells(line);
    if (cells.size() != columns + 1 || !parse_local_time(cells[0])) continue;
    std::vector<std::uint64_t> values;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      const std::string text(trim(cells[i]));
      values.push_back(parse_reading(text)
                           ? std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr))
                           : ~0ULL);
    }
    rows.push_back(std::move(values));
  }
  return rows;
}

TEST(LogReader, EveryReadingIsTheDoubleOfItsText) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::string log = kHeader;
    for (int second = 0; second < 60; ++second) {
      std::string cell = std::to_string(random() % 2000);
      const auto dice = random() % 12;
      if (dice == 0) cell = "-";
      if (dice == 1) cell += std::to_string(random());
      if (dice == 2) cell += std::to_string(random()) + std::to_string(random() % 1000);
      if (dice == 3) cell.insert(0, "-");
      if (dice < 11 && dice != 0) cell += ".";
      if (dice < 11 && dice != 0) cell += std::to_string(random() % (dice < 6 ? 10'000U : 10U));
      log += padded_row(second, cell, fmt::format("{}.5", second % 100));
    }
    const Collected found = read_log(log, small_batches());
    const auto expected = slow_readings(log, 3);
    ASSERT_EQ(found.rows.size(), expected.size());
    for (std::size_t row = 0; row < expected.size(); ++row) {
      // strtod says -0.0 for "-0.0", which is no other reading.
      for (std::size_t i = 0; i < 3; ++i) {
        const bool equal = found.rows[row].values[i] == expected[row][i] ||
                           std::bit_cast<double>(expected[row][i]) == found.rows[row].value(i);
        ASSERT_TRUE(equal) << log;
      }
    }
  }
}

TEST(LogReader, MadeUpLogsOfEveryCardAreReadWholly) {
  for (const ColumnSet set :
       {ColumnSet::nvidia, ColumnSet::amd, ColumnSet::intel, ColumnSet::old}) {
    GeneratorOptions options;
    options.columns = set;
    options.rows = 3000;
    options.scenarios = {Scenario::restarts};
    LogGenerator generator(options);
    std::string log;
    while (generator.next(log)) {
    }
    const Collected found = read_log(log);
    EXPECT_EQ(found.rows.size(), 3000U);
    EXPECT_TRUE(found.set_aside.empty());
    EXPECT_LT(found.batches, 60);
  }
}

// Columns that change their decimals and their width from row to row: nothing is rounded.
TEST(LogReader, DecimalsMayChangeFromRowToRow) {
  std::string log = kHeader;
  const std::vector<std::string> cells = {"63.0",         "63.25", "63", "63.125",
                                          "3000000000.5", "-63.5", "+5", "4000000000.123456789",
                                          "0.1",          "63.0"};
  for (std::size_t i = 0; i < cells.size(); ++i) log += padded_row(static_cast<int>(i), cells[i]);
  const Collected found = read_log(log);
  ASSERT_EQ(found.rows.size(), cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(found.rows[i].value(0), std::strtod(cells[i].c_str(), nullptr)) << cells[i];
  }
}

TEST(LogReader, SourceIsTheSameHoweverTheLogLies) {
  const std::string plain = read_log(kHeader + rows_of(0, 3)).rows[0].source;
  EXPECT_EQ(plain.size(), 16U);
  std::string unix_ends = kHeader + rows_of(0, 9);
  std::erase(unix_ends, '\r');
  for (const std::string& log :
       {kMark + kHeader + rows_of(0, 1), "\0\0"s + kHeader + rows_of(0, 1),
        kHeader + "\0\0"s + rows_of(0, 1), "junk\r\n" + kHeader + rows_of(0, 5),
        kOtherHeader + kHeader + rows_of(0, 2), unix_ends}) {
    EXPECT_EQ(read_log(log).rows[0].source, plain) << log;
  }
  EXPECT_NE(read_log(kHeader + rows_of(1, 3)).rows[0].source, plain);
  LogReaderOptions replay = reader_options();
  replay.source_suffix = "@now";
  EXPECT_EQ(read_log(kHeader + rows_of(0, 1), replay).rows[0].source, plain + "@now");
}

TEST(LogReader, ThereIsNoSourceBeforeTheFirstRow) {
  Collected found;
  LogReader reader(reader_options());
  reader.push(kHeader + "garbage\r\n", found);
  EXPECT_TRUE(reader.state().source.empty());
  reader.push(rows_of(0, 1), found);
  EXPECT_EQ(reader.state().source, found.rows.at(0).source);
}

TEST(LogReader, ASessionIsNumberedByTheOffsetOfItsFirstRow) {
  const std::string log = kHeader + "\0\0\0"s + rows_of(0, 3) + kHeader + rows_of(3, 5) +
                          padded_row(600) + padded_row(599);
  const Collected found = read_log(log);
  ASSERT_EQ(found.rows.size(), 7U);
  std::vector<std::size_t> begins;
  for (const ReadRow& row : found.rows) {
    if (row.session == row.offset) begins.push_back(static_cast<std::size_t>(row.offset));
    EXPECT_EQ(log.substr(static_cast<std::size_t>(row.offset), 10), "2023-06-16");
  }
  EXPECT_EQ(begins.size(), 4U);
  EXPECT_EQ(begins[0], kHeader.size() + 3);
}

TEST(LogReader, AHeadingInTheMiddleChangesTheColumns) {
  const Collected found =
      read_log(kHeader + rows_of(0, 2) + kOtherHeader + "2023-06-16 00:00:02 , 1200 , 0.5 ,\n");
  ASSERT_EQ(found.rows.size(), 3U);
  EXPECT_EQ(found.rows[2].metrics, (std::vector<std::string>{"fan1_speed_rpm", "liquid_flow"}));
  EXPECT_EQ(found.rows[2].value(0), 1200);
}

TEST(LogReader, LastLineWithoutItsEndCountsIfItIsWhole) {
  const std::string row = padded_row(1, "1995.0", "63.0", "16", "");
  EXPECT_EQ(read_log(kHeader + rows_of(0, 1) + row).rows.size(), 2U);
  const Collected torn = read_log(kHeader + rows_of(0, 1) + row.substr(0, row.size() - 1));
  EXPECT_EQ(torn.rows.size(), 1U);
  EXPECT_EQ(torn.set_aside.size(), 1U);
}

TEST(LogReader, AByteOrderMarkAloneIsNoLine) {
  EXPECT_TRUE(read_log(kMark).set_aside.empty());
  Collected found;
  LogReader reader(reader_options());
  for (const char c : kMark) reader.push({&c, 1}, found);
  reader.close(found);
  EXPECT_TRUE(found.set_aside.empty());
}

TEST(LogReader, ALineOfMoreThanAMegabyteIsSetAsideAsAWhole) {
  const std::string line(LogReader::kLineBytesMax + 1, 'x');
  const std::string log = kHeader + rows_of(0, 2) + line + "\n" + rows_of(2, 4);
  const Read expected = read_pieces(log, {});
  EXPECT_EQ(expected.found.rows.size(), 4U);
  ASSERT_EQ(expected.found.set_aside.size(), 1U);
  EXPECT_EQ(std::get<1>(expected.found.set_aside[0]), static_cast<std::int64_t>(line.size()));
  expect_same(expected, read_pieces(log, {1000, 5000, 600'000}), "in pieces");
}

TEST(LogReader, AHeadingOfTooManyColumnsIsSetAside) {
  std::string heading = "Date,";
  for (std::size_t i = 0; i <= kColumnsMax; ++i) heading += "a,";
  const Collected found = read_log(heading + "\n" + kHeader + rows_of(0, 1));
  EXPECT_EQ(found.rows.size(), 1U);
  EXPECT_EQ(found.set_aside.size(), 1U);
}

// The hot path told "no date" by a number that is a time just before 1970.
TEST(LogReader, ALineWithoutADateIsNoRowBefore1970Either) {
  const auto row = [](std::string_view date) {
    return std::string(date) + padded_row(0).substr(19);
  };
  const std::string log = kHeader + row("1970-01-01 00:00:00") + row("1970-01-01 00:00:01") +
                          row("1969-12-31 23:59:58") + row("xxxx-xx-xx xx:xx:xx") +
                          row("1969-12-31 23:59:59");
  const Collected found = read_log(log);
  EXPECT_EQ(found.rows.size(), 4U);
  EXPECT_EQ(found.set_aside.size(), 1U);
}

TEST(LogReader, Utf16IsNoLogButDoesNoHarm) {
  std::string wide = "\xFF\xFE";
  for (const char c : kHeader + rows_of(0, 3)) {
    wide += c;
    wide += '\0';
  }
  const Collected found = read_log(wide);
  EXPECT_TRUE(found.rows.empty());
  EXPECT_EQ(found.set_aside.size(), 4U);
}

std::int64_t resident() { return process_stats()->resident_bytes; }

// The thread sanitizer keeps four bytes of its own for each of the program's.
#ifdef __SANITIZE_THREAD__
constexpr std::int64_t kGrowthMax = 5 * (16 << 20);
#else
constexpr std::int64_t kGrowthMax = 16 << 20;
#endif

TEST(LogReader, ARunOfNulsTakesNoMemory) {
  Collected found;
  LogReader reader(reader_options());
  reader.push(kHeader + rows_of(0, 1) + padded_row(1).substr(0, 50), found);
  const std::string nuls(1 << 20, '\0');
  const std::int64_t before = resident();
  for (int i = 0; i < 200; ++i) reader.push(nuls, found);
  EXPECT_LT(resident() - before, kGrowthMax);
  reader.push(padded_row(1).substr(50) + rows_of(2, 3), found);
  EXPECT_EQ(found.rows.size(), 3U);
  EXPECT_TRUE(found.set_aside.empty());
}

TEST(LogReader, ALineWithoutEndTakesNoMemory) {
  Collected found;
  LogReader reader(reader_options());
  reader.push(kHeader + rows_of(0, 1), found);
  std::string holes;  // the worst to keep the places of
  while (holes.size() < (1 << 20)) holes += "x\0"s;
  const std::int64_t before = resident();
  for (int i = 0; i < 50; ++i) reader.push(holes, found);
  EXPECT_LT(resident() - before, 2 * kGrowthMax);
  reader.push("\n" + rows_of(2, 3), found);
  EXPECT_EQ(found.rows.size(), 2U);
  EXPECT_EQ(found.set_aside.size(), 1U);
}

}  // namespace
}  // namespace gpulse
