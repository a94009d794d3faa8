#include "gpuz/row_template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "gpuz/cell.h"
#include "gpuz/header.h"
#include "gpuz/log_generator.h"
#include "gpuz/test_reading.h"

namespace gpulse {
namespace {

constexpr std::size_t kRowsMax = 64;

struct Taken {
  explicit Taken(std::size_t columns)
      : locals(kRowsMax), counts(columns, std::vector<std::int32_t>(kRowsMax)) {
    for (auto& column : counts) pointers.push_back(column.data());
  }
  std::size_t rows = 0;
  std::vector<std::int64_t> locals;
  std::vector<std::vector<std::int32_t>> counts;
  std::vector<std::int32_t*> pointers;
};

std::string_view without_end(std::string_view row) {
  while (row.ends_with('\n') || row.ends_with('\r')) row.remove_suffix(1);
  return row;
}

// Whether the slow way reads the same in row `index` of what was taken.
testing::AssertionResult same_as_slow(const RowTemplate& form, std::string_view row,
                                      const Taken& taken, std::size_t index) {
  const auto cells = split_cells(without_end(row));
  if (cells.size() != form.columns() + 1) return testing::AssertionFailure() << "cells: " << row;
  if (parse_local_time(cells[0]) != taken.locals[index]) {
    return testing::AssertionFailure() << "time: " << row;
  }
  for (std::size_t i = 0; i < form.columns(); ++i) {
    const auto reading = parse_reading(cells[i + 1]);
    const bool same = reading.has_value() ? !form.absent(i) && !reading->approximate &&
                                                reading->decimals == form.decimals(i) &&
                                                reading->count == taken.counts[i][index]
                                          : form.absent(i) && taken.counts[i][index] == 0;
    if (!same) return testing::AssertionFailure() << "column " << i << ": " << row;
  }
  return testing::AssertionSuccess();
}

// Both ways take the same rows of `text`, and read in them what the slow way does. Returns their
// number.
std::size_t check_rows(const RowTemplate& form, const std::string& text, std::int64_t last) {
  const std::vector<char> exact(text.begin(),
                                text.end());  // a read past the end is one past the heap
  const std::string_view bytes(exact.data(), exact.size());
  const RowTemplate::Bounds bounds{last, last + 1'000'000, 300, kRowsMax};
  Taken fast(form.columns());
  Taken portable(form.columns());
  fast.rows = form.read_rows(bytes, bounds, fast.locals.data(), fast.pointers);
  portable.rows = form.read_rows_portable(bytes, bounds, portable.locals.data(), portable.pointers);
  EXPECT_EQ(fast.rows, portable.rows) << text;
  for (std::size_t row = 0; row < std::min(fast.rows, portable.rows); ++row) {
    EXPECT_EQ(fast.locals[row], portable.locals[row]);
    for (std::size_t i = 0; i < form.columns(); ++i) {
      EXPECT_EQ(fast.counts[i][row], portable.counts[i][row]) << text;
    }
    EXPECT_TRUE(same_as_slow(form, bytes.substr(row * form.stride(), form.stride()), fast, row));
  }
  return fast.rows;
}

// Rows as a card of that kind writes them.
std::vector<std::string> rows_like(ColumnSet columns, std::size_t count) {
  GeneratorOptions options;
  options.columns = columns;
  options.rows = count;
  options.scenarios = {Scenario::mixed};
  LogGenerator generator(options);
  std::vector<std::string> rows;
  for (std::string line; generator.next(line); line.clear()) {
    if (!is_header(line)) rows.push_back(line);
  }
  return rows;
}

std::size_t columns_of(const std::string& row) { return split_cells(without_end(row)).size() - 1; }
std::int64_t time_of(const std::string& row) { return *parse_local_time(split_cells(row)[0]); }

constexpr std::array kSets = {ColumnSet::nvidia, ColumnSet::amd, ColumnSet::intel, ColumnSet::old};

TEST(RowTemplate, TakesTheRowsOfEveryKindOfCard) {
  for (const ColumnSet set : kSets) {
    const auto rows = rows_like(set, 40);
    const auto form = RowTemplate::learn(rows[0], columns_of(rows[0]));
    ASSERT_TRUE(form) << to_string(set);
    std::string text;
    for (const auto& row : rows) text += row;
    EXPECT_GE(check_rows(*form, text, time_of(rows[0])), 30U) << to_string(set);
  }
}

// Any byte of a row may be anything: a row is then read as the slow way reads it, or not taken.
TEST(RowTemplate, WhatItTakesOfRandomlyChangedRowsIsWhatTheSlowWayReads) {
  constexpr std::string_view kBytes = " 0123456789.-,:+\r\n\t\0xX/;\xB0\xFF";
  std::mt19937 random(42);
  std::size_t taken = 0;
  for (const ColumnSet set : kSets) {
    const auto rows = rows_like(set, 200);
    for (int round = 0; round < 5000; ++round) {
      const std::string& first = rows[random() % rows.size()];
      const auto form = RowTemplate::learn(first, columns_of(first));
      ASSERT_TRUE(form);
      std::string text = first;
      for (int i = 0; i < 2; ++i) text += rows[random() % rows.size()];
      const std::size_t changes = random() % 4;
      for (std::size_t i = 0; i < changes; ++i) {
        text[random() % text.size()] = kBytes[random() % kBytes.size()];
      }
      if (random() % 8 == 0) text.resize(random() % text.size());
      taken += check_rows(*form, text, time_of(first));
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(taken, 10000U);
}

// A changed row may be learned from, too.
TEST(RowTemplate, WhatItLearnsFromRandomlyChangedRowsItReadsAsTheSlowWay) {
  constexpr std::string_view kBytes = " 0123456789.-+\tx";
  std::mt19937 random(43);
  std::size_t learned = 0;
  for (const ColumnSet set : kSets) {
    const auto rows = rows_like(set, 200);
    for (int round = 0; round < 5000; ++round) {
      std::string first = rows[random() % rows.size()];
      const std::size_t columns = columns_of(first);
      for (std::size_t i = 0, changes = 1 + random() % 3; i < changes; ++i) {
        first[20 + random() % (first.size() - 22)] = kBytes[random() % kBytes.size()];
      }
      const auto cells = split_cells(without_end(first));
      if (cells.size() != columns + 1 || !parse_local_time(cells[0])) continue;
      const auto form = RowTemplate::learn(first, columns);
      if (!form) continue;
      ++learned;
      ASSERT_GE(check_rows(*form, first + rows[random() % rows.size()], time_of(first)), 1U);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(learned, 1500U);
}

TEST(RowTemplate, AnAbsentReadingIsPartOfTheForm) {
  const std::string row = padded_row(0, "1995.0", "-");
  const auto form = RowTemplate::learn(row, 3);
  ASSERT_TRUE(form);
  EXPECT_FALSE(form->absent(0));
  EXPECT_TRUE(form->absent(1));
  EXPECT_EQ(check_rows(*form, row + padded_row(1, "8.0", "-") + padded_row(2), time_of(row)), 2U);
}

TEST(RowTemplate, TakesReadingsOfUpToEightDigits) {
  const std::string row = padded_row(0, "1995.0");
  const auto form = RowTemplate::learn(row, 3);
  ASSERT_TRUE(form);
  EXPECT_EQ(check_rows(*form, padded_row(0, "9999999.9"), time_of(row)), 1U);
  EXPECT_EQ(check_rows(*form, padded_row(0, "99999999.9"), time_of(row)), 0U);
  EXPECT_EQ(check_rows(*form, padded_row(0, "-1.5"), time_of(row)), 0U);
  EXPECT_EQ(check_rows(*form, padded_row(0, "1995.25"), time_of(row)), 0U);
}

TEST(RowTemplate, StaysWithinItsBounds) {
  const std::string row = padded_row(100);
  const auto form = RowTemplate::learn(row, 3);
  ASSERT_TRUE(form);
  const std::int64_t time = time_of(row);
  Taken taken(3);
  const auto rows = [&](RowTemplate::Bounds bounds) {
    return form->read_rows(row + padded_row(101) + padded_row(401), bounds, taken.locals.data(),
                           taken.pointers);
  };
  EXPECT_EQ(rows({time, time + 1000, 300, 64}), 3U);
  EXPECT_EQ(rows({time, time + 1000, 299, 64}), 2U);
  EXPECT_EQ(rows({time, time + 1, 300, 64}), 1U);
  EXPECT_EQ(rows({time + 1, time + 1000, 300, 64}), 0U);
  EXPECT_EQ(rows({time, time + 1000, 300, 1}), 1U);
}

TEST(RowTemplate, LearnsNoRowOfAnotherForm) {
  EXPECT_FALSE(RowTemplate::learn("2023-06-16 10:00:00 , 63.0 , 5 ,\r\n", 2));
  EXPECT_FALSE(RowTemplate::learn(padded_row(0, "-5.0"), 3));
  EXPECT_FALSE(RowTemplate::learn(padded_row(0), 2));
  EXPECT_FALSE(RowTemplate::learn(padded_row(0), 4));
  EXPECT_FALSE(RowTemplate::learn(padded_row(0, "1995.0", "63.0", "16", ""), 3));
  EXPECT_FALSE(RowTemplate::learn("", 0));
}

}  // namespace
}  // namespace gpulse
