// gpulse generate: made-up logs in GPU-Z's format.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "cli/command.h"
#include "gpuz/log_generator.h"

namespace gpulse::cli {
namespace {

// As they stand on the command line.
struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t rows = 0;
  std::string duration;
  std::string start;
  double interval = 1;
  std::string columns = "nvidia";
  std::vector<std::string> scenarios;
  std::string degree = "byte";
  std::string out;
  std::string labels;
};

// CLI11 would take "-1" for a very large number.
std::string whole_number(const std::string& text) {
  const bool whole = text.find_first_not_of("0123456789") == std::string::npos;
  return whole ? "" : fmt::format("\"{}\" is no whole number", text);
}

Expected<GeneratorOptions> options_of(const CLI::App& app, const Arguments& arguments) {
  GeneratorOptions options;
  options.seed = arguments.seed;
  if (app.count("--rows") > 0) options.rows = arguments.rows;
  if (!arguments.duration.empty()) {
    const auto duration = parse_length(arguments.duration);
    if (!duration) return std::unexpected(Error(duration.error()).wrapped("--duration"));
    options.duration = *duration;
  }
  if (!arguments.start.empty()) {
    const auto start = parse_start_time(arguments.start);
    if (!start) return std::unexpected(Error(start.error()).wrapped("--start"));
    options.start = *start;
  }
  // Out of any sensible range it is left to validate(); the conversion must just not overflow.
  const double microseconds = std::isfinite(arguments.interval) ? arguments.interval * 1e6 : 0;
  options.interval = std::chrono::microseconds{std::llround(std::clamp(microseconds, 0.0, 1e15))};
  const auto columns = parse_column_set(arguments.columns);
  if (!columns) return std::unexpected(columns.error());
  options.columns = *columns;
  const auto degree = parse_degree_sign(arguments.degree);
  if (!degree) return std::unexpected(degree.error());
  options.degree = *degree;
  if (!arguments.scenarios.empty()) options.scenarios.clear();
  for (const std::string& name : arguments.scenarios) {
    const auto scenario = parse_scenario(name);
    if (!scenario) return std::unexpected(scenario.error());
    options.scenarios.push_back(*scenario);
  }
  if (auto valid = validate(options); !valid) return std::unexpected(valid.error());
  return options;
}

// A file that is written from its start, or standard output.
class Output {
 public:
  static Expected<Output> open(const std::string& path) {
    if (path.empty()) return Output(stdout, "standard output");
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return operation_error(fmt::format("cannot write {}: {}", path, reason()));
    return Output(file, path);
  }

  Expected<void> write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size()) return {};
    return operation_error(fmt::format("cannot write {}: {}", name_, reason()));
  }

  Expected<void> close() {
    if (std::fflush(file_.get()) == 0) return {};
    return operation_error(fmt::format("cannot write {}: {}", name_, reason()));
  }

 private:
  struct Closer {
    void operator()(std::FILE* file) const {
      if (file != stdout) std::fclose(file);
    }
  };

  Output(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}

  static std::string reason() { return std::generic_category().message(errno); }

  std::unique_ptr<std::FILE, Closer> file_;
  std::string name_;
};

// The labels file, written as the labels come, so that a log of years needs no memory for them.
class LabelsFile {
 public:
  static Expected<std::unique_ptr<LabelsFile>> open(const std::string& path,
                                                    const GeneratorOptions& options) {
    auto output = Output::open(path);
    if (!output) return std::unexpected(output.error());
    auto file = std::make_unique<LabelsFile>(*std::move(output));
    if (auto written = file->output_.write(labels_file_begin(options)); !written) {
      return std::unexpected(written.error());
    }
    return file;
  }

  explicit LabelsFile(Output output) : output_(std::move(output)) {}

  Expected<void> add(const std::vector<Label>& labels) {
    std::string text;
    for (const Label& label : labels) {
      text += (first_ ? "" : ",\n") + to_json(label);
      first_ = false;
    }
    return output_.write(text);
  }

  Expected<void> finish(const LogGenerator& generator) {
    if (auto written = output_.write(labels_file_end(generator.facts(), generator.segments()));
        !written) {
      return written;
    }
    return output_.close();
  }

 private:
  Output output_;
  bool first_ = true;
};

Expected<void> write_log(LogGenerator& generator, Output& log, LabelsFile* labels) {
  constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
  std::string chunk;
  chunk.reserve(kChunkBytes + 4096);
  for (bool more = true; more;) {
    chunk.clear();
    while (chunk.size() < kChunkBytes && (more = generator.next(chunk))) {
    }
    if (auto written = log.write(chunk); !written) return written;
    const std::vector<Label> new_labels = generator.take_labels();
    if (labels == nullptr) continue;
    if (auto written = labels->add(new_labels); !written) return written;
  }
  if (auto closed = log.close(); !closed) return closed;
  return labels == nullptr ? Expected<void>{} : labels->finish(generator);
}

Expected<void> run(const CLI::App& app, const Arguments& arguments) {
  const auto options = options_of(app, arguments);
  if (!options) return std::unexpected(options.error());
  if (!arguments.labels.empty() && arguments.labels == arguments.out) {
    return usage_error("--labels and --out name the same file");
  }
  auto log = Output::open(arguments.out);
  if (!log) return std::unexpected(log.error());
  std::unique_ptr<LabelsFile> labels;
  if (!arguments.labels.empty()) {
    auto opened = LabelsFile::open(arguments.labels, *options);
    if (!opened) return std::unexpected(opened.error());
    labels = *std::move(opened);
  }
  LogGenerator generator(*options);
  return write_log(generator, *log, labels.get());
}

}  // namespace

Command add_generate(CLI::App& root) {
  CLI::App* const app = root.add_subcommand("generate", "Make up a log in GPU-Z's format");
  const auto arguments = std::make_shared<Arguments>();
  app->add_option("--scenario", arguments->scenarios,
                  "What happens, in time order: idle, gaming, mixed, power-throttle, "
                  "thermal-throttle, dust, fan-failure, stuck-sensor, gaps, restarts "
                  "(default: gaming)")
      ->delimiter(',');
  app->add_option("--rows", arguments->rows, "Length in rows")->check(whole_number);
  app->add_option("--duration", arguments->duration,
                  "Length on the clock, such as 90m, 36h, 3w (default: an hour a scenario, three "
                  "weeks for dust)");
  app->add_option("--columns", arguments->columns, "nvidia, amd, intel or old (default: nvidia)");
  app->add_option("--start", arguments->start,
                  "Local time of the first row (default: 2026-01-01 10:00:00)");
  app->add_option("--interval", arguments->interval,
                  "Seconds between rows, 0.01 to 3600 (default: 1)");
  app->add_option("--degree", arguments->degree,
                  "The degree sign: byte (0xB0), utf8, none or korean (default: byte)");
  app->add_option("--seed", arguments->seed, "The same seed gives the same log (default: 1)")
      ->check(whole_number);
  app->add_option("--out", arguments->out, "File to write (default: standard output)");
  app->add_option("--labels", arguments->labels,
                  "JSON file to write that tells what was put where in the log");
  return {app, [app, arguments] { return run(*app, *arguments); }};
}

}  // namespace gpulse::cli
