// One kept-alive HTTP/1.1 connection to a server, plain or TLS. For this module only: includes
// Asio.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "influxdb/endpoint.h"

namespace gpulse {

// Whom to trust, and how to speak: made once, shared by connections. Immutable.
class TlsContext;
// Null for an address without TLS. A usage error when the CA file holds no certificate.
[[nodiscard]] Expected<std::shared_ptr<TlsContext>> make_tls_context(
    const InfluxEndpoint& endpoint);

struct HttpRequest {
  std::string_view method = "POST";
  std::string_view target;
  std::string_view authorization;  // empty: none
  std::string_view content_type;
  std::string_view body;
  bool gzipped = false;
  std::size_t answer_bytes_max = std::size_t{256} * 1024;
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
  std::string retry_after;
  std::string influx_version;
  std::string date;
};

// Connects when it must, and again after the server has closed. Used from one coroutine at a time,
// on the executor's thread.
class InfluxConnection {
 public:
  // `host:port` and TLS of the address; `timeout` is for a connect, and for a request with its
  // answer.
  InfluxConnection(boost::asio::any_io_executor executor, InfluxAddress address,
                   std::shared_ptr<TlsContext> tls, std::chrono::milliseconds timeout);
  ~InfluxConnection();
  InfluxConnection(InfluxConnection&&) noexcept;

  // Errors are retryable but for a certificate that is not trusted and a server that does not speak
  // TLS. What is borrowed must live until it returns. Sent again once, if the connection was kept
  // from before and turns out to be closed: only for requests that may arrive twice.
  [[nodiscard]] boost::asio::awaitable<Expected<HttpAnswer>> ask(HttpRequest request);

  // Connects if it must. Whether the server is on this machine, where compressing only costs.
  [[nodiscard]] boost::asio::awaitable<Expected<bool>> connect();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpulse
