// gpulse dead: what the sinks could not store, seen, and sent again.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "cli/command.h"
#include "cli/kafka_options.h"
#include "cli/logging.h"
#include "kafka/admin.h"
#include "kafka/dead_letter.h"
#include "kafka/topic_reader.h"
#include "platform/signals.h"
#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

constexpr std::size_t kRecordsAtOnce = 500;
constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kReasonBytesShown = 90;

struct Arguments {
  KafkaArguments kafka;  // the topic whose dead letters they are
  std::string dead_topic;
  std::vector<std::string> places;
  bool all = false;
  bool json = false;
};

struct Topics {
  KafkaConnection source;
  KafkaConnection dead;
};

Expected<Topics> topics_of(const Arguments& arguments) {
  auto connection = kafka_connection(arguments.kafka);
  if (!connection) return std::unexpected(connection.error());
  Topics topics{*connection, *connection};
  topics.dead.topic =
      arguments.dead_topic.empty() ? dead_letter_topic(connection->topic) : arguments.dead_topic;
  return topics;
}

// Both are given the place of the record among the dead letters, "0:17".
struct DeadLetterVisitor {
  std::function<Expected<void>(const std::string& place, DeadLetter letter)> letter;
  std::function<void(const std::string& place)> resent;
};

// The topic is made for the first of them.
Expected<bool> are_any(const KafkaConnection& dead, KafkaObserver& observer) {
  const auto admin = KafkaAdmin::open(dead, observer);
  if (!admin) return std::unexpected(admin.error());
  const auto partitions = (*admin)->partitions(kPatience);
  if (!partitions) return std::unexpected(partitions.error());
  return *partitions > 0;
}

// What is no dead letter of ours is none of our business: the topic may have other writers.
Expected<void> visit(const KafkaConnection& dead, KafkaObserver& observer,
                     const DeadLetterVisitor& visitor) {
  const auto any = are_any(dead, observer);
  if (!any) return std::unexpected(any.error());
  if (!*any) return {};
  const auto reader = TopicReader::open(dead, observer);
  if (!reader) return std::unexpected(reader.error());
  for (;;) {
    const auto records = (*reader)->next(kRecordsAtOnce);
    if (!records) return std::unexpected(records.error());
    if (records->empty()) return {};
    for (const KafkaRecord& record : *records) {
      if (const std::string place = resent_place(record); !place.empty()) {
        visitor.resent(place);
      } else if (auto letter = parse_dead_letter(record)) {
        auto done = visitor.letter(place_text(record.partition, record.offset), std::move(*letter));
        if (!done) return done;
      }
    }
  }
}

// What `list` shows; the value stays where it is.
struct Entry {
  DeadLetter letter;
  bool resent = false;
};
using Entries = std::map<std::string, Entry>;

struct Listing {
  std::vector<std::string> order;
  Entries entries;
};

Expected<Listing> list_all(const Topics& topics, KafkaObserver& observer) {
  Listing out;
  std::set<std::string> resent;
  auto visited = visit(topics.dead, observer,
                       {[&](const std::string& place, DeadLetter letter) -> Expected<void> {
                          letter.value.clear();
                          out.order.push_back(place);
                          out.entries[place].letter = std::move(letter);
                          return {};
                        },
                        [&](const std::string& place) { resent.insert(place); }});
  if (!visited) return std::unexpected(visited.error());
  for (const std::string& place : resent) {
    if (const auto found = out.entries.find(place); found != out.entries.end()) {
      found->second.resent = true;
    }
  }
  return out;
}

void write_json(JsonWriter& json, const std::string& place, const DeadLetter& letter, bool resent) {
  json.member("place", place).member("time", letter.time).member("topic", letter.place.topic);
  json.member("partition", letter.place.partition).member("offset", letter.offset);
  json.member("group", letter.group).member("reason", letter.reason).member("key", letter.key);
  json.member("value_bytes", letter.value_bytes).member("resent", resent);
}

// One line, whatever is in it.
std::string shown(std::string text) {
  if (text.size() > kReasonBytesShown) {
    text.resize(kReasonBytesShown);
    text += "...";
  }
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20; }, ' ');
  return text;
}

Expected<void> print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return {};
  }
  return operation_error("cannot write the result to standard output");
}

Expected<void> list(const Arguments& arguments) {
  const auto topics = topics_of(arguments);
  if (!topics) return std::unexpected(topics.error());
  KafkaObserver silent;  // what it would tell is in the error
  const auto listing = list_all(*topics, silent);
  if (!listing) return std::unexpected(listing.error());
  if (arguments.json) {
    return print(json_array(listing->order,
                            [&](JsonWriter& json, const std::string& place) {
                              const Entry& entry = listing->entries.at(place);
                              json.begin_object();
                              write_json(json, place, entry.letter, entry.resent);
                              json.end_object();
                            }) +
                 "\n");
  }
  if (listing->order.empty()) {
    return print(fmt::format("no dead letters in {}\n", topics->dead.topic));
  }
  std::string out = fmt::format("{:<8}  {:<19}  {:<16}  {:<7}  reason\n", "place", "set aside, UTC",
                                "from", "state");
  for (const std::string& place : listing->order) {
    const auto& [letter, resent] = listing->entries.at(place);
    std::string when = to_rfc3339(letter.time).substr(0, 19);
    std::ranges::replace(when, 'T', ' ');
    out += fmt::format("{:<8}  {}  {:<16}  {:<7}  {}\n", place, when,
                       place_text(letter.place.partition, letter.offset),
                       resent ? "re-sent" : "waiting", shown(letter.reason));
  }
  return print(out);
}

Error not_there(const std::string& place, const Topics& topics) {
  return {ErrorKind::usage,
          fmt::format("there is no dead letter at {} of {}: gpulse dead list shows their places",
                      place, topics.dead.topic)};
}

