// The record of the topic gpu-metrics: one sample as a JSON object,
// {"v":1,"timestamp":"2023-06-16T08:17:08.000000Z","host":"rig","gpu":"gpu0","source":"...",
//  "session":680,"offset":123456,"metrics":{"gpu_temperature":63.0,"gpu_clock":null},"units":{...}}
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

// Writes the rows of one batch after another. Readings are printed from their counts, so they have
// the digits of the text, and a column as many decimals as its most exact reading. A column kept in
// doubles prints the shortest text that reads back as the number. Not thread-safe.
class SampleJsonWriter {
 public:
  // What all rows of the batch share is prepared here. The batch must outlive the calls of row().
  void begin(const SampleBatch& batch);
  // Row `row` of the batch, valid until the next call of either.
  [[nodiscard]] std::string_view row(std::size_t row);

 private:
  const SampleBatch* batch_ = nullptr;
  LayoutPtr layout_;  // of which names_ and tail_ are
  std::string head_;  // between the instant and the offset
  std::vector<std::string> names_;
  std::string tail_;
  std::size_t names_bytes_ = 0;
  std::vector<char> buffer_;
  std::chrono::sys_days day_{std::chrono::days::min()};  // whose date stands in date_
  std::string date_;
};

// One reading of a record.
struct RecordReading {
  std::string_view name;
  std::string_view text;  // the number as it stands there, "63.0"; empty when absent
  std::optional<double> value;  // none when absent
};

struct RecordUnit {
  std::string_view name;
  std::string_view unit;
};

// A record taken apart. All views are the reader's.
struct SampleRecord {
  Timestamp timestamp;
  std::string_view host;
  std::string_view gpu;
  std::string_view source;
  std::int64_t session = 0;
  std::int64_t offset = 0;
  std::vector<RecordReading> readings;  // in the order of the record
  std::vector<RecordUnit> units;  // of metrics that the writer's catalogue lacked
};

// Reads records. Not thread-safe.
class SampleJsonReader {
 public:
  SampleJsonReader();
  ~SampleJsonReader();
  SampleJsonReader(const SampleJsonReader&) = delete;
  SampleJsonReader& operator=(const SampleJsonReader&) = delete;

  // The record is the reader's, valid until the next call. An input error says what is wrong with
  // which member. Members that it does not know are skipped, and no more is asked of them than that
  // the brackets match.
  [[nodiscard]] Expected<const SampleRecord*> read(std::string_view json);

 private:
  struct Parser;

  std::unique_ptr<Parser> parser_;
  SampleRecord record_;
};

}  // namespace gpulse
