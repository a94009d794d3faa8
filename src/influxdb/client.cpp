#include "influxdb/client.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

#include "influxdb/answer.h"
#include "influxdb/connection.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;

// An answer is CSV of a query at most; what is larger should be asked for in pieces.
constexpr std::size_t kAnswerBytesMax = std::size_t{256} << 20;

}  // namespace

struct InfluxClient::Impl {
  Impl(InfluxEndpoint endpoint_given, std::shared_ptr<TlsContext> tls_given,
       std::chrono::milliseconds timeout_given)
      : endpoint(std::move(endpoint_given)),
        tls(std::move(tls_given)),
        timeout(timeout_given),
        authorized(authorization(endpoint, assumed_version(endpoint.address))) {
    reset();
  }

  // A stop leaves half an exchange on the connection.
  void reset() {
    connection.reset();
    io = std::make_unique<asio::io_context>(1);
    connection.emplace(io->get_executor(), endpoint.address, tls, timeout);
  }

  const InfluxEndpoint endpoint;
  const std::shared_ptr<TlsContext> tls;
  const std::chrono::milliseconds timeout;
  const std::string authorized;
  std::unique_ptr<asio::io_context> io;
  std::optional<InfluxConnection> connection;
};

InfluxClient::InfluxClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InfluxClient::~InfluxClient() = default;

const InfluxEndpoint& InfluxClient::endpoint() const { return impl_->endpoint; }

Expected<std::unique_ptr<InfluxClient>> InfluxClient::build(const InfluxEndpoint& endpoint,
                                                            std::chrono::milliseconds timeout) {
  auto tls = make_tls_context(endpoint);
  if (!tls) return std::unexpected(std::move(tls).error());
  return std::unique_ptr<InfluxClient>(
      new InfluxClient(std::make_unique<Impl>(endpoint, *std::move(tls), timeout)));
}

Expected<InfluxAnswer> InfluxClient::ask(std::string_view method, std::string_view target,
                                         std::string_view content_type, std::string_view body,
                                         const std::stop_token& stop) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.authorization = impl_->authorized;
  request.content_type = content_type;
  request.body = body;
  request.answer_bytes_max = kAnswerBytesMax;
  Expected<HttpAnswer> answer = operation_error("stopped", true);
  bool finished = false;
  asio::co_spawn(
      *impl_->io, [&] { return impl_->connection->ask(request); },
      [&](const std::exception_ptr& thrown, Expected<HttpAnswer> result) {
        finished = true;
        if (thrown == nullptr) {
          answer = std::move(result);
        } else {
          answer = operation_error("asking InfluxDB: no memory");
        }
      });
  {
    const std::stop_callback on_stop(stop, [this] { impl_->io->stop(); });
    impl_->io->restart();
    if (!stop.stop_requested()) impl_->io->run();
  }
  if (!finished) impl_->reset();
  if (!answer) return std::unexpected(std::move(answer).error());
  return InfluxAnswer{answer->status, std::move(answer->body), std::move(answer->influx_version),
                      read_http_date(answer->date)};
}

Error unexpected_answer(const InfluxEndpoint& endpoint, std::string_view doing,
                        const InfluxAnswer& answer) {
  if (auto tls = wants_tls(endpoint, answer.status, answer.body)) {
    return {ErrorKind::operation, fmt::format("{}: {}", doing, *tls), false};
  }
  std::string advice;
  const auto version = read_version(answer.version);
  if (version && *version != InfluxVersion::v2) {
    advice = fmt::format("; it is version {}, and this is for InfluxDB 2", answer.version);
  } else if (answer.status == 401 || answer.status == 403) {
    advice = endpoint.token_from.empty() ? "; no token was given"
                                         : "; check " + endpoint.token_from + " and its rights";
  } else if (answer.status == 404) {
    advice = "; check organisation and bucket of " + endpoint.address.display() +
             ", and whether the token may see them: one that only writes may not";
  }
  return {ErrorKind::operation,
          fmt::format("{}: InfluxDB at {} answers {} {}{}", doing, endpoint.address.authority(),
                      answer.status, answer_message(answer.body), advice),
          answer.status >= 500 || answer.status == 429};
}

}  // namespace gpulse
