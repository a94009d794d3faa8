#include "server/live_hub.h"

#include <algorithm>

#include "server/json_writer.h"
#include "server/records_json.h"

namespace gpulse {
namespace {

constexpr std::string_view kRows = "rows";

std::string rows_beginning(const SampleBatch& batch) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("host", batch.device.host).member("gpu", batch.device.gpu);
  json.member("source", batch.source).member("session", batch.session);
  json.key("metrics").begin_array();
  for (const ColumnName& column : batch.layout->columns) json.string(column.metric);
  json.end_array();
  return out;
}

std::string rows_elements(const SampleBatch& batch) {
  std::string out;
  JsonWriter json(out);
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    json.begin_array().milliseconds(batch.times[row]);
    for (const ReadingColumn& column : batch.columns) {
      json.reading(column.value(row), column.decimals());
    }
    json.end_array();
  }
  return out;
}

std::string device_key(const Device& device) { return device.host + '\n' + device.gpu; }

}  // namespace

LiveSubscription::LiveSubscription(LiveHub& hub, std::optional<Device> device,
                                   std::function<void()> wake)
    : hub_(hub), device_(std::move(device)), wake_(std::move(wake)) {}

LiveSubscription::~LiveSubscription() {
  const std::lock_guard lock(hub_.mutex_);
  std::erase(hub_.subscriptions_, this);
  hub_.clients_.store(hub_.subscriptions_.size(), std::memory_order_relaxed);
}

void LiveSubscription::push(const EventPtr& event) {
  if (overflowed_) return;
  const bool was_empty = queue_.empty();
  if (event->rows == 0) {
    other_events_ += 1 - std::erase_if(queue_, [&](const EventPtr& old) {
                       return old->kind == event->kind && old->key == event->key;
                     });
    overflowed_ = other_events_ > kLiveEventsMax;
    queue_.push_back(event);
  } else {
    row_bytes_ += event->data.size();
    queue_.push_back(event);
    drop_old_rows();
  }
  if (was_empty || overflowed_) wake_();
}

// The newest rows stay, whatever their size.
void LiveSubscription::drop_old_rows() {
  auto at = queue_.begin();
  while (row_bytes_ > kLiveRowBytesMax) {
    at = std::find_if(at, queue_.end(), [](const EventPtr& event) { return event->rows > 0; });
    if (at == queue_.end() || std::next(at) == queue_.end()) return;
    row_bytes_ -= (*at)->data.size();
    dropped_ += (*at)->rows;
    at = queue_.erase(at);
  }
}

bool LiveSubscription::take(std::string& out) {
  std::deque<EventPtr> events;
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(hub_.mutex_);
    if (overflowed_) return false;
    events.swap(queue_);
    dropped = std::exchange(dropped_, 0);
    row_bytes_ = 0;
    other_events_ = 0;
  }
  for (std::size_t i = 0; i < events.size();) {
    const Event& event = *events[i];
    out.append("event: ").append(event.kind).append("\ndata: ");
    if (event.rows == 0) {
      out += event.data;
      ++i;
    } else {
      out.append(event.key).append(",\"rows\":[");
      for (const std::size_t begin = i;
           i < events.size() && events[i]->rows > 0 && events[i]->key == event.key; ++i) {
        if (i > begin) out += ',';
        out += events[i]->data;
      }
      out.append("],\"dropped\":").append(std::to_string(std::exchange(dropped, 0))).append("}");
    }
    out += "\n\n";
  }
  return true;
}

void LiveHub::publish(const Device* device, LiveSubscription::Event event) {
  const auto shared = std::make_shared<const LiveSubscription::Event>(std::move(event));
  const std::lock_guard lock(mutex_);
  for (LiveSubscription* subscription : subscriptions_) {
    if (device == nullptr || !subscription->device_ || *subscription->device_ == *device) {
      subscription->push(shared);
    }
  }
}

void LiveHub::publish_rows(const SampleBatch& batch) {
  if (!has_clients() || batch.rows() == 0) return;
  publish(&batch.device, {kRows, rows_beginning(batch), rows_elements(batch), batch.rows()});
}

void LiveHub::publish_device(const DeviceRecord& device, std::chrono::microseconds usual_step) {
  if (!has_clients()) return;
  std::string data;
  JsonWriter json(data);
  write_device(json, device, usual_step);
  publish(&device.device, {"device", device_key(device.device), std::move(data)});
}

void LiveHub::publish_alert(const Alert& alert, std::span<const MetricRecord> metrics,
                            Timestamp newest) {
  if (!has_clients()) return;
  std::string data;
  JsonWriter json(data);
  write_alert(json, alert, metrics, newest);
  std::string key = device_key(alert.device) + '\n' + alert.source + '\n' +
                    std::to_string(alert.session) + '\n' + alert.rule.name() + '\n' +
                    std::to_string(to_microseconds(alert.began));
  publish(&alert.device, {"alert", std::move(key), std::move(data)});
}

void LiveHub::publish_window(const Window& window, std::span<const MetricRecord> metrics) {
  if (!has_clients()) return;
  std::string data;
  JsonWriter json(data);
  write_window(json, window, metrics, true);
  std::string key = device_key(window.device) + '\n' + window.source + '\n' +
                    std::to_string(window.session) + '\n' +
                    std::to_string(to_microseconds(window.begin));
  publish(&window.device, {"window", std::move(key), std::move(data)});
}

void LiveHub::publish_job(const ImportJob& job) {
  if (!has_clients()) return;
  std::string data;
  JsonWriter json(data);
  write_job(json, job);
  publish(nullptr, {"job", job.id, std::move(data)});
}

std::unique_ptr<LiveSubscription> LiveHub::subscribe(std::optional<Device> device,
                                                     std::function<void()> wake) {
  std::unique_ptr<LiveSubscription> subscription(
      new LiveSubscription(*this, std::move(device), std::move(wake)));
  const std::lock_guard lock(mutex_);
  subscriptions_.push_back(subscription.get());
  clients_.store(subscriptions_.size(), std::memory_order_relaxed);
  return subscription;
}

}  // namespace gpulse
