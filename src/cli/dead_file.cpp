#include "cli/dead_file.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <thread>

#include "cli/dead_letters.h"
#include "cli/log_options.h"
#include "influxdb/writer.h"
#include "platform/file.h"
#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

namespace dom = simdjson::dom;

std::string text_member(dom::element object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::optional<DeadLine> read_line(dom::element object) {
  const auto time = parse_timestamp(text_member(object, "time"));
  DeadLine out;
  out.line = text_member(object, "line");
  if (!time || out.line.empty() || object["offset"].get(out.offset) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  out.time = *time;
  out.to = text_member(object, "to");
  out.device = {text_member(object, "host"), text_member(object, "gpu")};
  out.source = text_member(object, "source");
  out.reason = text_member(object, "reason");
  return out;
}

std::string to_json(const DeadLine& line) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("time", line.time).member("to", line.to);
  json.member("host", line.device.host).member("gpu", line.device.gpu);
  json.member("source", line.source).member("offset", line.offset);
  json.member("reason", line.reason).member("line", line.line).end_object();
  return out;
}

bool ends_within_a_line(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || in.tellg() <= 0) return false;
  in.seekg(-1, std::ios::end);
  return in.get() != '\n';
}

}  // namespace

Expected<DeadFile> DeadFile::open(std::filesystem::path path) {
  DeadFile out(std::move(path));
  std::error_code ignored;
  if (!std::filesystem::exists(out.path_, ignored)) return out;
  std::map<std::string, std::pair<std::string, std::int64_t>> waiting;
  auto visited =
      visit(out.path_, {[&](const std::string& place, const DeadLine& line) -> Expected<void> {
                          waiting[place] = {line.source, line.offset};
                          return {};
                        },
                        [&](const std::string& place) { waiting.erase(place); }});
  if (!visited) return std::unexpected(visited.error());
  for (auto& [place, row] : waiting) out.waiting_.insert(std::move(row));
  return out;
}

Expected<void> DeadFile::append(std::string text) {
  text.push_back('\n');
  if (ends_within_a_line(path_)) text.insert(text.begin(), '\n');
  std::ofstream out(path_, std::ios::binary | std::ios::app);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return operation_error(fmt::format("cannot write {}", display(path_)), true);
  return flush_to_disk(path_);
}

Expected<bool> DeadFile::add(const DeadLine& line) {
  if (waiting_.contains({line.source, line.offset})) return true;
  const std::string text = to_json(line);
  std::error_code absent;
  const auto bytes = std::filesystem::file_size(path_, absent);
  if ((absent ? 0 : bytes) + text.size() >= kBytesMax) return false;
  if (auto done = append(text); !done) return std::unexpected(done.error());
  waiting_.emplace(line.source, line.offset);
  return true;
}

Expected<void> DeadFile::note_resent(const std::string& place) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("resent", place).end_object();
  return append(std::move(out));
}

Expected<void> DeadFile::visit(const std::filesystem::path& path, const Visitor& visitor) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return input_error(fmt::format("cannot read {}", display(path)));
  dom::parser parser;
  std::string text;
  for (std::int64_t number = 1; std::getline(in, text); ++number) {
    dom::element object;
    if (parser.parse(text).get(object) != simdjson::SUCCESS) continue;
    if (const std::string place = text_member(object, "resent"); !place.empty()) {
      visitor.resent(place);
    } else if (auto line = read_line(object)) {
      if (auto done = visitor.line(std::to_string(number), std::move(*line)); !done) return done;
    }
  }
  return {};
}

namespace {

// Posts each line by itself, so that the one that is refused again is known.
class LineSender final : public InfluxWriterObserver {
 public:
  Expected<void> on_set_aside(std::uint64_t /*ticket*/, std::string_view /*line*/,
                              const std::string& reason) override {
    refused_ = reason;
    return {};
  }
  void on_dropped(std::uint64_t /*lines*/, std::uint64_t /*first*/, std::uint64_t /*last*/,
                  const std::string& reason) override {
    refused_ = reason;
  }
  void on_away(const std::string& reason) override {
    spdlog::warn("InfluxDB is away: {}; it is tried until it is back", reason);
  }
  void on_back() override { spdlog::info("InfluxDB is back"); }
  // Once, when wait_acknowledged() has returned.
  [[nodiscard]] std::string take_refusal() { return std::exchange(refused_, {}); }

