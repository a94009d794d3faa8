#include "influxdb/setup.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "influxdb/query.h"
#include "platform/host_name.h"

namespace gpulse {
namespace {

using Did = InfluxSetupStep::Did;
namespace dom = simdjson::dom;

constexpr std::string_view kJson = "application/json";
constexpr std::chrono::seconds kRetentionMin = std::chrono::hours(1);

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string text_member(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// The first entry of a list in which a member is `value`.
std::optional<dom::element> find_entry(dom::element root, std::string_view list,
                                       std::string_view key, std::string_view value) {
  dom::array entries;
  if (root[list].get(entries) != simdjson::SUCCESS) return std::nullopt;
  for (const dom::element entry : entries) {
    if (text_member(entry, key) == value) return entry;
  }
  return std::nullopt;
}

std::string days(std::chrono::seconds retention) {
  if (retention.count() == 0) return "for ever";
  if (retention.count() % 86400 == 0) return fmt::format("for {} days", retention.count() / 86400);
  return fmt::format("for {} s", retention.count());
}

enum class TokenKind { write, read };

struct Bucket {
  std::string id;
  std::string name;
};

// One call of set_up_influx().
class Setup {
 public:
  Setup(const InfluxSetupOptions& options, InfluxClient& client, const std::stop_token& stop)
      : options_(options), client_(client), stop_(stop) {}

  Expected<InfluxSetupResult> run();

 private:
  // An answer that is no success is an error, unless it is the one that `or_status` names.
  Expected<InfluxAnswer> ask(std::string_view doing, std::string_view method,
                             const std::string& target, const std::string& body = {},
                             unsigned or_status = 0);
  // The same, read as JSON; valid until the next one.
  Expected<dom::element> ask_json(std::string_view doing, std::string_view method,
                                  const std::string& target, const std::string& body = {});
  // The entry of that name in the list that an answer holds; nothing when there is none, which for
  // some tokens is a 404. Valid until the next call.
  Expected<std::optional<dom::element>> find(std::string_view what, const std::string& name,
                                             std::string_view list, const std::string& target);
  Expected<void> check_server();
  Expected<void> organisation();
  Expected<Bucket> bucket(const std::string& name);
  Expected<Bucket> make_bucket(const std::string& name);
  Expected<void> mend_retention(dom::element found, const std::string& name);
  Expected<void> task(const Downsampling& downsampling);
  Expected<void> token(TokenKind kind, const std::vector<Bucket>& buckets);
  Expected<bool> token_works(TokenKind kind, const std::string& value,
                             const std::vector<Bucket>& buckets);
  Expected<void> remove_tokens(const std::string& description);
  void say(Did did, std::string what) { result_.steps.push_back({did, std::move(what)}); }
  [[nodiscard]] const std::string& main_bucket() const { return options_.endpoint.address.bucket; }

  const InfluxSetupOptions& options_;
  InfluxClient& client_;
  const std::stop_token& stop_;
  dom::parser parser_;
  simdjson::padded_string json_;
  std::string organisation_id_;
  InfluxSetupResult result_;
};

Expected<InfluxAnswer> Setup::ask(std::string_view doing, std::string_view method,
                                  const std::string& target, const std::string& body,
                                  unsigned or_status) {
  auto answer = client_.ask(method, target, kJson, body, stop_);
  if (!answer) return std::unexpected(std::move(answer).error().wrapped(doing));
  if (!answer->ok() && answer->status != or_status) {
    return std::unexpected(unexpected_answer(options_.endpoint, doing, *answer));
  }
  return answer;
}

Expected<dom::element> Setup::ask_json(std::string_view doing, std::string_view method,
                                       const std::string& target, const std::string& body) {
  const auto answer = ask(doing, method, target, body);
  if (!answer) return std::unexpected(answer.error());
  json_ = simdjson::padded_string(answer->body);
  dom::element root;
  if (parser_.parse(json_).get(root) != simdjson::SUCCESS) {
    return operation_error(fmt::format("{}: the answer is no JSON", doing));
  }
  return root;
}

Expected<std::optional<dom::element>> Setup::find(std::string_view what, const std::string& name,
                                                  std::string_view list,
                                                  const std::string& target) {
  const std::string doing = fmt::format("cannot look for {} {}", what, name);
  const auto answer = ask(doing, "GET", target + percent_encoded(name), {}, 404);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404) return std::optional<dom::element>();
  json_ = simdjson::padded_string(answer->body);
  dom::element root;
  if (parser_.parse(json_).get(root) != simdjson::SUCCESS) {
    return operation_error(doing + ": the answer is no JSON");
  }
  return find_entry(root, list, "name", name);
}

Expected<void> Setup::check_server() {
  auto root = ask_json("cannot look at the server", "GET", "/api/v2/setup");
  if (!root) return std::unexpected(std::move(root).error());
  bool allowed = false;
  if ((*root)["allowed"].get(allowed) == simdjson::SUCCESS && allowed) {
    return operation_error(fmt::format(
        "InfluxDB at {} has no administrator yet: do its first set-up (`influx setup`, or its web "
        "page), and use the token that it gives",
        options_.endpoint.address.authority()));
  }
  return {};
}

Expected<void> Setup::organisation() {
  const std::string& name = options_.endpoint.address.organisation;
  const auto found = find("organisation", name, "orgs", "/api/v2/orgs?org=");
  if (!found) return std::unexpected(found.error());
  if (const auto entry = *found) {
    organisation_id_ = text_member(*entry, "id");
    say(Did::found, fmt::format("organisation {}", name));
    return {};
  }
  auto made = ask_json(fmt::format("cannot make organisation {}", name), "POST", "/api/v2/orgs",
                       fmt::format(R"({{"name":{}}})", json_string(name)));
  if (!made) return std::unexpected(std::move(made).error());
  organisation_id_ = text_member(*made, "id");
  say(Did::made, fmt::format("organisation {}", name));
  return {};
}

// The shard groups are those that InfluxDB itself would choose. Unsaid, a bucket keeps its old ones
// and refuses a retention that is shorter than one of them.
std::string retention_rules(std::chrono::seconds retention) {
  using std::chrono::hours;
  constexpr std::chrono::seconds kDay = hours(24);
  std::chrono::seconds shard_group = 7 * kDay;
  if (retention.count() != 0 && retention < 2 * kDay) {
    shard_group = hours(1);
  } else if (retention.count() != 0 && retention < 180 * kDay) {
    shard_group = kDay;
  }
  return fmt::format(
      R"("retentionRules":[{{"type":"expire","everySeconds":{},"shardGroupDurationSeconds":{}}}])",
      retention.count(), shard_group.count());
}

Expected<Bucket> Setup::make_bucket(const std::string& name) {
  // Means are small, and stay when readings go.
  const auto retention = name == main_bucket()
                             ? options_.retention.value_or(std::chrono::seconds(0))
                             : std::chrono::seconds(0);
  auto made = ask_json(fmt::format("cannot make bucket {}", name), "POST", "/api/v2/buckets",
                       fmt::format(R"({{"orgID":{},"name":{},{}}})", json_string(organisation_id_),
                                   json_string(name), retention_rules(retention)));
  if (!made) return std::unexpected(std::move(made).error());
  say(Did::made, fmt::format("bucket {}, keeps {}", name, days(retention)));
  return Bucket{text_member(*made, "id"), name};
}

Expected<Bucket> Setup::bucket(const std::string& name) {
  const auto listed =
      find("bucket", name, "buckets", "/api/v2/buckets?orgID=" + organisation_id_ + "&name=");
  if (!listed) return std::unexpected(listed.error());
  const auto entry = *listed;
  if (!entry) return make_bucket(name);
  Bucket found{text_member(*entry, "id"), name};
  if (auto mended = mend_retention(*entry, name); !mended) {
    return std::unexpected(std::move(mended).error());
  }
  return found;
}

Expected<void> Setup::mend_retention(dom::element found, const std::string& name) {
  std::int64_t kept = 0;
  dom::array rules;
  if (found["retentionRules"].get(rules) == simdjson::SUCCESS) {
    for (const dom::element rule : rules) {
      std::int64_t seconds = 0;
      if (rule["everySeconds"].get(seconds) == simdjson::SUCCESS) kept = seconds;
    }
  }
  const std::chrono::seconds is(kept);
  const bool told = options_.retention && name == main_bucket();
  if (!told || *options_.retention == is) {
    const char* note = kept == 0 ? "" : "; older rows are refused";
    say(Did::found, fmt::format("bucket {}, keeps {}{}", name, days(is), note));
    return {};
  }
  const std::string id = text_member(found, "id");
  const auto mended =
      ask(fmt::format("cannot change bucket {}", name), "PATCH", "/api/v2/buckets/" + id,
          fmt::format("{{{}}}", retention_rules(*options_.retention)));
  if (!mended) return std::unexpected(mended.error());
  say(Did::mended,
      fmt::format("bucket {}, kept {}, now {}", name, days(is), days(*options_.retention)));
  return {};
}

Expected<void> Setup::task(const Downsampling& downsampling) {
  const std::string name = downsampled_bucket(main_bucket(), downsampling);
  const std::string flux = downsampling_task(main_bucket(), downsampling);
  const auto listed =
      find("task", name, "tasks", "/api/v2/tasks?limit=100&orgID=" + organisation_id_ + "&name=");
  if (!listed) return std::unexpected(listed.error());
  const auto found = *listed;
  if (!found) {
    const auto made = ask(fmt::format("cannot make task {}", name), "POST", "/api/v2/tasks",
                          fmt::format(R"({{"orgID":{},"status":"active","flux":{}}})",
                                      json_string(organisation_id_), json_string(flux)));
    if (!made) return std::unexpected(made.error());
    say(Did::made, fmt::format("task {}, every {}", name, downsampling.every));
    return {};
  }
  if (text_member(*found, "flux") == flux && text_member(*found, "status") == "active") {
    say(Did::found, fmt::format("task {}, every {}", name, downsampling.every));
    return {};
  }
  const auto mended = ask(fmt::format("cannot change task {}", name), "PATCH",
                          "/api/v2/tasks/" + text_member(*found, "id"),
                          fmt::format(R"({{"status":"active","flux":{}}})", json_string(flux)));
  if (!mended) return std::unexpected(mended.error());
  say(Did::mended, fmt::format("task {}, every {}", name, downsampling.every));
  return {};
}

// Tried by use, since no list shows tokens: an empty write is checked like a full one.
Expected<bool> Setup::token_works(TokenKind kind, const std::string& value,
                                  const std::vector<Bucket>& buckets) {
  if (value.empty()) return false;
  InfluxEndpoint endpoint = options_.endpoint;
  endpoint.token = value;
  auto client = InfluxClient::build(endpoint);
  if (!client) return std::unexpected(std::move(client).error());
  const std::string organisation = percent_encoded(endpoint.address.organisation);
  for (const Bucket& bucket : buckets) {
    const auto answer =
        kind == TokenKind::write
            ? (*client)->ask("POST", write_target(endpoint.address, InfluxVersion::v2),
                             "text/plain", "", stop_)
            : (*client)->ask("POST", "/api/v2/query?org=" + organisation, "application/vnd.flux",
                             fmt::format("from(bucket: {}) |> range(start: -1s) |> limit(n: 1)",
                                         flux_string(bucket.name)),
                             stop_);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status >= 500 || answer->status == 429) {
      return std::unexpected(unexpected_answer(endpoint, "cannot try a token", *answer));
    }
    if (!answer->ok()) return false;
  }
  return true;
}

Expected<void> Setup::remove_tokens(const std::string& description) {
  auto list = ask_json("cannot list tokens", "GET",
                       "/api/v2/authorizations?limit=100&orgID=" + organisation_id_);
  if (!list) return std::unexpected(std::move(list).error());
  std::vector<std::string> ids;
  dom::array entries;
  if ((*list)["authorizations"].get(entries) == simdjson::SUCCESS) {
    for (const dom::element entry : entries) {
      if (text_member(entry, "description") == description) ids.push_back(text_member(entry, "id"));
    }
  }
  for (const std::string& id : ids) {
    const auto removed = ask("cannot remove a token that nobody has any more", "DELETE",
                             "/api/v2/authorizations/" + id, {}, 404);
    if (!removed) return std::unexpected(removed.error());
  }
  return {};
}

Expected<void> Setup::token(TokenKind kind, const std::vector<Bucket>& buckets) {
  const bool writes = kind == TokenKind::write;
  const std::string word = writes ? "write" : "read";
  const std::string& old = writes ? options_.write_token : options_.read_token;
  const auto works = token_works(kind, old, buckets);
  if (!works) return std::unexpected(works.error());
  if (*works) {
    say(Did::found, fmt::format("{}-only token", word));
    return {};
  }
  // Other machines have tokens of their own, and theirs are in use.
  const std::string description =
      fmt::format("gpulse: {} {} on {}", word, main_bucket(), host_name());
  if (!old.empty()) {
    if (auto removed = remove_tokens(description); !removed) return removed;
  }
  std::string permissions;
  for (const Bucket& bucket : buckets) {
    permissions +=
        fmt::format(R"({}{{"action":"{}","resource":{{"type":"buckets","id":{},"orgID":{}}}}})",
                    permissions.empty() ? "" : ",", word, json_string(bucket.id),
                    json_string(organisation_id_));
  }
  auto made =
      ask_json(fmt::format("cannot make the {}-only token", word), "POST", "/api/v2/authorizations",
               fmt::format(R"({{"orgID":{},"description":{},"permissions":[{}]}})",
                           json_string(organisation_id_), json_string(description), permissions));
  if (!made) return std::unexpected(std::move(made).error());
  (writes ? result_.write_token : result_.read_token) = text_member(*made, "token");
  say(old.empty() ? Did::made : Did::mended, fmt::format("{}-only token", word));
  return {};
}

Expected<InfluxSetupResult> Setup::run() {
  if (auto done = check_server(); !done) return std::unexpected(std::move(done).error());
  if (auto done = organisation(); !done) return std::unexpected(std::move(done).error());
  std::vector<Bucket> buckets;
  std::vector<std::string> names{main_bucket()};
  if (options_.downsample) {
    for (const Downsampling& each : kDownsamplings) {
      names.push_back(downsampled_bucket(main_bucket(), each));
    }
  }
  for (const std::string& name : names) {
    auto made = bucket(name);
    if (!made) return std::unexpected(std::move(made).error());
    buckets.push_back(*std::move(made));
  }
  if (auto done = token(TokenKind::write, {buckets.front()}); !done) {
    return std::unexpected(std::move(done).error());
  }
  if (auto done = token(TokenKind::read, buckets); !done) {
    return std::unexpected(std::move(done).error());
  }
  if (options_.downsample) {
    for (const Downsampling& each : kDownsamplings) {
      if (auto done = task(each); !done) return std::unexpected(std::move(done).error());
    }
  }
  return std::move(result_);
}

}  // namespace

Expected<void> validate(const InfluxSetupOptions& options) {
  if (options.endpoint.address.organisation.empty()) {
    return usage_error(
        "only an InfluxDB 2 needs setting up, with organisation and bucket: "
        "influxdb://host:port/org/bucket. Version 1 wants a database, by CREATE DATABASE there, "
        "and "
        "a login that may write to it; version 3 a token");
  }
  if (options.endpoint.token.empty()) {
    return usage_error("setting up needs an administrator's token, in a file or in " +
                       std::string(kInfluxTokenVariable));
  }
  const auto retention = options.retention.value_or(std::chrono::seconds(0));
  if (retention.count() != 0 && retention < kRetentionMin) {
    return usage_error("InfluxDB keeps rows for an hour at least; 0 is for ever");
  }
  return {};
}

Expected<InfluxSetupResult> set_up_influx(const InfluxSetupOptions& options,
                                          const std::stop_token& stop) {
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid).error());
  auto client = InfluxClient::build(options.endpoint);
  if (!client) return std::unexpected(std::move(client).error());
  return Setup(options, **client, stop).run();
}

}  // namespace gpulse
