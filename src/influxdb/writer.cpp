#include "influxdb/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <mutex>
#include <utility>

#include "influxdb/answer.h"
#include "influxdb/connection.h"
#include "influxdb/gzip.h"
#include "influxdb/line_queue.h"
#include "influxdb/line_ranges.h"
#include "influxdb/retry_pause.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// After a split it is known that some of the lines are to blame.
constexpr int kServerErrorsMaxAfterSplit = 2;
constexpr std::string_view kContentType = "text/plain; charset=utf-8";

LineQueueLimits limits_of(const InfluxWriterOptions& options) {
  LineQueueLimits limits;
  limits.batch_lines_max = options.batch_lines_max;
  limits.batch_bytes_max = options.batch_bytes_max;
  limits.queue_bytes_max = options.queue_bytes_max;
  limits.linger = options.linger;
  return limits;
}

std::string_view text_of(const Lines& lines, const LineRange& range) {
  const std::size_t begin = range.from == 0 ? 0 : lines.ends[range.from - 1];
  return std::string_view(lines.text).substr(begin, lines.ends[range.until - 1] - begin);
}

}  // namespace

struct InfluxWriter::Impl {
  // What sends one batch at a time.
  struct Lane {
    Lane(Impl& impl)
        : connection(impl.io.get_executor(), impl.options.endpoint.address, impl.tls,
                     impl.options.request_timeout),
          timer(impl.io),
          pause(impl.options.pause_min, impl.options.pause_max) {}
    InfluxConnection connection;
    asio::steady_timer timer;
    RetryPause pause;
    Gzip gzip;
    LineRanges ranges;  // of the batch that it sends
    // stored_requests when of this batch a line was first found bad, or set aside last.
    std::optional<std::uint64_t> bad_since;
  };

  Impl(const InfluxWriterOptions& options_given, InfluxWriterObserver& observer_given,
       std::shared_ptr<TlsContext> tls_given)
      : options(options_given),
        observer(observer_given),
        tls(std::move(tls_given)),
        queue(limits_of(options_given)) {
    queue.on_ready([](void* self) { static_cast<Impl*>(self)->wake(); }, this);
  }

  void wake();
  void spawn(asio::awaitable<void> work);
  asio::awaitable<void> begin();
  asio::awaitable<std::optional<InfluxVersion>> find_version(Lane& lane);
  asio::awaitable<void> serve(Lane& lane);
  asio::awaitable<void> store(Lane& lane, const Lines& batch);
  asio::awaitable<WriteAnswer> post(Lane& lane, std::string_view text);
  asio::awaitable<WriteAnswer> ask_whether_all(Lane& lane, WriteAnswer answer);
  std::optional<milliseconds> settle(Lane& lane, const Lines& batch, LineRange range,
                                     WriteAnswer answer);
  std::optional<milliseconds> settle_failed(Lane& lane, LineRange range, const WriteAnswer& answer);
  void set_aside(const Lines& batch, std::size_t index, const std::string& reason);
  void settle_stored(Lane& lane, const Lines& batch, const LineRange& range,
                     const WriteAnswer& answer);
  void say_away(const std::string& reason);
  void say_back();
  void end(Error error);
  void count(auto&& change) {
    const std::lock_guard lock(statistics_mutex);
    change(statistics);
  }

  const InfluxWriterOptions options;
  InfluxWriterObserver& observer;
  const std::shared_ptr<TlsContext> tls;
  LineQueue queue;
  asio::io_context io{1};
  std::list<Lane> lanes;
  std::atomic<int> idle{0};  // lanes that wait, or are about to
  std::atomic<bool> wake_pending{false};
  InfluxVersion version = InfluxVersion::v2;
  std::string target;
  std::string authorization_value;
  std::uint64_t stored_requests = 0;
  int refused_in_a_row = 0;               // lines, before anything was stored
  std::string stored_line;  // one that the server has taken, with its '\n'
  bool away = false;
  std::uint64_t acknowledged_said = 0;
  std::optional<Error> ended;
  std::mutex statistics_mutex;
  InfluxWriterStatistics statistics;
};

// Called under the queue's lock, from any thread. A lane counts itself idle before it looks into
// the queue, so one that has found nothing is seen here.
void InfluxWriter::Impl::wake() {
  if (idle.load() == 0 || wake_pending.exchange(true)) return;
  asio::post(io, [this] {
    wake_pending.store(false);
    for (Lane& lane : lanes) lane.timer.cancel();
  });
}

// Ends run() with the first error; a lane that goes on to its next step finds the loop stopped.
void InfluxWriter::Impl::end(Error error) {
  if (!ended) ended = std::move(error);
  io.stop();
}

