#include "kafka/dead_letter.h"

#include <fmt/format.h>

#include <charconv>

namespace gpulse {
namespace {

constexpr std::string_view kTopicEnd = "-dead";
constexpr std::string_view kTopic = "gpulse-dead-topic";
constexpr std::string_view kPartition = "gpulse-dead-partition";
constexpr std::string_view kOffset = "gpulse-dead-offset";
constexpr std::string_view kReason = "gpulse-dead-reason";
constexpr std::string_view kGroup = "gpulse-dead-group";
constexpr std::string_view kTime = "gpulse-dead-time";
constexpr std::string_view kValueBytes = "gpulse-dead-value-bytes";
constexpr std::string_view kNote = "gpulse-dead-resent";

std::string_view header(const KafkaRecord& record, std::string_view name) {
  for (const KafkaHeader& one : record.headers) {
    if (one.name == name) return one.value;
  }
  return {};
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number out = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (text.empty() || error != std::errc{} || at != end) return std::nullopt;
  return out;
}

void cut(std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) text.resize(bytes_max);
}

}  // namespace

std::string dead_letter_topic(const std::string& topic) { return topic + std::string(kTopicEnd); }

std::optional<std::string> topic_of_dead_letters(std::string_view dead_topic) {
  if (!dead_topic.ends_with(kTopicEnd)) return std::nullopt;
  return std::string(dead_topic.substr(0, dead_topic.size() - kTopicEnd.size()));
}

std::string place_text(int partition, std::int64_t offset) {
  return fmt::format("{}:{}", partition, offset);
}

OutgoingRecord to_record(DeadLetter letter) {
  const std::size_t bytes = letter.value.size();
  // What is no sample may be anything, and the whole must fit into a record.
  cut(letter.key, kDeadKeyBytesMax);
  cut(letter.value, kDeadValueBytesMax);
  cut(letter.reason, kDeadReasonBytesMax);
  return {std::move(letter.key),
          std::move(letter.value),
          {{std::string(kTopic), letter.place.topic},
           {std::string(kPartition), std::to_string(letter.place.partition)},
           {std::string(kOffset), std::to_string(letter.offset)},
           {std::string(kReason), letter.reason},
           {std::string(kGroup), letter.group},
           {std::string(kTime), to_rfc3339(letter.time)},
           {std::string(kValueBytes), std::to_string(bytes)}}};
}

Expected<DeadLetter> parse_dead_letter(const KafkaRecord& record) {
  const auto partition = number<int>(header(record, kPartition));
  const auto offset = number<std::int64_t>(header(record, kOffset));
  const auto bytes = number<std::size_t>(header(record, kValueBytes));
  const auto time = parse_timestamp(header(record, kTime));
  const std::string_view topic = header(record, kTopic);
  if (!time || !partition || !offset || !bytes || topic.empty()) {
    return input_error(fmt::format("the record at {} of {} is no dead letter of gpulse",
                                   place_text(record.partition, record.offset), record.topic));
  }
  return DeadLetter{
      {std::string(topic), *partition},    *offset, std::string(header(record, kReason)),
      std::string(header(record, kGroup)), *time,   std::string(record.key),
      std::string(record.value),           *bytes};
}

OutgoingRecord resent_note(const std::string& place) {
  return {{}, {}, {{std::string(kNote), place}}};
}

std::string resent_place(const KafkaRecord& record) { return std::string(header(record, kNote)); }

}  // namespace gpulse
