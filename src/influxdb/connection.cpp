#include "influxdb/connection.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <variant>

#include "platform/trusted_certificates.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

std::string verify_message(TlsStream& stream) {
  const long code = SSL_get_verify_result(stream.native_handle());
  return X509_verify_cert_error_string(code);
}

}  // namespace

class TlsContext {
 public:
  TlsContext() : context(ssl::context::tls_client) {}
  ssl::context context;
};

Expected<std::shared_ptr<TlsContext>> make_tls_context(const InfluxEndpoint& endpoint) {
  if (!endpoint.address.tls) return std::shared_ptr<TlsContext>();
  auto out = std::make_shared<TlsContext>();
  error_code error;
  SSL_CTX_set_min_proto_version(out->context.native_handle(), TLS1_2_VERSION);
  out->context.set_verify_mode(ssl::verify_peer, error);
  trust_system_certificates(out->context.native_handle());
  if (!endpoint.ca_file.empty()) {
    out->context.load_verify_file(endpoint.ca_file.string(), error);
    if (error) {
      return usage_error(fmt::format("the CA file {} holds no certificate that can be read: {}",
                                     endpoint.ca_file.string(), error.message()));
    }
  }
  return out;
}

struct InfluxConnection::Impl {
  Impl(asio::any_io_executor executor_given, InfluxAddress address_given,
       std::shared_ptr<TlsContext> tls_given, std::chrono::milliseconds timeout_given)
      : executor(std::move(executor_given)),
        address(std::move(address_given)),
        tls(std::move(tls_given)),
        timeout(timeout_given) {}

  asio::awaitable<Expected<void>> open();
  asio::awaitable<Expected<std::vector<tcp::endpoint>>> resolve();
  asio::awaitable<Expected<void>> shake_hands(TlsStream& secured);
  asio::awaitable<Expected<HttpAnswer>> exchange(const HttpRequest& request, bool& unanswered);
  template <class Stream>
  asio::awaitable<Expected<HttpAnswer>> exchange_on(Stream& on, const HttpRequest& request,
                                                    bool& unanswered);
  Error connection_error(std::string_view doing, error_code error) const;
  void close() { stream.emplace<std::monostate>(); }
  bool is_open() const { return !std::holds_alternative<std::monostate>(stream); }

  asio::any_io_executor executor;
  InfluxAddress address;
  std::shared_ptr<TlsContext> tls;
  std::chrono::milliseconds timeout;
  std::variant<std::monostate, PlainStream, TlsStream> stream;
  beast::flat_buffer buffer;
  bool loopback = false;
};

Error InfluxConnection::Impl::connection_error(std::string_view doing, error_code error) const {
  const bool timed_out = error == beast::error::timeout;
  const bool cut = error == http::error::end_of_stream || error == asio::error::eof ||
                   error == http::error::partial_message || error == ssl::error::stream_truncated;
  const std::string what = timed_out ? fmt::format("no answer within {} ms", timeout.count())
                           : cut     ? "it closed the connection"
                                     : error.message();
  return {ErrorKind::operation,
          fmt::format("{} InfluxDB at {}: {}", doing, address.authority(), what), true};
}

asio::awaitable<Expected<std::vector<tcp::endpoint>>> InfluxConnection::Impl::resolve() {
  std::vector<tcp::endpoint> out;
  error_code none;
  // An address needs no resolver, whose thread could not be interrupted.
  const auto numeric = asio::ip::make_address(address.host, none);
  if (!none) {
    out.emplace_back(numeric, address.port);
    co_return out;
  }
  tcp::resolver resolver(executor);
  const auto [error, found] =
      co_await resolver.async_resolve(address.host, std::to_string(address.port), kAwait);
  if (error) co_return std::unexpected(connection_error("cannot find", error));
  for (const auto& entry : found) out.push_back(entry.endpoint());
  co_return out;
}

asio::awaitable<Expected<void>> InfluxConnection::Impl::open() {
  const auto endpoints = co_await resolve();
  if (!endpoints) co_return std::unexpected(endpoints.error());
  buffer.clear();
  beast::tcp_stream connected(executor);
  connected.expires_after(timeout);
  const auto [error, endpoint] = co_await connected.async_connect(*endpoints, kAwait);
  if (error) co_return std::unexpected(connection_error("cannot reach", error));
  error_code ignored;
  connected.socket().set_option(tcp::no_delay(true), ignored);
  loopback = endpoint.address().is_loopback();
  if (!tls) {
    stream.emplace<PlainStream>(std::move(connected));
    co_return Expected<void>{};
  }
  auto& secured = stream.emplace<TlsStream>(std::move(connected), tls->context);
  auto shaken = co_await shake_hands(secured);
  if (!shaken) close();
  co_return shaken;
}

