// One call of SampleProducer::deliver(): which of its rows is how far.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kafka/observer.h"
#include "telemetry/sample_batch.h"

namespace gpulse::kafka {

class Delivery {
 public:
  enum class Row : std::uint8_t {
    waiting,  // to be sent, or sent and given back
    sent,
    suspect,  // of a batch that was refused: to be sent alone, to find whose fault it was
    sent_alone,
    done,     // acknowledged or set aside
  };
  struct Part {
    const SampleBatch* batch = nullptr;
    std::size_t first = 0;  // index of its first row in this delivery
    std::string key;
  };

  explicit Delivery(std::span<const SampleBatch> batches);

  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  [[nodiscard]] Row row(std::size_t index) const { return rows_[index]; }
  [[nodiscard]] bool complete() const { return open_ == 0; }
  [[nodiscard]] std::size_t outstanding() const { return outstanding_; }
  [[nodiscard]] std::size_t open() const { return open_; }

  void send(std::size_t index, bool alone);
  void take_back(std::size_t index, Row as);
  // Acknowledged, or refused for good.
  void finish(std::size_t index);
  // The client that had rows under way is gone: whatever it did not report is sent again.
  void forget_outstanding();
  [[nodiscard]] RefusedRecord identity(std::size_t index) const;

 private:
  std::vector<Part> parts_;
  std::vector<Row> rows_;
  std::size_t outstanding_ = 0;
  std::size_t open_ = 0;
};

}  // namespace gpulse::kafka
