// A history in memory, jobs without an importer and a clock that stands, for the tests of server/.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/import_jobs.h"
#include "server/request.h"
#include "store/history.h"

namespace gpulse::test {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

// Seconds after 2023-06-16T08:17:08Z.
inline Timestamp at(double seconds) {
  return from_microseconds(1'686'903'428'000'000 + std::llround(seconds * 1e6));
}

struct TestClock final : Clock {
  [[nodiscard]] Timestamp now() const override { return time; }
  Timestamp time = at(1000);
};

struct TestColumn {
  ColumnName name;
  int decimals = 1;
  std::vector<double> values;
};

class TestHistory final : public History {
 public:
  // One row a second from `begin` on; the device is added with its first session.
  void add_session(const Device& device, const std::string& source, std::int64_t session,
                   double begin, const std::vector<TestColumn>& columns) {
    auto layout = std::make_shared<Layout>();
    for (const TestColumn& column : columns) layout->columns.push_back(column.name);
    Stored stored{{device, source, session, {}, {}, 0, layout}, {}, columns};
    for (std::size_t row = 0; row < columns.front().values.size(); ++row) {
      stored.times.push_back(at(begin + static_cast<double>(row)));
    }
    stored.record.first = stored.times.front();
    stored.record.last = stored.times.back();
    stored.record.rows = static_cast<std::int64_t>(stored.times.size());
    add_to_device(stored);
    stored_.push_back(std::move(stored));
  }

  DeviceRecord& device(const Device& device) {
    return *std::ranges::find(devices_, device, &DeviceRecord::device);
  }

  [[nodiscard]] Expected<std::vector<DeviceRecord>> devices() const override {
    if (failing) return operation_error("the disk is gone");
    return devices_;
  }
  [[nodiscard]] Expected<std::vector<SourceRecord>> sources() const override { return sources_; }
  [[nodiscard]] Expected<std::vector<SetAsideRecord>> set_aside(const std::string& source,
                                                                std::size_t limit) const override {
    const auto found = set_aside_.find(source);
    std::vector<SetAsideRecord> out;
    if (found != set_aside_.end()) out = found->second;
    if (out.size() > limit) out.resize(limit);
    return out;
  }
  [[nodiscard]] Expected<std::vector<SessionRecord>> sessions(const Device& device) const override {
    std::vector<SessionRecord> out;
    for (const Stored& stored : stored_) {
      if (stored.record.device == device) out.push_back(stored.record);
    }
    std::ranges::stable_sort(out, {}, &SessionRecord::first);
    return out;
  }
  [[nodiscard]] Expected<std::vector<Window>> windows(const Device& device, Timestamp from,
                                                      Timestamp to,
                                                      std::size_t limit) const override {
    std::vector<Window> out;
    for (const Window& window : windows_) {
      const bool touches = window.begin <= to && window.end > from;
      if (window.device == device && touches && out.size() < limit) out.push_back(window);
    }
    return out;
  }
  [[nodiscard]] Expected<std::vector<Alert>> alerts(const Device& device, Timestamp from,
                                                    Timestamp to,
                                                    std::size_t limit) const override {
    std::vector<Alert> out;
    for (const Alert& alert : alerts_) {
      const bool touches = alert.began <= to && alert.ended.value_or(to) >= from;
      if (alert.device == device && touches && out.size() < limit) out.push_back(alert);
    }
    return out;
  }
  [[nodiscard]] Expected<void> scan(const ScanRequest& request,
                                    const Visitor& visitor) const override {
    ++scans;
    if (on_scan) on_scan(request);
    if (request.stop.stop_requested()) return scan_stopped();
    for (const Stored& stored : stored_) {
      if (stored.record.device == request.device && !visit(stored, request, visitor)) break;
    }
    return {};
  }

  std::vector<DeviceRecord> devices_;
  std::vector<SourceRecord> sources_;
  std::map<std::string, std::vector<SetAsideRecord>> set_aside_;
  std::vector<Window> windows_;
  std::vector<Alert> alerts_;
  mutable std::atomic<int> scans = 0;
  std::function<void(const ScanRequest&)> on_scan;  // called at the beginning of each
  bool failing = false;

 private:
  struct Stored {
    SessionRecord record;
    std::vector<Timestamp> times;
    std::vector<TestColumn> columns;
  };

  void add_to_device(const Stored& stored) {
    const SessionRecord& session = stored.record;
    auto found = std::ranges::find(devices_, session.device, &DeviceRecord::device);
    if (found == devices_.end()) {
      devices_.push_back({session.device,
                          DeviceState::live,
                          "Europe/Berlin",
                          0,
                          session.first,
                          session.last,
                          session.last,
                          std::nullopt,
                          {}});
      found = std::prev(devices_.end());
    }
    found->rows += session.rows;
    found->first = std::min(found->first, session.first);
    found->last = std::max(found->last, session.last);
    found->last_arrival = found->last + std::chrono::milliseconds{250};
    for (const TestColumn& column : stored.columns) {
      const auto known = std::ranges::find(found->metrics, column.name.metric, &MetricRecord::name);
      if (known == found->metrics.end()) {
        found->metrics.push_back({column.name.metric, column.name.unit, column.decimals});
      }
    }
  }

  static bool visit(const Stored& stored, const ScanRequest& request, const Visitor& visitor) {
    const auto begin = std::ranges::lower_bound(stored.times, request.from);
    const auto end = std::ranges::upper_bound(stored.times, request.to);
    if (begin >= end) return true;
    const auto first = static_cast<std::size_t>(begin - stored.times.begin());
    const auto rows = static_cast<std::size_t>(end - begin);
    std::vector<std::span<const double>> values;
    for (const std::string& metric : request.metrics) {
      const auto column = std::ranges::find_if(stored.columns, [&](const TestColumn& candidate) {
        return candidate.name.metric == metric;
      });
      values.push_back(column == stored.columns.end()
                           ? std::span<const double>{}
                           : std::span(column->values).subspan(first, rows));
    }
    return visitor({&stored.record, std::span(stored.times).subspan(first, rows), values});
  }

  std::vector<Stored> stored_;
};

// Keeps the bytes of what was handed over, and reads nothing.
class TestJobs final : public ImportJobs {
 public:
  [[nodiscard]] Expected<std::string> start(const std::filesystem::path& file,
                                            const ImportRequest& request) override {
    const std::lock_guard lock(mutex_);
    if (refuse) return input_error(request.name + " is no GPU-Z log");
    std::ifstream stream(file, std::ios::binary);
    contents_.emplace_back(std::istreambuf_iterator<char>(stream),
                           std::istreambuf_iterator<char>());
    stream.close();
    std::filesystem::remove(file);
    ImportJob job;
    job.id = std::to_string(jobs_.size() + 1);
    job.name = request.name;
    job.state = JobState::reading;
    job.bytes = static_cast<std::int64_t>(contents_.back().size());
    job.device = {request.host.value_or("rig"), request.gpu.value_or("gpu0-2")};
    jobs_.push_back(job);
    return job.id;
  }
  [[nodiscard]] std::vector<ImportJob> list() const override {
    const std::lock_guard lock(mutex_);
    return jobs_;
  }
  [[nodiscard]] std::optional<ImportJob> find(const std::string& id) const override {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(jobs_, id, &ImportJob::id);
    return found == jobs_.end() ? std::nullopt : std::optional(*found);
  }
  [[nodiscard]] bool cancel(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(jobs_, id, &ImportJob::id);
    if (found == jobs_.end()) return false;
    found->state = JobState::cancelled;
    return true;
  }
  [[nodiscard]] std::string content(std::size_t job) const {
    const std::lock_guard lock(mutex_);
    return contents_.at(job);
  }

  std::atomic<bool> refuse = false;
  std::vector<ImportJob> jobs_;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> contents_;
};

// Two devices: rig/gpu0, live, with a session of 300 rows, a pause and one of 60; and attic/gpu0,
// which ended and has other sensors.
struct TestWorld {
  TestWorld() {
    add_rig();
    add_attic();
    add_events();
  }

  Device rig{"rig", "gpu0"};
  Device attic{"attic", "gpu0"};
  TestHistory history;
  TestJobs jobs;
  TestClock clock;
  std::vector<AlertRule> rules{
      {"gpu_temperature", 85, 82, std::chrono::seconds{10}, Severity::warning},
      {"gpu_load", 95, 90, std::chrono::seconds{60}, Severity::info}};

 private:
  static std::vector<TestColumn> rig_columns(std::size_t rows, double warmest) {
    std::vector<TestColumn> columns{{{"gpu_temperature", "°C"}, 1, {}},
                                    {{"gpu_load", "%"}, 0, {}},
                                    {{"board_power_draw", "W"}, 1, {}},
                                    {{"perfcap_reason", ""}, 0, {}},
                                    {{"flux_density", "mT"}, 3, {}}};
    for (std::size_t row = 0; row < rows; ++row) {
      const double part = static_cast<double>(row) / static_cast<double>(rows - 1);
      columns[0].values.push_back(std::round(400 + (warmest * 10 - 400) * part) / 10);
      columns[1].values.push_back(row % 10 < 5 ? 99 : 5);
      columns[2].values.push_back(row == 7 ? kAbsent : 180.5);
      columns[3].values.push_back(row % 4 == 0 ? 1 : 16);
      columns[4].values.push_back(0.125);
    }
    return columns;
  }

  void add_rig() {
    history.add_session(rig, "log-a", 680, 0, rig_columns(300, 90));
    history.add_session(rig, "log-a", 90'000, 700, rig_columns(60, 60));
    SourceRecord source;
    source.device = rig;
    source.source = "log-a";
    source.file = "C:\\GPU-Z Sensor Log.txt";
    source.timezone = "Europe/Berlin";
    source.bytes = 123'456;
    source.rows = 360;
    source.sessions = 2;
    source.set_aside = 2;
    source.absent = 2;
    source.absent_first = at(7);
    source.absent_last = at(707);
    source.first = at(0);
    source.last = at(759);
    source.longest_step = std::chrono::seconds{1};
    source.longest_step_at = at(0);
    history.sources_.push_back(source);
    history.set_aside_["log-a"] = {{5000, 12, "too few cells"}, {6000, 3, "NUL bytes"}};
  }

  void add_attic() {
    history.add_session(attic, "log-b", 100, -90'000'000,
                        {{{"gpu_clock", "MHz"}, 1, std::vector<double>(20, 1350.0)},
                         {{"fan1_speed_percent", "%"}, 0, std::vector<double>(20, 35.0)}});
    history.device(attic).state = DeviceState::ended;
    SourceRecord source;
    source.device = attic;
    source.source = "log-b";
    source.file = "old.txt";
    source.timezone = "UTC";
    source.rows = 20;
    source.sessions = 1;
    source.first = history.device(attic).first;
    source.last = history.device(attic).last;
    history.sources_.push_back(source);
  }

  void add_events() {
    Window window;
    window.device = rig;
    window.source = "log-a";
    window.session = 680;
    window.begin = at(-8);
    window.end = at(22);
    window.rows = 22;
    window.final = true;
    auto layout = std::make_shared<Layout>();
    layout->columns = {{"gpu_temperature", "°C"}, {"gpu_load", "%"}};
    window.layout = layout;
    window.metrics = {{22, 41.25, 40.0, 43.0}, {0, 0, 0, 0}};
    history.windows_.push_back(window);
    Alert alert{rig, "log-a", 90'000, rules[1], at(700), {}, {}, 99, at(700)};
    history.alerts_.push_back(alert);
    alert.session = 680;
    alert.rule = rules[0];
    alert.began = at(270);
    alert.ended = at(299);
    alert.end_reason = AlertEnd::session_ended;
    alert.peak = 90;
    alert.peak_at = at(299);
    history.alerts_.push_back(alert);
  }
};

// GET /api/v1/... as the router hands it on.
inline Request get(std::string_view target, std::string method = "GET") {
  Request request;
  request.method = std::move(method);
  request.host = "127.0.0.1:8337";
  if (!parse_target(target, request)) request.path = "?";
  return request;
}

}  // namespace gpulse::test
