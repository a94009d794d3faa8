#include "cli/sent_topic.h"

#include <fmt/format.h>

#include <fstream>
#include <utility>

#include "platform/file.h"

namespace gpulse::cli {
namespace {

constexpr std::string_view kFileName = "topic";
constexpr std::string_view kUnknown = "-";

std::string_view word(const std::string& id) { return id.empty() ? kUnknown : id; }

struct SentTo {
  std::string topic;  // empty: nothing was sent yet
  int partitions = 0;
  TopicIdentity identity;

  friend bool operator==(const SentTo&, const SentTo&) = default;
};

SentTo read_sent_to(const std::filesystem::path& file) {
  SentTo sent;
  std::ifstream in(file);
  if (!(in >> sent.topic >> sent.partitions)) return {};
  const auto known = [&](std::string& id) {
    if (!(in >> id) || id == kUnknown) id.clear();
  };
  known(sent.identity.cluster);
  known(sent.identity.topic);
  return sent;
}

}  // namespace

Expected<void> hold_topic(ProducerOptions& options, const std::filesystem::path& folder) {
  options.positions_in = display(folder);
  const SentTo sent = read_sent_to(folder / kFileName);
  if (sent.topic.empty()) return {};
  if (sent.topic != options.connection.topic) {
    return usage_error(fmt::format(
        "the positions in {} are those of the topic {}, and say nothing of {}: leave --state out, "
        "or name a folder of its own",
        display(folder), sent.topic, options.connection.topic));
  }
  if (options.partitions.value_or(sent.partitions) != sent.partitions) {
    return usage_error(fmt::format(
        "--partitions {}: rows were sent to {} when it had {}, and that is never changed under "
        "them; leave the option out, or write to a new topic",
        *options.partitions, sent.topic, sent.partitions));
  }
  options.partitions = sent.partitions;
  options.sent_before = sent.identity;
  return {};
}

RememberingProducer::RememberingProducer(SampleProducer& producer, std::string topic,
                                         const std::filesystem::path& folder)
    : producer_(producer), topic_(std::move(topic)), file_(folder / kFileName) {}

Expected<void> RememberingProducer::deliver(std::span<const SampleBatch> batches,
                                            const std::stop_token& stop) {
  auto delivered = producer_.deliver(batches, stop);
  if (!delivered || written_) return delivered;
  auto remembered = remember();
  written_ = remembered.has_value();
  return remembered;
}

Expected<void> RememberingProducer::remember() const {
  const SentTo sent{topic_, producer_.partitions(), producer_.identity()};
  if (read_sent_to(file_) == sent) return {};
  auto part = file_;
  part += ".part";
  std::ofstream out(part, std::ios::trunc);
  out << sent.topic << ' ' << sent.partitions << ' ' << word(sent.identity.cluster) << ' '
      << word(sent.identity.topic) << '\n';
  out.close();
  if (auto flushed = flush_to_disk(part); !out || !flushed) {
    return operation_error(fmt::format("cannot write {}", display(part)), true);
  }
  if (const auto error = move_file(part, file_)) {
    return operation_error(fmt::format("cannot write {}: {}", display(file_), error.message()),
                           true);
  }
  return {};
}

}  // namespace gpulse::cli
