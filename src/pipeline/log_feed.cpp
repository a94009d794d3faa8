#include "pipeline/log_feed.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "gpuz/log_file.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// How many bytes before the next read must still be what was read there.
constexpr std::size_t kSeenBytes = 64;
// Where the system tells of writes, polls only mend what it forgot; elsewhere they are all there
// is, and a row is to be on the page in 60 ms.
constexpr auto kPollWithNotices = 1000ms;
constexpr auto kPollWithoutNotices = 40ms;
// So many polls in a row may look at the size alone.
constexpr int kGlancesMax = 25;
// A file that holds no row is looked into again after so long, even if it seems to be the same.
constexpr auto kLookAgain = 10s;
constexpr auto kRetryFirst = 250ms;
constexpr auto kRetryMax = 30000ms;
// A writer may still hold a renamed log for a while; what it writes there is read as well.
constexpr auto kLingerQuiet = 60s;

// The hash of a source whose bytes are gone: no file agrees with it.
constexpr std::uint64_t kNeverAgain = 0;

void sleep(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

// A file being read: where to, and with what.
struct LogFeed::Tail {
  FilePtr file;
  LogReader reader;
  std::unique_ptr<SourceWriter> writer;
  std::int64_t at;         // the next byte to read
  std::string seen;        // the bytes before it, at most kSeenBytes
  bool caught_up = false;
  bool ended = false;      // published as ended
  bool silent = false;     // published as silent
  SteadyClock::time_point last_row = SteadyClock::now();
  std::vector<char> buffer;

  void remember(std::string_view bytes) {
    seen.append(bytes.substr(bytes.size() - std::min(bytes.size(), kSeenBytes)));
    if (seen.size() > kSeenBytes) seen.erase(0, seen.size() - kSeenBytes);
  }
};

LogFeed::LogFeed(Store& store, const Clock& clock, LogFeedOptions options, Observer observer)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      observer_(std::move(observer)),
      watcher_(FileWatcher::watch(options_.file)) {}

milliseconds LogFeed::poll_interval() const {
  return notices_work_ && watcher_->tells_writes_at_once() ? kPollWithNotices : kPollWithoutNotices;
}

FileWatcher::Woken LogFeed::wait(milliseconds timeout, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { watcher_->wake(); });
  return watcher_->wait(timeout);
}

// `file`: what has the name now; null when nothing that can be read has it.
void LogFeed::wait_for_change(const ReadFile* file, const std::stop_token& stop) {
  const auto until = SteadyClock::now() + kLookAgain;
  const auto size = file != nullptr ? file->size().value_or(0) : 0;
  while (!stop.stop_requested() && SteadyClock::now() < until) {
    if (wait(poll_interval(), stop) != FileWatcher::Woken::timed_out || file == nullptr) return;
    const auto identity = identity_of(options_.file);
    if (file->size().value_or(0) != size || !identity || *identity != file->identity()) return;
  }
}

void LogFeed::say_trouble(const Error& error) {
  if (error.message == said_) return;
  trouble_ = error.kind;
  said_ = error.message;
  observer_(Notice::trouble, error.message);
}

// The log is being read, or after trouble: is so again.
void LogFeed::say_opened(const Tail& tail) {
  trouble_.reset();
  said_.clear();
  observer_(Notice::opened, tail.reader.state().source);
}

Expected<LogFeed::FilePtr> LogFeed::open() {
  // Before, so that the name's coming is told; and after, so that the writes to what came are.
  watcher_->rearm();
  auto file = ReadFile::open(options_.file);
  notices_work_ = watcher_->rearm() && notices_work_;
  if (!file) return std::unexpected(file.error());
  return std::make_shared<const ReadFile>(std::move(*file));
}

Expected<void> LogFeed::run(const std::stop_token& stop) {
  auto retry = milliseconds{kRetryFirst};
  FilePtr file;  // kept after a failure: what it still holds would go with its name
  read_renamed();
  while (!stop.stop_requested()) {
    Expected<FilePtr> opened = file ? file : open();
    if (!opened) {
      std::error_code ignored;
      const bool missing = !std::filesystem::exists(options_.file, ignored);
      if (!missing) say_trouble(opened.error());
      if (missing && said_ != opened.error().message) {
        said_ = opened.error().message;
        observer_(Notice::waiting, display(options_.file));
      }
      wait_for_change(nullptr, stop);
      continue;
    }
    file = std::move(*opened);
    const auto after = read(file, stop);
    if (after) {
      if (*after == After::wait) wait_for_change(file.get(), stop);
      file.reset();
      continue;
    }
    if (stop.stop_requested()) break;
    const Error& error = after.error();
    if (error.kind == ErrorKind::input) {
      say_trouble(error);
      wait_for_change(file.get(), stop);
      file.reset();
      continue;
    }
    if (!error.retryable) return std::unexpected(error);
    if (!trouble_) retry = kRetryFirst;
    say_trouble(error);
    if (!file->size()) file.reset();  // the connection to where it lies is gone
    sleep(retry, stop);
    retry = std::min<milliseconds>(retry * 2, kRetryMax);
  }
  return {};
}

