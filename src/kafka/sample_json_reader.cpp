#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kafka/sample_json.h"

namespace gpulse {
namespace {

namespace ondemand = simdjson::ondemand;

// Which of the members that must be there have come.
enum Member : unsigned {
  version = 1U,
  timestamp = 2U,
  host = 4U,
  gpu = 8U,
  source = 16U,
  session = 32U,
  offset = 64U,
  metrics = 128U,
};
constexpr std::array<std::pair<std::string_view, Member>, 8> kMembers{{
    {"v", version},
    {"timestamp", timestamp},
    {"host", host},
    {"gpu", gpu},
    {"source", source},
    {"session", session},
    {"offset", offset},
    {"metrics", metrics},
}};

Expected<std::string_view> read_text(std::string_view name, ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text)) return input_error(std::string(name) + " is no string");
  if (text.empty()) return input_error(std::string(name) + " is empty");
  return text;
}

Expected<std::int64_t> read_place(std::string_view name, ondemand::value value) {
  std::int64_t number = 0;
  if (value.get_int64().get(number) || number < 0) {
    return input_error(std::string(name) + " is no byte offset");
  }
  return number;
}

Expected<void> read_version(ondemand::value value) {
  std::int64_t number = 0;
  if (value.get_int64().get(number)) return input_error("v is no integer");
  if (number == 1) return {};
  return input_error("it is of version " + std::to_string(number) + ", and this program reads 1");
}

Expected<Timestamp> read_timestamp(ondemand::value value) {
  const auto text = read_text("timestamp", value);
  if (!text) return std::unexpected(text.error());
  // Milliseconds in a string would do for a request, but no record has them.
  const auto time =
      text->find('T') == std::string_view::npos ? std::nullopt : parse_timestamp(*text);
  if (!time) return input_error("timestamp is no RFC 3339 instant: " + std::string(*text));
  return *time;
}

// A number's token ends where the next one begins, blanks included.
std::string_view without_blanks(std::string_view token) {
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

Expected<RecordReading> read_reading(std::string_view name, ondemand::value value) {
  RecordReading reading{name, {}, {}};
  bool absent = false;
  if (value.is_null().get(absent))
    return input_error("metrics." + std::string(name) + " is broken");
  if (absent) return reading;
  reading.text = without_blanks(value.raw_json_token());
  double number = 0;
  if (value.get_double().get(number)) {
    return input_error("metrics." + std::string(name) + " is neither a number nor null");
  }
  reading.value = number;
  return reading;
}

// Calls take(name, value) for every member of an object.
template <class Take>
Expected<void> for_each_member(std::string_view what, ondemand::object object, Take take) {
  for (auto member : object) {
    ondemand::field field;
    if (auto error = std::move(member).get(field)) {
      return input_error(std::string(what) + ": " + simdjson::error_message(error));
    }
    std::string_view name;
    if (field.unescaped_key().get(name)) {
      return input_error(std::string(what) + " has a broken name");
    }
    if (auto taken = take(name, field.value()); !taken) return taken;
  }
  return {};
}

Expected<void> read_metrics(SampleRecord& record, ondemand::value value) {
  ondemand::object object;
  if (value.get_object().get(object)) return input_error("metrics is no object");
  return for_each_member("metrics", object, [&](std::string_view name, ondemand::value reading) {
    auto read = read_reading(name, reading);
    if (!read) return Expected<void>(std::unexpected(std::move(read.error())));
    record.readings.push_back(*read);
    return Expected<void>();
  });
}

Expected<void> read_units(SampleRecord& record, ondemand::value value) {
  ondemand::object object;
  if (value.get_object().get(object)) return input_error("units is no object");
  return for_each_member("units", object, [&](std::string_view name, ondemand::value unit) {
    std::string_view text;
    if (unit.get_string().get(text)) {
      return Expected<void>(input_error("units." + std::string(name) + " is no string"));
    }
    record.units.push_back({name, text});
    return Expected<void>();
  });
}

template <class T>
Expected<void> keep(T& place, Expected<T> read) {
  if (!read) return std::unexpected(std::move(read.error()));
  place = *read;
  return {};
}

Expected<void> read_member(SampleRecord& record, unsigned member, std::string_view name,
                           ondemand::value value) {
  switch (member) {
    case version: return read_version(value);
    case timestamp: return keep(record.timestamp, read_timestamp(value));
    case host: return keep(record.host, read_text(name, value));
    case gpu: return keep(record.gpu, read_text(name, value));
    case source: return keep(record.source, read_text(name, value));
    case session: return keep(record.session, read_place(name, value));
    case offset: return keep(record.offset, read_place(name, value));
    case metrics: return read_metrics(record, value);
    default: break;
  }
  if (name == "units") return read_units(record, value);
  return {};
}

}  // namespace

struct SampleJsonReader::Parser {
  ondemand::parser parser;
  std::vector<char> padded;  // simdjson reads some bytes past the end
};

SampleJsonReader::SampleJsonReader() : parser_(std::make_unique<Parser>()) {}
SampleJsonReader::~SampleJsonReader() = default;

Expected<const SampleRecord*> SampleJsonReader::read(std::string_view json) {
  std::vector<char>& padded = parser_->padded;
  if (padded.size() < json.size() + simdjson::SIMDJSON_PADDING) {
    padded.resize(2 * json.size() + simdjson::SIMDJSON_PADDING);
  }
  std::ranges::copy(json, padded.begin());
  record_.readings.clear();
  record_.units.clear();

  ondemand::document document;
  if (auto error =
          parser_->parser.iterate(padded.data(), json.size(), padded.size()).get(document)) {
    return input_error(std::string("it is no JSON: ") + simdjson::error_message(error));
  }
  // Asked of the document itself, which then looks for the closing bracket: of a value in it, one
  // that breaks off would be read past its end.
  ondemand::object whole;
  if (document.get_object().get(whole)) return input_error("it is no whole JSON object");
  unsigned seen = 0;
  auto read = for_each_member("it", whole, [&](std::string_view name, ondemand::value value) {
    const auto* const known =
        std::ranges::find(kMembers, name, &std::pair<std::string_view, Member>::first);
    const unsigned member = known == kMembers.end() ? 0U : unsigned{known->second};
    if (seen & member) return Expected<void>(input_error(std::string(name) + " is there twice"));
    seen |= member;
    return read_member(record_, member, name, value);
  });
  if (!read) return std::unexpected(std::move(read.error()));
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return input_error("something follows the JSON object");
  }
  for (const auto& [name, member] : kMembers) {
    if ((seen & member) == 0) return input_error(std::string(name) + " is missing");
  }
  return &record_;
}

}  // namespace gpulse
