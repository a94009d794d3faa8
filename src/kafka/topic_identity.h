// Which topic it is that bears a name: inside this module only.
#pragma once

#include "kafka/client.h"
#include "kafka/producer.h"

namespace gpulse::kafka {

// Asks the cluster, for at most `timeout`. What it does not tell, or this build's librdkafka cannot
// ask (Debian's 2.0.2 knows no ids of topics), is empty.
[[nodiscard]] TopicIdentity identify_topic(rd_kafka_t* handle, const std::string& topic,
                                           std::chrono::milliseconds timeout);

}  // namespace gpulse::kafka
