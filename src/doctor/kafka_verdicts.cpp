// What a cluster's answers mean for gpulse.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "doctor/kafka_check.h"
#include "telemetry/plural.h"

namespace gpulse::doctor {
namespace {

// So long a sink may be away over a weekend and a holiday, and nothing is lost.
constexpr std::chrono::hours kRetentionWarn{72};
// At a row a second and GPU this is minutes: beyond, a sink is catching up, or does not keep up.
constexpr std::int64_t kLagWarn = 1000;
constexpr std::size_t kBrokersForCopies = 3;

std::optional<std::int64_t> number_in(const TopicSettings& settings, const std::string& name) {
  const auto found = settings.find(name);
  if (found == settings.end()) return std::nullopt;
  std::int64_t value = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

struct CopiesSummary {
  std::vector<int> headless;
  std::vector<int> behind;
  int fewest = 0;
};

CopiesSummary summarize(const std::vector<PartitionCopies>& copies) {
  CopiesSummary summary;
  summary.fewest = copies.front().replicas;
  for (const PartitionCopies& each : copies) {
    if (!each.has_leader) summary.headless.push_back(each.partition);
    if (each.in_sync < each.replicas) summary.behind.push_back(each.partition);
    summary.fewest = std::min(summary.fewest, each.replicas);
  }
  return summary;
}

std::string principal(const KafkaConnection& connection) {
  return connection.user.empty() ? "User:NAME" : "User:" + connection.user;
}

}  // namespace

Check judge_topic(const std::string& topic, const std::vector<PartitionCopies>& copies,
                  std::size_t brokers, const TopicSettings& settings) {
  const std::string name = "topic " + topic;
  const CopiesSummary summary = summarize(copies);
  const auto min_in_sync = number_in(settings, "min.insync.replicas");
  std::string found = fmt::format("{}, {} of each", plural(copies.size(), "partition"),
                                  plural(summary.fewest, "copy", "copies"));
  if (min_in_sync && summary.fewest > 1)
    found += fmt::format(", written when {} of them {} it", *min_in_sync,
                         *min_in_sync == 1 ? "has" : "have");
  if (!summary.headless.empty()) {
    return fail(
        name,
        fmt::format("{}; partition {} has no leader", found, fmt::join(summary.headless, ", ")),
        "Its brokers are down: start them. Until then rows of the GPUs in that partition wait in "
        "their logs.");
  }
  const bool blocked = min_in_sync && std::ranges::any_of(copies, [&](const PartitionCopies& each) {
                         return each.in_sync < *min_in_sync;
                       });
  if (blocked) {
    return fail(name, found + "; fewer are in step now, so nothing can be written",
                "Start the brokers that are down; rows wait in their logs until then.");
  }
  if (!summary.behind.empty()) {
    return warn(
        name,
        fmt::format("{}; partition {} lacks a copy now", found, fmt::join(summary.behind, ", ")),
        "A broker is down or catching up: start it, or wait and ask again. Everything works "
        "meanwhile, with one safety less.");
  }
  if (min_in_sync && summary.fewest > 1 && *min_in_sync >= summary.fewest) {
    return warn(name, found + ": one dead broker stops every write",
                "Set min.insync.replicas of the topic to one less than it has copies.");
  }
  if (summary.fewest == 1 && brokers >= kBrokersForCopies) {
    return warn(
        name, found + fmt::format(", though there are {} brokers", brokers),
        "A broker that dies takes its partitions along. Have the topic's replication raised to 3 "
        "(kafka-reassign-partitions), with min.insync.replicas=2.");
  }
  return ok(name, std::move(found));
}

Check judge_topic_retention(const KafkaQuestions& questions, const TopicSettings& settings) {
  const std::string name = "retention of " + questions.connection.topic;
  const auto ms = number_in(settings, "retention.ms");
  if (!ms) return skipped(name, "the cluster does not tell it");
  const auto bytes = number_in(settings, "retention.bytes").value_or(-1);
  const std::string limit =
      bytes < 0 ? "" : fmt::format(", and at most {} MB a partition", bytes / 1'000'000);
  if (*ms < 0) return ok(name, "for ever" + limit);
  const std::chrono::milliseconds kept(*ms);
  const std::string found = length_in_words(kept) + limit;
  if (questions.retention && kept < *questions.retention) {
    return fail(
        name,
        fmt::format("{}, of the {} that are wanted", found, length_in_words(*questions.retention)),
        fmt::format("Have retention.ms of the topic set to {}.",
                    std::chrono::milliseconds(*questions.retention).count()));
  }
  if (!questions.retention && kept < kRetentionWarn) {
    return warn(
        name, found,
        "What no sink has read by then is lost. Have retention.ms of the topic raised to a week "
        "(604800000), or say with --topic-retention what is enough.");
  }
  return ok(name, found);
}

Check judge_right(const KafkaConnection& connection, std::string_view right, bool granted,
                  bool needed) {
  std::string name = fmt::format("right to {} {}", right, connection.topic);
  const std::string who = connection.user.empty() ? "this client" : "user " + connection.user;
  if (granted) return ok(std::move(name), fmt::format("{} may", who));
  if (!needed) return skipped(std::move(name), fmt::format("{} may not, and need not", who));
  const bool write = right == "write";
  return fail(
      std::move(name), fmt::format("{} may not", who),
      fmt::format(
          "Ask whoever runs the cluster for that right: kafka-acls --add --allow-principal {} "
          "--operation {} --topic {}. Or name the user that has it with --user.",
          principal(connection), write ? "Write" : "Read", connection.topic));
}

Check judge_group(const std::string& group_name, const GroupDescription& group,
                  const std::vector<PartitionLag>& lags) {
  const std::string name = "group " + group_name;
  std::int64_t lag = 0;
  std::int64_t lost = 0;
  std::vector<std::string> parts;
  for (const PartitionLag& each : lags) {
    lag += each.lag();
    if (each.committed >= 0 && each.committed < each.begin) lost += each.begin - each.committed;
    if (each.lag() > 0) parts.push_back(fmt::format("{}: {}", each.place.partition, each.lag()));
  }
  const bool started =
      std::ranges::any_of(lags, [](const PartitionLag& each) { return each.committed >= 0; });
  std::string found = fmt::format("{}, {} to read", plural(group.members, "member"),
                                  lag == 0 ? "nothing" : plural(lag, "record"));
  if (!parts.empty()) found += fmt::format(" (in partition {})", fmt::join(parts, ", "));
  if (group.may_read == false) {
    return fail(name, "this user may not read in it",
                fmt::format("Ask whoever runs the cluster for that right: kafka-acls --add "
                            "--operation Read --group {}. Or name the user that has it with "
                            "--user.",
                            group_name));
  }
  if (lost > 0) {
    return fail(name,
                fmt::format("{}; {} removed before the group had read them", found,
                            plural(lost, "record was", "records were")),
                "They are lost to it (the topic's retention). The sink goes on behind them with "
                "--accept-loss; the rows themselves are still in their logs, and gpulse produce "
                "with a new --state sends them again.");
  }
  if (group.members == 0 && !started) {
    return warn(name,
                fmt::format("nobody has read in it yet, {} in the topic", plural(lag, "record")),
                "Start the sink: gpulse sink influxdb --from kafka://…; or name the group that it "
                "has with --group.");
  }
  if (group.members == 0) {
    return fail(
        name, found,
        "No sink is running: start gpulse sink influxdb with this group. It goes on behind what "
        "InfluxDB has; nothing is lost while the topic keeps its records.");
  }
  if (lag > kLagWarn) {
    return warn(name, found,
                "Ask again in a minute. If it falls, the sink is catching up; if not, its log says "
                "what it waits for. As many sinks as there are partitions share the work.");
  }
  return ok(name, std::move(found));
}

}  // namespace gpulse::doctor
