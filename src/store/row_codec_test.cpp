#include "store/row_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace gpulse {
namespace {

bool same_double(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

// Columns of every width, with readings of any decimals and absent ones.
SampleBatch random_batch(std::mt19937_64& random) {
  const std::size_t columns = random() % 20;
  Layout layout;
  for (std::size_t i = 0; i < columns; ++i)
    layout.columns.push_back({"m" + std::to_string(i), "W"});
  SampleBatch batch{
      {"rig", "gpu0"}, "source", 7, std::make_shared<const Layout>(layout), {}, {}, {}};
  batch.columns.resize(columns);
  for (std::int64_t row = 0; row < 8; ++row) {
    batch.times.push_back(from_microseconds(row));
    batch.offsets.push_back(row);
    for (std::size_t i = 0; i < columns; ++i) {
      const auto dice = random() % 16;
      const auto any = static_cast<std::int64_t>(random());
      const auto decimals = static_cast<int>(random() % 4);
      if (dice < 2) {
        batch.columns[i].push_absent();
      } else if (i % 5 == 4 && dice == 3) {
        batch.columns[i].push_double(static_cast<double>(any) / 1e7);
      } else if (i % 3 == 2 && dice == 4) {
        batch.columns[i].push(any >> 16, decimals);
      } else {
        batch.columns[i].push(any % 100'000, decimals);
      }
    }
  }
  return batch;
}

TEST(RowCodec, ReadsBackWhatItWrote) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const SampleBatch batch = random_batch(random);
    const RowFormat format = RowFormat::of(batch);
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      for (auto times = random() % 3; times > 0; --times) wanted.push_back(i);
    }
    std::vector<ReadingColumn> columns(batch.columns.size());
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      std::string bytes;
      encode_row(batch, row, bytes);
      std::vector<double> values(wanted.size(), -1);
      ASSERT_TRUE(decode_row(bytes, format, wanted, values));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_TRUE(same_double(values[i], batch.columns[wanted[i]].value(row)));
      }
      ASSERT_TRUE(decode_row(bytes, format, columns));
      for (std::size_t i = 0; i < columns.size(); ++i) {
        ASSERT_EQ(columns[i].present(row), batch.columns[i].present(row));
        ASSERT_TRUE(same_double(columns[i].value(row), batch.columns[i].value(row)));
      }
    }
  }
}

TEST(RowCodec, BytesOfAnotherFormatAreRefused) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    const SampleBatch batch = random_batch(random);
    const RowFormat format = RowFormat::of(batch);
    std::string bytes;
    encode_row(batch, random() % batch.rows(), bytes);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      EXPECT_FALSE(decode_row(bytes.substr(0, cut), format, {}, {}));
    }
    EXPECT_FALSE(decode_row(bytes + "x", format, {}, {}));
  }
  const RowFormat one{Layout{{{"m", ""}}}, {0}};
  EXPECT_FALSE(decode_row(std::string(1, '\0') + std::string(12, '\xFF'), one, {}, {}));
}

TEST(RowFormat, IsTheSameFromItsText) {
  const RowFormat format{
      Layout{{{"gpu_temperature", "°C"}, {"perfcap_reason", ""}, {"x", "% TDP"}}},
      {1, 0, RowFormat::kDouble}};
  const auto again = RowFormat::from_text(format.to_text());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, format);
  EXPECT_EQ(RowFormat::from_text("")->decimals.size(), 0U);
}

TEST(RowFormat, UnitsMayHoldAnything) {
  const RowFormat format{Layout{{{"a", "W\tx\r\n"}, {"b", "V"}}}, {1, 2}};
  const auto again = RowFormat::from_text(format.to_text());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->layout.columns[0].unit, "Wx");
  EXPECT_EQ(again->layout.columns[1], (ColumnName{"b", "V"}));
}

TEST(RowFormat, DamagedTextIsRefused) {
  for (const std::string_view text : {"a", "a\tW\n", "a\tW\t1", "a\tW\tx\n", "a\tW\t-2\n",
                                      "a\tW\t10\n", "a\tW\t1 \n", "\n", "a\tW\t1\nb\n"}) {
    EXPECT_FALSE(RowFormat::from_text(text)) << text;
  }
}

}  // namespace
}  // namespace gpulse
