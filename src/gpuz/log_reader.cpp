#include "gpuz/log_reader.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "gpuz/cell.h"
#include "gpuz/header.h"
#include "telemetry/plural.h"

namespace gpulse {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kTorn = "torn: it breaks off before its last comma";
constexpr int kMisfitsMax = 2;  // after so many rows in a row the template is learned anew

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == '\0')) {
    line.remove_suffix(1);
  }
  return line;
}

// Of what stands before a line: NULs, which a crash leaves where the file system had promised
// space, and a BOM, also where logs were put behind one another.
std::size_t leading_bytes(std::string_view bytes) {
  std::size_t count = 0;
  for (;;) {
    const std::size_t before = count;
    count = std::min(bytes.find_first_not_of('\0', count), bytes.size());
    if (bytes.substr(count).starts_with(kByteOrderMark)) count += kByteOrderMark.size();
    if (count == before) return count;
  }
}

bool has_closing_comma(std::string_view line) { return trim(line).ends_with(','); }

std::string identity(std::string_view header, std::string_view row) {
  std::string text(without_line_end(header));
  text += '\n';
  text += row;
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

std::string cells_reason(std::size_t cells, std::size_t expected) {
  return fmt::format("{} where the heading has {}", plural(cells, "cell"), expected);
}

}  // namespace

std::int64_t LogReader::Partial::offset_of(std::size_t index) const {
  auto jump =
      std::ranges::upper_bound(jumps, index, {}, &std::pair<std::size_t, std::int64_t>::first);
  --jump;  // the first jump is at index 0
  return jump->second + static_cast<std::int64_t>(index - jump->first);
}

// jumps holds at least the line's start. Of a line that is too long only the start is kept.
void LogReader::Partial::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto nul = bytes.find('\0');
    const auto plain = bytes.substr(0, nul);
    if (text.size() + plain.size() > kLineBytesMax) {
      too_long = true;
    } else {
      text += plain;
    }
    end += static_cast<std::int64_t>(plain.size());
    bytes.remove_prefix(plain.size());
    const auto after = std::min(bytes.find_first_not_of('\0'), bytes.size());
    if (after == 0) continue;
    end += static_cast<std::int64_t>(after);
    bytes.remove_prefix(after);
    if (!text.ends_with('\0')) text += '\0';
    if (jumps.back().first == text.size()) jumps.pop_back();
    jumps.emplace_back(text.size(), end);
  }
}

// What would have been skipped before a line, had no push ended within it.
void LogReader::Partial::skip_leading() {
  const std::size_t count = leading_bytes(text);
  if (count == 0) return;
  const std::int64_t begin = offset_of(count);
  text.erase(0, count);
  std::erase_if(jumps, [&](const auto& jump) { return jump.first <= count; });
  for (auto& jump : jumps) jump.first -= count;
  jumps.emplace(jumps.begin(), 0, begin);
}

void LogReader::Partial::clear() {
  text.clear();
  jumps.clear();
  too_long = false;
}

LogReader::LogReader(LogReaderOptions options) : LogReader(std::move(options), {}) {}

LogReader::LogReader(LogReaderOptions options, LogReaderState state)
    : options_(std::move(options)), state_(std::move(state)), clock_(options_.zone, state_.clock) {
  batch_.device = options_.device;
  if (!state_.header.empty()) {
    layout_ = std::make_shared<const Layout>(parse_header(state_.header));
  }
}

void LogReader::push(std::string_view bytes, LogReceiver& receiver) {
  while (!bytes.empty()) {
    if (partial_.jumps.empty()) {
      skip_leading(bytes);
      if (bytes.empty()) break;
      if (const std::size_t read = read_template_rows(bytes, receiver); read > 0) {
        bytes.remove_prefix(read);
        continue;
      }
    }
    const auto line_end = bytes.find('\n');
    const bool whole = line_end != std::string_view::npos;
    const auto line = bytes.substr(0, whole ? line_end + 1 : bytes.size());
    bytes.remove_prefix(line.size());
    if (whole && partial_.jumps.empty() && line.size() <= kLineBytesMax &&
        line.find('\0') == std::string_view::npos) {
      read_line(line, receiver);
      continue;
    }
    if (partial_.jumps.empty()) {
      partial_.jumps.emplace_back(0, state_.position);
      partial_.end = state_.position;
    }
    partial_.append(line);
    if (whole) finish_partial(true, receiver);
  }
  flush(receiver);
  state_.clock = clock_.state();
}

