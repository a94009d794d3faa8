// For this module's tests: rows written one by one, cut into batches at will.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

inline Timestamp at_second(std::int64_t second) { return from_microseconds(second * 1'000'000); }

struct TestRow {
  std::int64_t session = 0;
  Timestamp time;
  // Tenths, one a column; absent where there is none. A reading of no whole tens is pushed with two
  // decimals more, so that columns grow.
  std::vector<std::optional<std::int64_t>> tenths;
};

inline LayoutPtr test_layout(const std::vector<std::string>& metrics) {
  Layout layout;
  for (const auto& metric : metrics) layout.columns.push_back({metric, ""});
  return std::make_shared<const Layout>(std::move(layout));
}

// Rows [from, to), all of one session.
inline SampleBatch test_batch(const std::vector<TestRow>& rows, std::size_t from, std::size_t to,
                              const LayoutPtr& layout) {
  SampleBatch batch;
  batch.device = {"rig", "gpu0"};
  batch.source = "source";
  batch.session = rows[from].session;
  batch.layout = layout;
  batch.columns.resize(layout->columns.size(), ReadingColumn(1));
  for (std::size_t row = from; row < to; ++row) {
    batch.times.push_back(rows[row].time);
    batch.offsets.push_back(static_cast<std::int64_t>(row) * 100);
    for (std::size_t column = 0; column < batch.columns.size(); ++column) {
      const auto& reading = rows[row].tenths[column];
      if (!reading) {
        batch.columns[column].push_absent();
      } else if (*reading % 10 == 7) {
        batch.columns[column].push(*reading * 100, 3);
      } else {
        batch.columns[column].push(*reading, 1);
      }
    }
  }
  return batch;
}

// [from, to) of each batch; none crosses a session. Batches of one row up to `rows_max`.
inline std::vector<std::pair<std::size_t, std::size_t>> random_cuts(
    const std::vector<TestRow>& rows, std::size_t rows_max, std::mt19937& random) {
  std::vector<std::pair<std::size_t, std::size_t>> cuts;
  for (std::size_t from = 0; from < rows.size();) {
    std::size_t to = from + 1;
    const std::size_t limit = from + 1 + random() % rows_max;
    while (to < rows.size() && to < limit && rows[to].session == rows[from].session) ++to;
    cuts.emplace_back(from, to);
    from = to;
  }
  return cuts;
}

// A log as real ones are: several sessions, mostly a row a second, some seconds twice, gaps, absent
// readings; readings wander about the default rules' limits.
inline std::vector<TestRow> random_rows(std::size_t count, std::size_t columns,
                                        std::mt19937& random) {
  std::vector<TestRow> rows;
  std::vector<std::int64_t> level(columns, 840);
  std::int64_t second = 1'686'903'428;
  std::int64_t session = 680;
  for (std::size_t i = 0; i < count; ++i) {
    const auto dice = random() % 200;
    if (dice == 0) session += 1'000;
    second += dice < 2 ? 400 : dice < 5 ? 70 : dice < 20 ? 0 : 1;
    TestRow row{session, at_second(second), {}};
    if (!rows.empty() && second == to_microseconds(rows.back().time) / 1'000'000) {
      row.time = rows.back().time + std::chrono::microseconds{1};
    }
    for (auto& tenths : level) {
      tenths += static_cast<std::int64_t>(random() % 21) - 10 + (850 - tenths) / 16;
      if (random() % 30 == 0) {
        row.tenths.emplace_back();
      } else {
        row.tenths.emplace_back(tenths);
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace gpulse
