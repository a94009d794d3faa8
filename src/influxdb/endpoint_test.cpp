#include "influxdb/endpoint.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "influxdb/downsampling.h"
#include "influxdb/query.h"
#include "platform/secret_file.h"

namespace gpulse {
namespace {

InfluxAddress address(std::string_view text) {
  const auto parsed = parse_influx_address(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(InfluxAddress{});
}

std::string refusal(std::string_view text) {
  const auto parsed = parse_influx_address(text);
  EXPECT_FALSE(parsed.has_value()) << text;
  if (parsed) return {};
  EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
  return parsed.error().message;
}

TEST(InfluxAddress, IsReadInAllItsForms) {
  const auto whole = address("influxdb://db.lan:9999/home/gpu-metrics");
  EXPECT_EQ(whole.host, "db.lan");
  EXPECT_EQ(whole.port, 9999);
  EXPECT_FALSE(whole.tls);
  EXPECT_EQ(whole.organisation, "home");
  EXPECT_EQ(whole.bucket, "gpu-metrics");
  EXPECT_EQ(whole.version, std::nullopt);
  EXPECT_EQ(whole.display(), "influxdb://db.lan:9999/home/gpu-metrics");

  const auto least = address("influxdbs://db");
  EXPECT_TRUE(least.tls);
  EXPECT_EQ(least.port, 8086);
  EXPECT_EQ(least.display(), "influxdbs://db:8086/gpulse/gpu-metrics");

  const auto database = address("influxdb://[::1]:8181/gpus?version=3");
  EXPECT_EQ(database.host, "::1");
  EXPECT_EQ(database.authority(), "[::1]:8181");
  EXPECT_EQ(database.organisation, "");
  EXPECT_EQ(database.bucket, "gpus");
  EXPECT_EQ(database.version, InfluxVersion::v3);

  EXPECT_EQ(address("influxdb://h/my%20org/a%2Fb").bucket, "a/b");
  EXPECT_EQ(address("influxdb://h/my%20org/a%2Fb").display(), "influxdb://h:8086/my%20org/a%2Fb");
}

TEST(InfluxAddress, WhatIsWrongIsNamed) {
  EXPECT_NE(refusal("http://h/").find("influxdb://host:port"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h:99999/a/b").find("port"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h:/a/b").find("port"), std::string::npos);
  EXPECT_NE(refusal("influxdb:///a/b").find("host"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h/a/b/c").find("too many"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h//b").find("missing"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h/a/%0").find("escape"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h/a/b?version=4").find("?version"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h/b?version=2").find("organisation"), std::string::npos);
  EXPECT_NE(refusal("influxdb://::1:8086/a/b").find("brackets"), std::string::npos);
  EXPECT_NE(refusal("influxdb://h\r\nX: y/a/b").find("host"), std::string::npos);
}

TEST(InfluxAddress, APasswordInItIsRefusedAndNotRepeated) {
  const std::string said = refusal("influxdb://user:hunter2@h/a/b");
  EXPECT_NE(said.find("file"), std::string::npos);
  EXPECT_EQ(said.find("hunter2"), std::string::npos);
}

class InfluxToken : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("gpulse-influx-token-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file(std::string_view text) {
    const auto path = folder_ / "token";
    std::ofstream(path) << text;
    EXPECT_TRUE(keep_to_owner(path).has_value());
    return path;
  }
  std::filesystem::path folder_;
};

TEST_F(InfluxToken, ComesFromAFileThatOnlyItsOwnerCanRead) {
  InfluxOptions options{"influxdb://h/a/b", file("abc==\n"), {}};
  auto endpoint = open_endpoint(options, "environment");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->token, "abc==");
  EXPECT_EQ(authorization(*endpoint, InfluxVersion::v2), "Token abc==");
  EXPECT_EQ(authorization(*endpoint, InfluxVersion::v3), "Bearer abc==");
  EXPECT_EQ(authorization(*endpoint, InfluxVersion::v1), "Token abc==");
  for (const auto& [login, header] : {std::pair("rig:secret", "Basic cmlnOnNlY3JldA=="),
                                      std::pair("rig:secre", "Basic cmlnOnNlY3Jl"),
                                      std::pair("r:secret?", "Basic cjpzZWNyZXQ/")}) {
    endpoint->token = login;
    EXPECT_EQ(authorization(*endpoint, InfluxVersion::v1), header);
  }

  options.token_file = file("two\nlines\n");
  EXPECT_FALSE(open_endpoint(options, nullptr).has_value());
  options.token_file = file("");
  EXPECT_FALSE(open_endpoint(options, nullptr).has_value());
}

TEST_F(InfluxToken, OrFromTheEnvironmentOrThereIsNone) {
  const InfluxOptions options{"influxdb://h/a/b", {}, {}};
  EXPECT_EQ(open_endpoint(options, "fromenv")->token, "fromenv");
  EXPECT_EQ(open_endpoint(options, "fromenv")->token_from, "the token in GPULSE_INFLUXDB_TOKEN");
  EXPECT_EQ(open_endpoint(options, nullptr)->token, "");
  EXPECT_EQ(authorization(*open_endpoint(options, nullptr), InfluxVersion::v2), "");
  EXPECT_FALSE(open_endpoint(options, "in\r\nX: jected").has_value());
}

TEST_F(InfluxToken, ACaFileNeedsTls) {
  const auto ca = file("pem");
  EXPECT_FALSE(validate(InfluxOptions{"influxdb://h/a/b", {}, ca}).has_value());
  EXPECT_TRUE(validate(InfluxOptions{"influxdbs://h/a/b", {}, ca}).has_value());
  EXPECT_FALSE(validate(InfluxOptions{"influxdbs://h/a/b", {}, folder_}).has_value());
}

TEST(InfluxTarget, IsThatOfItsVersion) {
  const auto there = address("influxdb://h/my%20org/gpu%26metrics");
  EXPECT_EQ(write_target(there, InfluxVersion::v2),
            "/api/v2/write?org=my%20org&bucket=gpu%26metrics&precision=ns");
  EXPECT_EQ(write_target(there, InfluxVersion::v1), "/write?db=gpu%26metrics");
  EXPECT_EQ(write_target(there, InfluxVersion::v3),
            "/api/v3/write_lp?db=gpu%26metrics&precision=nanosecond");
}

TEST(Flux, TextBecomesALiteralThatCannotBecomeCode) {
  EXPECT_EQ(flux_string("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(flux_string("${x}\n"), R"("\x24{x}\x0a")");
}

TEST(Flux, TaskAndBackfillComputeTheSame) {
  const std::string task = downsampling_task("gpu-metrics", kDownsamplings[0]);
  const std::string query = downsampling_query("gpu-metrics", kDownsamplings[0],
                                               from_microseconds(0), from_microseconds(60'000'000));
  const auto body = [](const std::string& flux) { return flux.substr(flux.find("\naggregate")); };
  EXPECT_EQ(body(task), body(query));
  EXPECT_NE(task.find(R"(option task = {name: "gpu-metrics-1m", every: 1m, offset: 30s})"),
            std::string::npos);
  EXPECT_NE(query.find("from_ = 1970-01-01T00:00:00.000000Z"), std::string::npos);
  EXPECT_NE(task.find(R"(r._field != "perfcap_reason")"), std::string::npos);
}

}  // namespace
}  // namespace gpulse