void InfluxWriter::Impl::spawn(asio::awaitable<void> work) {
  asio::co_spawn(io, std::move(work), [this](const std::exception_ptr& thrown) {
    if (thrown == nullptr) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      end({ErrorKind::operation, fmt::format("writing to InfluxDB: {}", error.what()), false});
    }
  });
}

void InfluxWriter::Impl::say_away(const std::string& reason) {
  count([](auto& s) { s.connected = false; });
  if (!std::exchange(away, true)) observer.on_away(reason);
}

void InfluxWriter::Impl::say_back() {
  count([](auto& s) { s.connected = true; });
  if (std::exchange(away, false)) observer.on_back();
}

asio::awaitable<std::optional<InfluxVersion>> InfluxWriter::Impl::find_version(Lane& lane) {
  const InfluxAddress& address = options.endpoint.address;
  const InfluxVersion assumed = assumed_version(address);
  const std::string authorized = authorization(options.endpoint, assumed);
  for (;;) {
    HttpRequest request;
    request.method = "GET";
    request.target = "/ping";
    request.authorization = authorized;
    const auto answer = co_await lane.connection.ask(request);
    if (answer && answer->status < 500) {
      if (auto hint = wants_tls(options.endpoint, answer->status, answer->body)) {
        end({ErrorKind::operation, *std::move(hint), false});
        co_return std::nullopt;
      }
      say_back();
      // 1.8 and 3 take version 2's way of writing as well, so this is the one to guess.
      co_return read_version(answer->influx_version).value_or(assumed);
    }
    if (!answer && !answer.error().retryable) {
      end(answer.error());
      co_return std::nullopt;
    }
    say_away(answer ? fmt::format("InfluxDB at {} answers {} {}", address.authority(),
                                  answer->status, answer_message(answer->body))
                    : answer.error().message);
    lane.timer.expires_after(lane.pause.next(std::nullopt));
    co_await lane.timer.async_wait(kAwait);
  }
}

asio::awaitable<void> InfluxWriter::Impl::begin() {
  const InfluxAddress& address = options.endpoint.address;
  std::optional<InfluxVersion> found = address.version;
  if (!found) {
    Lane lane(*this);
    found = co_await find_version(lane);
    if (!found) co_return;
  }
  version = *found;
  if (version == InfluxVersion::v2 && address.organisation.empty()) {
    end({ErrorKind::usage,
         fmt::format("at {} is an InfluxDB 2, which needs organisation and bucket: "
                     "influxdb://{}/organisation/{}",
                     address.authority(), address.authority(), address.bucket),
         false});
    co_return;
  }
  target = write_target(address, version);
  authorization_value = authorization(options.endpoint, version);
  for (int i = 0; i < options.requests_in_flight_max; ++i) {
    spawn(serve(lanes.emplace_back(*this)));
  }
}

asio::awaitable<void> InfluxWriter::Impl::serve(Lane& lane) {
  for (;;) {
    ++idle;
    const LineQueue::Taken taken = queue.take(steady_clock::now());
    if (taken.batch == nullptr) {
      lane.timer.expires_at(taken.look_again.value_or(steady_clock::time_point::max()));
      co_await lane.timer.async_wait(kAwait);
      --idle;
      continue;
    }
    --idle;
    co_await store(lane, *taken.batch);
    if (ended) co_return;
    queue.done(taken.batch);
    const std::uint64_t ticket = queue.acknowledged();
    if (ticket > std::exchange(acknowledged_said, ticket)) observer.on_acknowledged(ticket);
  }
}

asio::awaitable<void> InfluxWriter::Impl::store(Lane& lane, const Lines& batch) {
  lane.ranges.assign(batch.size(), options.server_errors_max);
  lane.bad_since.reset();
  while (!lane.ranges.empty()) {
    const LineRange range = lane.ranges.take();
    WriteAnswer answer = co_await post(lane, text_of(batch, range));
    if (ended) co_return;
    if (answer.verdict == Verdict::failed && range.size() == 1 &&
        range.server_errors + 1 >= range.server_errors_max) {
      // Failed, another one stored, failed: then it is the line and not the server, and no server
      // that had just recovered. The other is one that was stored before, and the same point when
      // sent again.
      const std::string other = stored_line;
      WriteAnswer about_other;
      if (!other.empty()) about_other = co_await post(lane, other);
      const bool stores = about_other.verdict == Verdict::stored;
      if (stores) answer = co_await post(lane, text_of(batch, range));
      if (stores && answer.verdict == Verdict::failed) {
        set_aside(batch, range.from, answer.reason + ", again and again, while it stores others");
        continue;
      }
    }
    if (answer.verdict == Verdict::bad_line) {
      if (!lane.bad_since) lane.bad_since = stored_requests;
      if (range.size() == 1) answer = co_await ask_whether_all(lane, std::move(answer));
      if (ended) co_return;
    }
    const auto pause = settle(lane, batch, range, std::move(answer));
    if (ended) co_return;
    if (!pause) continue;
    count([](auto& s) { ++s.retries; });
    // A wake is for those that wait for lines, not for this.
    const auto until = steady_clock::now() + *pause;
    while (steady_clock::now() < until) {
      lane.timer.expires_at(until);
      co_await lane.timer.async_wait(kAwait);
    }
  }
}