Expected<void> show(const Arguments& arguments) {
  const auto topics = topics_of(arguments);
  if (!topics) return std::unexpected(topics.error());
  KafkaObserver silent;
  const std::string& wanted = arguments.places.front();
  std::optional<DeadLetter> found;
  bool resent = false;
  auto visited = visit(topics->dead, silent,
                       {[&](const std::string& place, DeadLetter letter) -> Expected<void> {
                          if (place == wanted) found = std::move(letter);
                          return {};
                        },
                        [&](const std::string& place) { resent = resent || place == wanted; }});
  if (!visited) return visited;
  if (!found) return std::unexpected(not_there(wanted, *topics));
  if (arguments.json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    write_json(json, wanted, *found, resent);
    json.member("value", found->value).end_object();
    return print(out + "\n");
  }
  return print(fmt::format(
      "from       offset {} of partition {} of {}\nset aside  {} by {}\nreason     {}\nkey        "
      "{}\n"
      "state      {}\nvalue      {} bytes{}\n{}\n",
      found->offset, found->place.partition, found->place.topic, to_rfc3339(found->time),
      found->group, found->reason, found->key, resent ? "re-sent" : "waiting", found->value_bytes,
      found->is_cut() ? fmt::format(", of which the first {} are here", found->value.size()) : "",
      found->value));
}

// Which to send: those that were named, or all that wait.
Expected<std::set<std::string>> chosen(const Arguments& arguments, const Topics& topics,
                                       KafkaObserver& observer) {
  const auto listing = list_all(topics, observer);
  if (!listing) return std::unexpected(listing.error());
  std::set<std::string> out;
  if (arguments.all) {
    for (const auto& [place, entry] : listing->entries) {
      const DeadLetter& letter = entry.letter;
      const bool cut = letter.value_bytes > kDeadValueBytesMax;
      if (!entry.resent && !cut && letter.place.topic == topics.source.topic) out.insert(place);
    }
    return out;
  }
  for (const std::string& place : arguments.places) {
    const auto found = listing->entries.find(place);
    if (found == listing->entries.end()) return std::unexpected(not_there(place, topics));
    const DeadLetter& letter = found->second.letter;
    if (letter.value_bytes > kDeadValueBytesMax) {
      return input_error(fmt::format(
          "the dead letter {} was cut, it cannot be sent again; the whole of it is at offset {} of "
          "partition {} of {}, as long as that is kept",
          place, letter.offset, letter.place.partition, letter.place.topic));
    }
    if (letter.place.topic != topics.source.topic) {
      return usage_error(fmt::format("the dead letter {} is of the topic {}: name that with --from",
                                     place, letter.place.topic));
    }
    out.insert(place);
  }
  return out;
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

  Expected<void> add(const std::string& place, DeadLetter letter, const std::stop_token& stop) {
    OutgoingRecord record{std::move(letter.key), std::move(letter.value), {}, 0};
    record.partition = letter.place.partition;
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

Expected<void> resend(const Arguments& arguments) {
  if (arguments.places.empty() != arguments.all) {
    return usage_error("name the dead letters to send again, as 0:17, or --all that wait");
  }
  const auto topics = topics_of(arguments);
  if (!topics) return std::unexpected(topics.error());
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging("text"); !logging) return logging;
  KafkaReporter reporter;
  const auto places = chosen(arguments, *topics, reporter);
  if (!places) return std::unexpected(places.error());
  auto resender = Resender::open(*topics, reporter);
  if (!resender) return std::unexpected(resender.error());
  auto visited = visit(topics->dead, reporter,
                       {[&](const std::string& place, DeadLetter letter) -> Expected<void> {
                          if (!places->contains(place)) return {};
                          return resender->add(place, std::move(letter), stop.get_token());
                        },
                        [](const std::string&) {}});
  if (visited) visited = resender->send(stop.get_token());
  if (!visited) return visited;
  return print(fmt::format(
      "{} sent to {} again\n",
      places->size() == 1 ? "1 record was" : fmt::format("{} records were", places->size()),
      topics->source.topic));
}

void add_common_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--from", arguments.kafka.address,
                 "the topic whose dead letters they are, as kafka://host:9092/gpu-metrics")
      ->type_name("ADDRESS")
      ->required();
  app.add_option("--dead-topic", arguments.dead_topic,
                 "their own topic (default: the topic's name and \"-dead\")")
      ->type_name("NAME");
  add_kafka_options(app, arguments.kafka);
}

}  // namespace

Command add_dead(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* dead = root.add_subcommand("dead", "See, and send again, what a sink could not store");
  dead->require_subcommand(1);
  CLI::App* list_app = dead->add_subcommand("list", "One line for each");
  add_common_options(*list_app, *arguments);
  list_app->add_flag("--json", arguments->json, "print JSON");
  CLI::App* show_app = dead->add_subcommand("show", "One of them, whole");
  show_app->add_option("PLACE", arguments->places, "as list shows it: 0:17")
      ->required()
      ->expected(1);
  add_common_options(*show_app, *arguments);
  show_app->add_flag("--json", arguments->json, "print JSON");
  CLI::App* resend_app =
      dead->add_subcommand("resend", "Into their topic again, when what they met is mended");
  resend_app->add_option("PLACE", arguments->places, "as list shows it: 0:17");
  resend_app->add_flag("--all", arguments->all, "all that were not sent again yet");
  add_common_options(*resend_app, *arguments);
  return {dead, [=] {
            if (list_app->parsed()) return list(*arguments);
            return show_app->parsed() ? show(*arguments) : resend(*arguments);
          }};
}

}  // namespace gpulse::cli
