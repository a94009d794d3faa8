// Live push: what happens in the program goes to whoever watches, and costs nothing while nobody
// does.
//
// Each watcher has a queue of its own with a cap; a slow one loses its oldest rows, is told how
// many, and holds nobody up.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/import_jobs.h"
#include "store/history.h"

namespace gpulse {

class LiveHub;

// Rows of a slow watcher beyond this are dropped, oldest first: some ten minutes of 24 sensors at
// one row a second. It can ask the API for what it missed.
inline constexpr std::size_t kLiveRowBytesMax = 256 * std::size_t{1024};
// Beyond this many other events a watcher is cut off: it comes back and asks anew.
inline constexpr std::size_t kLiveEventsMax = 1024;

// One watcher. Owned by its connection; must not outlive the hub.
class LiveSubscription {
 public:
  ~LiveSubscription();
  LiveSubscription(const LiveSubscription&) = delete;
  LiveSubscription& operator=(const LiveSubscription&) = delete;

  // Appends all that waits as text of an event stream; rows of one session that follow each other
  // come as one event. False: the watcher was too slow for more than rows, and has to be cut off.
  [[nodiscard]] bool take(std::string& out);

 private:
  friend class LiveHub;
  struct Event {
    std::string_view kind;  // a literal
    // What a later event replaces: the same device, alert, window or job. For rows, whatever must
    // be equal for two events to be merged: the beginning of the object, up to its rows.
    std::string key;
    std::string data;  // JSON; for rows the elements of the array
    std::size_t rows = 0;
  };
  using EventPtr = std::shared_ptr<const Event>;

  LiveSubscription(LiveHub& hub, std::optional<Device> device, std::function<void()> wake);
  void push(const EventPtr& event);
  void drop_old_rows();

  LiveHub& hub_;
  const std::optional<Device> device_;
  const std::function<void()> wake_;
  // All below under the hub's lock.
  std::deque<EventPtr> queue_;
  std::size_t row_bytes_ = 0;
  std::size_t other_events_ = 0;
  std::size_t dropped_ = 0;
  bool overflowed_ = false;
};

// Any thread. Publishing never waits for a watcher.
class LiveHub {
 public:
  // Check it before gathering what publish_device and the like need; they check it themselves too.
  [[nodiscard]] bool has_clients() const { return clients_.load(std::memory_order_relaxed) > 0; }
  [[nodiscard]] std::size_t clients() const { return clients_.load(std::memory_order_relaxed); }

  // Rows that were just read, after they are in the history.
  void publish_rows(const SampleBatch& batch);
  // A new device, or one whose state or metrics changed.
  void publish_device(const DeviceRecord& device, std::chrono::microseconds usual_step);
  void publish_alert(const Alert& alert, std::span<const MetricRecord> metrics, Timestamp newest);
  void publish_window(const Window& window, std::span<const MetricRecord> metrics);
  void publish_job(const ImportJob& job);

  // Watches one device, or all. `wake` is called, from the publisher's thread and under the hub's
  // lock, when something waits in a queue that was empty: it must only hand the news on.
  [[nodiscard]] std::unique_ptr<LiveSubscription> subscribe(std::optional<Device> device,
                                                            std::function<void()> wake);

 private:
  friend class LiveSubscription;
  void publish(const Device* device, LiveSubscription::Event event);

  std::mutex mutex_;
  std::vector<LiveSubscription*> subscriptions_;
  std::atomic<std::size_t> clients_{0};
};

}  // namespace gpulse
