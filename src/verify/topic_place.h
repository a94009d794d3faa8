// A Kafka topic against logs.
#pragma once

#include <span>

#include "kafka/connection.h"
#include "kafka/observer.h"
#include "verify/place.h"

namespace gpulse {

// Reads the topic once, as it is now. A row counts as there if a reader gets it: records at or
// behind the mark of their partition are dropped by every one of ours, and are no doubles; a row in
// two partitions is one.
[[nodiscard]] Expected<PlaceReport> verify_topic(const KafkaConnection& connection,
                                                 std::span<const LogUnderTest> logs,
                                                 const Clock& clock, KafkaObserver& observer);

}  // namespace gpulse
