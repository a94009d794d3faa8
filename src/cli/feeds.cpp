#include "cli/feeds.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "pipeline/log_feed.h"
#include "pipeline/replay_feed.h"

namespace gpulse::cli {
namespace {

// With a sink a commit waits for the other side's answer: many rows at once are worth more then.
constexpr std::size_t kSinkChunkBytes = std::size_t{4} << 20;

// Rows from the future are mostly those of a log that was read in a wrong zone.
void tell_ahead(const Store& store, const std::string& file, const std::string& source) {
  const auto known = store.find_source(source);
  const auto devices = store.devices();
  if (!known || !devices) return;
  const auto device = std::ranges::find(*devices, known->record.device, &DeviceRecord::device);
  if (device == devices->end() || !device->ahead) return;
  const auto ahead = std::chrono::ceil<std::chrono::minutes>(*device->ahead - device->last_arrival);
  spdlog::warn(
      "{}: its last row is dated {} h {} min ahead of this machine's clock, so it does not count "
      "as "
      "the newest; was the log not written in the zone {}? --timezone ZONE --rezone reads it again",
      file, ahead.count() / 60, ahead.count() % 60, device->timezone);
}

void tell(const std::string& file, LogFeed::Notice notice, const std::string& detail) {
  switch (notice) {
    case LogFeed::Notice::waiting: return spdlog::info("{}: waiting for it to be written", file);
    case LogFeed::Notice::opened:
      // Its name comes from its first rows.
      return detail.empty() ? spdlog::info("{}: reading", file)
                            : spdlog::info("{}: reading, source {}", file, detail);
    case LogFeed::Notice::caught_up: return spdlog::info("{}: read to its end, following", file);
    case LogFeed::Notice::replaced: return spdlog::info("{}: a new file has its name", file);
    case LogFeed::Notice::rewritten: return spdlog::info("{}: it was rewritten", file);
    case LogFeed::Notice::trouble:
      return spdlog::warn("{}: {}; nothing is lost, it is tried again", file, detail);
  }
}

}  // namespace

void Feeds::start(const LogPlan& plan, std::stop_source& stop) {
  running_ = plan.logs.size();
  for (const LogChoice& log : plan.logs) {
    threads_.emplace_back([this, &plan, &log, &stop] { run(plan, log, stop); });
  }
}

Expected<void> Feeds::join() {
  threads_.clear();
  if (failed_) return std::unexpected(*failed_);
  return {};
}

void Feeds::run(const LogPlan& plan, const LogChoice& log, std::stop_source& stop) {
  const auto done = feed(plan, log, stop.get_token());
  const std::lock_guard lock(mutex_);
  --running_;
  if (done) return;
  if (running_ > 0) return spdlog::error("{}", done.error().message);
  failed_ = done.error();
  stop.request_stop();
}

Expected<void> Feeds::feed(const LogPlan& plan, const LogChoice& log, const std::stop_token& stop) {
  if (plan.replay) {
    const ReplayChoice& replay = *plan.replay;
    return ReplayFeed(store_, clock_,
                      {log.file, log.device, plan.zone, replay.speed, replay.history, replay.loop,
                       replay.keep_time})
        .run(stop);
  }
  LogFeedOptions options{log.file, log.device, plan.zone, plan.rezone};
  if (store_.options().sink != nullptr) options.chunk_bytes = kSinkChunkBytes;
  return LogFeed(
             store_, clock_, std::move(options),
             [this, file = display(log.file)](LogFeed::Notice notice, const std::string& detail) {
               if (outlet_.empty()) {
                 tell(file, notice, detail);
                 if (notice == LogFeed::Notice::caught_up) tell_ahead(store_, file, detail);
               } else if (notice == LogFeed::Notice::trouble) {
                 tell(fmt::format("{}, for {}", file, outlet_), notice, detail);
               }
             })
      .run(stop);
}

}  // namespace gpulse::cli
