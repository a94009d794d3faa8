#include "server/request.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

TEST(ParseTarget, DecodesPathAndParameters) {
  Request request;
  ASSERT_TRUE(
      parse_target("/api/v1/query?metric=a%2Cb&name=GPU-Z+Log%20%C2%B0&&empty=&bare", request));
  EXPECT_EQ(request.path, "/api/v1/query");
  EXPECT_EQ(*request.parameter("metric"), "a,b");
  EXPECT_EQ(*request.parameter("name"), "GPU-Z Log °");
  EXPECT_EQ(*request.parameter("empty"), "");
  EXPECT_EQ(*request.parameter("bare"), "");
  EXPECT_EQ(request.parameter("other"), nullptr);
}

TEST(ParseTarget, APlusInThePathStaysOne) {
  Request request;
  ASSERT_TRUE(parse_target("/a+b%2f", request));
  EXPECT_EQ(request.path, "/a+b/");
}

TEST(ParseTarget, TheFirstOfTwoCounts) {
  Request request;
  ASSERT_TRUE(parse_target("/?a=1&a=2", request));
  EXPECT_EQ(*request.parameter("a"), "1");
}

TEST(ParseTarget, RefusesWhatItCannotRead) {
  Request request;
  for (const char* target :
       {"", "*", "http://localhost/", "/%", "/%4", "/%zz", "/%00", "/?a=%", "/?%0g=1", "/?a=%00"}) {
    EXPECT_FALSE(parse_target(target, request)) << target;
  }
}

TEST(ErrorResponse, TheKindDecidesTheStatus) {
  EXPECT_EQ(error_response(Error{ErrorKind::usage, "a", false}).status, 400);
  EXPECT_EQ(error_response(Error{ErrorKind::input, "a", false}).status, 422);
  EXPECT_EQ(error_response(Error{ErrorKind::operation, "a", true}).status, 503);
  EXPECT_EQ(error_response(404, ErrorKind::usage, "no \"x\"").body,
            R"({"error":{"kind":"usage","message":"no \"x\""}})");
}

}  // namespace
}  // namespace gpulse
