#include "kafka/client.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

// A client that was told of a login that failed, in librdkafka 2.12's words.
struct FailedLogin {
  explicit FailedLogin(const std::string& words) {
    state.on_error(nullptr, RD_KAFKA_RESP_ERR__AUTHENTICATION,
                   ("sasl_ssl://h:9093/1: " + words + " (after 6ms in state AUTH)").c_str());
  }
  KafkaObserver silent;
  kafka::ClientState state{silent};
};

TEST(KafkaClientState, ALoginThatWasRefusedIsForGood) {
  for (const char* const words :
       {"SASL authentication error: Authentication failed during authentication due to invalid "
        "credentials",
        "SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: "
        "broker's "
        "supported mechanisms: PLAIN"}) {
    const FailedLogin client(words);
    ASSERT_TRUE(client.state.verdict().has_value()) << words;
    EXPECT_TRUE(client.state.login_refused());
    EXPECT_EQ(client.state.verdict()->message.find("(after"), std::string::npos);
  }
}

TEST(KafkaClientState, ABrokerThatDiesInALoginRefusesNobody) {
  for (const char* const why : {"Broker transport failure", "Timed out"}) {
    const FailedLogin client("SASL SCRAM-SHA-512 mechanism handshake failed: Local: " +
                             std::string(why) + ": broker's supported mechanisms: (n/a)");
    EXPECT_FALSE(client.state.verdict().has_value()) << why;
    EXPECT_FALSE(client.state.login_refused());
    EXPECT_TRUE(client.state.in_trouble());
  }
}

}  // namespace
}  // namespace gpulse