asio::awaitable<Expected<void>> InfluxConnection::Impl::shake_hands(TlsStream& secured) {
  error_code none;
  asio::ip::make_address(address.host, none);
  if (none) {
    // SSL_set_tlsext_host_name without its old-style cast; the name is only read.
    SSL_ctrl(secured.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(address.host.c_str()));
  }
  secured.set_verify_callback(ssl::host_name_verification(address.host), none);
  beast::get_lowest_layer(secured).expires_after(timeout);
  const auto [error] = co_await secured.async_handshake(ssl::stream_base::client, kAwait);
  if (!error) co_return Expected<void>{};
  const std::string where = address.authority();
  if (error.category() == asio::error::get_ssl_category()) {
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
      co_return operation_error(
          fmt::format("the certificate of InfluxDB at {} is not trusted ({}): name the file of its "
                      "authority with --influxdb-ca-file, and the server as its certificate does",
                      where, verify_message(secured)));
    }
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
      co_return operation_error(
          fmt::format("{} does not speak TLS: write influxdb:// instead of influxdbs://", where));
    }
  }
  co_return std::unexpected(connection_error("cannot speak TLS with", error));
}

template <class Stream>
asio::awaitable<Expected<HttpAnswer>> InfluxConnection::Impl::exchange_on(
    Stream& on, const HttpRequest& request, bool& unanswered) {
  http::request<http::span_body<const char>> message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(11);
  message.set(http::field::host, address.authority());
  message.set(http::field::user_agent, "gpulse");
  if (!request.authorization.empty()) {
    message.set(http::field::authorization, request.authorization);
  }
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  if (request.gzipped) message.set(http::field::content_encoding, "gzip");
  message.body() = {request.body.data(), request.body.size()};
  message.prepare_payload();
  beast::get_lowest_layer(on).expires_after(timeout);
  const auto [write_error, sent] = co_await http::async_write(on, message, kAwait);
  unanswered = write_error && write_error != beast::error::timeout;
  if (write_error) co_return std::unexpected(connection_error("cannot write to", write_error));
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.answer_bytes_max);
  const auto [read_error, received] = co_await http::async_read(on, buffer, parser, kAwait);
  unanswered = read_error && !parser.got_some() && read_error != beast::error::timeout;
  if (read_error) co_return std::unexpected(connection_error("cannot read from", read_error));
  auto& answer = parser.get();
  HttpAnswer out{answer.result_int(), std::move(answer.body()), {}, {}, {}};
  out.retry_after = std::string_view(answer[http::field::retry_after]);
  out.influx_version = std::string_view(answer["X-Influxdb-Version"]);
  out.date = std::string_view(answer[http::field::date]);
  if (!parser.keep_alive()) close();
  co_return out;
}

asio::awaitable<Expected<HttpAnswer>> InfluxConnection::Impl::exchange(const HttpRequest& request,
                                                                       bool& unanswered) {
  if (auto* plain = std::get_if<PlainStream>(&stream)) {
    co_return co_await exchange_on(*plain, request, unanswered);
  }
  co_return co_await exchange_on(std::get<TlsStream>(stream), request, unanswered);
}

InfluxConnection::InfluxConnection(asio::any_io_executor executor, InfluxAddress address,
                                   std::shared_ptr<TlsContext> tls,
                                   std::chrono::milliseconds timeout)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(address), std::move(tls),
                                   timeout)) {}
InfluxConnection::~InfluxConnection() = default;
InfluxConnection::InfluxConnection(InfluxConnection&&) noexcept = default;

asio::awaitable<Expected<bool>> InfluxConnection::connect() {
  if (!impl_->is_open()) {
    const auto opened = co_await impl_->open();
    if (!opened) co_return std::unexpected(opened.error());
  }
  co_return impl_->loopback;
}

asio::awaitable<Expected<HttpAnswer>> InfluxConnection::ask(HttpRequest request) {
  for (;;) {
    const bool kept = impl_->is_open();
    const auto connected = co_await connect();
    if (!connected) co_return std::unexpected(connected.error());
    bool unanswered = false;
    auto answer = co_await impl_->exchange(request, unanswered);
    if (answer) co_return answer;
    impl_->close();
    if (!kept || !unanswered) co_return answer;
  }
}

}  // namespace gpulse