// The log may have been renamed, written on and followed by another while the program was away.
void LogFeed::read_renamed() {
  auto renamed = find_renamed(store_, options_.file);
  if (!renamed) return;
  auto tail = attach(std::make_shared<const ReadFile>(std::move(*renamed)));
  if (!tail) return say_trouble(tail.error());
  if (*tail != nullptr) linger(std::move(*tail));
}

Expected<LogFeed::After> LogFeed::read(const FilePtr& file, const std::stop_token& stop) {
  auto tail = attach(file);
  if (!tail) return std::unexpected(tail.error());
  if (*tail == nullptr) return After::wait;
  // Whether what failed works again is not known before it has: a full disk shows at a commit.
  if (trouble_ != ErrorKind::operation) say_opened(**tail);
  const auto after = follow(*tail, stop);
  if (!after) return after;
  if (*after == After::reopen) observer_(Notice::rewritten, display(options_.file));
  if (*after == After::lost_name) {
    observer_(Notice::replaced, display(options_.file));
    linger(std::move(*tail));
  }
  return after;
}

// Null: there is no row in it yet.
Expected<std::unique_ptr<LogFeed::Tail>> LogFeed::attach(const FilePtr& file) {
  auto place = find_place(store_,
                          {display(options_.file), options_.device, options_.zone, options_.rezone,
                           [this](const std::string& source) { return take_over(source); }},
                          *file);
  if (!place) return std::unexpected(place.error());
  if (!*place) return nullptr;
  const std::int64_t at = (*place)->at;
  auto tail =
      std::make_unique<Tail>(file, std::move((*place)->reader), std::move((*place)->writer), at);
  tail->seen.resize(static_cast<std::size_t>(std::min(at, static_cast<std::int64_t>(kSeenBytes))));
  const auto got = file->read_at(at - static_cast<std::int64_t>(tail->seen.size()), tail->seen);
  if (!got) return std::unexpected(got.error());
  return tail;
}

// Reads one chunk, if there is one, and commits it; whether there was one. What was read before is
// read with it: the file may have been emptied and filled again since it was looked at.
Expected<bool> LogFeed::read_more(Tail& tail) const {
  const std::size_t seen = tail.seen.size();
  tail.buffer.resize(kSeenBytes + options_.chunk_bytes);
  const auto got = tail.file->read_at(tail.at - static_cast<std::int64_t>(seen), tail.buffer);
  if (!got) return std::unexpected(got.error());
  std::string_view bytes(tail.buffer.data(), *got);
  if (bytes.size() <= seen || !bytes.starts_with(tail.seen)) return false;
  bytes.remove_prefix(seen);
  const std::int64_t rows_before = tail.writer->source().record.rows;
  if (auto begun = tail.writer->begin(); !begun) return std::unexpected(begun.error());
  tail.reader.push(bytes, *tail.writer);
  const auto hash = hash_before(*tail.file, tail.reader.state().position);
  if (!hash) {
    tail.writer->abandon();
    return std::unexpected(hash.error());
  }
  auto committed = tail.writer->commit(tail.reader.state(), *hash, tail.caught_up);
  if (!committed) return std::unexpected(committed.error());
  tail.at += static_cast<std::int64_t>(bytes.size());
  tail.remember(bytes);
  if (tail.writer->source().record.rows != rows_before) {
    tail.last_row = SteadyClock::now();
    tail.silent = tail.ended = false;
  }
  return true;
}

// The log will not grow under this reader any more.
Expected<void> LogFeed::finish(Tail& tail, bool never_again) {
  if (auto begun = tail.writer->begin(); !begun) return begun;
  const LogReaderState state = tail.writer->close(tail.reader);
  const auto hash =
      never_again ? Expected<std::uint64_t>(kNeverAgain) : hash_before(*tail.file, state.position);
  if (!hash) {
    tail.writer->abandon();
    return std::unexpected(hash.error());
  }
  auto done = tail.writer->commit(state, *hash, tail.caught_up);
  if (!done) return done;
  return tail.writer->publish_end();
}

Expected<void> LogFeed::mind_silence(Tail& tail) {
  const auto quiet = SteadyClock::now() - tail.last_row;
  const Timestamp last = tail.writer->source().record.last;
  if (!tail.ended && clock_.now() - last > kEndedAfter &&
      (quiet > kEndedAfter || !tail.caught_up)) {
    tail.ended = tail.silent = true;
    if (auto published = tail.writer->publish_end(); !published) return published;
    if (trouble_) say_opened(tail);
  }
  if (!tail.silent && quiet >= store_.options().windows.silence) {
    tail.silent = true;
    if (auto published = tail.writer->publish_silence(); !published) return published;
    if (trouble_) say_opened(tail);
  }
  return {};
}

