#include "kafka/delivery.h"

#include <gtest/gtest.h>

namespace gpulse::kafka {
namespace {

SampleBatch batch_of(std::string gpu, std::vector<std::int64_t> offsets) {
  SampleBatch batch{
      {"rig", std::move(gpu)}, "source", 0, std::make_shared<const Layout>(), {}, {}, {}};
  batch.times.resize(offsets.size());
  batch.offsets = std::move(offsets);
  return batch;
}

TEST(Delivery, KnowsItsRowsAcrossBatches) {
  const std::vector batches{batch_of("gpu0", {10, 20}), batch_of("gpu1", {}),
                            batch_of("gpu1", {30})};
  const Delivery delivery(batches);
  EXPECT_EQ(delivery.open(), 3U);
  EXPECT_EQ(delivery.parts()[2].key, "rig/gpu1");
  EXPECT_EQ(delivery.identity(1).offset, 20);
  EXPECT_EQ(delivery.identity(2).offset, 30);
  EXPECT_EQ(delivery.identity(2).device.gpu, "gpu1");
}

TEST(Delivery, IsCompleteWhenEveryRowIsDone) {
  const std::vector batches{batch_of("gpu0", {10, 20})};
  Delivery delivery(batches);
  delivery.send(0, false);
  delivery.send(1, false);
  EXPECT_EQ(delivery.outstanding(), 2U);
  delivery.finish(0);
  EXPECT_FALSE(delivery.complete());
  delivery.finish(1);
  EXPECT_TRUE(delivery.complete());
  EXPECT_EQ(delivery.outstanding(), 0U);
  EXPECT_TRUE(Delivery({}).complete());
}

TEST(Delivery, OfALostClientBeginsAgainWhereNothingWasReported) {
  const std::vector batches{batch_of("gpu0", {10, 20, 30, 40})};
  Delivery delivery(batches);
  for (std::size_t i = 0; i < 3; ++i) delivery.send(i, false);
  delivery.finish(0);
  delivery.take_back(1, Delivery::Row::suspect);
  delivery.send(1, true);
  delivery.forget_outstanding();
  EXPECT_EQ(delivery.row(0), Delivery::Row::done);
  EXPECT_EQ(delivery.row(1), Delivery::Row::suspect);
  EXPECT_EQ(delivery.row(2), Delivery::Row::waiting);
  EXPECT_EQ(delivery.row(3), Delivery::Row::waiting);
  EXPECT_EQ(delivery.outstanding(), 0U);
  EXPECT_EQ(delivery.open(), 3U);
}

TEST(Delivery, ARowThatWasNeverSentCanBeRefused) {
  const std::vector batches{batch_of("gpu0", {10})};
  Delivery delivery(batches);
  delivery.finish(0);
  EXPECT_TRUE(delivery.complete());
  EXPECT_EQ(delivery.outstanding(), 0U);
}

}  // namespace
}  // namespace gpulse::kafka
