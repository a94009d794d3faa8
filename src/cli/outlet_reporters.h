// What the other side of an outlet does: said in the log, kept for whoever asks, and of an InfluxDB
// the lines that it refuses kept in a file.
#pragma once

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "cli/dead_file.h"
#include "cli/kafka_options.h"
#include "influxdb/sample_writer.h"
#include "kafka/pauses.h"
#include "platform/file.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

// Why the other side does not take rows; nothing while it does. Any thread.
class Trouble {
 public:
  // Whether there was none before.
  bool set(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    const bool first = !reason_;
    reason_ = reason;
    return first;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    reason_.reset();
  }
  [[nodiscard]] std::optional<std::string> reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> reason_;
};

// Tells what Kafka does. As a KafkaObserver, and asked by any thread.
class OutletKafkaReporter final : public KafkaReporter {
 public:
  void on_away(const std::string& reason) override {
    away_.set(reason);
    KafkaReporter::on_away(reason);
  }
  void on_no_topic(const std::string& topic) override {
    away_.set(fmt::format("there is no topic {}", topic));
    KafkaReporter::on_no_topic(topic);
  }
  void on_back() override {
    away_.clear();
    KafkaReporter::on_back();
  }

  [[nodiscard]] const Trouble& away() const { return away_; }

 private:
  Trouble away_;
};

// Tells what an InfluxDB does, and keeps what it refuses. As an InfluxWriterObserver, on the
// writer's thread; what is marked so, by any.
class InfluxReporter final : public InfluxWriterObserver {
 public:
  // Waits for room on the disk until the stop.
  InfluxReporter(std::string to, const Clock& clock, DeadFile dead, std::stop_token stop)
      : to_(std::move(to)), clock_(clock), dead_(std::move(dead)), stop_(std::move(stop)) {}

  // Its lines are asked for by their tickets.
  void set_sink(const InfluxSampleSink& sink) { sink_ = &sink; }

  Expected<void> on_set_aside(std::uint64_t ticket, std::string_view line,
                              const std::string& reason) override {
    const auto row = sink_->row_of(ticket);
    if (!row) return operation_error("stopped", true);  // nobody waits for it: it is sent again
    const auto kept =
        keep({clock_.now(), to_, row->device, row->source, row->offset, reason, std::string(line)});
    if (!kept) return std::unexpected(kept.error());
    const std::uint64_t before = set_aside_.fetch_add(1);
    if (before == 0) {
      spdlog::warn(
          "{} refuses the row at byte {} of the log {}: {}; it and others like it are kept "
          "in {}, and not told of again: gpulse dead list --from that file",
          to_, row->offset, row->source, reason, display(dead_.path()));
    }
    if (!*kept && lost_.fetch_add(1) == 0) {
      spdlog::error("{} is full: what {} refuses from now on stays in its log only",
                    display(dead_.path()), to_);
    }
    return {};
  }
  void on_dropped(std::uint64_t lines, std::uint64_t /*first*/, std::uint64_t /*last*/,
                  const std::string& reason) override {
    dropped_ += lines;
    spdlog::warn("InfluxDB dropped {} points: {}", lines, reason);
  }
  void on_away(const std::string& reason) override {
    away_.set(reason);
    spdlog::warn("InfluxDB is away: {}; nothing is lost, it is tried until it is back", reason);
  }
  void on_back() override {
    away_.clear();
    spdlog::info("InfluxDB is back");
  }

  // Any thread.
  [[nodiscard]] const Trouble& away() const { return away_; }
  [[nodiscard]] std::uint64_t set_aside() const { return set_aside_; }
  [[nodiscard]] std::uint64_t not_kept() const { return lost_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  // Whether there was room in the file.
  Expected<bool> keep(const DeadLine& letter) {
    constexpr std::chrono::seconds kPause{1};
    while (true) {
      auto kept = dead_.add(letter);
      if (kept) {
        if (std::exchange(disk_fails_, false)) away_.clear();
        return kept;
      }
      away_.set(kept.error().message);
      if (!std::exchange(disk_fails_, true)) {
        spdlog::error("what {} refuses cannot be kept: {}; it gets no more rows until it can", to_,
                      kept.error().message);
      }
      kafka::wait(kPause, stop_);
      if (stop_.stop_requested()) return operation_error("stopped", true);
    }
  }

  const std::string to_;
  const Clock& clock_;
  DeadFile dead_;
  const std::stop_token stop_;
  const InfluxSampleSink* sink_ = nullptr;
  bool disk_fails_ = false;
  std::atomic<std::uint64_t> set_aside_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  Trouble away_;
};

}  // namespace gpulse::cli
