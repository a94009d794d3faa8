#include "server/web_assets.h"

#include <gtest/gtest.h>

#include "server/test_world.h"

namespace gpulse {
namespace {

std::string field(std::string_view text) {
  std::string out;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>(text.size() >> shift & 0xFFU);
  }
  return out.append(text);
}

std::string pack() {
  std::string out = "GPW1";
  out.append("\x02\0\0\0", 4);
  for (const std::string_view part :
       {"/index.html", "text/html; charset=utf-8", "\"abc\"", "<p>page</p>", "GZ"}) {
    out += field(part);
  }
  for (const std::string_view part :
       {"/assets/app-1.js", "text/javascript; charset=utf-8", "\"def\"", "run()", ""}) {
    out += field(part);
  }
  return out;
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

class WebAssetsTest : public testing::Test {
 protected:
  const std::string pack_ = pack();
  const WebAssets assets{pack_};
};

TEST_F(WebAssetsTest, TheRootIsThePage) {
  const Response response = assets.serve(test::get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.static_body, "<p>page</p>");
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  EXPECT_EQ(header(response, "Content-Encoding"), "");
}

TEST_F(WebAssetsTest, IsSentCompressedToWhoTakesIt) {
  Request request = test::get("/");
  for (const char* accepted : {"gzip", "br, gzip;q=0.5", "deflate,gzip"}) {
    request.accept_encoding = accepted;
    const Response response = assets.serve(request);
    EXPECT_EQ(response.static_body, "GZ") << accepted;
    EXPECT_EQ(header(response, "Content-Encoding"), "gzip");
    EXPECT_EQ(header(response, "ETag"), "\"abc-gz\"");
  }
  for (const char* refused : {"", "br", "gzip;q=0", "xgzip"}) {
    request.accept_encoding = refused;
    EXPECT_EQ(assets.serve(request).static_body, "<p>page</p>") << refused;
  }
}

TEST_F(WebAssetsTest, WhatIsNoSmallerCompressedIsSentPlain) {
  Request request = test::get("/assets/app-1.js");
  request.accept_encoding = "gzip";
  const Response response = assets.serve(request);
  EXPECT_EQ(response.static_body, "run()");
  EXPECT_EQ(header(response, "Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(WebAssetsTest, WhoHasItAlreadyGetsNothing) {
  Request request = test::get("/");
  for (const char* tag : {R"("abc")", R"(W/"abc")", R"("x", "abc")"}) {
    request.if_none_match = tag;
    const Response response = assets.serve(request);
    EXPECT_EQ(response.status, 304) << tag;
    EXPECT_TRUE(response.static_body.empty());
  }
  request.if_none_match = "\"abd\"";
  EXPECT_EQ(assets.serve(request).status, 200);
  request.if_none_match = "\"abc\"";
  request.accept_encoding = "gzip";
  EXPECT_EQ(assets.serve(request).status, 200);
}

TEST_F(WebAssetsTest, NothingElseIsThere) {
  EXPECT_EQ(assets.serve(test::get("/assets/../index.html")).status, 404);
  EXPECT_FALSE(assets.has("/etc/passwd"));
  EXPECT_TRUE(assets.has("/assets/app-1.js"));
}

TEST(WebAssets, WithoutAPageItSaysHowToBuildIt) {
  const WebAssets assets("");
  const Response response = assets.serve(test::get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.static_body.find("GPULSE_WEB=ON"), std::string_view::npos);
  EXPECT_EQ(assets.serve(test::get("/assets/app.js")).status, 404);
}

}  // namespace
}  // namespace gpulse
