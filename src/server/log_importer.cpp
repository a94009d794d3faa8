#include "server/log_importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "gpuz/log_file.h"
#include "store/source_writer.h"

namespace gpulse {
namespace {

// A transaction's worth of a log: small enough that the page's queries and other logs get their
// turn.
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
// How long a full disk is waited for before it is tried again.
constexpr std::chrono::milliseconds kRetryFirst{250};
constexpr std::chrono::milliseconds kRetryMax{10000};

int number_of(const std::string& id) {
  int number = 0;
  const auto result = std::from_chars(id.data(), id.data() + id.size(), number);
  return result.ec == std::errc{} && result.ptr == id.data() + id.size() ? number : -1;
}

// A device named after the file, as GPU-Z's default name or not.
std::string gpu_of(const std::string& name) {
  const auto slash = name.find_last_of("/\\");
  std::string stem = slash == std::string::npos ? name : name.substr(slash + 1);
  if (const auto dot = stem.rfind('.'); dot != std::string::npos && dot > 0) stem.resize(dot);
  if (stem.empty() || stem == "GPU-Z Sensor Log") return "gpu0";
  return stem;
}

void remove_file(const std::filesystem::path& file) {
  std::error_code ignored;  // gone already, or it stays until someone clears the folder
  std::filesystem::remove(file, ignored);
}

}  // namespace

LogImporter::LogImporter(Store& store, ImporterOptions options,
                         std::function<void(const ImportJob&)> changed)
    : store_(store), options_(std::move(options)), changed_(std::move(changed)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

LogImporter::~LogImporter() = default;

Expected<void> LogImporter::resume() {
  const auto imports = store_.imports();
  if (!imports) return std::unexpected(imports.error());
  std::vector<std::filesystem::path> kept;
  {
    const std::lock_guard lock(mutex_);
    for (const LedgerImport& import : *imports) {
      const int number = std::max(number_of(import.id), last_id_ + 1);
      last_id_ = number;
      Work work;
      work.import = import;
      work.job.id = import.id;
      work.job.name = import.name;
      std::error_code ignored;
      const auto size = std::filesystem::file_size(store_.uploads() / import.file, ignored);
      if (!ignored) work.job.bytes = static_cast<std::int64_t>(size);
      works_[number] = std::move(work);
      waiting_.push_back(import.id);
      kept.push_back(store_.uploads() / import.file);
    }
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(store_.uploads(), error)) {
    if (std::ranges::find(kept, entry.path()) == kept.end()) remove_file(entry.path());
  }
  news_.notify_one();
  return {};
}

Expected<std::string> LogImporter::start(const std::filesystem::path& file,
                                         const ImportRequest& request) {
  std::string zone = options_.zone->name();
  if (request.timezone) {
    const auto known = TimeZone::find(*request.timezone);
    if (!known) return std::unexpected(known.error());
    zone = (*known)->name();
  }
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error)
    return operation_error(fmt::format("cannot take the upload over: {}", error.message()));
  std::unique_lock lock(mutex_);
  const int number = ++last_id_;
  std::string id = fmt::format("{}", number);
  lock.unlock();
  LedgerImport import{id, display(file.filename()), request.name, {}, zone};
  import.device = {request.host.value_or(options_.host),
                   request.gpu.value_or(gpu_of(request.name))};
  if (auto put = store_.put_import(import); !put) return std::unexpected(put.error());
  lock.lock();
  Work& work = works_[number];
  work.import = import;
  work.job.id = id;
  work.job.name = request.name;
  work.job.bytes = static_cast<std::int64_t>(bytes);
  waiting_.push_back(id);
  const ImportJob job = work.job;
  lock.unlock();
  news_.notify_one();
  changed_(job);
  return id;
}

std::vector<ImportJob> LogImporter::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ImportJob> jobs;
  for (const auto& [number, work] : works_) jobs.push_back(work.job);
  return jobs;
}

std::optional<ImportJob> LogImporter::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = works_.find(number_of(id));
  if (found == works_.end()) return std::nullopt;
  return found->second.job;
}

