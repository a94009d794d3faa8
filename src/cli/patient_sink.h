// A sink that is told of, and that waits where it was refused for good.
#pragma once

#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "cli/outlet_reporters.h"
#include "telemetry/sample_sink.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

// Of one that refuses us for good nothing more is asked until the next start of the program. Who
// delivers waits meanwhile, as for one that is away, so that a log that was only dropped here is
// not given up. deliver(): thread rule and errors of SampleSink, but of a refusal only "stopped".
class PatientSink final : public SampleSink {
 public:
  // `taken`: how many rows the other side has taken so far; on any thread.
  PatientSink(std::string name, const Clock& clock, std::unique_ptr<SampleSink> sink,
              std::function<std::uint64_t()> taken)
      : name_(std::move(name)), clock_(clock), sink_(std::move(sink)), taken_(std::move(taken)) {}

  Expected<void> deliver(std::span<const SampleBatch> batches,
                         const std::stop_token& stop) override {
    if (!refused_.reason()) {
      const std::uint64_t before = taken_();
      auto done = sink_->deliver(batches, stop);
      if (taken_() != before) last_taken_ = clock_.now();
      if (done) failing_.clear();
      if (done || stop.stop_requested()) return done;
      if (done.error().retryable) {
        failing_.set(done.error().message);
        return done;
      }
      give_up(done.error().message);
    }
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, stop, [] { return false; });
    return operation_error("stopped", true);
  }

  // All below: any thread.
  void give_up(const std::string& reason) {
    if (!refused_.set(reason)) return;
    spdlog::error("{} gets no more rows until the next start: {}", name_, reason);
  }
  [[nodiscard]] const Trouble& refused() const { return refused_; }
  // Not the other side's: a file here that cannot be written.
  [[nodiscard]] const Trouble& failing() const { return failing_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_(); }
  [[nodiscard]] std::optional<Timestamp> last_taken() const {
    const Timestamp last = last_taken_;
    return last == kNever ? std::nullopt : std::optional(last);
  }

 private:
  static constexpr Timestamp kNever{};

  const std::string name_;
  const Clock& clock_;
  std::unique_ptr<SampleSink> sink_;
  const std::function<std::uint64_t()> taken_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  Trouble refused_;
  Trouble failing_;
  std::atomic<Timestamp> last_taken_ = kNever;
};

}  // namespace gpulse::cli
