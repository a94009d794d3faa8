#include "kafka/client.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

// As librdkafka 2.12 words them.
TEST(KafkaClientState, ALoginThatWasRefusedIsForGood) {
  for (const char* const words :
       {"sasl_ssl://h:9093/1: SASL authentication error: Authentication failed during "
        "authentication due to invalid credentials (after 6ms in state AUTH_REQ)",
        "sasl_ssl://h:9093/1: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported "
        "SASL mechanism: broker's supported mechanisms: PLAIN (after 2ms in state "
        "AUTH_HANDSHAKE)"}) {
    KafkaObserver silent;
    kafka::ClientState state(silent);
    state.on_error(nullptr, RD_KAFKA_RESP_ERR__AUTHENTICATION, words);
    ASSERT_TRUE(state.verdict().has_value()) << words;
    EXPECT_TRUE(state.login_refused());
    EXPECT_EQ(state.verdict()->message.find("(after"), std::string::npos);
  }
}

TEST(KafkaClientState, ABrokerThatDiesInALoginRefusesNobody) {
  for (const char* const words :
       {"sasl_ssl://h:9093/1: SASL SCRAM-SHA-512 mechanism handshake failed: Local: Broker "
        "transport "
        "failure: broker's supported mechanisms: (n/a) (after 3ms in state AUTH_HANDSHAKE)",
        "sasl_ssl://h:9093/1: SASL SCRAM-SHA-512 mechanism handshake failed: Local: Timed out: "
        "broker's supported mechanisms: (n/a) (after 10002ms in state AUTH_HANDSHAKE)"}) {
    KafkaObserver silent;
    kafka::ClientState state(silent);
    state.on_error(nullptr, RD_KAFKA_RESP_ERR__AUTHENTICATION, words);
    EXPECT_FALSE(state.verdict().has_value()) << words;
    EXPECT_FALSE(state.login_refused());
    EXPECT_TRUE(state.in_trouble());
  }
}

}  // namespace
}  // namespace gpulse
