#include "doctor/metrics_check.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "telemetry/error.h"

namespace gpulse::doctor {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::chrono::seconds kPatience{4};
constexpr std::size_t kPageBytesMax = std::size_t{16} << 20;
constexpr std::size_t kWordsMax = 100;

struct Page {
  unsigned status = 0;
  std::string body;
};

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

Expected<Page> get(const std::string& address, const std::string& target) {
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
  http::async_write(stream, request, [&](error_code result, std::size_t) { error = result; });
  if (auto done = finish(io, error, "cannot ask"); !done) return std::unexpected(done.error());
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kPageBytesMax);
  http::async_read(stream, buffer, parser, [&](error_code result, std::size_t) { error = result; });
  if (auto done = finish(io, error, "cannot read the answer"); !done)
    return std::unexpected(done.error());
  return Page{parser.get().result_int(), std::move(parser.get().body())};
}

std::string first_words(const std::string& body) {
  return body.substr(0, std::min(body.find('\n'), kWordsMax));
}

Check judge_health(std::string name, const Page& page) {
  if (page.status == 200) return ok(std::move(name), first_words(page.body));
  return warn(std::move(name), fmt::format("{} {}", page.status, first_words(page.body)),
              "It runs and is not content: its log says why.");
}

}  // namespace

Checks check_metrics(const std::string& address) {
  const std::string health_name = "healthz at " + address;
  const std::string metrics_name = "metrics at " + address;
  const auto health = get(address, "/healthz");
  if (!health) {
    return {fail(health_name, health.error().message,
                 "See that the command runs and listens there; its first lines say where it does."),
            skipped(metrics_name, "it cannot be asked")};
  }
  Checks checks{judge_health(health_name, *health)};
  const auto metrics = get(address, "/metrics");
  if (!metrics) {
    checks.push_back(fail(metrics_name, metrics.error().message, "Its log says more."));
  } else if (metrics->status != 200 || metrics->body.find("gpulse_") == std::string::npos) {
    checks.push_back(fail(metrics_name,
                          fmt::format("{} {}", metrics->status, first_words(metrics->body)),
                          "That is no gpulse: correct the address."));
  } else {
    checks.push_back(
        ok(metrics_name, fmt::format("{} bytes for Prometheus", metrics->body.size())));
  }
  return checks;
}

}  // namespace gpulse::doctor
