#include "cli/embedded.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "cli/feeds.h"
#include "cli/status_page.h"
#include "platform/file.h"
#include "server/live_hub.h"
#include "server/log_importer.h"

namespace gpulse::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kStateTick = 1s;        // how soon the page hears that a device has gone stale
constexpr auto kRetentionEvery = 1h;

// From the store to whoever watches the page.
class HubListener final : public StoreListener {
 public:
  HubListener(const Store& store, LiveHub& hub) : store_(store), hub_(hub) {}

  void on_rows(const SampleBatch& rows) override { hub_.publish_rows(rows); }

  void on_windows(const std::vector<Window>& windows) override {
    if (!hub_.has_clients()) return;
    const auto device = find(windows.front().device);
    for (const Window& window : windows) {
      if (device) hub_.publish_window(window, device->metrics);
    }
  }

  void on_alerts(const std::vector<Alert>& alerts) override {
    if (!hub_.has_clients()) return;
    const auto device = find(alerts.front().device);
    for (const Alert& alert : alerts) {
      if (device) hub_.publish_alert(alert, device->metrics, device->last);
    }
  }

  void on_device(const Device& device) override {
    if (!hub_.has_clients()) return;
    const auto record = find(device);
    if (record) publish(*record);
  }

  // Tells of devices whose state is another than at the last call.
  void publish_states() {
    const auto devices = store_.devices();
    if (!devices) return;
    for (const DeviceRecord& device : *devices) {
      const auto [known, is_new] = states_.try_emplace(device.device, device.state);
      if (!is_new && known->second == device.state) continue;
      known->second = device.state;
      publish(device);
    }
  }

 private:
  void publish(const DeviceRecord& device) {
    const auto sessions = store_.sessions(device.device);
    const bool any = sessions && !sessions->empty();
    hub_.publish_device(device, any ? sessions->back().usual_step() : 0us);
  }

  [[nodiscard]] std::optional<DeviceRecord> find(const Device& device) const {
    const auto devices = store_.devices();
    if (!devices) return std::nullopt;
    const auto found = std::ranges::find(*devices, device, &DeviceRecord::device);
    return found == devices->end() ? std::nullopt : std::optional(*found);
  }

  const Store& store_;
  LiveHub& hub_;
  std::map<Device, DeviceState> states_;
};

std::vector<LatestReadings> latest_readings(const Store& store) {
  std::vector<LatestReadings> all;
  const auto devices = store.devices();
  if (!devices) return all;
  for (const DeviceRecord& device : *devices) {
    const auto newest = store.newest(device.device);
    if (!newest) continue;
    LatestReadings latest{device.device, newest->time, {}};
    for (std::size_t i = 0; i < device.metrics.size() && i < newest->readings.size(); ++i) {
      latest.readings.push_back({device.metrics[i], newest->readings[i]});
    }
    all.push_back(std::move(latest));
  }
  return all;
}

}  // namespace

struct Embedded::Parts {
  Parts(EmbeddedOptions chosen, const Clock& used)
      : options(std::move(chosen)), clock(used), started(used.now()) {}

  EmbeddedOptions options;
  const Clock& clock;
  const Timestamp started;
  std::unique_ptr<Store> store;
  LiveHub hub;
  std::unique_ptr<HubListener> listener;
  std::unique_ptr<LogImporter> importer;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Feeds> feeds;
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::vector<std::string> followed;  // these two under the mutex
  std::vector<std::string> searched;

  ProgramState state() {
    std::vector<OutletState> outlets = options.outlets();
    const std::lock_guard lock(mutex);
    return {GPULSE_VERSION, started,  display(absolute_path(options.store.folder)),
            followed,       searched, std::move(outlets)};
  }

  // States and retention, once a second and once an hour.
  void keep_house(const std::stop_token& stop) {
    auto retention_at = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      if (std::chrono::steady_clock::now() >= retention_at) {
        const auto removed = store->apply_retention();
        if (!removed) spdlog::warn("retention: {}", removed.error().message);
        retention_at = std::chrono::steady_clock::now() + kRetentionEvery;
      }
      if (hub.has_clients()) listener->publish_states();
      std::unique_lock lock(mutex);
      stopped.wait_for(lock, stop, kStateTick, [] { return false; });
    }
  }
};

Embedded::Embedded(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Embedded::~Embedded() = default;

Expected<std::unique_ptr<Embedded>> Embedded::build(EmbeddedOptions options, const Clock& clock) {
  auto parts = std::make_unique<Parts>(std::move(options), clock);
  auto store = Store::open(parts->options.store, clock);
  if (!store) return std::unexpected(store.error());
  parts->store = std::move(*store);
  parts->listener = std::make_unique<HubListener>(*parts->store, parts->hub);
  parts->store->set_listener(parts->listener.get());
  parts->feeds = std::make_unique<Feeds>(*parts->store, clock);
  parts->importer = std::make_unique<LogImporter>(
      *parts->store,
      ImporterOptions{parts->options.host, parts->options.zone, parts->options.imported},
      [hub = &parts->hub](const ImportJob& job) { hub->publish_job(job); });
  parts->options.server.spool_folder = parts->store->uploads();
  auto server = HttpServer::build(
      parts->options.server,
      {.history = *parts->store,
       .rules = parts->options.store.rules,
       .jobs = *parts->importer,
       .hub = parts->hub,
       .clock = clock,
       .exporter = {.version = GPULSE_VERSION,
                    .latest = [store = parts->store.get()] { return latest_readings(*store); },
                    .process_usage = process_usage,
                    .more = parts->options.metrics},
       .program = [all = parts.get()] { return all->state(); }});
  if (!server) return std::unexpected(server.error());
  parts->server = std::move(*server);
  return std::unique_ptr<Embedded>(new Embedded(std::move(parts)));
}

std::string Embedded::url() const { return parts_->server->url(); }

Timestamp Embedded::started() const { return parts_->started; }

void Embedded::set_searched(std::vector<std::string> places) {
  const std::lock_guard lock(parts_->mutex);
  parts_->searched = std::move(places);
}

void Embedded::follow(const LogPlan& plan, std::stop_source& stop) {
  Parts& parts = *parts_;
  const std::lock_guard lock(parts.mutex);
  if (stop.stop_requested()) return;
  parts.searched.clear();
  for (const LogChoice& log : plan.logs) parts.followed.push_back(display(absolute_path(log.file)));
  parts.feeds->start(plan, stop);
}

Expected<void> Embedded::run(std::stop_source& stop) {
  Parts& parts = *parts_;
  auto ended = parts.importer->resume();
  if (ended) {
    const std::jthread house([&parts, &stop] { parts.keep_house(stop.get_token()); });
    ended = parts.server->run(stop.get_token());
    stop.request_stop();
  }
  stop.request_stop();
  {
    const std::lock_guard nobody_starts(parts.mutex);
  }  // any follow() is over, and none comes
  if (auto fed = parts.feeds->join(); !fed) return fed;
  return ended;
}

}  // namespace gpulse::cli
