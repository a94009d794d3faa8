#include "doctor/influx_check.h"

#include <fmt/format.h>

#include "doctor/clock_check.h"
#include "influxdb/answer.h"
#include "influxdb/downsampling.h"

namespace gpulse::doctor {
namespace {

constexpr std::chrono::milliseconds kPatience{4000};
constexpr unsigned kUnauthorized = 401;
constexpr unsigned kForbidden = 403;
constexpr unsigned kNotFound = 404;

bool is_success(unsigned status) { return status >= 200 && status < 300; }

std::string keeps(std::chrono::seconds retention) {
  return retention.count() == 0 ? "for ever" : length_in_words(retention);
}

// One run of check_influx().
class InfluxExamination {
 public:
  InfluxExamination(const InfluxQuestions& questions, const Clock& clock)
      : questions_(questions), clock_(clock) {}

  Checks run() {
    if (!open()) return std::move(checks_);
    if (!examine_server()) {
      checks_.push_back(skipped(bucket_name(), "InfluxDB cannot be asked"));
      return std::move(checks_);
    }
    if (token_usable_ && endpoint_.token.empty() && is_v2_) {
      checks_.push_back(
          fail("influxdb token", "none is given",
               "Name the file that `gpulse setup influxdb` made, with --influxdb-token-file."));
      token_usable_ = false;
    }
    if (!token_usable_) {
      checks_.push_back(skipped(bucket_name(), "there is no token to ask with"));
      return std::move(checks_);
    }
    if (examine_token()) {
      examine_bucket();
      for (const Downsampling& each : kDownsamplings) examine_task(each);
      examine_newest();
    }
    return std::move(checks_);
  }

 private:
  bool open();
  bool connect();
  bool examine_server();
  bool examine_token();
  void examine_bucket();
  void examine_task(const Downsampling& downsampling);
  void examine_newest();
  [[nodiscard]] std::string server_name() const {
    return "influxdb " + endpoint_.address.authority();
  }
  [[nodiscard]] std::string bucket_name() const { return "bucket " + endpoint_.address.bucket; }

