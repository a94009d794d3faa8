// What is known of the past, as the server and the answers read it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "stream/alert.h"
#include "stream/window.h"
#include "telemetry/error.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

// live: a row was appended while followed, lately. stale: it grew while followed, then stopped.
// ended: its last row is older than 5 minutes and nothing was appended since it was opened.
enum class DeviceState { live, stale, ended };
[[nodiscard]] std::string_view to_string(DeviceState state);

struct MetricRecord {
  std::string name;
  std::string unit;
  int decimals = 0;  // the most that a reading of it had
};

struct DeviceRecord {
  Device device;
  DeviceState state = DeviceState::ended;
  std::string timezone;    // the zone its log was read in, an IANA name
  std::int64_t rows = 0;
  Timestamp first;         // smallest and largest event time; rows > 0 always
  Timestamp last;
  Timestamp last_arrival;  // when its newest row was read, by this machine's clock
  // Time of its last row, should that be ahead of the clock: such rows count for neither `last` nor
  // the state. Mostly its log was read in a wrong zone.
  std::optional<Timestamp> ahead;
  std::vector<MetricRecord> metrics;  // in the order that its logs brought them
};

struct SourceRecord {
  Device device;
  std::string source;
  std::string file;  // where it was last read from, UTF-8
  std::string timezone;
  std::int64_t bytes = 0;  // read so far
  std::int64_t rows = 0;
  std::int64_t sessions = 0;
  std::int64_t set_aside = 0;
  std::int64_t absent = 0;  // absent readings in all rows
  std::optional<Timestamp> absent_first;  // the first and last row with one
  std::optional<Timestamp> absent_last;
  Timestamp first;
  Timestamp last;
  std::chrono::microseconds longest_step{0};  // between two rows of one session
  std::optional<Timestamp> longest_step_at;  // the row behind it
};

struct SetAsideRecord {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::string reason;
};

struct SessionRecord {
  Device device;
  std::string source;
  std::int64_t session = 0;
  Timestamp first;
  Timestamp last;
  std::int64_t rows = 0;
  LayoutPtr layout;

  // The mean step; zero with a single row.
  [[nodiscard]] std::chrono::microseconds usual_step() const {
    return rows > 1 ? (last - first) / (rows - 1) : std::chrono::microseconds{0};
  }
  // A longer step between two rows is a gap: more than 5 s and more than three usual steps.
  [[nodiscard]] std::chrono::microseconds gap_limit() const {
    return std::max(std::chrono::microseconds{5'000'000}, 3 * usual_step());
  }
};

// Some rows of one session, in time order (strictly ascending). Valid during the visit only.
struct Block {
  const SessionRecord* session;
  std::span<const Timestamp> times;
  // One per asked metric; NaN where the reading is absent; empty when the session has no such
  // column.
  std::span<const std::span<const double>> values;
};

struct ScanRequest {
  Device device;
  Timestamp from;  // both inclusive
  Timestamp to;
  std::vector<std::string> metrics;
  std::stop_token stop{};  // ends the scan, soon and with an error
};

// Each read is of what was committed when it began. Any thread, at once with the writer. Of what is
// not known (a device, a source) there is nothing; errors are of operation: the disk.
class History {
 public:
  virtual ~History() = default;

  [[nodiscard]] virtual Expected<std::vector<DeviceRecord>> devices() const = 0;
  [[nodiscard]] virtual Expected<std::vector<SourceRecord>> sources() const = 0;
  // At most `limit`, in order of offset.
  [[nodiscard]] virtual Expected<std::vector<SetAsideRecord>> set_aside(
      const std::string& source, std::size_t limit) const = 0;
  // In order of their first rows.
  [[nodiscard]] virtual Expected<std::vector<SessionRecord>> sessions(
      const Device& device) const = 0;
  // Windows and alerts that touch [from, to], newest first, at most `limit`.
  [[nodiscard]] virtual Expected<std::vector<Window>> windows(const Device& device, Timestamp from,
                                                              Timestamp to,
                                                              std::size_t limit) const = 0;
  [[nodiscard]] virtual Expected<std::vector<Alert>> alerts(const Device& device, Timestamp from,
                                                            Timestamp to,
                                                            std::size_t limit) const = 0;
  // Visits the rows of [from, to]: sessions in order of their first rows, the blocks of a session
  // one after the other. The visitor returns false when it has seen enough. When request.stop is
  // requested meanwhile, scan_stopped() is returned, whatever was visited.
  using Visitor = std::function<bool(const Block&)>;
  [[nodiscard]] virtual Expected<void> scan(const ScanRequest& request,
                                            const Visitor& visitor) const = 0;
};

// An operation error: the scan was asked to stop.
[[nodiscard]] std::unexpected<Error> scan_stopped();

}  // namespace gpulse
