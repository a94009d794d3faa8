// Posts lines to InfluxDB: in batches, over a few kept-alive connections, until each is durable,
// set aside, or refused for good.
//
//   auto writer = InfluxWriter::build(options, observer);
//   std::jthread runner([&](std::stop_token stop) { ended = (*writer)->run(stop); });
//   (*writer)->submit(lines, stop);
//   … (*writer)->acknowledged() …
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "influxdb/endpoint.h"
#include "influxdb/line_protocol.h"
#include "telemetry/error.h"

namespace gpulse {

// gzip: `automatic` is all but a server on this machine.
enum class Compression { automatic, always, never };

struct InfluxWriterOptions {
  InfluxEndpoint endpoint;
  // Beyond 500 wide lines a batch only takes longer.
  std::size_t batch_lines_max = 500;
  std::size_t batch_bytes_max = std::size_t{1} << 20;
  // A line waits for others at most so long: at 1 row a second it is what delays each.
  std::chrono::milliseconds linger{100};
  // InfluxDB spends one core at most on one connection.
  int requests_in_flight_max = 2;
  std::size_t queue_bytes_max = std::size_t{8} << 20;
  Compression compression = Compression::automatic;
  std::chrono::milliseconds request_timeout{30'000};
  // Between two tries of what failed, the first and the longest; doubled each time, jittered down
  // to half.
  std::chrono::milliseconds pause_min{100};
  std::chrono::milliseconds pause_max{10'000};
  // So often a batch may be answered with the server's own error (500) before it is split, since
  // some 500s never heal. Down to one line, that is set aside if the server does store another one,
  // so a server that stores nothing is waited for as long as it takes.
  int server_errors_max = 5;
  // So many lines in a row may be refused (400) before the first was stored. Then, and when a line
  // that was stored is refused as well, it is not the lines, and the writer ends.
  int refused_in_a_row_max = 100;
};

// Counted since build(). All but the last two only grow.
struct InfluxWriterStatistics {
  std::uint64_t lines_stored = 0;
  std::uint64_t lines_set_aside = 0;
  std::uint64_t lines_dropped = 0;  // by the server: type conflicts, older than its retention
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;  // requests that have to be made again
  std::uint64_t bytes_sent = 0;  // of bodies, compressed
  std::uint64_t request_microseconds = 0;  // from sending to the answer, summed over all requests
  bool connected = false;  // the last request was answered other than by an error
  std::size_t queued_lines = 0;  // waiting or being sent
  std::size_t queued_bytes = 0;
};

// What a person, or a dead-letter topic, wants to hear of. Called on run()'s thread.
class InfluxWriterObserver {
 public:
  virtual ~InfluxWriterObserver() = default;
  // A line that the server will never take. Must be kept on return, since its ticket may be
  // acknowledged then; an error ends the writer.
  [[nodiscard]] virtual Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                                                    const std::string& reason) = 0;
  // The server dropped `lines` of those with these tickets and stored the rest; it does not say
  // which.
  virtual void on_dropped(std::uint64_t lines, std::uint64_t first_ticket,
                          std::uint64_t last_ticket, const std::string& reason) = 0;
  // Once per change: it cannot be reached, or takes nothing at the moment; and it is back.
  virtual void on_away(const std::string& reason) = 0;
  virtual void on_back() = 0;
  // acknowledged() has grown. Must not call the writer back but for that.
  virtual void on_acknowledged(std::uint64_t /*ticket*/) {}
};

class InfluxWriter {
 public:
  // Pure. Usage errors.
  [[nodiscard]] static Expected<void> validate(const InfluxWriterOptions& options);
  // Connects to nothing yet; reads the CA file. The observer must outlive the writer.
  [[nodiscard]] static Expected<std::unique_ptr<InfluxWriter>> build(
      const InfluxWriterOptions& options, InfluxWriterObserver& observer);
  ~InfluxWriter();
  InfluxWriter(const InfluxWriter&) = delete;
  InfluxWriter& operator=(const InfluxWriter&) = delete;

  // Sends what is submitted, on the calling thread, until a stop, which is no error and leaves what
  // is not acknowledged unsent; or until an error that time cannot mend: a wrong token, a missing
  // bucket, an untrusted certificate. Once.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

  // The rest from any thread, one at a time for submit().

  // Takes a copy of the lines; waits while the queue is full. Tickets must not be 0 and not fall.
  // Errors: retryable on a stop, of this token or run()'s; else that of run().
  [[nodiscard]] Expected<void> submit(const Lines& lines, const std::stop_token& stop);
  // Whether submit() would take lines of so many bytes without waiting.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  // What has been submitted waits for no more lines.
  void flush();
  // The largest ticket such that its line and all before it are stored, set aside or dropped; 0
  // before the first.
  [[nodiscard]] std::uint64_t acknowledged() const;
  // Returns when all that was submitted is acknowledged. Errors as submit().
  [[nodiscard]] Expected<void> wait_acknowledged(const std::stop_token& stop);
  [[nodiscard]] InfluxWriterStatistics statistics() const;

 private:
  struct Impl;
  explicit InfluxWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpulse
