#include "gpuz/log_search.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "gpuz/log_file.h"
#include "platform/file_time.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;
using Kind = GpuzPlace::Kind;

bool equals(std::string_view text, std::string_view lower_case) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(text, lower_case, {}, lower);
}

void add_log(const fs::path& file, std::vector<FoundLog>& logs) {
  std::error_code ignored;
  // What GPU-Z writes now is on this machine.
  if (!fs::is_regular_file(file, ignored) || is_online_only(file)) return;
  const auto opened = ReadFile::open(file);
  const auto identified = opened ? identify_log(*opened) : std::unexpected(opened.error());
  const auto written = last_written(file);
  if (identified && may_be_log(*identified) && written) {
    logs.push_back({file, *written, opened->identity()});
  }
}

// Calls `each` with the entries of a folder, as far as they can be read.
void for_entries(const fs::path& folder, const std::function<void(const fs::path&)>& each) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    each(entry->path());
  }
}

void add_folder(const fs::path& folder, std::vector<FoundLog>& logs) {
  for_entries(folder, [&](const fs::path& file) {
    if (is_log_name(display(file.filename()))) add_log(file, logs);
  });
}

void add_users(const fs::path& users, std::vector<FoundLog>& logs) {
  // OneDrive takes desktop and documents to itself.
  constexpr std::array kFolders{"Desktop", "Documents", "Downloads", "OneDrive/Desktop",
                                "OneDrive/Documents"};
  for_entries(users, [&](const fs::path& user) {
    for (const char* folder : kFolders) add_folder(user / folder, logs);
  });
}

}  // namespace

bool is_log_name(std::string_view name) {
  constexpr std::string_view kBegin = "gpu-z sensor log";
  constexpr std::string_view kEnd = ".txt";
  return name.size() >= kBegin.size() + kEnd.size() &&
         equals(name.substr(0, kBegin.size()), kBegin) &&
         equals(name.substr(name.size() - kEnd.size()), kEnd);
}

std::vector<FoundLog> logs_in(const GpuzPlace& place) {
  std::vector<FoundLog> logs;
  switch (place.kind) {
    case Kind::folder: add_folder(place.path, logs); break;
    case Kind::users: add_users(place.path, logs); break;
    case Kind::file: add_log(place.path, logs); break;
  }
  return logs;
}

// Shared with the thread that looks, which may outlive the search.
struct LogSearch::Looker {
  const GpuzPlace place;
  std::mutex mutex;
  std::condition_variable answered;
  bool busy = false;
  std::vector<FoundLog> found;

  explicit Looker(GpuzPlace where) : place(std::move(where)) {}
};

LogSearch::LogSearch(std::vector<GpuzPlace> places, std::chrono::milliseconds patience, Look look)
    : patience_(patience), look_(std::move(look)) {
  for (GpuzPlace& place : places) lookers_.push_back(std::make_shared<Looker>(std::move(place)));
}

LogSearch::~LogSearch() = default;

std::vector<FoundLog> LogSearch::look() {
  const auto until = std::chrono::steady_clock::now() + patience_;
  for (const auto& looker : lookers_) {
    const std::lock_guard lock(looker->mutex);
    if (std::exchange(looker->busy, true)) continue;
    std::thread([looker, look = look_] {
      std::vector<FoundLog> found = look(looker->place);
      const std::lock_guard done(looker->mutex);
      looker->found = std::move(found);
      looker->busy = false;
      looker->answered.notify_all();
    }).detach();
  }
  std::vector<FoundLog> logs;
  for (const auto& looker : lookers_) {
    std::unique_lock lock(looker->mutex);
    if (!looker->answered.wait_until(lock, until, [&] { return !looker->busy; })) continue;
    logs.insert(logs.end(), looker->found.begin(), looker->found.end());
  }
  std::vector<ReadFile::Identity> seen;
  std::erase_if(logs, [&](const FoundLog& log) {
    if (std::ranges::find(seen, log.identity) != seen.end()) return true;
    seen.push_back(log.identity);
    return false;
  });
  // Of those written at the same instant always the same one.
  std::ranges::sort(logs, [](const FoundLog& a, const FoundLog& b) {
    return a.written != b.written ? a.written > b.written : a.file < b.file;
  });
  return logs;
}

std::vector<GpuzPlace> LogSearch::silent() const {
  std::vector<GpuzPlace> places;
  for (const auto& looker : lookers_) {
    const std::lock_guard lock(looker->mutex);
    if (looker->busy) places.push_back(looker->place);
  }
  return places;
}

}  // namespace gpulse
