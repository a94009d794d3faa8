#include <fmt/format.h>

#include "cli/dead_letters.h"
#include "kafka/admin.h"
#include "kafka/dead_letter.h"
#include "kafka/topic_reader.h"

namespace gpulse::cli {
namespace {

constexpr std::size_t kRecordsAtOnce = 500;
constexpr std::chrono::seconds kPatience{10};

struct Topics {
  KafkaConnection source;
  KafkaConnection dead;
};

Expected<bool> is_there(const KafkaConnection& topic, KafkaObserver& observer) {
  const auto admin = KafkaAdmin::open(topic, observer);
  if (!admin) return std::unexpected(admin.error());
  const auto partitions = (*admin)->partitions(kPatience);
  if (!partitions) return std::unexpected(partitions.error());
  return *partitions > 0;
}

// Their topic is made for the first of them, so without one there are none; but of a topic that is
// not there itself nothing can be said.
Expected<bool> are_any(const Topics& topics, KafkaObserver& observer) {
  const auto any = is_there(topics.dead, observer);
  if (!any || *any) return any;
  const auto source = is_there(topics.source, observer);
  if (!source) return source;
  const std::string& name = topics.source.topic;
  if (!*source) return operation_error(fmt::format("there is no topic {}", name));
  if (const auto of = topic_of_dead_letters(name)) {
    return usage_error(fmt::format(
        "{} holds dead letters itself: name the topic that they are of, {}", name, *of));
  }
  return false;
}

// Sends a few at once, each to the partition that it came from, and notes that it did.
class Resender {
 public:
  [[nodiscard]] static Expected<Resender> open(const Topics& topics, KafkaObserver& observer) {
    auto target = RecordWriter::open({topics.source, 0}, observer);
    if (!target) return std::unexpected(target.error());
    auto notes = RecordWriter::open({topics.dead, 0}, observer);
    if (!notes) return std::unexpected(notes.error());
    return Resender(std::move(*target), std::move(*notes));
  }

  Expected<void> add(const std::string& place, ShownLetter letter, const std::stop_token& stop) {
    OutgoingRecord record{std::move(letter.key), std::move(letter.value), {}, 0};
    record.partition = letter.partition.value_or(0);
    record.headers.emplace_back(kResentHeader, place);
    bytes_ += record.value.size();
    records_.push_back(std::move(record));
    notes_.push_back(resent_note(place));
    if (records_.size() < kRecordsAtOnce && bytes_ < kBytesAtOnce) return {};
    return send(stop);
  }
  Expected<void> send(const std::stop_token& stop) {
    if (auto sent = target_->write(records_, stop); !sent) return sent;
    if (auto noted = note_writer_->write(notes_, stop); !noted) return noted;
    records_.clear();
    notes_.clear();
    bytes_ = 0;
    return {};
  }

 private:
  static constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;

  Resender(std::unique_ptr<RecordWriter> target, std::unique_ptr<RecordWriter> notes)
      : target_(std::move(target)), note_writer_(std::move(notes)) {}

  std::unique_ptr<RecordWriter> target_;
  std::unique_ptr<RecordWriter> note_writer_;
  std::vector<OutgoingRecord> records_;
  std::vector<OutgoingRecord> notes_;
  std::size_t bytes_ = 0;
};

class DeadTopic final : public DeadLetters {
 public:
  explicit DeadTopic(Topics topics) : topics_(std::move(topics)) {}

  [[nodiscard]] const std::string& name() const override { return topics_.dead.topic; }

  // What is no dead letter of ours is none of our business: the topic may have other writers.
  [[nodiscard]] Expected<void> visit(const Visitor& visitor) override {
    const auto any = are_any(topics_, silent_);
    if (!any) return std::unexpected(any.error());
    if (!*any) return {};
    const auto reader = TopicReader::open(topics_.dead, silent_);
    if (!reader) return std::unexpected(reader.error());
    for (;;) {
      const auto records = (*reader)->next(kRecordsAtOnce);
      if (!records) return std::unexpected(records.error());
      if (records->empty()) return {};
      for (const KafkaRecord& record : *records) {
        if (const std::string place = resent_place(record); !place.empty()) {
          visitor.resent(place);
        } else if (auto letter = parse_dead_letter(record)) {
          const std::string at = place_text(record.partition, record.offset);
          auto done = visitor.letter(at, shown(at, std::move(*letter)));
          if (!done) return done;
        }
      }
    }
  }

  [[nodiscard]] Expected<std::string> resend(const std::set<std::string>& places,
                                             const std::stop_token& stop) override {
    KafkaReporter reporter;
    auto resender = Resender::open(topics_, reporter);
    if (!resender) return std::unexpected(resender.error());
    auto done = visit({[&](const std::string& place, ShownLetter letter) -> Expected<void> {
                         if (!places.contains(place)) return {};
                         return resender->add(place, std::move(letter), stop);
                       },
                       [](const std::string&) {}});
    if (done) done = resender->send(stop);
    if (!done) return std::unexpected(done.error());
    return topics_.source.topic;
  }

 private:
  [[nodiscard]] ShownLetter shown(const std::string& place, DeadLetter letter) const {
    ShownLetter out;
    if (letter.place.topic != topics_.source.topic) {
      out.unsendable = {ErrorKind::usage,
                        fmt::format("the dead letter {} is of the topic {}: name that with --from",
                                    place, letter.place.topic),
                        false};
    } else if (letter.is_cut()) {
      out.unsendable = {
          ErrorKind::input,
          fmt::format("the dead letter {} was cut, it cannot be sent again; the whole of it is at "
                      "offset {} of partition {} of {}, as long as that is kept",
                      place, letter.offset, letter.place.partition, letter.place.topic),
          false};
    }
    out.time = letter.time;
    out.topic = std::move(letter.place.topic);
    out.partition = letter.place.partition;
    out.offset = letter.offset;
    out.by = std::move(letter.group);
    out.reason = std::move(letter.reason);
    out.key = std::move(letter.key);
    out.value = std::move(letter.value);
    out.value_bytes = letter.value_bytes;
    return out;
  }

  const Topics topics_;
  KafkaObserver silent_;  // what it would tell is in the error
};

}  // namespace

Expected<std::unique_ptr<DeadLetters>> open_dead_topic(const KafkaArguments& kafka,
                                                       const std::string& dead_topic) {
  auto connection = kafka_connection(kafka);
  if (!connection) return std::unexpected(connection.error());
  Topics topics{*connection, *connection};
  topics.dead.topic = dead_topic_of(dead_topic, *connection);
  return std::make_unique<DeadTopic>(std::move(topics));
}

}  // namespace gpulse::cli
