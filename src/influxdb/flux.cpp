#include "influxdb/flux.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace gpulse {
namespace {

// Cell by cell, as RFC 4180 has it: quotes doubled inside quotes, CRLF or LF.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  // The next line's cells, none for a blank line. False: a quote is not closed.
  bool line(std::vector<std::string>& cells) {
    cells.clear();
    if (skip_line_end()) return true;
    do {
      if (!cell(cells.emplace_back())) return false;
    } while (take(','));
    return skip_line_end() || rest_.empty();
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool skip_line_end() {
    if (rest_.starts_with("\r\n")) {
      rest_.remove_prefix(2);
      return true;
    }
    return take('\n');
  }
  bool cell(std::string& out) {
    if (take('"')) return quoted(out);
    const std::size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }
  bool quoted(std::string& out) {
    for (;;) {
      const std::size_t end = rest_.find('"');
      if (end == std::string_view::npos) return false;
      out += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!take('"')) return true;
      out += '"';
    }
  }

  std::string_view rest_;
};

std::optional<std::string> reported_error(const FluxTable& table) {
  if (table.rows.empty()) return std::nullopt;
  if (std::ranges::find(table.columns, "error") == table.columns.end() ||
      std::ranges::find(table.columns, "reference") == table.columns.end()) {
    return std::nullopt;
  }
  return table.column("error").front();
}

}  // namespace

std::vector<std::string> FluxTable::column(std::string_view name) const {
  std::vector<std::string> out(rows.size());
  const auto found = std::ranges::find(columns, name);
  if (found == columns.end()) return out;
  const auto at = static_cast<std::size_t>(found - columns.begin());
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = rows[i][at];
  return out;
}

Expected<std::vector<FluxTable>> parse_flux_csv(std::string_view text) {
  Reader reader(text);
  std::vector<FluxTable> tables;
  std::vector<std::string> cells;
  bool in_table = false;
  while (!reader.at_end()) {
    if (!reader.line(cells)) return operation_error("InfluxDB's answer is no CSV: a stray quote");
    if (cells.empty()) {
      in_table = false;
    } else if (!in_table) {
      tables.push_back({std::move(cells), {}});
      in_table = true;
    } else if (cells.size() != tables.back().columns.size()) {
      return operation_error("InfluxDB's answer is cut off in the middle of a line", true);
    } else {
      tables.back().rows.push_back(std::move(cells));
    }
  }
  for (const FluxTable& table : tables) {
    if (const auto reported = reported_error(table)) {
      return operation_error("the query failed: " + *reported);
    }
  }
  return tables;
}

std::string flux_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || c == '$' || byte == 0x7F) {
      // "${" would begin an expression.
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace gpulse