// Is it this line that cannot be read, or any? A server that refuses everything by a 400 of its own
// (a limit, a name that it does not take) would have the whole log set aside. Whatever was stored
// since a line of this batch was found bad has answered that.
asio::awaitable<WriteAnswer> InfluxWriter::Impl::ask_whether_all(Lane& lane, WriteAnswer answer) {
  const bool others_stored = stored_requests > std::exchange(lane.bad_since, stored_requests);
  if (others_stored) co_return answer;
  if (stored_line.empty()) {
    if (++refused_in_a_row < options.refused_in_a_row_max) co_return answer;
    answer.reason += fmt::format(", and so it did to {} lines before", refused_in_a_row - 1);
    answer.verdict = Verdict::refused;
    co_return answer;
  }
  const std::string other = stored_line;
  WriteAnswer about_other = co_await post(lane, other);
  switch (about_other.verdict) {
    case Verdict::stored:
    case Verdict::partly: co_return answer;
    case Verdict::bad_line:
      answer.reason += ", also of a line that it stored before";
      answer.verdict = Verdict::refused;
      co_return answer;
    default: co_return about_other;
  }
}

asio::awaitable<WriteAnswer> InfluxWriter::Impl::post(Lane& lane, std::string_view text) {
  WriteAnswer none;
  const auto local = co_await lane.connection.connect();
  if (!local) {
    none.verdict = local.error().retryable ? Verdict::unreachable : Verdict::refused;
    none.reason = local.error().message;
    co_return none;
  }
  HttpRequest request;
  request.target = target;
  request.authorization = authorization_value;
  request.content_type = kContentType;
  request.gzipped = options.compression == Compression::always ||
                    (options.compression == Compression::automatic && !*local);
  request.body = request.gzipped ? lane.gzip.compress(text) : text;
  // Of a batch that it cannot read InfluxDB repeats every line, with a reason each.
  request.answer_bytes_max += 8 * options.batch_bytes_max;
  const auto began = steady_clock::now();
  const auto answer = co_await lane.connection.ask(request);
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began);
  count([&](auto& s) {
    ++s.requests;
    s.bytes_sent += request.body.size();
    s.request_microseconds += static_cast<std::uint64_t>(took.count());
  });
  if (answer) {
    co_return read_write_answer(options.endpoint, answer->status, answer->body,
                                read_retry_after(answer->retry_after, answer->date));
  }
  none.verdict = answer.error().retryable ? Verdict::unreachable : Verdict::refused;
  none.reason = answer.error().message;
  co_return none;
}

// Does what an answer asks for; lines that must be sent again go back to the lane, after the pause
// that is returned.
std::optional<milliseconds> InfluxWriter::Impl::settle(Lane& lane, const Lines& batch,
                                                       LineRange range, WriteAnswer answer) {
  switch (answer.verdict) {
    case Verdict::stored:
    case Verdict::partly: settle_stored(lane, batch, range, answer); return std::nullopt;
    case Verdict::bad_line:
      say_back();
      // A line that the answer names is tried alone, since its word alone would not do.
      if (range.size() > 1) {
        lane.ranges.put_back_around(range, answer.bad_lines);
      } else {
        set_aside(batch, range.from, answer.reason);
      }
      return std::nullopt;
    case Verdict::too_large:
      say_back();
      if (range.size() == 1) {
        set_aside(batch, range.from, answer.reason);
      } else {
        lane.ranges.put_back_halves(range, range.server_errors_max);
      }
      return std::nullopt;
    case Verdict::failed: return settle_failed(lane, range, answer);
    case Verdict::later:
    case Verdict::unreachable:
      say_away(answer.reason);
      lane.ranges.put_back(range);
      return lane.pause.next(answer.retry_after_seconds);
    case Verdict::refused: break;
  }
  end({ErrorKind::operation, std::move(answer.reason), false});
  return std::nullopt;
}

