#include "pipeline/log_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "gpuz/log_file.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
// How many bytes before the next read must still be what was read there.
constexpr std::size_t kSeenBytes = 64;
// Where the system tells of writes, polls only mend what it forgot; elsewhere they are all there is, and
// two of them must stay below the 150 ms in which a row has to be on the page.
constexpr auto kPollWithNotices = 1000ms;
constexpr auto kPollWithoutNotices = 60ms;
constexpr auto kRetryFirst = 250ms;
constexpr auto kRetryMax = 30000ms;
constexpr auto kEndedAfter = 5min;
// A writer may still hold a renamed log for a while; what it writes there is read as well.
constexpr auto kLingerQuiet = 60s;

// The hash of a source whose bytes are gone: no file agrees with it.
constexpr std::uint64_t kNeverAgain = 0;

std::string suffix_of(int generation) {
  return generation == 1 ? std::string() : fmt::format("~{}", generation);
}

}  // namespace

// A file being read: where to, and with what.
struct LogFeed::Tail {
  ReadFile file;
  LogReader reader;
  std::unique_ptr<SourceWriter> writer;
  std::int64_t at;                      // the next byte to read
  std::string seen;                     // the bytes before it, at most kSeenBytes
  bool caught_up = false;
  bool ended = false;                   // published as ended
  bool silent = false;                  // published as silent
  SteadyTime last_row = std::chrono::steady_clock::now();
  std::vector<char> buffer = std::vector<char>(kChunkBytes);

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

bool LogFeed::wait(std::chrono::milliseconds timeout, const std::stop_token& stop) {
  if (stop.stop_requested()) return false;
  const std::stop_callback wake(stop, [this] { watcher_->wake(); });
  static_cast<void>(watcher_->wait(timeout));
  return !stop.stop_requested();
}

Expected<void> LogFeed::run(const std::stop_token& stop) {
  auto retry = std::chrono::milliseconds{kRetryFirst};
  bool said_waiting = false;
  while (!stop.stop_requested()) {
    watcher_->rearm();
    auto file = ReadFile::open(options_.file);
    if (!file) {
      // A log that is not there yet may come; a folder in its place will not turn into one.
      std::error_code ignored;
      if (std::filesystem::exists(options_.file, ignored)) return std::unexpected(file.error());
      if (!said_waiting) observer_(Notice::waiting, display(options_.file));
      said_waiting = true;
      if (!wait(notices_work_ ? kPollWithNotices : kPollWithoutNotices, stop)) break;
      continue;
    }
    said_waiting = false;
    auto tail = attach(std::move(*file));
    std::optional<Error> failed;
    if (!tail) {
      failed = tail.error();
    } else if (*tail == nullptr) {  // nothing in it yet
      if (!wait(notices_work_ ? kPollWithNotices : kPollWithoutNotices, stop)) break;
      continue;
    } else {
      observer_(Notice::opened, (*tail)->reader.state().source);
      const auto after = follow(*tail, stop);
      if (after) {
        retry = kRetryFirst;
        if (*after == After::stop) break;
        observer_(*after == After::lost_name ? Notice::replaced : Notice::rewritten,
                  display(options_.file));
        if (*after == After::lost_name) linger(std::move(*tail));
        continue;
      }
      failed = after.error();
    }
    if (!failed->retryable) return std::unexpected(*failed);
    observer_(Notice::trouble, failed->message);
    if (!wait(retry, stop)) break;
    retry = std::min<std::chrono::milliseconds>(retry * 2, kRetryMax);
  }
  return {};
}

Expected<void> LogFeed::check_zone(const LedgerSource& known) const {
  if (known.record.timezone == options_.zone->name()) return {};
  return usage_error(fmt::format(
      "{} was read in the zone {} before, now {} is asked for: give --timezone {}, or --rezone to "
      "read it all again",
      display(options_.file), known.record.timezone, options_.zone->name(),
      known.record.timezone));
}

// Finds where to go on: behind the newest generation of this log that its bytes still agree with, at the
// start of a new one, or, null, nowhere yet.
Expected<std::unique_ptr<LogFeed::Tail>> LogFeed::attach(ReadFile file) {
  const auto identified = identify_log(file);
  if (!identified) return std::unexpected(identified.error());
  const auto size = file.size();
  if (!size) return std::unexpected(size.error());
  if (!identified->source) {
    if (!identified->has_header && identified->start.starts_with('\0')) {
      // The writer went on at its old place after the file had been truncated.
      const auto before = store_.find_source_of_file(display(options_.file));
      if (before && before->checkpoint.reader.position <= *size) {
        if (auto zone = check_zone(*before); !zone) return std::unexpected(zone.error());
        const auto mark = before->record.source.find('~');
        return continue_source(std::move(file), *before,
                               mark == std::string::npos ? "" : before->record.source.substr(mark));
      }
    }
    if (!identified->has_header && identified->start.find('\n') != std::string::npos) {
      return std::unexpected(not_a_log(display(options_.file), identified->start));
    }
    return nullptr;
  }
  std::optional<LedgerSource> newest;
  int generation = 1;
  while (auto known = store_.find_source(*identified->source + suffix_of(generation))) {
    newest = std::move(known);
    ++generation;
  }
  if (newest && options_.rezone && newest->record.timezone != options_.zone->name()) {
    for (int g = generation - 1; g >= 1; --g) {
      auto removed = store_.remove_source(*identified->source + suffix_of(g));
      if (!removed) return std::unexpected(removed.error());
    }
    newest.reset();
    generation = 1;
  }
  if (newest) {
    if (auto zone = check_zone(*newest); !zone) return std::unexpected(zone.error());
    const std::int64_t position = newest->checkpoint.reader.position;
    const auto hash = hash_before(file, position);
    if (!hash) return std::unexpected(hash.error());
    if (position <= *size && *hash == newest->checkpoint.tail_hash) {
      return continue_source(std::move(file), *newest, suffix_of(generation - 1));
    }
  }
  auto writer = std::make_unique<SourceWriter>(
      store_, SourceTarget{options_.device, display(options_.file), options_.zone->name()});
  LogReader reader({options_.device, options_.zone, suffix_of(generation)});
  return std::make_unique<Tail>(std::move(file), std::move(reader), std::move(writer), 0);
}

Expected<std::unique_ptr<LogFeed::Tail>> LogFeed::continue_source(ReadFile file,
                                                                  const LedgerSource& from,
                                                                  const std::string& suffix) {
  auto writer = SourceWriter::resume(
      store_, {from.record.device, display(options_.file), options_.zone->name()}, from);
  if (!writer) return std::unexpected(writer.error());
  LogReader reader({from.record.device, options_.zone, suffix}, from.checkpoint.reader);
  const std::int64_t at = from.checkpoint.reader.position;
  auto tail =
      std::make_unique<Tail>(std::move(file), std::move(reader), std::move(*writer), at);
  std::string seen(static_cast<std::size_t>(std::min<std::int64_t>(at, kSeenBytes)), '\0');
  const auto got = tail->file.read_at(at - static_cast<std::int64_t>(seen.size()), seen);
  if (!got) return std::unexpected(got.error());
  tail->remember(seen);
  return tail;
}

// Reads one chunk, if there is one, and commits it; whether there was one.
Expected<bool> LogFeed::read_more(Tail& tail) {
  const auto got = tail.file.read_at(tail.at, tail.buffer);
  if (!got) return std::unexpected(got.error());
  if (*got == 0) return false;
  const std::string_view bytes(tail.buffer.data(), *got);
  const std::int64_t rows_before = tail.writer->source().record.rows;
  if (auto begun = tail.writer->begin(); !begun) return std::unexpected(begun.error());
  tail.reader.push(bytes, *tail.writer);
  const auto hash = hash_before(tail.file, tail.reader.state().position);
  if (!hash) {
    tail.writer->abandon();
    return std::unexpected(hash.error());
  }
  auto committed = tail.writer->commit(tail.reader.state(), *hash, tail.caught_up);
  if (!committed) return std::unexpected(committed.error());
  tail.at += static_cast<std::int64_t>(*got);
  tail.remember(bytes);
  if (tail.writer->source().record.rows != rows_before) {
    tail.last_row = std::chrono::steady_clock::now();
    tail.silent = tail.ended = false;
  }
  return true;
}

// The log will not grow under this reader any more.
Expected<void> LogFeed::finish(Tail& tail, std::uint64_t tail_hash) {
  if (auto begun = tail.writer->begin(); !begun) return begun;
  tail.reader.close(*tail.writer);
  auto done = tail.writer->commit(tail.reader.state(), tail_hash, tail.caught_up);
  if (!done) return done;
  return tail.writer->publish_end();
}

Expected<void> LogFeed::mind_silence(Tail& tail) {
  const auto quiet = std::chrono::steady_clock::now() - tail.last_row;
  const Timestamp last = tail.writer->source().record.last;
  if (!tail.ended && clock_.now() - last > kEndedAfter &&
      (quiet > kEndedAfter || !tail.caught_up)) {
    tail.ended = tail.silent = true;
    return tail.writer->publish_end();
  }
  if (!tail.silent && quiet >= store_.options().windows.silence) {
    tail.silent = true;
    return tail.writer->publish_silence();
  }
  return {};
}

Expected<bool> LogFeed::name_moved(const Tail& tail) const {
  const auto identity = identity_of(options_.file);
  // Without the name the log may go on under another one; only a new file of the name replaces it.
  return identity && *identity != tail.file.identity();
}

Expected<LogFeed::After> LogFeed::follow(std::unique_ptr<Tail>& owned,
                                         const std::stop_token& stop) {
  Tail& tail = *owned;
  bool woken_by_poll = false;
  while (!stop.stop_requested()) {
    const auto size = tail.file.size();
    if (!size) return std::unexpected(size.error());
    bool rewritten = *size < tail.at;
    if (!rewritten && *size > tail.at && !tail.seen.empty()) {
      std::string now(tail.seen.size(), '\0');
      const auto got =
          tail.file.read_at(tail.at - static_cast<std::int64_t>(now.size()), now);
      if (!got) return std::unexpected(got.error());
      rewritten = now != tail.seen;
    }
    if (rewritten) {
      char first = '\0';
      const auto got = tail.file.read_at(0, {&first, 1});
      if (!got) return std::unexpected(got.error());
      if (*got > 0 && first != '\0') {
        if (auto finished = finish(tail, kNeverAgain); !finished) {
          return std::unexpected(finished.error());
        }
        return After::reopen;
      }
      // Empty, or NULs: the writer may go on at its old place, behind bytes that are gone.
      if (*size >= tail.at) tail.seen.clear();
      if (*size > tail.at) continue;
    } else if (*size > tail.at) {
      auto read = read_more(tail);
      if (!read) return std::unexpected(read.error());
      if (woken_by_poll && tail.caught_up) notices_work_ = false;
      woken_by_poll = false;
      continue;
    }
    auto moved = name_moved(tail);
    if (moved && *moved) {
      if (auto ended = tail.writer->publish_end(); !ended) return std::unexpected(ended.error());
      return After::lost_name;
    }
    if (auto minded = mind_silence(tail); !minded) return std::unexpected(minded.error());
    if (!tail.caught_up) {
      tail.caught_up = true;
      observer_(Notice::caught_up, tail.reader.state().source);
    }
    const auto timeout = notices_work_ ? kPollWithNotices : kPollWithoutNotices;
    const std::stop_callback wake(stop, [this] { watcher_->wake(); });
    const auto woken = watcher_->wait(timeout);
    woken_by_poll = woken == FileWatcher::Woken::timed_out;
    notices_work_ = notices_work_ || woken == FileWatcher::Woken::changed;
  }
  return After::stop;
}

// Reads on in a file that lost its name, until its writer has let it rest.
void LogFeed::linger(std::unique_ptr<Tail> tail) {
  lingering_.emplace_back([this, tail = std::move(tail)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    auto quiet_since = std::chrono::steady_clock::now();
    while (!stop.stop_requested() &&
           std::chrono::steady_clock::now() - quiet_since < kLingerQuiet) {
      const auto read = read_more(*tail);
      if (!read) return observer_(Notice::trouble, read.error().message);
      if (*read) quiet_since = std::chrono::steady_clock::now();
      std::unique_lock lock(mutex);
      stopped.wait_for(lock, stop, kPollWithNotices, [] { return false; });
    }
    const auto hash = hash_before(tail->file, tail->at);
    const auto finished = hash ? finish(*tail, *hash) : std::unexpected(hash.error());
    if (!finished) observer_(Notice::trouble, finished.error().message);
  });
}

}  // namespace gpulse