  const InfluxQuestions& questions_;
  const Clock& clock_;
  InfluxEndpoint endpoint_;
  bool token_usable_ = true;
  bool may_read_ = false;
  bool is_v2_ = true;
  std::unique_ptr<InfluxClient> client_;
  Checks checks_;
};

bool InfluxExamination::open() {
  auto endpoint = open_endpoint(questions_.options);
  if (!endpoint && !questions_.options.token_file.empty()) {
    // The server can be asked without it.
    checks_.push_back(
        fail("influxdb token", endpoint.error().message,
             "Do what it says; `gpulse setup influxdb` makes a new file write-token, if need be."));
    token_usable_ = false;
    InfluxOptions bare = questions_.options;
    bare.token_file.clear();
    endpoint = open_endpoint(bare, nullptr);
  }
  if (!endpoint) {
    checks_.push_back(
        fail("influxdb settings", endpoint.error().message, "Correct the options for InfluxDB."));
    return false;
  }
  endpoint_ = *std::move(endpoint);
  return connect();
}

bool InfluxExamination::connect() {
  auto client = InfluxClient::build(endpoint_, kPatience);
  if (!client) {
    checks_.push_back(fail("influxdb settings", client.error().message,
                           "Name the right file with --influxdb-ca-file."));
    return false;
  }
  client_ = *std::move(client);
  return true;
}

bool InfluxExamination::examine_server() {
  const Timestamp before = clock_.now();
  const auto health = influx_health(*client_);
  const Timestamp after = clock_.now();
  if (!health) {
    checks_.push_back(fail(
        server_name(), health.error().message,
        health.error().retryable
            ? "See that it runs and that the port is right (`deploy/stack status` for a stack of "
              "ours), and that no firewall lies between. The sink waits for it; nothing is lost."
            : "Do what it says. If it is the certificate: name the file of who signed that with "
              "--influxdb-ca-file, and the server as its certificate names it."));
    return false;
  }
  const std::string version = health->version.empty() ? "" : " " + health->version;
  if (health->healthy) {
    checks_.push_back(ok(
        server_name(), fmt::format("{}{}", endpoint_.address.tls ? "answers over TLS," : "answers,",
                                   version.empty() ? " healthy" : version + ", healthy")));
  } else {
    checks_.push_back(fail(
        server_name(),
        fmt::format("answers, but not as a healthy InfluxDB does: {}", health->message),
        "Its log says more; if this address is another server's, correct --influxdb (influxdbs:// "
        "for one that speaks TLS)."));
    if (health->version.empty()) return false;  // nothing says that it is one at all
  }
  if (health->time) {
    checks_.push_back(judge_clock_beside("influxdb", *health->time, before, after));
  }
  const InfluxVersion assumed = assumed_version(endpoint_.address);
  if (!endpoint_.address.version) endpoint_.address.version = read_version(health->version);
  is_v2_ = assumed_version(endpoint_.address) == InfluxVersion::v2;
  // Each is spoken to in its own way.
  return assumed == assumed_version(endpoint_.address) || connect();
}

bool InfluxExamination::examine_token() {
  const auto wrote = try_write(*client_);
  if (!wrote) {
    checks_.push_back(fail("influxdb token", wrote.error().message, "See the server above."));
    return false;
  }
  std::optional<unsigned> read_status;
  if (is_v2_) {
    const auto read = try_read(*client_);
    read_status = read ? read->status : kNotFound;
  }
  may_read_ = read_status && is_success(*read_status);
  checks_.push_back(judge_token(endpoint_, wrote->status, read_status));
  return wrote->ok() || may_read_;
}

void InfluxExamination::examine_bucket() {
  if (!is_v2_) {
    checks_.push_back(skipped(bucket_name(),
                              "of InfluxDB 2 only it is asked how long it keeps rows "
                              "and which is the newest"));
    return;
  }
  const auto bucket = find_bucket(*client_, endpoint_.address.bucket);
  if (bucket && *bucket) {
    checks_.push_back(judge_bucket(endpoint_, **bucket, questions_.retention));
  } else if (bucket) {
    checks_.push_back(ok(bucket_name(), "is there; how long it keeps rows this token may not ask"));
  } else {
    checks_.push_back(fail(bucket_name(), bucket.error().message, "See InfluxDB's log."));
  }
}

void InfluxExamination::examine_task(const Downsampling& downsampling) {
  if (!is_v2_) return;
  const std::string name = downsampled_bucket(endpoint_.address.bucket, downsampling);
  const auto task = find_task(*client_, name);
  if (task && *task) {
    checks_.push_back(judge_task(name, **task));
  } else if (task) {
    checks_.push_back(skipped("task " + name,
                              "not there, or this token may not see it (an administrator's may)"));
  } else {
    checks_.push_back(fail("task " + name, task.error().message, "See InfluxDB's log."));
  }
}

void InfluxExamination::examine_newest() {
  if (!may_read_) return;
  const std::string name = "newest row in " + endpoint_.address.bucket;
  const auto newest = newest_row(*client_);
  if (newest) {
    checks_.push_back(judge_newest(name, *newest, clock_.now()));
  } else {
    checks_.push_back(fail(name, newest.error().message, "See InfluxDB's log."));
  }
}

// Of an InfluxDB 1, where `gpulse setup influxdb` is of no help.
Check judge_refused_login(const InfluxEndpoint& endpoint, unsigned write_status) {
  const std::string name = "influxdb token";
  const std::string& database = endpoint.address.bucket;
  switch (write_status) {
    case kUnauthorized:
      return fail(name,
                  endpoint.token.empty()
                      ? "none is given, and InfluxDB wants a login"
                      : fmt::format("InfluxDB does not know {}", endpoint.token_from),
                  "For InfluxDB 1 it is one line, user:password, in the file that "
                  "--influxdb-token-file names.");
    case kForbidden:
      return fail(name, fmt::format("may not write to {}", database),
                  fmt::format("In InfluxDB: GRANT WRITE ON \"{}\" TO the user.", database));
    case kNotFound:
      return fail(name, fmt::format("there is no database {}", database),
                  fmt::format("In InfluxDB: CREATE DATABASE \"{}\"; or correct its name in "
                              "--influxdb.",
                              database));
    default:
      return fail(name, fmt::format("a write is answered with {}", write_status),
                  "See that the address is InfluxDB's, and InfluxDB's log.");
  }
}

}  // namespace

Check judge_token(const InfluxEndpoint& endpoint, unsigned write_status,
                  std::optional<unsigned> read_status) {
  const std::string name = "influxdb token";
  const std::string& bucket = endpoint.address.bucket;
  const bool reads = read_status && is_success(*read_status);
  if (is_success(write_status)) {
    return ok(name, fmt::format("{}may write to {}{}",
                                endpoint.token.empty() ? "none is needed: anybody " : "", bucket,
                                reads         ? " and read it"
                                : read_status ? " and nothing else"
                                              : ""));
  }
  if (assumed_version(endpoint.address) == InfluxVersion::v1) {
    return judge_refused_login(endpoint, write_status);
  }
  if (write_status == kUnauthorized) {
    return fail(name, fmt::format("InfluxDB does not know {}", endpoint.token_from),
                "Use the file write-token that `gpulse setup influxdb` made for this InfluxDB; run "
                "it again if that token was removed.");
  }
  if (reads) {
    return fail(name, fmt::format("may read {} and not write to it", bucket),
                "That is a token for Grafana. The sink needs the file write-token beside it.");
  }
  if (write_status == kNotFound) {
    return fail(
        name,
        fmt::format("there is no bucket {} in {}, or the token may not see it", bucket,
                    endpoint.address.organisation.empty() ? "it" : endpoint.address.organisation),
        "Make organisation and bucket with `gpulse setup influxdb`, or correct their names in "
        "--influxdb.");
  }
  if (write_status == kForbidden) {
    return fail(
        name, fmt::format("may not write to {}", bucket),
        "It is for another bucket. `gpulse setup influxdb` for this one makes the right token.");
  }
  return fail(name, fmt::format("a write is answered with {}", write_status),
              "See that the address is InfluxDB's, and InfluxDB's log.");
}

Check judge_bucket(const InfluxEndpoint& endpoint, const InfluxBucket& bucket,
                   std::optional<std::chrono::seconds> wanted) {
  const std::string name = "bucket " + endpoint.address.bucket;
  const std::string found = "keeps rows " + keeps(bucket.retention);
  if (bucket.retention.count() == 0) return ok(name, found);
  const bool short_of = wanted && (wanted->count() == 0 || bucket.retention < *wanted);
  if (short_of) {
    return fail(name, fmt::format("{}, wanted: {}", found, keeps(*wanted)),
                fmt::format("`gpulse setup influxdb --retention {}h` changes it; what was removed "
                            "by then comes back from the logs only.",
                            wanted->count() / 3600));
  }
  if (wanted) return ok(name, found);
  return warn(name, found,
              "Older rows are refused, so an old log does not get in. If that is not meant, "
              "`gpulse setup influxdb --retention 0h` keeps all; if it is, say so with "
              "--retention.");
}

Check judge_task(const std::string& task_name, const InfluxTask& task) {
  const std::string name = "task " + task_name;
  if (!task.active) {
    return fail(name, "is switched off",
                "Minutes and hours are not filled: `gpulse setup influxdb` switches it on, and "
                "--backfill FROM fills what is missing.");
  }
  if (task.last_run == "failed") {
    return fail(
        name, "its last run failed: " + task.last_error,
        "`gpulse setup influxdb` puts the task right; then --backfill FROM fills what is missing.");
  }
  return ok(name, task.last_run.empty() ? "active, has not run yet"
                                        : "active, last run: " + task.last_run);
}

Checks check_influx(const InfluxQuestions& questions, const Clock& clock) {
  return InfluxExamination(questions, clock).run();
}

}  // namespace gpulse::doctor