void LogReader::close(LogReceiver& receiver) {
  if (!partial_.jumps.empty()) {
    partial_.skip_leading();
    const std::string_view text = without_line_end(partial_.text);
    finish_partial(text.empty() || has_closing_comma(text), receiver);
  }
  flush(receiver);
  state_.clock = clock_.state();
}

void LogReader::skip_leading(std::string_view& bytes) {
  const std::size_t count = leading_bytes(bytes);
  bytes.remove_prefix(count);
  state_.position += static_cast<std::int64_t>(count);
}

// The hot path. Returns the bytes read, 0 when the next line has to go the slow way.
std::size_t LogReader::read_template_rows(std::string_view bytes, LogReceiver& receiver) {
  if (!template_ || state_.session_pending || bytes.size() < template_->stride()) return 0;
  if (batch_.rows() >= options_.batch_rows_max) flush(receiver);
  for (std::size_t i = 0; i < batch_.columns.size(); ++i) {
    const ReadingColumn& column = batch_.columns[i];
    if (!column.is_32_bit() ||
        (!template_->absent(i) && column.decimals() != template_->decimals(i))) {
      flush(receiver);
      break;
    }
  }
  if (batch_.rows() == 0) open_batch();
  const std::size_t before = batch_.rows();
  // Room is made for no more rows than are likely to come: where every other row is odd, clearing
  // it would cost more than reading them.
  const std::size_t rows_max =
      std::min({options_.batch_rows_max - before, bytes.size() / template_->stride(), run_rows_});
  locals_.resize(rows_max);
  counts_.clear();
  for (ReadingColumn& column : batch_.columns) counts_.push_back(column.grow(rows_max));
  const std::size_t rows = template_->read_rows(
      bytes, {clock_.state().last_local, clock_.plain_until(), EventClock::kStepMax, rows_max},
      locals_.data(), counts_);
  for (std::size_t i = 0; i < batch_.columns.size(); ++i) {
    batch_.columns[i].shrink(before + rows);
    if (!template_->absent(i)) batch_.columns[i].mark_present(before);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    batch_.times.push_back(clock_.advance(locals_[row]).time);
    batch_.offsets.push_back(state_.position +
                             static_cast<std::int64_t>(row * template_->stride()));
  }
  const std::size_t read = rows * template_->stride();
  state_.position += static_cast<std::int64_t>(read);
  if (rows > 0) misfits_ = 0;
  run_rows_ = rows < rows_max ? std::max(rows, std::size_t{1})
                              : std::max(run_rows_, std::min(2 * rows, options_.batch_rows_max));
  return read;
}

void LogReader::read_line(std::string_view line_with_end, LogReceiver& receiver) {
  const std::string_view line = without_line_end(line_with_end);
  const std::int64_t offset = state_.position;
  row_was_slow_ = false;
  read_plain(line, offset, static_cast<std::int64_t>(line.size()), receiver);
  state_.position = offset + static_cast<std::int64_t>(line_with_end.size());
  if (row_was_slow_) learn(line_with_end);
}

void LogReader::learn(std::string_view line_with_end) {
  if (template_ && ++misfits_ < kMisfitsMax) return;
  misfits_ = 0;
  auto learned = RowTemplate::learn(line_with_end, layout_->columns.size());
  if (learned) template_ = std::move(learned);
}

// `ended`: the line came to its end; else the log ends within it.
void LogReader::finish_partial(bool ended, LogReceiver& receiver) {
  partial_.skip_leading();
  const std::int64_t end = partial_.end;
  const std::int64_t offset = partial_.offset_of(0);
  const std::string_view line = without_line_end(partial_.text);
  if (partial_.too_long) {
    receiver.on_set_aside({offset, end - offset - (ended ? 1 : 0),
                           fmt::format("longer than {} bytes", kLineBytesMax)});
  } else if (line.find('\0') != std::string_view::npos) {
    read_line_with_nuls(line, ended, receiver);
  } else if (ended) {
    row_was_slow_ = false;
    read_plain(line, offset, static_cast<std::int64_t>(line.size()), receiver);
    if (row_was_slow_) learn(partial_.text);
  } else {
    receiver.on_set_aside({offset, static_cast<std::int64_t>(line.size()), std::string(kTorn)});
  }
  state_.position = end;
  partial_.clear();
}

