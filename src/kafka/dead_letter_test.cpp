#include "kafka/dead_letter.h"

#include <gtest/gtest.h>

namespace gpulse {
namespace {

// A record as it is read back.
struct ReadBack {
  explicit ReadBack(OutgoingRecord written) : record(std::move(written)) {
    for (const auto& [name, value] : record.headers) headers.push_back({name, value});
  }
  [[nodiscard]] KafkaRecord view() const {
    return {"gpu-metrics-dead", 0, 17, record.key, record.value, headers};
  }

  OutgoingRecord record;
  std::vector<KafkaHeader> headers;
};

DeadLetter letter() {
  return {{"gpu-metrics", 3},
          123'456,
          "it is no whole JSON object",
          "gpulse-influxdb",
          *parse_timestamp("2026-11-24T16:18:27.5Z"),
          "rig/gpu0",
          "poison",
          6};
}

TEST(DeadLetter, HasATopicOfItsOwn) {
  EXPECT_EQ(dead_letter_topic("gpu-metrics"), "gpu-metrics-dead");
  EXPECT_EQ(topic_of_dead_letters("gpu-metrics-dead"), "gpu-metrics");
  EXPECT_EQ(topic_of_dead_letters("gpu-metrics"), std::nullopt);
}

TEST(DeadLetter, IsReadAsItWasWritten) {
  DeadLetter written = letter();
  written.value = std::string("poi\0son", 7);
  const ReadBack back(to_record(written));
  const auto read = parse_dead_letter(back.view());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->place, written.place);
  EXPECT_EQ(read->offset, written.offset);
  EXPECT_EQ(read->reason, written.reason);
  EXPECT_EQ(read->group, written.group);
  EXPECT_EQ(read->time, written.time);
  EXPECT_EQ(read->key, written.key);
  EXPECT_EQ(read->value, written.value);
  EXPECT_FALSE(read->is_cut());
}

TEST(DeadLetter, AValueThatABrokerWouldRefuseIsCut) {
  DeadLetter large = letter();
  large.value.assign(kDeadValueBytesMax + 1, 'x');
  const ReadBack back(to_record(large));
  const auto read = parse_dead_letter(back.view());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->is_cut());
  EXPECT_EQ(read->value.size(), kDeadValueBytesMax);
  EXPECT_EQ(read->value_bytes, kDeadValueBytesMax + 1);
}

TEST(DeadLetter, FitsIntoARecordWhateverWasSetAside) {
  constexpr std::size_t kRecordBytesMax = 1'000'000;  // of librdkafka's message.max.bytes
  DeadLetter large = letter();
  for (std::string* const text : {&large.key, &large.value, &large.reason}) {
    text->assign(std::size_t{2} << 20, 'x');
  }
  const OutgoingRecord record = to_record(large);
  std::size_t bytes = record.key.size() + record.value.size();
  for (const auto& [name, value] : record.headers) bytes += name.size() + value.size();
  EXPECT_LT(bytes, kRecordBytesMax - 1000);
}

TEST(DeadLetter, ARecordWithoutItsHeadersIsNone) {
  for (std::size_t missing = 0; missing < 7; ++missing) {
    OutgoingRecord record = to_record(letter());
    ASSERT_EQ(record.headers.size(), 7U);
    const std::string name = record.headers[missing].first;
    record.headers.erase(record.headers.begin() + static_cast<std::ptrdiff_t>(missing));
    const ReadBack back(record);
    const bool optional = name == "gpulse-dead-reason" || name == "gpulse-dead-group";
    EXPECT_EQ(parse_dead_letter(back.view()).has_value(), optional) << name;
  }
  OutgoingRecord wrong = to_record(letter());
  wrong.headers[1].second = "3x";
  const ReadBack back(wrong);
  const auto read = parse_dead_letter(back.view());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "the record at 0:17 of gpu-metrics-dead is no dead letter of gpulse");
}

TEST(DeadLetter, ANoteSaysWhichWasSentAgain) {
  const ReadBack note(resent_note(place_text(0, 17)));
  EXPECT_EQ(resent_place(note.view()), "0:17");
  EXPECT_FALSE(parse_dead_letter(note.view()));
  const ReadBack other(to_record(letter()));
  EXPECT_EQ(resent_place(other.view()), "");
}

}  // namespace
}  // namespace gpulse
