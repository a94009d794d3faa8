// gpulse dead: what sinks and outlets could not store, seen, and sent again.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "cli/command.h"
#include "cli/dead_letters.h"
#include "cli/log_options.h"
#include "cli/logging.h"
#include "platform/signals.h"
#include "server/json_writer.h"
#include "telemetry/plural.h"

namespace gpulse::cli {
namespace {

constexpr std::size_t kReasonBytesShown = 90;

struct Arguments {
  KafkaArguments kafka;  // the topic whose dead letters they are, or their file
  std::string dead_topic;
  InfluxArguments influx;  // but for the address, which the file knows
  std::vector<std::string> places;
  bool all = false;
  bool json = false;
};

Expected<std::unique_ptr<DeadLetters>> open_letters(const Arguments& arguments) {
  if (arguments.kafka.address.find("://") != std::string::npos) {
    return open_dead_topic(arguments.kafka, arguments.dead_topic);
  }
  return open_dead_file(path_of(arguments.kafka.address), arguments.influx);
}

// What `list` shows; the value stays where it is.
struct Entry {
  ShownLetter letter;
  bool resent = false;
};
using Entries = std::map<std::string, Entry>;

struct Listing {
  std::vector<std::string> order;
  Entries entries;
};

Expected<Listing> list_all(DeadLetters& letters) {
  Listing out;
  std::set<std::string> resent;
  auto visited =
      letters.visit({[&](const std::string& place, ShownLetter letter) -> Expected<void> {
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

void write_json(JsonWriter& json, const std::string& place, const ShownLetter& letter,
                bool resent) {
  json.member("place", place).member("time", letter.time);
  if (letter.topic) json.member("topic", *letter.topic).member("partition", letter.partition);
  if (letter.source) json.member("source", *letter.source);
  json.member("offset", letter.offset).member(letter.topic ? "group" : "to", letter.by);
  json.member("reason", letter.reason).member("key", letter.key);
  json.member("value_bytes", letter.value_bytes).member("resent", resent);
}

std::string from_text(const ShownLetter& letter) {
  return letter.partition ? fmt::format("{}:{}", *letter.partition, letter.offset)
                          : fmt::format("{}:{}", letter.source.value_or(""), letter.offset);
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
  const auto letters = open_letters(arguments);
  if (!letters) return std::unexpected(letters.error());
  const auto listing = list_all(**letters);
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
    return print(fmt::format("no dead letters in {}\n", (*letters)->name()));
  }
  std::string out = fmt::format("{:<8}  {:<19}  {:<16}  {:<7}  reason\n", "place", "set aside, UTC",
                                "from", "state");
  for (const std::string& place : listing->order) {
    const auto& [letter, resent] = listing->entries.at(place);
    std::string when = to_rfc3339(letter.time).substr(0, 19);
    std::ranges::replace(when, 'T', ' ');
    out += fmt::format("{:<8}  {}  {:<16}  {:<7}  {}\n", place, when, from_text(letter),
                       resent ? "re-sent" : "waiting", shown(letter.reason));
  }
  return print(out);
}

Error not_there(const std::string& place, const DeadLetters& letters) {
  return {ErrorKind::usage,
          fmt::format("there is no dead letter at {} of {}: gpulse dead list shows their places",
                      place, letters.name())};
}

std::string describe(const ShownLetter& letter, bool resent) {
  const std::string from =
      letter.topic
          ? fmt::format("offset {} of partition {} of {}", letter.offset,
                        letter.partition.value_or(0), *letter.topic)
          : fmt::format("byte {} of the log {}", letter.offset, letter.source.value_or(""));
  const std::string cut = letter.value.size() < letter.value_bytes
                              ? fmt::format(", of which the first {} are here", letter.value.size())
                              : "";
  return fmt::format(
      "from       {}\nset aside  {} by {}\nreason     {}\nkey        {}\nstate      {}\n"
      "value      {} bytes{}\n{}\n",
      from, to_rfc3339(letter.time), letter.by, letter.reason, letter.key,
      resent ? "re-sent" : "waiting", letter.value_bytes, cut, letter.value);
}

Expected<void> show(const Arguments& arguments) {
  const auto letters = open_letters(arguments);
  if (!letters) return std::unexpected(letters.error());
  const std::string& wanted = arguments.places.front();
  std::optional<ShownLetter> found;
  bool resent = false;
  auto visited =
      (*letters)->visit({[&](const std::string& place, ShownLetter letter) -> Expected<void> {
                           if (place == wanted) found = std::move(letter);
                           return {};
                         },
                         [&](const std::string& place) { resent = resent || place == wanted; }});
  if (!visited) return visited;
  if (!found) return std::unexpected(not_there(wanted, **letters));
  if (!arguments.json) return print(describe(*found, resent));
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_json(json, wanted, *found, resent);
  json.member("value", found->value).end_object();
  return print(out + "\n");
}

// Which to send: those that were named, or all that wait and can be sent.
Expected<std::set<std::string>> chosen(const Arguments& arguments, DeadLetters& letters) {
  const auto listing = list_all(letters);
  if (!listing) return std::unexpected(listing.error());
  std::set<std::string> out;
  if (arguments.all) {
    for (const auto& [place, entry] : listing->entries) {
      if (!entry.resent && !entry.letter.unsendable) out.insert(place);
    }
    return out;
  }
  for (const std::string& place : arguments.places) {
    const auto found = listing->entries.find(place);
    if (found == listing->entries.end()) return std::unexpected(not_there(place, letters));
    if (found->second.letter.unsendable) return std::unexpected(*found->second.letter.unsendable);
    out.insert(place);
  }
  return out;
}

Expected<void> resend(const Arguments& arguments) {
  if (arguments.places.empty() != arguments.all) {
    return usage_error(
        "name the dead letters to send again, as list shows them, or --all that wait");
  }
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging("text"); !logging) return logging;
  const auto letters = open_letters(arguments);
  if (!letters) return std::unexpected(letters.error());
  const auto places = chosen(arguments, **letters);
  if (!places) return std::unexpected(places.error());
  const auto to = (*letters)->resend(*places, stop.get_token());
  if (!to) return std::unexpected(to.error());
  return print(fmt::format("{} sent to {} again\n",
                           plural(places->size(), "record was", "records were"), *to));
}

void add_common_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--from", arguments.kafka.address,
                 "the topic whose dead letters they are, as kafka://host:9092/gpu-metrics; or the "
                 "file dead.jsonl of a gpulse run --to")
      ->type_name("ADDRESS")
      ->required();
  add_dead_topic_option(app, arguments.dead_topic);
  add_kafka_options(app, arguments.kafka);
  add_influx_options(app, arguments.influx);
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
  show_app->add_option("PLACE", arguments->places, "as list shows it: 0:17, or 17 in a file")
      ->required()
      ->expected(1);
  add_common_options(*show_app, *arguments);
  show_app->add_flag("--json", arguments->json, "print JSON");
  CLI::App* resend_app =
      dead->add_subcommand("resend", "Into their topic again, when what they met is mended");
  resend_app->add_option("PLACE", arguments->places, "as list shows it: 0:17, or 17 in a file");
  resend_app->add_flag("--all", arguments->all, "all that were not sent again yet");
  add_common_options(*resend_app, *arguments);
  return {dead, [=] {
            if (list_app->parsed()) return list(*arguments);
            return show_app->parsed() ? show(*arguments) : resend(*arguments);
          }};
}

}  // namespace gpulse::cli
