#include "server/access.h"

#include <gtest/gtest.h>

#include <fstream>

#include "platform/secret_file.h"

namespace gpulse {
namespace {

constexpr std::string_view kToken = "a-token-of-enough-bytes";

Request request(std::string host, std::string origin = "", std::string_view target = "/") {
  Request out;
  out.method = "GET";
  out.host = std::move(host);
  out.origin = std::move(origin);
  EXPECT_TRUE(parse_target(target, out).has_value());
  return out;
}

int status(const Access& access, const Request& request) {
  const auto refusal = access.refuse(request);
  return refusal ? refusal->status : 200;
}

TEST(Access, OnLoopbackOnlyItsOwnNamesWithThePort) {
  const Access access({8337, true, {}, ""});
  for (const char* host : {"localhost:8337", "127.0.0.1:8337", "[::1]:8337", "LOCALHOST:8337"}) {
    EXPECT_EQ(status(access, request(host)), 200) << host;
  }
  for (const char* host : {"", "localhost", "localhost:80", "evil.example:8337", "127.0.0.1:8338",
                           "127.0.0.1.evil.example:8337", "192.168.1.5:8337", "[::1",
                           "localhost:", "localhost:8337:8337", "localhost:+8337"}) {
    EXPECT_EQ(status(access, request(host)), 403) << host;
  }
}

TEST(Access, ThePortOfHttpNeedNotBeSaid) {
  EXPECT_EQ(status(Access({80, true, {}, ""}), request("localhost")), 200);
}

TEST(Access, AnOriginMustBeTheSame) {
  const Access access({8337, true, {}, ""});
  EXPECT_EQ(status(access, request("localhost:8337", "http://localhost:8337")), 200);
  for (const char* origin :
       {"http://evil.example", "null", "http://localhost:8338", "http://127.0.0.1:8337", "file://",
        "http://localhost:8337.evil.com"}) {
    EXPECT_EQ(status(access, request("localhost:8337", origin)), 403) << origin;
  }
}

TEST(Access, BeyondThisMachineAddressesAndListedNames) {
  const Access access({8337, false, {"rig.lan", "proxy.lan:443"}, std::string(kToken)});
  const auto with_token = [](std::string host) {
    Request out = request(std::move(host));
    out.authorization = "Bearer " + std::string(kToken);
    return out;
  };
  for (const char* host : {"192.168.1.5:8337", "[fe80::1]:8337", "rig.lan:9000", "proxy.lan:443"}) {
    EXPECT_EQ(status(access, with_token(host)), 200) << host;
  }
  for (const char* host : {"evil.example:8337", "proxy.lan:80", "rig.lan.evil:8337"}) {
    EXPECT_EQ(status(access, with_token(host)), 403) << host;
  }
}

TEST(Access, TheTokenOpensByHeaderOrCookie) {
  const Access access({8337, true, {}, std::string(kToken)});
  Request asked = request("localhost:8337");
  EXPECT_EQ(status(access, asked), 401);
  asked.authorization = "Bearer wrong-token-of-enough-b";
  EXPECT_EQ(status(access, asked), 401);
  asked.authorization = "Bearer " + std::string(kToken);
  EXPECT_EQ(status(access, asked), 200);
  asked.authorization.clear();
  asked.cookie = "a=b; gpulse_token=" + std::string(kToken) + "; c=d";
  EXPECT_EQ(status(access, asked), 200);
  asked.cookie = "xgpulse_token=" + std::string(kToken);
  EXPECT_EQ(status(access, asked), 401);
}

TEST(Access, TheTokenInThePagesAddressBecomesACookie) {
  const Access access({8337, true, {}, std::string(kToken)});
  const auto answer = access.refuse(
      request("localhost:8337", "", "/?range=1h&token=" + std::string(kToken) + "&d=a%2Fb"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 303);
  EXPECT_EQ(answer->headers[0].second, "/?range=1h&d=a%2Fb");
  EXPECT_EQ(answer->headers[1].second,
            "gpulse_token=" + std::string(kToken) + "; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(status(access, request("localhost:8337", "", "/?token=wrong")), 401);
  // Elsewhere a token in the address would end up in other programs' logs.
  EXPECT_EQ(status(access, request("localhost:8337", "", "/metrics?token=" + std::string(kToken))),
            401);
}

class TokenFile : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }
  Expected<std::string> read(std::string_view content) {
    std::filesystem::remove(path_);
    std::ofstream(path_, std::ios::binary) << content;
    EXPECT_TRUE(keep_to_owner(path_).has_value());
    return read_token_file(path_);
  }
  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) / "gpulse_access_test_token";
};

TEST_F(TokenFile, HoldsOneLine) {
  EXPECT_EQ(read("0123456789abcdef\n"), "0123456789abcdef");
  EXPECT_EQ(read("0123456789abcdef\r\n"), "0123456789abcdef");
}

TEST_F(TokenFile, IsRefusedWithTheReason) {
  const auto message = [](const Expected<std::string>& token) {
    return token ? "no error" : token.error().message;
  };
  EXPECT_NE(message(read_token_file(path_)).find("no file"), std::string::npos);
  EXPECT_NE(message(read("short")).find("16 to 256"), std::string::npos);
  EXPECT_NE(message(read(std::string(257, 'x'))).find("16 to 256"), std::string::npos);
  EXPECT_NE(message(read("0123456789 abcdef")).find("without blanks"), std::string::npos);
  EXPECT_NE(message(read("0123456789abcdef\nx")).find("one line"), std::string::npos);
}

TEST(Access, ThePageIsOpenedWithItsToken) {
  EXPECT_EQ(with_token("http://127.0.0.1:8337/", ""), "http://127.0.0.1:8337/");
  EXPECT_EQ(with_token("http://127.0.0.1:8337/", "a+b&c=1234567890"),
            "http://127.0.0.1:8337/?token=a%2Bb%26c%3D1234567890");
}

TEST(ConstantTime, ComparesAll) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "xbc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
}

}  // namespace
}  // namespace gpulse
