// A history whose scans end when the server stops.
#pragma once

#include <stop_token>
#include <utility>

#include "store/history.h"

namespace gpulse {

// Passes all on; a scan that is under way at the stop, or begins later, is an error that says so.
// Any thread. Borrows the history.
class StoppableHistory final : public History {
 public:
  StoppableHistory(const History& history, std::stop_token stop)
      : history_(history), stop_(std::move(stop)) {}

  [[nodiscard]] Expected<std::vector<DeviceRecord>> devices() const override {
    return history_.devices();
  }
  [[nodiscard]] Expected<std::vector<SourceRecord>> sources() const override {
    return history_.sources();
  }
  [[nodiscard]] Expected<std::vector<SetAsideRecord>> set_aside(const std::string& source,
                                                                std::size_t limit) const override {
    return history_.set_aside(source, limit);
  }
  [[nodiscard]] Expected<std::vector<SessionRecord>> sessions(const Device& device) const override {
    return history_.sessions(device);
  }
  [[nodiscard]] Expected<std::vector<Window>> windows(const Device& device, Timestamp from,
                                                      Timestamp to,
                                                      std::size_t limit) const override {
    return history_.windows(device, from, to, limit);
  }
  [[nodiscard]] Expected<std::vector<Alert>> alerts(const Device& device, Timestamp from,
                                                    Timestamp to,
                                                    std::size_t limit) const override {
    return history_.alerts(device, from, to, limit);
  }
  [[nodiscard]] Expected<void> scan(const ScanRequest& request,
                                    const Visitor& visitor) const override {
    ScanRequest stoppable = request;
    stoppable.stop = stop_;
    return history_.scan(stoppable, visitor);
  }

 private:
  const History& history_;
  const std::stop_token stop_;
};

}  // namespace gpulse
