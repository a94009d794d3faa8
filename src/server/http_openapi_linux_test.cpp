// The server beside its description; the one that asks is a Python script.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "server/http_server_fixture.h"

namespace gpulse {
namespace {

class HttpOpenApi : public test::HttpServerFixture {};

// Asks everything that docs/openapi.yaml describes, and holds the answers against it.
TEST_F(HttpOpenApi, AnswersAreAsTheOpenApiFileSays) {
  start();
  const std::jthread publisher([&](const std::stop_token& token) {
    for (int i = 0; !token.stop_requested(); ++i) {
      if (!hub.has_clients()) {
        std::this_thread::yield();
        continue;
      }
      const auto& metrics = world.history.device(world.rig).metrics;
      hub.publish_rows(rows(world.rig, i, 1));
      hub.publish_device(world.history.device(world.rig), std::chrono::seconds{1});
      hub.publish_alert(world.history.alerts_[static_cast<std::size_t>(i % 2)], metrics,
                        test::at(759));
      hub.publish_window(world.history.windows_[0], metrics);
      hub.publish_job(job(1));
    }
  });
  const std::string root = GPULSE_SOURCE_DIR;
  const std::string command = "/usr/bin/python3 " + root + "/tests/openapi_check.py " +
                              server->url() + " " + root +
                              "/docs/openapi.yaml rows,device,alert,window,job";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace gpulse
