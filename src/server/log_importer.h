// Imports of old logs that were dropped on the page.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "server/import_jobs.h"
#include "store/store.h"
#include "telemetry/time_zone.h"

namespace gpulse {

struct ImporterOptions {
  std::string host;                        // for jobs that name none
  std::shared_ptr<const TimeZone> zone;
  // Hears of each log that was read to its end, with the names that it has in the store. The file
  // goes when it returns; its error is the job's. More than once if the program is killed then.
  // Called on the importer's thread. Empty: nobody.
  std::function<Expected<void>(const std::filesystem::path& file, const ImportRequest& request)>
      read;
};

// One job at a time, on a thread of its own, in the order in which they came. A job that the
// program's end interrupts is gone on with by resume(). A log that the store knows already is
// "done" at once, as far as it was read; it stays with its device. On a full disk a job waits, and
// says so in its error. Any thread; errors are the store's, and input errors of what is no log.
class LogImporter final : public ImportJobs {
 public:
  // `changed` is called for every change of a job, from any thread; the store must outlive this.
  LogImporter(Store& store, ImporterOptions options, std::function<void(const ImportJob&)> changed);
  ~LogImporter() override;

  // Takes up what an earlier run of the program left. Once, before anything else.
  [[nodiscard]] Expected<void> resume();

  [[nodiscard]] Expected<std::string> start(const std::filesystem::path& file,
                                            const ImportRequest& request) override;
  [[nodiscard]] std::vector<ImportJob> list() const override;
  [[nodiscard]] std::optional<ImportJob> find(const std::string& id) const override;
  [[nodiscard]] bool cancel(const std::string& id) override;

 private:
  struct Work {
    ImportJob job;
    LedgerImport import;
    bool cancelled = false;
  };
  struct Generation {
    std::optional<LedgerSource> known;
    std::string suffix;
  };
  void work(const std::stop_token& stop);
  void run_job(const std::string& id, const std::stop_token& stop);
  [[nodiscard]] Expected<void> import(const std::string& id, const LedgerImport& import,
                                      const std::stop_token& stop, std::string& imported);
  [[nodiscard]] Expected<Generation> generation_of(const ReadFile& file,
                                                   const std::string& identity) const;
  [[nodiscard]] Expected<void> tell_read(const LedgerImport& import, const Device& device) const;
  void report(const std::string& id, const SourceRecord& record, std::int64_t bytes_read);
  void wait_to_retry(const std::string& id, const Error& error, std::chrono::milliseconds time,
                     const std::stop_token& stop);
  [[nodiscard]] Expected<void> settle(const std::string& id, const std::string& imported);
  void end_job(const std::string& id, const LedgerImport& import, const Expected<void>& result);
  void change(const std::string& id, const std::function<void(ImportJob&)>& how);
  [[nodiscard]] bool is_cancelled(const std::string& id) const;

  Store& store_;
  const ImporterOptions options_;
  const std::function<void(const ImportJob&)> changed_;
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::map<int, Work> works_;
  std::deque<std::string> waiting_;
  int last_id_ = 0;
  std::jthread thread_;
};

}  // namespace gpulse
