#include "cli/logging.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

// %* in a pattern: the message as a JSON string, with its quotes.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    std::string text;
    JsonWriter(text).string({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

}  // namespace

void add_log_format_option(CLI::App& app, std::string& format) {
  app.add_option("--log-format", format, "what is told on standard error: text or json")
      ->type_name("WORD")
      ->capture_default_str();
}

Expected<void> start_logging(const std::string& format) {
  if (format != "text" && format != "json") {
    return usage_error(fmt::format("--log-format {}: give text or json", format));
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("gpulse"));
  if (format == "text") {
    spdlog::set_pattern("%H:%M:%S %^%v%$");
    return {};
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessage>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})");
  spdlog::set_formatter(std::move(formatter));
  return {};
}

}  // namespace gpulse::cli
