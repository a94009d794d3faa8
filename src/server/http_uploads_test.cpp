// Old logs sent to the server.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/http_server_fixture.h"

namespace gpulse {
namespace {

using test::Answer;
using test::Client;

class HttpUploads : public test::HttpServerFixture {};

TEST_F(HttpUploads, AnUploadGoesToDiskAndToAJob) {
  start();
  Client client(port);
  std::string log(3'000'000, 'x');
  for (std::size_t i = 0; i < log.size(); i += 7) log[i] = static_cast<char>(i);
  const Answer answer = client.ask("POST", "/api/v1/logs?name=a.txt", "", log);
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"job":"1"})");
  EXPECT_TRUE(answer.has_header("Location: /api/v1/logs/1"));
  EXPECT_TRUE(world.jobs.content(0) == log);
  EXPECT_EQ(client.ask("DELETE", "/api/v1/logs/1").status, 204);
  EXPECT_NE(client.ask("GET", "/api/v1/logs/1").body.find("cancelled"), std::string::npos);
}

TEST_F(HttpUploads, AnUploadMayComeInChunks) {
  start();
  Client client(port);
  client.send(client.request("POST", "/api/v1/logs?name=a.txt", "Transfer-Encoding: chunked\r\n"));
  client.send("5\r\nhello\r\n");
  client.send("6\r\n world\r\n0\r\n\r\n");
  EXPECT_EQ(client.answer().status, 202);
  EXPECT_EQ(world.jobs.content(0), "hello world");
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(HttpUploads, AClientThatWaitsToBeAskedForItsBodyIsAsked) {
  start();
  Client client(port);
  client.send(client.request("POST", "/api/v1/logs?name=a.txt",
                             "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(client.answer().status, 202);
}

TEST_F(HttpUploads, ARefusalIsSeenAlsoByWhoIsStillSending) {
  start();
  Client client(port);
  const Answer answer = client.ask("POST", "/api/v1/logs", "", std::string(8'000'000, 'x'));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("name is missing"), std::string::npos);
  EXPECT_TRUE(spool_is_empty());
}

TEST_F(HttpUploads, WhatTheJobsRefuseLeavesNoFile) {
  start();
  world.jobs.refuse = true;
  Client client(port);
  const Answer answer = client.ask("POST", "/api/v1/logs?name=a.txt", "", "# no log");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body, R"({"error":{"kind":"input","message":"a.txt is no GPU-Z log"}})");
  EXPECT_TRUE(spool_is_empty());
}

TEST_F(HttpUploads, AnUploadThatBreaksOffLeavesNothing) {
  start();
  Client client(port);
  client.send(client.request("POST", "/api/v1/logs?name=a.txt", "Content-Length: 1000\r\n") + "x");
  EXPECT_TRUE(comes_true([&] { return !spool_is_empty(); }));
  client.close();
  EXPECT_TRUE(comes_true([&] { return spool_is_empty(); }));
  EXPECT_TRUE(world.jobs.list().empty());
}

TEST_F(HttpUploads, AStartRemovesWhatAKilledOneLeft) {
  std::filesystem::create_directories(options.spool_folder);
  std::ofstream(options.spool_folder / "upload-1.log.part") << "half";
  std::ofstream(options.spool_folder / "upload-2.log") << "a job's";
  start();
  EXPECT_FALSE(std::filesystem::exists(options.spool_folder / "upload-1.log.part"));
  EXPECT_TRUE(std::filesystem::exists(options.spool_folder / "upload-2.log"));
}

TEST_F(HttpUploads, WhereUploadsCannotGoIsAnOperationError) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "file") << "in the way";
  options.spool_folder = folder / "file" / "spool";
  start();
  Client client(port);
  const Answer answer = client.ask("POST", "/api/v1/logs?name=a.txt", "", "x");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("cannot make the folder"), std::string::npos);
}

}  // namespace
}  // namespace gpulse