 private:
  std::string refused_;
};

class DeadLinesOfFile final : public DeadLetters {
 public:
  DeadLinesOfFile(std::filesystem::path file, InfluxArguments influx)
      : file_(std::move(file)), name_(display(file_)), influx_(std::move(influx)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] Expected<void> visit(const Visitor& visitor) override {
    bool any = false;
    auto visited = DeadFile::visit(file_, {[&](const std::string& place, DeadLine line) {
                                             any = true;
                                             return visitor.letter(place, shown(std::move(line)));
                                           },
                                           visitor.resent});
    if (!visited || any || std::filesystem::file_size(file_) == 0) return visited;
    return input_error(fmt::format("no line of {} is a dead letter of gpulse's", name_));
  }

  // One that is refused again goes on waiting.
  [[nodiscard]] Expected<std::string> resend(const std::set<std::string>& places,
                                             const std::stop_token& stop) override {
    std::vector<std::pair<std::string, DeadLine>> chosen;
    auto visited =
        DeadFile::visit(file_, {[&](const std::string& place, DeadLine line) -> Expected<void> {
                                  if (places.contains(place))
                                    chosen.emplace_back(place, std::move(line));
                                  return {};
                                },
                                [](const std::string&) {}});
    if (!visited) return std::unexpected(visited.error());
    if (chosen.empty()) return name_;
    std::string to = chosen.front().second.to;
    InfluxArguments influx = influx_;
    influx.address = to;
    auto endpoint = influx_endpoint(influx);
    if (!endpoint) return std::unexpected(endpoint.error());
    InfluxWriterOptions options;
    options.endpoint = std::move(*endpoint);
    options.refused_in_a_row_max =
        std::numeric_limits<int>::max();  // all of these were refused once
    LineSender sender;
    auto writer = InfluxWriter::build(options, sender);
    if (!writer) return std::unexpected(writer.error());
    const std::jthread sending([&](const std::stop_token& end) {
      // Why it ended is what wait_acknowledged() returns.
      static_cast<void>((*writer)->run(end));
    });
    if (auto sent = send(chosen, **writer, sender, stop); !sent) {
      return std::unexpected(sent.error());
    }
    return to;
  }

 private:
  static ShownLetter shown(DeadLine line) {
    ShownLetter out;
    out.time = line.time;
    out.source = std::move(line.source);
    out.offset = line.offset;
    out.by = std::move(line.to);
    out.reason = std::move(line.reason);
    out.key = line.device.host + "/" + line.device.gpu;
    out.value_bytes = line.line.size();
    out.value = std::move(line.line);
    return out;
  }

  Expected<void> send(std::vector<std::pair<std::string, DeadLine>>& chosen, InfluxWriter& writer,
                      LineSender& sender, const std::stop_token& stop) {
    auto file = DeadFile::open(file_);
    if (!file) return std::unexpected(file.error());
    std::uint64_t ticket = 0;
    for (auto& [place, line] : chosen) {
      Lines lines;
      lines.text = line.line + "\n";
      lines.ends.push_back(lines.text.size());
      lines.tickets.push_back(++ticket);
      if (auto taken = writer.submit(lines, stop); !taken) return taken;
      writer.flush();
      if (auto done = writer.wait_acknowledged(stop); !done) return done;
      if (const std::string refusal = sender.take_refusal(); !refusal.empty()) {
        spdlog::warn("the dead letter {} is refused again, and stays: {}", place, refusal);
        continue;
      }
      if (auto noted = file->note_resent(place); !noted) return noted;
    }
    return {};
  }

  const std::filesystem::path file_;
  const std::string name_;
  const InfluxArguments influx_;
};

}  // namespace

Expected<std::unique_ptr<DeadLetters>> open_dead_file(const std::filesystem::path& file,
                                                      const InfluxArguments& influx) {
  if (auto readable = ReadFile::open(file); !readable) return std::unexpected(readable.error());
  return std::make_unique<DeadLinesOfFile>(file, influx);
}

}  // namespace gpulse::cli