void InfluxWriter::Impl::settle_stored(Lane& lane, const Lines& batch, const LineRange& range,
                                       const WriteAnswer& answer) {
  ++stored_requests;
  lane.pause.reset();
  say_back();
  if (answer.verdict == Verdict::stored) {
    stored_line.assign(batch.line(range.until - 1)).push_back('\n');
  }
  const std::uint64_t dropped = std::min<std::uint64_t>(answer.dropped, range.size());
  count([&](auto& s) {
    s.lines_stored += range.size() - dropped;
    s.lines_dropped += dropped;
  });
  if (answer.verdict == Verdict::partly) {
    observer.on_dropped(dropped, batch.tickets[range.from], batch.tickets[range.until - 1],
                        answer.reason);
  }
}

std::optional<milliseconds> InfluxWriter::Impl::settle_failed(Lane& lane, LineRange range,
                                                              const WriteAnswer& answer) {
  if (range.server_errors++ == 0) range.stored_before = stored_requests;
  const bool others_stored = stored_requests > range.stored_before;
  if (!others_stored && range.server_errors > 1) say_away(answer.reason);
  if (range.server_errors >= range.server_errors_max && range.size() > 1) {
    // A server that stores others need not be spared: the line to blame is found sooner.
    if (others_stored) lane.pause.reset();
    lane.ranges.put_back_halves(range,
                                std::min(kServerErrorsMaxAfterSplit, range.server_errors_max));
  } else {
    lane.ranges.put_back(range);
  }
  return lane.pause.next(answer.retry_after_seconds);
}

void InfluxWriter::Impl::set_aside(const Lines& batch, std::size_t index,
                                   const std::string& reason) {
  if (auto kept = observer.on_set_aside(batch.tickets[index], batch.line(index), reason); !kept) {
    end(std::move(kept).error().wrapped("cannot keep a line that was set aside"));
    return;
  }
  count([](auto& s) { ++s.lines_set_aside; });
}

InfluxWriter::InfluxWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InfluxWriter::~InfluxWriter() = default;

Expected<void> InfluxWriter::validate(const InfluxWriterOptions& options) {
  if (options.batch_lines_max == 0 || options.batch_bytes_max == 0) {
    return usage_error("a batch holds at least one line");
  }
  if (options.requests_in_flight_max < 1 || options.requests_in_flight_max > 16) {
    return usage_error("1 to 16 requests can be in flight");
  }
  if (options.linger < milliseconds(0) || options.request_timeout <= milliseconds(0)) {
    return usage_error("a time to wait is not negative");
  }
  if (options.pause_min <= milliseconds(0) || options.pause_max < options.pause_min) {
    return usage_error("pauses between tries grow from more than nothing");
  }
  if (options.server_errors_max < 1) return usage_error("a batch is tried at least once");
  return {};
}

Expected<std::unique_ptr<InfluxWriter>> InfluxWriter::build(const InfluxWriterOptions& options,
                                                            InfluxWriterObserver& observer) {
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid).error());
  auto tls = make_tls_context(options.endpoint);
  if (!tls) return std::unexpected(std::move(tls).error());
  return std::unique_ptr<InfluxWriter>(
      new InfluxWriter(std::make_unique<Impl>(options, observer, *std::move(tls))));
}

Expected<void> InfluxWriter::run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { impl_->io.stop(); });
  impl_->spawn(impl_->begin());
  // Asio would end the loop when nothing is to be done; lanes that wait for lines keep it going.
  impl_->io.run();
  if (impl_->ended) {
    impl_->queue.close(*impl_->ended);
    return std::unexpected(*impl_->ended);
  }
  impl_->queue.close({ErrorKind::operation, "stopped", true});
  return {};
}

Expected<void> InfluxWriter::submit(const Lines& lines, const std::stop_token& stop) {
  return impl_->queue.push(lines, stop);
}

bool InfluxWriter::has_room(std::size_t bytes) const { return impl_->queue.has_room(bytes); }

void InfluxWriter::flush() { impl_->queue.flush(); }

std::uint64_t InfluxWriter::acknowledged() const { return impl_->queue.acknowledged(); }

Expected<void> InfluxWriter::wait_acknowledged(const std::stop_token& stop) {
  return impl_->queue.wait_until_done(stop);
}

InfluxWriterStatistics InfluxWriter::statistics() const {
  const LineQueue::Size size = impl_->queue.size();
  const std::lock_guard lock(impl_->statistics_mutex);
  InfluxWriterStatistics out = impl_->statistics;
  out.queued_lines = size.lines;
  out.queued_bytes = size.bytes;
  return out;
}

}  // namespace gpulse
