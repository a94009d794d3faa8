// Records that cannot be stored, as they lie in the topic "<topic>-dead": key and value as they
// were, and where they came from and why in headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/consumer.h"
#include "kafka/record_writer.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// Lets a record that is sent again past the mark by which consumers drop doubles. Its value is the
// place of the dead letter, "0:17".
inline constexpr std::string_view kResentHeader = "gpulse-resent";
// Longer values are cut: a broker's limit for a record is 1 MB, headers included.
inline constexpr std::size_t kDeadValueBytesMax = std::size_t{900} << 10;
// And so are keys and reasons, which may have a foreign record's words in them.
inline constexpr std::size_t kDeadKeyBytesMax = std::size_t{32} << 10;
inline constexpr std::size_t kDeadReasonBytesMax = std::size_t{4} << 10;

struct DeadLetter {
  TopicPartition place;  // where it was read
  std::int64_t offset = 0;
  std::string reason;
  std::string group;  // whose reader set it aside
  Timestamp time;     // when, by its clock
  std::string key;
  std::string value;
  std::size_t value_bytes = 0;  // before it was cut

  [[nodiscard]] bool is_cut() const { return value.size() < value_bytes; }
};

[[nodiscard]] std::string dead_letter_topic(const std::string& topic);
// The topic whose dead letters go to one of that name; none: it is no such name.
[[nodiscard]] std::optional<std::string> topic_of_dead_letters(std::string_view dead_topic);

[[nodiscard]] OutgoingRecord to_record(DeadLetter letter);
// An input error for a record that is no dead letter.
[[nodiscard]] Expected<DeadLetter> parse_dead_letter(const KafkaRecord& record);

// The note, in the topic of the dead letters, that the one at that place was sent again; and its
// reading, "" when the record is no such note.
[[nodiscard]] OutgoingRecord resent_note(const std::string& place);
[[nodiscard]] std::string resent_place(const KafkaRecord& record);
// "0:17".
[[nodiscard]] std::string place_text(int partition, std::int64_t offset);

}  // namespace gpulse
