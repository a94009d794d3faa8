#include "doctor/http_page.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace gpulse::doctor {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
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

// Runs what was begun until `result` is there, and turns its error into words.
Expected<void> finish(asio::io_context& io, const std::optional<error_code>& result,
                      const std::string& doing) {
  io.restart();
  io.run_for(kPatience);
  if (!result) {
    return operation_error(fmt::format("{}: no answer within {} s", doing, kPatience.count()));
  }
  if (*result) return operation_error(fmt::format("{}: {}", doing, result->message()));
  return {};
}

// What is said until the connection is closed. It is not parsed as it comes, as one that is kept
// has to be: Beast's reading from a stream takes longer to compile than the rest of the module.
Expected<std::string> answer_to(const std::string& request, const std::string& address) {
  asio::io_context io;
  error_code unfound;
  const auto [host, port] = split(address);
  const auto found = tcp::resolver(io).resolve(host, port, unfound);
  if (unfound) return operation_error(fmt::format("cannot find {}: {}", host, unfound.message()));
  tcp::socket socket(io);
  std::optional<error_code> connected;
  asio::async_connect(socket, found,
                      [&](error_code error, const auto& /*endpoint*/) { connected = error; });
  if (auto done = finish(io, connected, "cannot connect"); !done) {
    return std::unexpected(std::move(done).error());
  }
  std::optional<error_code> asked;
  asio::async_write(socket, asio::buffer(request),
                    [&](error_code error, std::size_t) { asked = error; });
  if (auto done = finish(io, asked, "cannot ask"); !done) {
    return std::unexpected(std::move(done).error());
  }
  std::string answer;
  std::optional<error_code> told;
  asio::async_read(socket, asio::dynamic_buffer(answer, kPageBytesMax),
                   [&](error_code error, std::size_t) {
                     told = error == asio::error::eof ? error_code{} : error;
                   });
  if (auto done = finish(io, told, "cannot read the answer"); !done) {
    return std::unexpected(std::move(done).error());
  }
  return answer;
}

}  // namespace

Expected<HttpPage> get_page(const std::string& address, const std::string& target,
                            const std::string& token) {
  const std::string authorization =
      token.empty() ? std::string() : fmt::format("Authorization: Bearer {}\r\n", token);
  const auto answer =
      answer_to(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}Connection: close\r\n\r\n", target,
                            address, authorization),
                address);
  if (!answer) return std::unexpected(answer.error());
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(kPageBytesMax);
  error_code error;
  parser.put(asio::buffer(*answer), error);
  if (!error) parser.put_eof(error);
  if (error) return operation_error(fmt::format("cannot read the answer: {}", error.message()));
  return HttpPage{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace gpulse::doctor
