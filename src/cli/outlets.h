// What `gpulse run --to` sends its rows to, beside keeping them: each with positions of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cli/influx_options.h"
#include "cli/kafka_options.h"
#include "cli/log_options.h"
#include "server/exposition.h"
#include "server/health.h"
#include "server/log_importer.h"
#include "stream/config.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

struct OutletArguments {
  std::vector<std::string> to;  // kafka://… and influxdb://…
  KafkaArguments kafka;         // but for the address
  InfluxArguments influx;
};

// `arguments` must outlive the parse.
void add_outlet_options(CLI::App& app, OutletArguments& arguments);

// Adds what the configuration says where the command line says nothing; places of both are sent to.
// Files are named from `folder`, where the configuration lies.
void complete_from_config(OutletArguments& arguments, const Config& config,
                          const std::filesystem::path& folder);

// Reads the logs again, for each outlet: one that is away or slow holds nobody up, and the
// log is its buffer. One that refuses us for good is told of and gets nothing more; the rest goes
// on.
class Outlets {
 public:
  // Their positions are below `folder`. Usage errors, and operation errors of the folder; asks no
  // server yet. `clock` must outlive it.
  [[nodiscard]] static Expected<std::unique_ptr<Outlets>> build(const OutletArguments& arguments,
                                                                const std::filesystem::path& folder,
                                                                const Clock& clock);
  ~Outlets();

  // For people, in the order of the command line.
  [[nodiscard]] std::vector<std::string> names() const;
  // Goes on, until the stop, with what take() was given, now and by earlier runs of the program.
  // Once, before anything else.
  [[nodiscard]] Expected<void> resume(const ImporterOptions& options, const std::stop_token& stop);
  // Follows the logs, a thread each, until the stop that resume() was given. `plan` must outlive
  // it. Once.
  void start(const LogPlan& plan);
  // A log that was read to its end here and has no name of its own for long: each keeps it until it
  // is sent, also over restarts. Taken twice it is sent once. Any thread, after resume().
  [[nodiscard]] Expected<void> take(const std::filesystem::path& file,
                                    const ImportRequest& request);
  // In the order of the command line. Any thread.
  [[nodiscard]] std::vector<OutletState> states() const;
  // What /metrics has of them. Any thread.
  void tell(Exposition& out) const;
  // Waits for all of them.
  void join() { threads_.clear(); }

 private:
  struct Outlet;

  explicit Outlets(const Clock& clock);

  const Clock& clock_;
  std::vector<std::unique_ptr<Outlet>> outlets_;
  std::vector<std::jthread> threads_;
};

}  // namespace gpulse::cli
