// A History in memory, fed from columns, for the tests of query/.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/history.h"

namespace gpulse::test {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

// 1 000 000 s after 1970 is as good a beginning as any.
inline Timestamp at(double seconds) {
  return from_microseconds(1'000'000'000'000 + std::llround(seconds * 1e6));
}

struct TestSession {
  std::vector<std::string> metrics;
  std::vector<Timestamp> times;
  std::vector<std::vector<double>> columns;  // one per metric
  std::string source = "log";
};

class TestHistory final : public History {
 public:
  // Blocks of at most `block_rows` rows, to show that how rows are cut changes nothing.
  explicit TestHistory(std::size_t block_rows = 4096) : block_rows_(block_rows) {}

  TestHistory& add(TestSession session) {
    auto layout = std::make_shared<Layout>();
    for (const auto& metric : session.metrics) layout->columns.push_back({metric, unit_of(metric)});
    records_.push_back({device_, session.source, static_cast<std::int64_t>(records_.size()) * 1000,
                        session.times.front(), session.times.back(),
                        static_cast<std::int64_t>(session.times.size()), layout});
    data_.push_back(std::move(session));
    return *this;
  }

  [[nodiscard]] DeviceRecord device(DeviceState state = DeviceState::live, int decimals = 0) const {
    DeviceRecord record;
    record.device = device_;
    record.state = state;
    record.timezone = "UTC";
    record.first = records_.front().first;
    record.last = records_.front().last;
    for (const auto& session : records_) {
      record.first = std::min(record.first, session.first);
      record.last = std::max(record.last, session.last);
      record.rows += session.rows;
      for (const auto& column : session.layout->columns) {
        const bool known = std::ranges::any_of(record.metrics, [&](const MetricRecord& metric) {
          return metric.name == column.metric;
        });
        if (!known)
          record.metrics.push_back(
              {column.metric, column.unit, decimals_of(column.metric, decimals)});
      }
    }
    record.last_arrival = record.last;
    return record;
  }

  void set_decimals(const std::string& metric, int decimals) { decimals_[metric] = decimals; }

  [[nodiscard]] Expected<std::vector<DeviceRecord>> devices() const override {
    return std::vector{device()};
  }
  [[nodiscard]] Expected<std::vector<SourceRecord>> sources() const override {
    return std::vector<SourceRecord>{};
  }
  [[nodiscard]] Expected<std::vector<SetAsideRecord>> set_aside(const std::string&,
                                                                std::size_t) const override {
    return std::vector<SetAsideRecord>{};
  }
  [[nodiscard]] Expected<std::vector<SessionRecord>> sessions(const Device&) const override {
    return records_;
  }
  [[nodiscard]] Expected<std::vector<Window>> windows(const Device&, Timestamp, Timestamp,
                                                      std::size_t) const override {
    return std::vector<Window>{};
  }
  [[nodiscard]] Expected<std::vector<Alert>> alerts(const Device&, Timestamp, Timestamp,
                                                    std::size_t) const override {
    return std::vector<Alert>{};
  }

  [[nodiscard]] Expected<void> scan(const ScanRequest& request,
                                    const Visitor& visitor) const override {
    if (fail_) return operation_error("the disk is gone");
    for (std::size_t index = 0; index < data_.size(); ++index) {
      if (!scan_session(request, index, visitor)) break;
    }
    return {};
  }

  void fail() { fail_ = true; }

 private:
  static std::string unit_of(const std::string& metric) {
    if (metric.ends_with("temperature")) return "°C";
    if (metric.ends_with("power_draw")) return "W";
    if (metric.ends_with("clock")) return "MHz";
    return metric.ends_with("load") ? "%" : "";
  }
  [[nodiscard]] int decimals_of(const std::string& metric, int otherwise) const {
    const auto found = decimals_.find(metric);
    return found == decimals_.end() ? otherwise : found->second;
  }

  bool scan_session(const ScanRequest& request, std::size_t index, const Visitor& visitor) const {
    const TestSession& session = data_[index];
    const auto begin = static_cast<std::size_t>(
        std::ranges::lower_bound(session.times, request.from) - session.times.begin());
    const auto end = static_cast<std::size_t>(std::ranges::upper_bound(session.times, request.to) -
                                              session.times.begin());
    for (std::size_t row = begin; row < end; row += block_rows_) {
      const std::size_t rows = std::min(block_rows_, end - row);
      std::vector<std::span<const double>> values;
      for (const auto& metric : request.metrics) {
        const auto found = std::ranges::find(session.metrics, metric);
        if (found == session.metrics.end()) {
          values.emplace_back();
          continue;
        }
        const auto column = static_cast<std::size_t>(found - session.metrics.begin());
        values.push_back(std::span(session.columns[column]).subspan(row, rows));
      }
      if (!visitor({&records_[index], std::span(session.times).subspan(row, rows), values})) {
        return false;
      }
    }
    return true;
  }

  Device device_{"rig", "gpu0"};
  std::size_t block_rows_;
  bool fail_ = false;
  std::vector<SessionRecord> records_;
  std::vector<TestSession> data_;
  std::map<std::string, int> decimals_;
};

// A session of one reading a second from `begin` on.
inline TestSession every_second(double begin, std::vector<std::string> metrics,
                                std::vector<std::vector<double>> columns) {
  TestSession session{std::move(metrics), {}, std::move(columns), "log"};
  for (std::size_t row = 0; row < session.columns.front().size(); ++row) {
    session.times.push_back(at(begin + static_cast<double>(row)));
  }
  return session;
}

}  // namespace gpulse::test
