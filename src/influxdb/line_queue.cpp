#include "influxdb/line_queue.h"

#include <algorithm>

namespace gpulse {
namespace {

constexpr std::size_t kSparesMax = 8;

}  // namespace

void LineQueue::on_ready(Notify notify, void* context) {
  const std::lock_guard lock(mutex_);
  notify_ = notify;
  notify_context_ = context;
}

bool LineQueue::is_full(const Batch& batch) const {
  return batch.flushed || batch.lines.size() >= limits_.batch_lines_max ||
         batch.lines.text.size() >= limits_.batch_bytes_max;
}

void LineQueue::open_batch() {
  if (spare_.empty()) {
    waiting_.emplace_back();
  } else {
    waiting_.splice(waiting_.end(), spare_, spare_.begin());
  }
  waiting_.back().begun = std::chrono::steady_clock::now();
}

// Appends lines from `from` on until the queue is full; returns where it stopped.
std::size_t LineQueue::append(const Lines& lines, std::size_t from, bool& ready) {
  std::size_t at = from;
  while (at < lines.size()) {
    const std::size_t begin = at == 0 ? 0 : lines.ends[at - 1];
    const std::size_t bytes = lines.ends[at] - begin;
    if (!fits(bytes)) break;
    if (!is_open()) {
      open_batch();
      ready = true;
    }
    Batch& batch = waiting_.back();
    batch.lines.text.append(lines.text, begin, bytes);
    batch.lines.ends.push_back(batch.lines.text.size());
    batch.lines.tickets.push_back(lines.tickets[at]);
    size_.bytes += bytes;
    ++size_.lines;
    ready = ready || is_full(batch);
    ++at;
  }
  return at;
}

std::unexpected<Error> LineQueue::end() const {
  return closed_ ? std::unexpected(*closed_) : operation_error("stopped", true);
}

Expected<void> LineQueue::push(const Lines& lines, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (std::size_t at = 0; at < lines.size();) {
    if (closed_ || stop.stop_requested()) return end();
    const std::size_t before = at;
    bool ready = false;
    at = append(lines, at, ready);
    if (ready && notify_ != nullptr) notify_(notify_context_);
    if (at == before) {
      const std::size_t bytes = size_.bytes;
      changed_.wait(lock, stop, [&] { return closed_ || size_.bytes < bytes; });
    }
  }
  return {};
}

bool LineQueue::has_room(std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  return fits(bytes);
}

void LineQueue::flush() {
  const std::lock_guard lock(mutex_);
  if (!is_open()) return;
  waiting_.back().flushed = true;
  if (notify_ != nullptr) notify_(notify_context_);
}

LineQueue::Taken LineQueue::take(Time now) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty() || taken_.size() >= limits_.batches_ahead_max) return {};
  const Batch& oldest = waiting_.front();
  if (!is_full(oldest) && now < oldest.begun + limits_.linger) {
    return {nullptr, oldest.begun + limits_.linger};
  }
  taken_.splice(taken_.end(), waiting_, waiting_.begin());
  return {&taken_.back().lines, std::nullopt};
}

void LineQueue::done(const Lines* batch) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(taken_, [&](const Batch& each) { return &each.lines == batch; });
  found->done = true;
  size_.bytes -= found->lines.text.size();
  size_.lines -= found->lines.size();
  while (!taken_.empty() && taken_.front().done) {
    Batch& front = taken_.front();
    acknowledged_ = front.lines.tickets.back();
    front.lines.clear();
    front.flushed = front.done = false;
    if (spare_.size() < kSparesMax) {
      spare_.splice(spare_.end(), taken_, taken_.begin());
    } else {
      taken_.pop_front();
    }
  }
  changed_.notify_all();
  // A taker may have been held back by batches_ahead_max.
  if (notify_ != nullptr) notify_(notify_context_);
}

std::uint64_t LineQueue::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_;
}

Expected<void> LineQueue::wait_until_done(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return closed_ || size_.lines == 0; });
  if (size_.lines != 0) return end();
  return {};
}

void LineQueue::close(Error error) {
  const std::lock_guard lock(mutex_);
  if (!closed_) closed_ = std::move(error);
  changed_.notify_all();
}

LineQueue::Size LineQueue::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace gpulse
