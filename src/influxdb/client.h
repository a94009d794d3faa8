// Asks an InfluxDB one thing at a time and waits for the answer: setting up, querying, checking.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "influxdb/endpoint.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct InfluxAnswer {
  unsigned status = 0;
  std::string body;
  std::string version;  // as the server says, "v2.9.1" or "1.6.7"; empty when it does not
  std::optional<Timestamp> time;  // the server's, in whole seconds
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// Not thread-safe. Keeps its connection. What is asked may be sent twice when a kept connection
// turns out to be closed.
class InfluxClient {
 public:
  // A usage error when the CA file cannot be used. Connects to nothing yet.
  [[nodiscard]] static Expected<std::unique_ptr<InfluxClient>> build(
      const InfluxEndpoint& endpoint,
      std::chrono::milliseconds timeout = std::chrono::milliseconds(30'000));
  ~InfluxClient();

  // Any status is an answer. Errors: no connection (retryable), an untrusted certificate, a stop
  // (retryable).
  [[nodiscard]] Expected<InfluxAnswer> ask(std::string_view method, std::string_view target,
                                           std::string_view content_type = {},
                                           std::string_view body = {},
                                           const std::stop_token& stop = {});
  [[nodiscard]] const InfluxEndpoint& endpoint() const;

 private:
  struct Impl;
  explicit InfluxClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What to tell when an answer was not the one that was wanted: "cannot make the bucket: InfluxDB at
// … answers 403 …", with what to check.
[[nodiscard]] Error unexpected_answer(const InfluxEndpoint& endpoint, std::string_view doing,
                                      const InfluxAnswer& answer);

}  // namespace gpulse