// NULs within a line: either they stand in the middle of one row, or a row torn by a crash and what
// was written after it share the line. If either end is whole by itself, the parts are lines of
// their own.
void LogReader::read_line_with_nuls(std::string_view line, bool ended, LogReceiver& receiver) {
  const std::string_view first = line.substr(0, line.find('\0'));
  const std::string_view last = line.substr(line.rfind('\0') + 1);
  if (!is_complete(first) && !(ended && is_complete(last))) {
    const std::int64_t offset = partial_.offset_of(0);
    const std::int64_t bytes = partial_.offset_of(line.size()) - offset;
    std::string joined;
    std::ranges::copy_if(line, std::back_inserter(joined), [](char c) { return c != '\0'; });
    if (ended) return read_plain(joined, offset, bytes, receiver);
    return receiver.on_set_aside({offset, bytes, std::string(kTorn)});
  }
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t until = std::min(line.find('\0', at), line.size());
    const std::string_view part = without_line_end(line.substr(at, until - at));
    const auto bytes = static_cast<std::int64_t>(part.size());
    // Without its comma a part's last reading may have lost digits.
    const bool is_last = until == line.size();
    const bool torn = (!ended || !is_last) && !has_closing_comma(part);
    if (torn && !trim(part).empty()) {
      receiver.on_set_aside({partial_.offset_of(at), bytes, std::string(kTorn)});
    } else {
      read_plain(part, partial_.offset_of(at), bytes, receiver);
    }
    at = until + 1;
  }
}

// A heading, or a row of the heading in force, with its closing comma.
bool LogReader::is_complete(std::string_view line) const {
  line = without_line_end(line);
  if (!has_closing_comma(line)) return false;
  if (is_header(line)) return true;
  const auto cells = split_cells(line);
  return layout_ != nullptr && cells.size() == layout_->columns.size() + 1 &&
         parse_local_time(cells[0]).has_value();
}

void LogReader::read_plain(std::string_view line, std::int64_t offset, std::int64_t bytes,
                           LogReceiver& receiver) {
  if (trim(line).empty()) return;
  if (is_header(line)) return take_header(line, offset, bytes, receiver);
  if (layout_ == nullptr) {
    return receiver.on_set_aside({offset, bytes, "no heading before it"});
  }
  const auto cells = split_cells(line);
  if (cells.size() != layout_->columns.size() + 1) {
    return receiver.on_set_aside(
        {offset, bytes, cells_reason(cells.size(), layout_->columns.size() + 1)});
  }
  const auto local = parse_local_time(cells[0]);
  if (!local) return receiver.on_set_aside({offset, bytes, "its date is unreadable"});
  take_row(line, cells, *local, offset, receiver);
}

void LogReader::take_header(std::string_view line, std::int64_t offset, std::int64_t bytes,
                            LogReceiver& receiver) {
  if (split_cells(line).size() > kColumnsMax + 1) {
    return receiver.on_set_aside(
        {offset, bytes, fmt::format("a heading of more than {} columns", kColumnsMax)});
  }
  flush(receiver);
  state_.header = line;
  state_.session_pending = true;
  layout_ = std::make_shared<const Layout>(parse_header(line));
  template_.reset();
}

void LogReader::take_row(std::string_view line, const std::vector<std::string_view>& cells,
                         std::int64_t local, std::int64_t offset, LogReceiver& receiver) {
  if (state_.source.empty()) {
    state_.source = identity(state_.header, line) + options_.source_suffix;
  }
  const auto instant = clock_.advance(local);
  if (instant.session_begins || state_.session_pending) {
    flush(receiver);
    state_.session = offset;
    state_.session_pending = false;
  }
  if (batch_.rows() >= options_.batch_rows_max) flush(receiver);
  if (batch_.rows() == 0) open_batch();
  batch_.times.push_back(instant.time);
  batch_.offsets.push_back(offset);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    const auto reading = parse_reading(cells[i]);
    ReadingColumn& column = batch_.columns[i - 1];
    if (!reading) {
      column.push_absent();
    } else if (reading->approximate) {
      column.push_double(*reading->approximate);
    } else {
      column.push(reading->count, reading->decimals);
    }
  }
  row_was_slow_ = true;
}

void LogReader::open_batch() {
  batch_.source = state_.source;
  batch_.session = state_.session;
  if (batch_.layout != layout_) batch_.columns.assign(layout_->columns.size(), ReadingColumn{});
  batch_.layout = layout_;
  for (std::size_t i = 0; i < batch_.columns.size(); ++i) {
    batch_.columns[i].reset(template_ ? template_->decimals(i) : 0);
  }
}

void LogReader::flush(LogReceiver& receiver) {
  if (batch_.rows() == 0) {
    return;
  }
  receiver.on_rows(batch_);
  batch_.times.clear();
  batch_.offsets.clear();
}

}  // namespace gpulse
