// Samples as lines of InfluxDB's line protocol:
//
//   gpu_metrics,host=rig,gpu=gpu0,source=1f2e gpu_temperature=63.0,…,offset=123456
//   1686903428000000000
//
// Every field is a float, printed as its text had it. An absent reading has no field; `offset` is
// always there, so that a row without readings is a point, too. Times are nanoseconds. The same
// sample is the same line every time, and so the same point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

inline constexpr std::string_view kMeasurement = "gpu_metrics";

// Whole lines, one behind the other, each with the caller's ticket. Cleared and filled again, it
// keeps its memory.
struct Lines {
  std::string text;                    // every line with its '\n'
  std::vector<std::size_t> ends;       // behind each line in `text`
  std::vector<std::uint64_t> tickets;  // one a line, never falling

  [[nodiscard]] std::size_t size() const { return ends.size(); }
  [[nodiscard]] bool empty() const { return ends.empty(); }
  // A line without its end.
  [[nodiscard]] std::string_view line(std::size_t index) const;
  void clear();
};

// Escaping, without the quotes that only strings have. What line protocol cannot hold is shown by a
// look-alike, so that two names never become one: a control character by its picture (U+2400 on), a
// backslash at the end, which would swallow the separator, by U+FF3C.
void append_tag_value(std::string& out, std::string_view value);
void append_field_key(std::string& out, std::string_view name);

// Writes lines field by field, as records of a topic have them. Not thread-safe.
//
//   builder.begin("rig", "gpu0", "1f2e");
//   builder.field("gpu_temperature", "63.0");
//   builder.end(lines, 123456, time, ticket);
class LineBuilder {
 public:
  // An empty tag is left out: InfluxDB reads back both as the same. The same identity as that of
  // the line before is not escaped again.
  void begin(std::string_view host, std::string_view gpu, std::string_view source);
  // `number` is a plain decimal number as JSON has it ("63.0", "-1.5e3") and is taken as it is. A
  // field without a name is left out.
  void field(std::string_view name, std::string_view number);
  // Appends the line that was begun.
  void end(Lines& out, std::int64_t offset, Timestamp time, std::uint64_t ticket);

 private:
  std::string host_;
  std::string gpu_;
  std::string source_;
  std::string prefix_;  // measurement and tags
  std::string fields_;
};

// Writes the rows of batches. Not thread-safe; what it keeps is only scratch.
class BatchRenderer {
 public:
  // Appends a line for each row; the first gets `first_ticket`, each further one the next.
  void render(const SampleBatch& batch, std::uint64_t first_ticket, Lines& out);

 private:
  // A column, with what its cells need at hand.
  struct Column {
    const ReadingColumn* readings = nullptr;
    std::string key;  // escaped, with '='
  };
  void prepare(const SampleBatch& batch);

  LayoutPtr layout_;
  std::string prefix_;
  std::vector<Column> columns_;
  std::size_t line_bytes_max_ = 0;
};

}  // namespace gpulse
