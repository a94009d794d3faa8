#include "store/hot_columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace gpulse {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(PackedIntegers, UnpackToWhatTheyWere) {
  std::mt19937_64 random(1);
  for (const std::uint64_t range :
       {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{65'535},
        std::uint64_t{65'536}, std::uint64_t{4'294'967'295}, std::uint64_t{4'294'967'296},
        std::numeric_limits<std::uint64_t>::max()}) {
    for (const std::int64_t base : {std::int64_t{0}, std::int64_t{-70'000}, kLeast}) {
      std::vector<std::int64_t> values{
          base, static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + range)};
      if (values[1] < base) values[1] = kMost;
      const std::uint64_t width =
          static_cast<std::uint64_t>(values[1]) - static_cast<std::uint64_t>(base);
      for (int i = 0; i < 100; ++i) {
        const std::uint64_t step =
            width == kMost || width + 1 == 0 ? random() : random() % (width + 1);
        values.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + step));
      }
      std::vector<std::int64_t> again;
      PackedIntegers(values).unpack(again);
      ASSERT_EQ(again, values) << range << " from " << base;
    }
  }
}

LayoutPtr layout_of(const std::vector<std::string>& metrics) {
  Layout layout;
  for (const auto& metric : metrics) layout.columns.push_back({metric, ""});
  return std::make_shared<const Layout>(std::move(layout));
}

// Rows [from, until), one a second; the second column has no reading in every third row.
SampleBatch rows_of(int from, int until, std::int64_t session, const LayoutPtr& layout) {
  SampleBatch batch{{"rig", "gpu0"}, "source", session, layout, {}, {}, {}};
  batch.columns.resize(layout->columns.size());
  for (int row = from; row < until; ++row) {
    batch.times.push_back(from_microseconds(row * 1'000'000LL));
    batch.offsets.push_back(row);
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      if (i == 1 && row % 3 == 0) {
        batch.columns[i].push_absent();
      } else {
        batch.columns[i].push(row * 10 + static_cast<int>(i), 1);
      }
    }
  }
  return batch;
}

TEST(HotColumns, HoldRowsAsTheyCame) {
  const LayoutPtr layout = layout_of({"a", "b"});
  HotColumns hot;
  for (int from = 0; from < 3000; from += 7) {
    hot.append(rows_of(from, std::min(from + 7, 3000), 1, layout));
    if (from % 70 == 0) static_cast<void>(hot.snapshot());
  }
  std::vector<double> a;
  std::vector<double> b;
  std::vector<Timestamp> times;
  for (const HotChunkPtr& chunk : hot.snapshot()) {
    EXPECT_LE(chunk->rows(), HotColumns::kChunkRows);
    for (const double value : chunk->values("a")) a.push_back(value);
    for (const double value : chunk->values("b")) b.push_back(value);
    for (const Timestamp time : chunk->times()) times.push_back(time);
    EXPECT_TRUE(chunk->values("c").empty());
  }
  ASSERT_EQ(times.size(), 3000U);
  for (int row = 0; row < 3000; ++row) {
    const auto at = static_cast<std::size_t>(row);
    ASSERT_EQ(times[at], from_microseconds(row * 1'000'000LL));
    ASSERT_EQ(a[at], row);
    ASSERT_EQ(std::isnan(b[at]), row % 3 == 0);
    if (row % 3 != 0) {
      ASSERT_EQ(b[at], row + 0.1);
    }
  }
}

TEST(HotColumns, ASnapshotStaysAsItWas) {
  const LayoutPtr layout = layout_of({"a"});
  HotColumns hot;
  hot.append(rows_of(0, 5, 1, layout));
  const auto before = hot.snapshot();
  hot.append(rows_of(5, 2000, 1, layout));
  hot.drop_before(from_microseconds(1'000'000'000));
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before[0]->rows(), 5U);
}

TEST(HotColumns, AnotherSessionOrLayoutBeginsAChunk) {
  HotColumns hot;
  hot.append(rows_of(0, 5, 1, layout_of({"a", "b"})));
  hot.append(rows_of(5, 6, 2, layout_of({"a", "b"})));
  hot.append(rows_of(6, 9, 3, layout_of({"c"})));
  const auto chunks = hot.snapshot();
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_EQ(chunks[1]->session(), 2);
  EXPECT_EQ(chunks[1]->times().size(), 1U);
  EXPECT_EQ(chunks[2]->values("c"), (std::vector<double>{6, 7, 8}));
  EXPECT_TRUE(chunks[2]->values("a").empty());
}

TEST(HotColumns, LetGoOnlyWhatEndsBefore) {
  const LayoutPtr layout = layout_of({"a"});
  HotColumns hot;
  hot.append(rows_of(0, 3000, 1, layout));
  hot.drop_before(from_microseconds(1023 * 1'000'000LL));
  EXPECT_EQ(hot.snapshot().size(), 3U);
  hot.drop_before(from_microseconds(1023 * 1'000'000LL + 1));
  EXPECT_EQ(hot.snapshot().size(), 2U);
  EXPECT_LT(hot.bytes(), 3000U * 8);
}

TEST(HotColumns, AnAbsentReadingDoesNotWidenItsColumn) {
  const LayoutPtr layout = layout_of({"a"});
  SampleBatch batch = rows_of(0, 0, 1, layout);
  for (int row = 0; row < 1000; ++row) {
    batch.times.push_back(from_microseconds(row));
    batch.offsets.push_back(row);
    row % 2 == 0 ? batch.columns[0].push_absent() : batch.columns[0].push(1'000'000 + row % 100, 0);
  }
  const HotChunk chunk(batch);
  EXPECT_LT(chunk.bytes(), 1000U * 2 + 600);  // a byte for the count, one for the presence
  EXPECT_TRUE(std::isnan(chunk.values("a")[0]));
  EXPECT_EQ(chunk.values("a")[1], 1'000'001);
}

}  // namespace
}  // namespace gpulse