// What has become of the file since the last read. Its bytes are compared even when its size is the
// same, but for a glance: between two polls it may have been emptied and filled again. It may be so
// between two calls here, too: what is gone when it is asked for is looked for again at the next
// change.
Expected<LogFeed::Look> LogFeed::look(Tail& tail, bool glance) {
  const auto size = tail.file->size();
  if (!size) return std::unexpected(size.error());
  if (glance && *size == tail.at) return Look::same;
  const Look grown = *size > tail.at ? Look::grew : Look::same;
  std::string now;
  if (*size >= tail.at) {
    now.resize(tail.seen.size());
    const auto got = tail.file->read_at(tail.at - static_cast<std::int64_t>(now.size()), now);
    if (!got) return std::unexpected(got.error());
    if (*got < now.size()) return Look::same;
    if (now == tail.seen) return grown;
  }
  char first = '\0';
  const auto got = tail.file->read_at(0, {&first, 1});
  if (!got) return std::unexpected(got.error());
  if (*got == 0) return Look::same;
  // NULs: the writer goes on at its old place, behind bytes that are gone.
  if (first != '\0' || now.find_first_not_of('\0') != std::string::npos) return Look::rewritten;
  if (*size < tail.at) return Look::same;
  tail.seen = now;
  return grown;
}

Expected<LogFeed::After> LogFeed::follow(std::unique_ptr<Tail>& owned,
                                         const std::stop_token& stop) {
  Tail& tail = *owned;
  bool woken_by_poll = false;
  int glances = 0;
  while (!stop.stop_requested()) {
    const auto looked = look(tail, glances > 0);
    if (!looked) return std::unexpected(looked.error());
    if (*looked == Look::rewritten) {
      if (auto finished = finish(tail, true); !finished) {
        return std::unexpected(finished.error());
      }
      return After::reopen;
    }
    if (*looked == Look::grew) {
      auto read = read_more(tail);
      if (!read) return std::unexpected(read.error());
      if (*read && trouble_) say_opened(tail);
      if (*read && woken_by_poll && tail.caught_up) notices_work_ = false;
      woken_by_poll = false;
      continue;
    }
    // Without the name the log may go on under another one; only a new file of the name replaces
    // it.
    const auto named = identity_of(options_.file);
    if (named && *named != tail.file->identity()) {
      if (auto ended = tail.writer->publish_end(); !ended) return std::unexpected(ended.error());
      return After::lost_name;
    }
    if (auto minded = mind_silence(tail); !minded) return std::unexpected(minded.error());
    if (!tail.caught_up) {
      tail.caught_up = true;
      observer_(Notice::caught_up, tail.reader.state().source);
    }
    // While nothing has the name, what takes it may come where no notice is given, as behind a
    // link.
    const auto woken = wait(named ? poll_interval() : kPollWithoutNotices, stop);
    woken_by_poll = woken == FileWatcher::Woken::timed_out;
    notices_work_ = notices_work_ || woken == FileWatcher::Woken::changed;
    // What is told late is told in the end: until then its size says enough of a file.
    const bool told_late = notices_work_ && !watcher_->tells_writes_at_once();
    glances = woken_by_poll && told_late && glances < kGlancesMax ? glances + 1 : 0;
  }
  return After::stop;
}

void LogFeed::linger(std::unique_ptr<Tail> tail) {
  std::erase_if(lingering_, [](const Lingering& lingering) { return lingering.done.load(); });
  Lingering& lingering = lingering_.emplace_back();
  lingering.source = tail->reader.state().source;
  lingering.thread =
      std::jthread([this, &lingering, tail = std::move(tail)](const std::stop_token& stop) mutable {
        read_to_the_end(lingering, std::move(tail), stop);
        lingering.done = true;
      });
}

// Reads on in a file that lost its name, until its writer has let it rest.
void LogFeed::read_to_the_end(Lingering& lingering, std::unique_ptr<Tail> tail,
                              const std::stop_token& stop) {
  const FilePtr file = tail->file;
  std::string said;
  auto quiet_since = SteadyClock::now();
  while (!stop.stop_requested() && SteadyClock::now() - quiet_since < kLingerQuiet) {
    Expected<bool> read = false;
    if (tail == nullptr) {
      auto place = find_place(
          store_, {display(options_.file), options_.device, options_.zone, false, {}}, *file);
      if (place && *place) {
        tail = std::make_unique<Tail>(file, std::move((*place)->reader),
                                      std::move((*place)->writer), (*place)->at);
        tail->caught_up = true;
      } else if (!place) {
        read = std::unexpected(place.error());
      }
    }
    if (tail != nullptr) read = read_more(*tail);
    if (!read) {
      if (said != read.error().message) observer_(Notice::trouble, read.error().message);
      said = read.error().message;
      tail.reset();
    }
    if (!read || *read) quiet_since = SteadyClock::now();
    sleep(kPollWithNotices, stop);
  }
  if (tail == nullptr || lingering.taken_over) return;
  const auto finished = finish(*tail, false);
  if (!finished) observer_(Notice::trouble, finished.error().message);
}

// A file that was replaced by a copy of itself is not read on: two would write one source. Whether
// there was one.
bool LogFeed::take_over(const std::string& source) {
  bool any = false;
  for (Lingering& lingering : lingering_) {
    if (lingering.source != source || lingering.done) continue;
    lingering.taken_over = true;
    lingering.thread.request_stop();
    lingering.thread.join();
    lingering.done = any = true;
  }
  return any;
}

}  // namespace gpulse