bool LogImporter::cancel(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = works_.find(number_of(id));
    if (found == works_.end()) return false;
    found->second.cancelled = true;
  }
  news_.notify_one();
  return true;
}

bool LogImporter::is_cancelled(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return works_.at(number_of(id)).cancelled;
}

void LogImporter::change(const std::string& id, const std::function<void(ImportJob&)>& how) {
  ImportJob job;
  {
    const std::lock_guard lock(mutex_);
    Work& work = works_.at(number_of(id));
    how(work.job);
    job = work.job;
  }
  changed_(job);
}

void LogImporter::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::string id;
    {
      std::unique_lock lock(mutex_);
      if (!news_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      id = waiting_.front();
      waiting_.pop_front();
    }
    run_job(id, stop);
  }
}

void LogImporter::run_job(const std::string& id, const std::stop_token& stop) {
  LedgerImport import;
  {
    const std::lock_guard lock(mutex_);
    import = works_.at(number_of(id)).import;
  }
  std::string imported;
  Expected<void> done;
  for (auto retry = kRetryFirst; !is_cancelled(id); retry = std::min(2 * retry, kRetryMax)) {
    change(id, [](ImportJob& job) { job.state = JobState::reading; });
    done = this->import(id, import, stop, imported);
    if (stop.stop_requested()) return;  // the next run of the program goes on with it
    if (done || !done.error().retryable) break;
    wait_to_retry(id, done.error(), retry, stop);
    done = {};
  }
  Expected<void> settled = settle(id, imported);
  for (auto retry = kRetryFirst; !settled && settled.error().retryable && !stop.stop_requested();
       retry = std::min(2 * retry, kRetryMax)) {
    wait_to_retry(id, settled.error(), retry, stop);
    settled = settle(id, imported);
  }
  if (stop.stop_requested() && !settled) return;
  end_job(id, import, settled ? done : settled);
}

// Until the time has come, the job is cancelled, or the program ends.
void LogImporter::wait_to_retry(const std::string& id, const Error& error,
                                std::chrono::milliseconds time, const std::stop_token& stop) {
  change(id, [&](ImportJob& job) {
    job.state = JobState::waiting;
    job.error = JobError{error.message + "; it is tried again", {}};
  });
  std::unique_lock lock(mutex_);
  const bool was_cancelled = works_.at(number_of(id)).cancelled;
  news_.wait_for(lock, stop, time,
                 [&] { return works_.at(number_of(id)).cancelled != was_cancelled; });
}

// What a job that did not come to its end had imported is taken back; then nothing is left to do.
Expected<void> LogImporter::settle(const std::string& id, const std::string& imported) {
  if (!imported.empty()) {
    if (auto removed = store_.remove_source(imported); !removed) return removed;
  }
  return store_.remove_import(id);
}

// Which of the generations of a log, should it have been rewritten, the file goes on; else a new
// one. An older copy of the newest goes on nothing, but belongs to it.
Expected<LogImporter::Generation> LogImporter::generation_of(const ReadFile& file,
                                                             const std::string& identity) const {
  const auto size = file.size();
  if (!size) return std::unexpected(size.error());
  Generation newest;
  for (int number = 1;; ++number) {
    const std::string suffix = number == 1 ? std::string() : fmt::format("~{}", number);
    auto known = store_.find_source(identity + suffix);
    if (!known) {
      const bool older = newest.known && newest.known->checkpoint.reader.position > *size;
      return older ? newest : Generation{std::nullopt, suffix};
    }
    newest = {std::move(known), suffix};
    const Checkpoint& at = newest.known->checkpoint;
    if (at.reader.position > *size) continue;
    const auto hash = hash_before(file, at.reader.position);
    if (!hash) return std::unexpected(hash.error());
    if (*hash == at.tail_hash) return newest;
  }
}

