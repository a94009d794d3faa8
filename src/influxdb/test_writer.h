// A writer with its thread, and what its observer heard. For this module's tests only.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "influxdb/writer.h"

namespace gpulse::test {

// All it hears, in order; any thread may look.
class Heard final : public InfluxWriterObserver {
 public:
  Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                              const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    set_aside_[ticket] = {std::string(line), reason};
    return {};
  }
  void on_dropped(std::uint64_t lines, std::uint64_t, std::uint64_t,
                  const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    dropped_ += lines;
    dropped_reason_ = reason;
  }
  void on_away(const std::string& reason) override { note("away: " + reason); }
  void on_back() override { note("back"); }

  [[nodiscard]] std::map<std::uint64_t, std::pair<std::string, std::string>> set_aside() const {
    const std::lock_guard lock(mutex_);
    return set_aside_;
  }
  [[nodiscard]] std::uint64_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }
  [[nodiscard]] std::string dropped_reason() const {
    const std::lock_guard lock(mutex_);
    return dropped_reason_;
  }
  [[nodiscard]] std::vector<std::string> notices() const {
    const std::lock_guard lock(mutex_);
    return notices_;
  }
  // Returns when so many notices have come.
  void wait_for_notices(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return notices_.size() >= count; });
  }

 private:
  void note(std::string text) {
    const std::lock_guard lock(mutex_);
    notices_.push_back(std::move(text));
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::pair<std::string, std::string>> set_aside_;
  std::uint64_t dropped_ = 0;
  std::string dropped_reason_;
  std::vector<std::string> notices_;
};

// Pauses as short as a test wants them.
inline InfluxWriterOptions quick_options(std::uint16_t port) {
  InfluxWriterOptions options;
  options.endpoint.address =
      *parse_influx_address("influxdb://127.0.0.1:" + std::to_string(port) + "/gpulse/gpu-metrics");
  options.endpoint.token = "s3cret";
  options.endpoint.token_from = "the token in /etc/token";
  options.linger = std::chrono::milliseconds(5);
  options.pause_min = std::chrono::milliseconds(1);
  options.pause_max = std::chrono::milliseconds(5);
  return options;
}

class RunningWriter {
 public:
  explicit RunningWriter(const InfluxWriterOptions& options) {
    auto built = InfluxWriter::build(options, heard);
    EXPECT_TRUE(built.has_value());
    writer = *std::move(built);
    thread_ = std::jthread([this](const std::stop_token& stop) { ended = writer->run(stop); });
  }
  // Why run() ended.
  Expected<void> stop() {
    thread_.request_stop();
    thread_.join();
    return ended;
  }

  Heard heard;
  std::unique_ptr<InfluxWriter> writer;
  Expected<void> ended;

 private:
  std::jthread thread_;
};

// Lines "m f=N N" with tickets N, `first` and on.
inline Lines numbered_lines(std::uint64_t first, std::size_t count) {
  Lines out;
  for (std::uint64_t n = first; n < first + count; ++n) {
    out.text += "m f=" + std::to_string(n) + ' ' + std::to_string(n) + '\n';
    out.ends.push_back(out.text.size());
    out.tickets.push_back(n);
  }
  return out;
}

}  // namespace gpulse::test
