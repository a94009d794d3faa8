#include "doctor/http_page.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <utility>

namespace gpulse::doctor {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::chrono::seconds kPatience{4};
constexpr std::size_t kPageBytesMax = std::size_t{16} << 20;

std::pair<std::string, std::string> split(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return {address, "80"};
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

// Runs what was begun, and turns its error into words.
Expected<void> finish(asio::io_context& io, const error_code& error, const std::string& doing) {
  io.restart();
  io.run();
  if (!error) return {};
  return operation_error(fmt::format("{}: {}", doing,
                                     error == beast::error::timeout
                                         ? fmt::format("no answer within {} s", kPatience.count())
                                         : error.message()));
}

}  // namespace

Expected<HttpPage> get_page(const std::string& address, const std::string& target,
                            const std::string& token) {
  asio::io_context io;
  error_code error;
  const auto [host, port] = split(address);
  const auto found = asio::ip::tcp::resolver(io).resolve(host, port, error);
  if (error) return operation_error(fmt::format("cannot find {}: {}", host, error.message()));
  beast::tcp_stream stream(io);
  stream.expires_after(kPatience);
  stream.async_connect(found, [&](error_code result, const auto& /*endpoint*/) { error = result; });
  if (auto done = finish(io, error, "cannot connect"); !done) return std::unexpected(done.error());
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, address);
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  http::async_write(stream, request, [&](error_code result, std::size_t) { error = result; });
  if (auto done = finish(io, error, "cannot ask"); !done) return std::unexpected(done.error());
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kPageBytesMax);
  http::async_read(stream, buffer, parser, [&](error_code result, std::size_t) { error = result; });
  if (auto done = finish(io, error, "cannot read the answer"); !done)
    return std::unexpected(done.error());
  return HttpPage{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace gpulse::doctor
