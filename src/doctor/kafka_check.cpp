#include "doctor/kafka_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <set>

#include "doctor/clock_check.h"

namespace gpulse::doctor {
namespace {

constexpr std::chrono::milliseconds kPatience{4000};

constexpr const char* kNoBroker =
    "See that the broker runs and its port is right (`deploy/stack status` for a stack of ours), "
    "and that no firewall lies between. One that hangs up at once may be for TLS only: --user or "
    "--security. produce and sink wait for it and lose nothing meanwhile.";
constexpr const char* kNoLogin =
    "Name the user with --user and the file with its password with --password-file; its first line "
    "counts. If both are right, see --mechanism, and whether the cluster still knows that user.";
constexpr const char* kNoTrust =
    "Name the file of who signed the broker's certificate with --ca-file, and the broker as its "
    "certificate names it. If the port is not the one for TLS, name that.";

std::string spoken(const KafkaConnection& connection) {
  switch (connection.security) {
    case KafkaSecurity::plaintext: return "answers, without TLS";
    case KafkaSecurity::tls: return "answers over TLS";
    case KafkaSecurity::sasl_tls: break;
  }
  return fmt::format("answers over TLS, user {} is logged in", connection.user);
}

struct BrokerAnswer {
  Check check;
  std::vector<std::string> all;  // the cluster's brokers, by this one; none when it does not answer
};

BrokerAnswer ask_broker(KafkaConnection connection, const std::string& broker) {
  const std::string name = "broker " + broker;
  connection.brokers = {broker};
  KafkaObserver nobody;
  const auto admin = KafkaAdmin::open(connection, nobody);
  if (!admin) return {fail(name, admin.error().message, kNoTrust), {}};
  auto all = (*admin)->brokers(kPatience);
  if (!all) {
    const char* advice = (*admin)->login_refused() ? kNoLogin : kNoTrust;
    if (all.error().retryable) advice = kNoBroker;
    return {fail(name, all.error().message, advice), {}};
  }
  return {ok(name, spoken(connection)), *std::move(all)};
}

std::vector<BrokerAnswer> ask_brokers(const KafkaConnection& connection,
                                      const std::vector<std::string>& brokers) {
  std::vector<std::future<BrokerAnswer>> asked;
  asked.reserve(brokers.size());
  for (const std::string& broker : brokers) {
    asked.push_back(std::async(std::launch::async, ask_broker, connection, broker));
  }
  std::vector<BrokerAnswer> answers;
  answers.reserve(asked.size());
  for (auto& each : asked) answers.push_back(each.get());
  return answers;
}

// One run of check_kafka().
class KafkaExamination {
 public:
  KafkaExamination(const KafkaQuestions& questions, const Clock& clock)
      : questions_(questions), clock_(clock), topic_(questions.connection.topic) {}

  Checks run() {
    if (!reach_brokers()) {
      skip_rest("no broker can be asked");
      return std::move(checks_);
    }
    auto admin = KafkaAdmin::open(reachable_, nobody_);
    if (!admin) {
      checks_.push_back(fail("cluster", admin.error().message, "See the brokers above."));
      return std::move(checks_);
    }
    admin_ = *std::move(admin);
    if (examine_topic()) {
      examine_rights();
      examine_newest();
    }
    if (!questions_.group.empty()) examine_group();
    return std::move(checks_);
  }

 private:
  bool reach_brokers();
  void examine_addresses(const std::set<std::string>& all);
  bool examine_topic();
  void examine_rights();
  void examine_newest();
  void examine_group();
  void skip_topic_rest(const std::string& why) {
    checks_.push_back(skipped("retention of " + topic_, why));
    checks_.push_back(skipped("rights to " + topic_, why));
  }
  void skip_rest(const std::string& why) {
    checks_.push_back(skipped("topic " + topic_, why));
    skip_topic_rest(why);
    if (!questions_.group.empty()) checks_.push_back(skipped("group " + questions_.group, why));
  }

