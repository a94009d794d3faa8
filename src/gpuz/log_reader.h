// From the bytes of a GPU-Z log to sample batches. Does no input or output and knows no file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpuz/event_clock.h"
#include "gpuz/row_template.h"
#include "telemetry/sample_batch.h"
#include "telemetry/time_zone.h"

namespace gpulse {

// A line that is no row: counted and listed, never read as one.
struct SetAside {
  std::int64_t offset = 0;  // of its first byte that is no NUL
  std::int64_t bytes = 0;   // without its line end
  std::string reason;
};

// Takes what a reader finds, in file order, during its push() and close().
class LogReceiver {
 public:
  virtual ~LogReceiver() = default;
  // The batch is the reader's and valid during the call only.
  virtual void on_rows(const SampleBatch& batch) = 0;
  virtual void on_set_aside(const SetAside& line) = 0;
};

// Where a reader stands between two pushes: with the bytes from `position` on, another reader goes
// on as this one would have. Nothing is worth storing while `source` is empty.
struct LogReaderState {
  std::int64_t position = 0;  // every byte before it has been dealt with
  std::string source;         // the log's identity; empty until its first row
  std::string header;         // the heading in force; empty before the first
  std::int64_t session = 0;   // of the last row
  bool session_pending = false;  // a heading came; the next row begins a session
  EventClockState clock;
};

struct LogReaderOptions {
  Device device;
  std::shared_ptr<const TimeZone> zone;
  // Put behind the identity that the content gives: "~2" for a log rewritten in place, "@..." for a
  // replay.
  std::string source_suffix;
  std::size_t batch_rows_max = 2048;
};

// Reads one log from its start or from a state. Not thread-safe.
//
// Understands LF and CRLF, a BOM before any line, NUL runs anywhere, headings in the middle, lines
// that are neither row nor heading. The source is a 64-bit hash, in 16 hexadecimal digits, of the
// heading in force and the text of the first row read under it, without BOM, NULs and line ends:
// the same log has the same source wherever it lies and however far it has grown.
class LogReader {
 public:
  explicit LogReader(LogReaderOptions options);
  LogReader(LogReaderOptions options, LogReaderState state);

  // Takes the bytes that follow directly behind those of the last push. A last line without its end
  // is kept back. All rows found have been handed over on return.
  void push(std::string_view bytes, LogReceiver& receiver);
  // There is nothing more to come: a last line without its end counts if it has every cell and its
  // closing comma, else it is set aside.
  void close(LogReceiver& receiver);

  [[nodiscard]] const LogReaderState& state() const { return state_; }
  [[nodiscard]] const LayoutPtr& layout() const { return layout_; }

  // A longer line is set aside as a whole, so that memory stays small whatever the file holds.
  static constexpr std::size_t kLineBytesMax = std::size_t{1} << 20;

 private:
  // A line whose end has not come yet, or that holds NULs. Runs of NULs are kept as one; `jumps`
  // says where file offsets go on behind them.
  struct Partial {
    std::string text;
    std::vector<std::pair<std::size_t, std::int64_t>> jumps;  // (index in text, file offset)
    std::int64_t end = 0;  // file offset behind the last byte taken
    bool too_long = false;

    [[nodiscard]] std::int64_t offset_of(std::size_t index) const;
    void append(std::string_view bytes);
    void skip_leading();
    void clear();
  };

  void skip_leading(std::string_view& bytes);
  std::size_t read_template_rows(std::string_view bytes, LogReceiver& receiver);
  void read_line(std::string_view line_with_end, LogReceiver& receiver);
  void finish_partial(bool ended, LogReceiver& receiver);
  void read_line_with_nuls(std::string_view line, bool ended, LogReceiver& receiver);
  void read_plain(std::string_view line, std::int64_t offset, std::int64_t bytes,
                  LogReceiver& receiver);
  void take_header(std::string_view line, std::int64_t offset, std::int64_t bytes,
                   LogReceiver& receiver);
  void take_row(std::string_view line, const std::vector<std::string_view>& cells,
                std::int64_t local, std::int64_t offset, LogReceiver& receiver);
  [[nodiscard]] bool is_complete(std::string_view line) const;
  void learn(std::string_view line_with_end);
  void open_batch();
  void flush(LogReceiver& receiver);

  LogReaderOptions options_;
  LogReaderState state_;
  EventClock clock_;
  LayoutPtr layout_;
  std::optional<RowTemplate> template_;
  int misfits_ = 0;  // rows in a row that the template did not take
  std::size_t run_rows_ = 1;  // that the template is expected to take next
  bool row_was_slow_ = false;
  Partial partial_;
  SampleBatch batch_;
  std::vector<std::int64_t> locals_;
  std::vector<std::int32_t*> counts_;
};

}  // namespace gpulse
