// What InfluxDB, or whatever answers in its place, sends; and names of any bytes in line protocol.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "influxdb/answer.h"
#include "influxdb/endpoint.h"
#include "influxdb/flux.h"
#include "influxdb/line_protocol.h"

namespace {

using namespace gpulse;

void check_answers(std::string_view text) {
  InfluxEndpoint endpoint;
  endpoint.address = {"h", kInfluxPortDefault, false, "o", "b", {}};
  endpoint.token = "never to be seen";
  const std::size_t half = text.size() / 2;
  const auto retry_after = read_retry_after(text.substr(0, half), text.substr(half));
  for (const unsigned status : {400U, 404U, 422U, 429U, 500U}) {
    const WriteAnswer answer = read_write_answer(endpoint, status, text, retry_after);
    fuzz::check(answer.verdict != Verdict::stored, "an error is no success");
    fuzz::check(!answer.reason.empty() && answer.reason.size() < kReasonBytesMax + 300,
                "a reason is there, and bounded");
    fuzz::check(answer.reason.find('\n') == std::string::npos, "a reason is one line");
    for (std::size_t i = 1; i < answer.bad_lines.size(); ++i) {
      fuzz::check(answer.bad_lines[i - 1] < answer.bad_lines[i], "bad lines rise");
    }
  }
  static_cast<void>(read_version(text));
  if (const auto tables = parse_flux_csv(text)) {
    for (const FluxTable& table : *tables) {
      for (const auto& row : table.rows) {
        fuzz::check(row.size() == table.columns.size(), "a row is as long as its heading");
      }
    }
  }
}

void check_address(std::string_view text) {
  const auto address = parse_influx_address(text);
  if (!address) return;
  const auto again = parse_influx_address(address->display());
  fuzz::check(again.has_value(), "a shown address can be read");
  fuzz::check(again->display() == address->display(), "and is the same");
  fuzz::check(again->bucket == address->bucket && again->host == address->host, "in all its parts");
  const std::string target = write_target(*address, InfluxVersion::v2);
  fuzz::check(target.find_first_of(" \r\n") == std::string::npos, "a target is one word");
}

// Reads a name as InfluxDB does: a backslash is one only before what it escapes. Returns where it
// ends.
std::size_t read_name(std::string_view line, std::size_t from, std::string& out) {
  for (std::size_t i = from; i < line.size(); ++i) {
    const char next = i + 1 < line.size() ? line[i + 1] : '\0';
    if (line[i] == '\\' && (next == ',' || next == '=' || next == ' ')) {
      out += next;
      ++i;
    } else if (line[i] == ',' || line[i] == '=' || line[i] == ' ' || line[i] == '\n') {
      return i;
    } else {
      out += line[i];
    }
  }
  return line.size();
}

void check_line(std::string_view name) {
  LineBuilder builder;
  Lines lines;
  builder.begin("x", name, "y");
  builder.field(name, "1");
  builder.end(lines, 7, from_microseconds(1), 1);
  const std::string_view line = lines.line(0);
  fuzz::check(line.find('\n') == std::string::npos, "a line is one");
  std::string expected;
  append_tag_value(expected, name);
  std::string unescaped;
  fuzz::check(read_name(expected, 0, unescaped) == expected.size(), "a name ends at its end");
  if (name.find_first_of("\\\x7F") == std::string_view::npos && unescaped.size() == name.size()) {
    fuzz::check(unescaped == name, "a name comes back");
  }
  const std::string whole = "gpu_metrics,host=x" + (name.empty() ? "" : ",gpu=" + expected) +
                            ",source=y " + (name.empty() ? "" : expected + "=1,") + "offset=7 1000";
  fuzz::check(line == whole, "each part is where it belongs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_answers(text);
  check_address(text);
  check_line(text);
  const std::string literal = gpulse::flux_string(text);
  gpulse::fuzz::check(literal.find("${") == std::string::npos, "a literal holds no expression");
  return 0;
}
