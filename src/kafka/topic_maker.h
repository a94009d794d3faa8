// Finding a topic, and making it where it is missing: inside this module only.
#pragma once

#include <functional>

#include "kafka/client.h"

namespace gpulse::kafka {

// What a caller wants to stop for; asked between requests, a tenth of a second apart at most.
using Check = std::function<Expected<void>()>;

// Makes the connection's topic, with the cluster's default replication. Returns when it is there
// also when somebody else made it; its leader may be known a little later. Errors: as `check`, of
// rights (not retryable), and others (retryable).
[[nodiscard]] Expected<void> make_topic(rd_kafka_t* handle, const KafkaConnection& connection,
                                        int partitions, const Check& check);

}  // namespace gpulse::kafka