// Reads the file from where an earlier run stopped. `imported` is the source while its rows are
// this job's to take back.
Expected<void> LogImporter::import(const std::string& id, const LedgerImport& import,
                                   const std::stop_token& stop, std::string& imported) {
  auto file = ReadFile::open(store_.uploads() / import.file);
  if (!file) return std::unexpected(file.error());
  const auto identified = identify_log(*file);
  if (!identified) return std::unexpected(identified.error());
  if (!identified->has_header) return std::unexpected(not_a_log(import.name, identified->start));
  const auto zone = TimeZone::find(import.timezone);
  if (!zone) return std::unexpected(zone.error());
  SourceTarget target{store_.free_device(import.device), import.name, (*zone)->name(), true};
  auto writer = std::make_unique<SourceWriter>(store_, target);
  const auto generation = generation_of(*file, identified->source.value_or(""));
  if (!generation) return std::unexpected(generation.error());
  const auto& [known, suffix] = *generation;
  const auto size = file->size();
  if (!size) return std::unexpected(size.error());
  if (known && known->checkpoint.reader.position > *size) {  // an older copy: all of it is known
    report(id, known->record, *size);
    return tell_read(import, known->record.device);
  }
  LogReader reader({target.device, *zone, suffix});
  if (known) {
    target.importing = known->importing;
    auto resumed = SourceWriter::resume(store_, target, *known);
    if (!resumed) return std::unexpected(resumed.error());
    writer = std::move(*resumed);
    if (known->importing) imported = known->record.source;
    reader = LogReader({known->record.device, *zone, suffix}, known->checkpoint.reader);
  }
  std::vector<char> buffer(kChunkBytes);
  const auto commit = [&](std::string_view bytes, bool last) -> Expected<void> {
    if (auto begun = writer->begin(); !begun) return begun;
    if (!last) reader.push(bytes, *writer);
    const LogReaderState state = last ? writer->close(reader) : reader.state();
    const auto hash = hash_before(*file, state.position);
    if (!hash) {
      writer->abandon();
      return std::unexpected(hash.error());
    }
    return writer->commit(state, *hash, false);
  };
  for (std::int64_t at = reader.state().position; !stop.stop_requested() && !is_cancelled(id);) {
    const auto got = file->read_at(at, buffer);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) break;
    if (auto done = commit({buffer.data(), *got}, false); !done) return done;
    at += static_cast<std::int64_t>(*got);
    if (writer->source().importing) imported = writer->source().record.source;
    report(id, writer->source().record, at);
  }
  if (stop.stop_requested() || is_cancelled(id)) return {};
  writer->end_import();
  if (auto done = commit({}, true); !done) return done;
  imported.clear();
  report(id, writer->source().record, *size);
  if (auto told = tell_read(import, writer->source().record.device); !told) return told;
  return writer->publish_end();
}

Expected<void> LogImporter::tell_read(const LedgerImport& import, const Device& device) const {
  if (!options_.read) return {};
  return options_.read(store_.uploads() / import.file,
                       {import.name, device.host, device.gpu, import.timezone});
}

void LogImporter::report(const std::string& id, const SourceRecord& record,
                         std::int64_t bytes_read) {
  change(id, [&](ImportJob& job) {
    job.error.reset();
    job.bytes_read = bytes_read;
    job.rows = record.rows;
    job.sessions = record.sessions;
    job.set_aside = record.set_aside;
    job.device = record.device;
  });
}

void LogImporter::end_job(const std::string& id, const LedgerImport& import,
                          const Expected<void>& result) {
  const bool cancelled = is_cancelled(id);
  std::string start;
  if (const auto file = ReadFile::open(store_.uploads() / import.file); file && !result) {
    start.resize(64);
    start.resize(file->read_at(0, start).value_or(0));
  }
  remove_file(store_.uploads() / import.file);
  change(id, [&](ImportJob& job) {
    job.state = !result ? JobState::failed : cancelled ? JobState::cancelled : JobState::done;
    job.error.reset();
    if (!result) job.error = JobError{result.error().message, first_words(start)};
  });
}

}  // namespace gpulse