  const KafkaQuestions& questions_;
  const Clock& clock_;
  const std::string& topic_;
  KafkaConnection reachable_;
  std::size_t brokers_ = 0;
  KafkaObserver nobody_;
  std::unique_ptr<KafkaAdmin> admin_;
  bool topic_exists_ = false;
  Checks checks_;
};

bool KafkaExamination::reach_brokers() {
  reachable_ = questions_.connection;
  reachable_.brokers.clear();
  std::set<std::string> all;
  const auto& named = questions_.connection.brokers;
  auto answers = ask_brokers(questions_.connection, named);
  for (std::size_t i = 0; i < named.size(); ++i) {
    checks_.push_back(std::move(answers[i].check));
    if (answers[i].all.empty()) continue;
    reachable_.brokers.push_back(named[i]);
    all.insert(answers[i].all.begin(), answers[i].all.end());
  }
  brokers_ = all.size();
  if (reachable_.brokers.empty()) return false;
  examine_addresses(all);
  return true;
}

// Clients go where the cluster says that its brokers are, not where they found the first.
void KafkaExamination::examine_addresses(const std::set<std::string>& all) {
  const auto& named = questions_.connection.brokers;
  std::vector<std::string> others;
  for (const std::string& broker : all) {
    if (std::ranges::find(named, broker) == named.end()) others.push_back(broker);
  }
  auto answers = ask_brokers(questions_.connection, others);
  for (std::size_t i = 0; i < others.size(); ++i) {
    Check& check = answers[i].check;
    if (check.verdict == Verdict::fail) {
      check.advice = fmt::format(
          "The cluster itself says that one of its brokers is at {}, and every client goes there. "
          "Make that address reachable from here, or have advertised.listeners of that broker "
          "corrected.",
          others[i]);
    } else {
      check.found += "; named by the cluster";
    }
    checks_.push_back(std::move(check));
  }
  if (named.size() == 1 && all.size() > 1) {
    checks_.push_back(
        warn("cluster", fmt::format("{} brokers, of which one is named", all.size()),
             fmt::format("A start fails while that one is down. Name all of them: kafka://{}/{}",
                         fmt::join(all, ","), topic_)));
  }
}

bool KafkaExamination::examine_topic() {
  const std::string name = "topic " + topic_;
  const auto copies = admin_->copies(kPatience);
  if (!copies) {
    checks_.push_back(
        fail(name, copies.error().message,
             "See the name of the topic in --kafka, and ask whoever runs the cluster for the "
             "rights to it."));
    skip_topic_rest("the topic cannot be described");
    return false;
  }
  if (copies->empty()) {
    checks_.push_back(fail(name, "there is no such topic",
                           "gpulse produce makes it with its first row, unless --no-create-topic "
                           "forbids that. Else have it made with as many partitions as it shall "
                           "keep, mostly 4, or correct the name in --kafka."));
    skip_topic_rest("there is no topic");
    return false;
  }
  topic_exists_ = true;
  const auto settings = admin_->topic_settings(kPatience);
  checks_.push_back(judge_topic(topic_, *copies, brokers_, settings.value_or(TopicSettings{})));
  if (settings) {
    checks_.push_back(judge_topic_retention(questions_, *settings));
  } else {
    checks_.push_back(skipped("retention of " + topic_, "not told: " + settings.error().message));
  }
  return true;
}

void KafkaExamination::examine_rights() {
  const auto rights = admin_->topic_rights(kPatience);
  if (!rights) {
    checks_.push_back(skipped("rights to " + topic_, rights.error().message));
    return;
  }
  if (!*rights) {
    checks_.push_back(skipped("rights to " + topic_, "this build's librdkafka is too old to ask"));
    return;
  }
  const KafkaConnection& connection = questions_.connection;
  if ((*rights)->write || questions_.writes) {
    checks_.push_back(judge_right(connection, "write", (*rights)->write, questions_.writes));
  }
  if ((*rights)->read || questions_.reads) {
    checks_.push_back(judge_right(connection, "read", (*rights)->read, questions_.reads));
  }
  if (!(*rights)->write && !(*rights)->read && !questions_.writes && !questions_.reads) {
    checks_.push_back(judge_right(connection, "read", false, true));
  }
}

void KafkaExamination::examine_newest() {
  const std::string name = "newest record of " + topic_;
  const auto newest = admin_->newest_record(kPatience);
  if (newest) {
    checks_.push_back(judge_newest(name, *newest, clock_.now()));
  } else {
    checks_.push_back(skipped(name, newest.error().message));
  }
}

void KafkaExamination::examine_group() {
  const std::string& name = questions_.group;
  const auto group = admin_->group(name, kPatience);
  if (!group) {
    checks_.push_back(
        fail("group " + name, group.error().message,
             "Have this user given the right to read in the group (an ACL: READ on group " + name +
                 "), or name another one with --group."));
    return;
  }
  if (!topic_exists_) {
    checks_.push_back(skipped("group " + name, "there is no topic in which it could be anywhere"));
    return;
  }
  const auto lags = admin_->group_lag(name, kPatience);
  if (!lags) {
    checks_.push_back(
        fail("group " + name, lags.error().message,
             "See the topic and the rights above; the user of the sink must be able to read both "
             "topic and group."));
    return;
  }
  checks_.push_back(judge_group(name, *group, *lags));
}

}  // namespace

Checks check_kafka(const KafkaQuestions& questions, const Clock& clock) {
  return KafkaExamination(questions, clock).run();
}

}  // namespace gpulse::doctor
