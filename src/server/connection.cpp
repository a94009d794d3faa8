#include "server/connection.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "server/limits.h"
#include "server/response_head.h"
#include "server/spool_file.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Parser = http::request_parser<http::buffer_body>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPieceBytes = 256 * std::size_t{1024};
// How much of a body that nobody wants is read, so that the answer is seen before the connection
// goes.
constexpr std::size_t kDrainBytesMax = 64 * std::size_t{1024} * 1024;
constexpr std::chrono::seconds kDrainTime{5};

Expected<Request> to_request(const Parser& parser) {
  const auto& message = parser.get();
  const auto field = [&](http::field name) { return std::string(message[name]); };
  Request request;
  request.method = std::string(message.method_string());
  request.host = field(http::field::host);
  request.origin = field(http::field::origin);
  request.authorization = field(http::field::authorization);
  request.cookie = field(http::field::cookie);
  request.if_none_match = field(http::field::if_none_match);
  request.accept_encoding = field(http::field::accept_encoding);
  if (message.count(http::field::host) > 1) return usage_error("there are two Host fields");
  if (auto parsed = parse_target(std::string_view(message.target()), request); !parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  return request;
}

}  // namespace

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(ServerContext& context, asio::ip::tcp::socket socket)
      : context_(context), stream_(std::move(socket)), timer_(context.io) {
    context_.connections.insert(this);
  }
  ~ClientConnection() { context_.connections.erase(this); }
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  asio::awaitable<void> run() {
    while (co_await serve_one() && !context_.stopping) {
    }
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_.socket().close(ignored);
  }

  void stop() {
    if (busy_) return;
    close();
  }
  void abandon() { subscription_.reset(); }

 private:
  // Returns whether another request may follow.
  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(boost::none);
    stream_.expires_after(kRequestTimeout);
    busy_ = false;
    const auto [error, bytes] = co_await http::async_read_header(stream_, buffer_, parser, kAwait);
    busy_ = true;
    head_only_ = false;
    if (error) {
      co_await refuse_malformed(error);
      co_return false;
    }
    keep_alive_ = parser.keep_alive() && !context_.stopping;
    const Expected<Request> request = to_request(parser);
    if (!request) co_return co_await refuse(parser, error_response(request.error()));
    head_only_ = request->method == "HEAD";
    if (const auto refusal = context_.parties.site.refuse(*request)) {
      co_return co_await refuse(parser, *refusal);
    }
    switch (context_.parties.site.work(*request)) {
      case Work::live: co_return co_await live(*request, parser);
      case Work::upload: co_return co_await upload(*request, parser);
      case Work::answer: break;
    }
    co_return co_await answer(*request, parser);
  }

  asio::awaitable<bool> answer(const Request& request, Parser& parser) {
    if (!co_await skip_body(parser)) {
      keep_alive_ = false;
      co_return co_await refuse(
          parser, error_response(413, ErrorKind::usage, request.path + " takes no body"));
    }
    const ServerContext& context = context_;
    const Response response =
        co_await on_worker([&] { return context.parties.site.answer(request, context.counters); });
    co_return co_await send(response);
  }

  // Runs a function on a worker and comes back to the io thread with its result.
  template <class Function>
  asio::awaitable<std::invoke_result_t<Function>> on_worker(Function function) {
    using Result = std::invoke_result_t<Function>;
    co_return co_await asio::co_spawn(
        context_.workers,
        [function = std::move(function)]() -> asio::awaitable<Result> { co_return function(); },
        asio::use_awaitable);
  }

  asio::awaitable<void> refuse_malformed(error_code error) {
    keep_alive_ = false;
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      co_await send(error_response(431, ErrorKind::usage, "the request's header is too large"));
      co_return;
    }
    // What is no error of parsing is a client that went or was silent for too long.
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error.category() != http::make_error_code(http::error::bad_version).category()) {
      co_return;
    }
    co_await send(
        error_response(400, ErrorKind::usage, "this is no HTTP/1.1 request: " + error.message()));
  }

  // Answers without having read the body. A client that still sends it would not see the answer if
  // the connection were closed at once.
  asio::awaitable<bool> refuse(Parser& parser, const Response& response) {
    if (parser.is_done()) co_return co_await send(response);
    keep_alive_ = false;
    co_await send(response);
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kDrainTime);
    std::vector<char> scratch(kPieceBytes);
    for (std::size_t drained = 0; drained < kDrainBytesMax;) {
      const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(scratch), kAwait);
      if (error) break;
      drained += bytes;
    }
    co_return false;
  }

  // Reads and forgets a body that means nothing here. False: it is too large.
  asio::awaitable<bool> skip_body(Parser& parser) {
    std::vector<char> scratch;
    std::size_t skipped = 0;
    while (!parser.is_done()) {
      scratch.resize(kIgnoredBodyBytesMax);
      const auto bytes = co_await read_piece(parser, scratch);
      if (!bytes) co_return false;
      skipped += *bytes;
      if (skipped > kIgnoredBodyBytesMax) co_return false;
    }
    co_return true;
  }

  // The next bytes of the body, none when the client went.
  asio::awaitable<std::optional<std::size_t>> read_piece(Parser& parser, std::vector<char>& piece) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    stream_.expires_after(kTransferTimeout);
    const auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, kAwait);
    if (error && error != http::error::need_buffer) co_return std::nullopt;
    co_return piece.size() - body.size;
  }

  asio::awaitable<bool> send(const Response& response) {
    context_.counters.count(response.status);
    const std::string_view body =
        response.static_body.empty() ? std::string_view(response.body) : response.static_body;
    const std::string head =
        response_head(response, body.size(), keep_alive_, context_.parties.clock.now());
    const bool with_body = !head_only_ && !is_bodiless(response.status);
    const bool sent =
        co_await write(head, with_body ? body.substr(0, kPieceBytes) : std::string_view{});
    if (!sent) co_return false;
    for (std::size_t at = kPieceBytes; with_body && at < body.size(); at += kPieceBytes) {
      const bool more = co_await write(body.substr(at, kPieceBytes), {});
      if (!more) co_return false;
    }
    co_return keep_alive_;
  }

  asio::awaitable<bool> write(std::string_view first, std::string_view second) {
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(second)};
    stream_.expires_after(kTransferTimeout);
    const auto [error, bytes] = co_await asio::async_write(stream_, buffers, kAwait);
    co_return !error;
  }

  asio::awaitable<bool> upload(const Request& request, Parser& parser) {
    const auto import = Api::import_request(request);
    if (!import) co_return co_await refuse(parser, import.error());
    const std::filesystem::path& folder = context_.parties.spool_folder;
    auto file = co_await on_worker([&] { return std::optional(SpoolFile::create(folder)); });
    if (!*file) co_return co_await refuse(parser, error_response(file->error()));
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n", {});
      if (!sent) co_return false;
    }
    busy_ = false;  // a stop need not wait for the rest of it
    const auto received = co_await receive(parser, **file);
    busy_ = true;
    if (!received) co_return false;
    if (!*received) co_return co_await refuse(parser, error_response(received->error()));
    const Api& api = *context_.parties.api;
    const Response response =
        co_await on_worker([&] { return hand_over(api, std::move(**file), *import); });
    co_return co_await send(response);
  }

  // No value: the client went. An error: the disk.
  asio::awaitable<std::optional<Expected<void>>> receive(Parser& parser, SpoolFile& file) {
    std::vector<char> piece(kPieceBytes);
    while (!parser.is_done()) {
      const auto bytes = co_await read_piece(parser, piece);
      if (!bytes) co_return std::nullopt;
      const std::span<const char> part(piece.data(), *bytes);
      const auto written =
          co_await on_worker([&file, part] { return std::optional(file.write(part)); });
      if (!*written) co_return *written;
    }
    co_return Expected<void>{};
  }

  // Takes the file, so that one that was not wanted is gone before the answer is sent.
  static Response hand_over(const Api& api, SpoolFile file, const ImportRequest& import) {
    const auto whole = file.finish();
    if (!whole) return error_response(whole.error());
    bool taken = false;
    Response response = api.start_import(*whole, import, taken);
    if (taken) file.release();
    return response;
  }

  asio::awaitable<bool> live(const Request& request, Parser& parser) {
    const auto device = Api::named_device(request);
    if (!device) co_return co_await refuse(parser, device.error());
    if (context_.parties.hub->clients() >= kLiveClientsMax) {
      co_return co_await refuse(parser,
                                error_response(503, ErrorKind::operation,
                                               "there are too many live clients; try again later"));
    }
    context_.counters.count(200);
    subscription_ = context_.parties.hub->subscribe(*device, waker());
    busy_ = false;  // a stop need not wait for its end
    const bool sent = co_await write(live_head(context_.parties.clock.now()), hello());
    if (sent && !context_.stopping) {
      stream_.expires_never();
      asio::co_spawn(context_.io, watch_for_end(shared_from_this()), asio::detached);
      co_await push_events();
    }
    subscription_.reset();
    co_return false;
  }

  std::function<void()> waker() {
    return [&io = context_.io, weak = weak_from_this()] {
      asio::post(io, [weak] {
        if (const auto self = weak.lock()) self->timer_.cancel();
      });
    };
  }

  std::string hello() const {
    std::string out = "event: hello\ndata: ";
    JsonWriter json(out);
    json.begin_object().member("version", context_.parties.version);
    json.member("now", context_.parties.clock.now()).end_object();
    return out + "\n\n";
  }

  // A client has nothing to say on this stream: the only news is that it went.
  static asio::awaitable<void> watch_for_end(std::shared_ptr<ClientConnection> self) {
    std::array<char, 256> scratch{};
    error_code ended;
    while (!ended) {
      const auto [error, bytes] =
          co_await self->stream_.async_read_some(asio::buffer(scratch), kAwait);
      ended = error;
    }
    self->close();
  }

  asio::awaitable<void> push_events() {
    std::string text;
    while (!closed_) {
      text.clear();
      if (!subscription_->take(text)) co_return;
      if (text.empty()) {
        timer_.expires_after(kLiveKeepAlive);
        const auto [woken] = co_await timer_.async_wait(kAwait);
        if (woken) continue;
        text = ": keep-alive\n\n";
      }
      const bool sent = co_await write(text, {});
      if (!sent) co_return;
      // While rows pour in (a replay at full speed), this gathers them into fewer, larger events.
      asio::steady_timer pause(context_.io, kLiveInterval);
      co_await pause.async_wait(kAwait);
    }
  }

  void close() {
    closed_ = true;
    error_code ignored;
    stream_.socket().close(ignored);
    timer_.cancel();
  }

  ServerContext& context_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderBytesMax + kIgnoredBodyBytesMax};
  asio::steady_timer timer_;  // cancelled when events wait or the client goes
  std::unique_ptr<LiveSubscription> subscription_;
  bool busy_ = false;  // a request is being answered
  bool keep_alive_ = false;
  bool head_only_ = false;
  bool closed_ = false;
};

void serve(ServerContext& context, asio::ip::tcp::socket socket) {
  auto connection = std::make_shared<ClientConnection>(context, std::move(socket));
  // What is thrown there (no memory) ends this connection and no other.
  asio::co_spawn(
      context.io, [connection] { return connection->run(); }, [](const std::exception_ptr&) {});
}

void stop(ClientConnection& connection) { connection.stop(); }

void abandon(ClientConnection& connection) { connection.abandon(); }

}  // namespace gpulse
