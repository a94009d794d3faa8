// influxdb_driver ours|null ADDRESS ROWS: sends a made-up log's rows to InfluxDB, as the sink does
// or as the barest client would, and prints what influxdb_bench.py compares. The token comes from
// the environment.
//
// The null client has every request ready, head and body, before its clock starts, and posts them
// over two kept-alive connections, a thread each: what no client can be faster than.
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "gpuz/log_generator.h"
#include "gpuz/log_reader.h"
#include "influxdb/sample_writer.h"

namespace {

using namespace gpulse;
namespace asio = boost::asio;
using asio::ip::tcp;

class Batches final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    all.push_back(slice(batch, 0, batch.rows(), std::chrono::microseconds(0)));
    rows += batch.rows();
  }
  void on_set_aside(const SetAside&) override {}
  std::vector<SampleBatch> all;
  std::size_t rows = 0;
};

class Strict final : public InfluxWriterObserver {
 public:
  Expected<void> on_set_aside(std::uint64_t, std::string_view line,
                              const std::string& why) override {
    return operation_error(fmt::format("{}: {}", why, line));
  }
  void on_dropped(std::uint64_t, std::uint64_t, std::uint64_t, const std::string& why) override {
    fmt::print(stderr, "dropped: {}\n", why);
  }
  void on_away(const std::string& why) override { fmt::print(stderr, "away: {}\n", why); }
  void on_back() override {}
};

Batches made_up(std::uint64_t rows) {
  GeneratorOptions options;
  options.rows = rows;
  LogGenerator generator(options);
  LogReaderOptions reader_options;
  reader_options.device = {.host = "bench", .gpu = "gpu0"};
  reader_options.zone = *TimeZone::find("UTC");
  LogReader reader(reader_options);
  Batches out;
  std::string text;
  for (bool more = true; more;) {
    text.clear();
    while (more && text.size() < std::size_t{1} << 20) more = generator.next(text);
    reader.push(text, out);
  }
  reader.close(out);
  return out;
}

struct Cost {
  double wall_seconds = 0;
  double cpu_seconds = 0;
};

template <class Work>
Cost measured(Work work) {
  const auto began = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
          static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC};
}

Cost run_ours(const InfluxEndpoint& endpoint, const Batches& batches) {
  InfluxWriterOptions options;
  options.endpoint = endpoint;
  Strict observer;
  auto sink = InfluxSampleSink::build(options, observer);
  if (!sink) std::abort();
  return measured([&] {
    if (auto done = (*sink)->deliver(batches.all, {}); !done) {
      fmt::print(stderr, "{}\n", done.error().message);
      std::abort();
    }
  });
}

std::vector<std::string> ready_requests(const InfluxEndpoint& endpoint, const Batches& batches) {
  constexpr std::size_t kLines = 500;
  std::vector<std::string> out;
  Lines lines;
  BatchRenderer renderer;
  for (const SampleBatch& batch : batches.all) renderer.render(batch, 1, lines);
  const std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n",
                  write_target(endpoint.address, InfluxVersion::v2), endpoint.address.authority(),
                  authorization(endpoint, InfluxVersion::v2));
  for (std::size_t from = 0; from < lines.size(); from += kLines) {
    const std::size_t begin = from == 0 ? 0 : lines.ends[from - 1];
    const std::size_t end = lines.ends[std::min(from + kLines, lines.size()) - 1];
    out.push_back(fmt::format("{}Content-Length: {}\r\n\r\n{}", head, end - begin,
                              std::string_view(lines.text).substr(begin, end - begin)));
  }
  return out;
}

void post_all(const InfluxAddress& address, const std::vector<std::string>& requests,
              std::atomic<std::size_t>& next) {
  asio::io_context io;
  tcp::socket socket(io);
  asio::connect(socket, tcp::resolver(io).resolve(address.host, std::to_string(address.port)));
  socket.set_option(tcp::no_delay(true));
  std::string answer;
  for (std::size_t i = next++; i < requests.size(); i = next++) {
    asio::write(socket, asio::buffer(requests[i]));
    answer.clear();
    asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 204")) {
      fmt::print(stderr, "{}\n", answer);
      std::abort();
    }
  }
}

Cost run_null(const InfluxEndpoint& endpoint, const Batches& batches) {
  const auto requests = ready_requests(endpoint, batches);
  std::atomic<std::size_t> next = 0;
  return measured([&] {
    std::thread other([&] { post_all(endpoint.address, requests, next); });
    post_all(endpoint.address, requests, next);
    other.join();
  });
}

int run(std::span<char*> arguments) {
  const std::string_view mode = arguments.size() == 4 ? arguments[1] : "";
  if (mode != "ours" && mode != "null") {
    std::fputs("usage: influxdb_driver ours|null ADDRESS ROWS\n", stderr);
    return 2;
  }
  const auto endpoint = open_endpoint(InfluxOptions{arguments[2], {}, {}});
  if (!endpoint) {
    fmt::print(stderr, "{}\n", endpoint.error().message);
    return 2;
  }
  const Batches batches = made_up(std::strtoull(arguments[3], nullptr, 10));
  const Cost cost = mode == "ours" ? run_ours(*endpoint, batches) : run_null(*endpoint, batches);
  fmt::print("{{\"rows\": {}, \"wall_seconds\": {}, \"cpu_seconds\": {}}}\n", batches.rows,
             cost.wall_seconds, cost.cpu_seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}
