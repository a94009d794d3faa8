#include "cli/verify_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "server/json_writer.h"
#include "telemetry/plural.h"
#include "verify/source_choice.h"

namespace gpulse::cli {
namespace {

using Out = std::back_insert_iterator<std::string>;

// As the log itself has it.
std::string local_time(Timestamp time, const TimeZone& zone) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  std::string text = to_rfc3339(time + zone.offset_at(second)).substr(0, 19);
  text[10] = ' ';
  return text;
}

void write_log(Out to, const LogUnderTest& log) {
  const LogSurvey& survey = log.survey;
  fmt::format_to(to, "{}\n  {}, source {}, as {} / {}, zone {}\n", display(log.file->path()),
                 plural(survey.rows, "row"), survey.source, log.device.host, log.device.gpu,
                 log.zone->name());
  if (survey.set_aside > 0) {
    fmt::format_to(to,
                   "  {} could not be read as a row and is nowhere; gpulse inspect lists them\n",
                   plural(survey.set_aside, "line"));
  }
}

void write_finding(Out to, const Finding& finding, const TimeZone& zone) {
  fmt::format_to(to, "      {:<9}  ", to_string(finding.fault));
  if (finding.offset < 0) {
    fmt::format_to(to, "a point without offset");
  } else {
    fmt::format_to(to, "at byte {}", finding.offset);
  }
  if (finding.line > 0) fmt::format_to(to, ", line {}", finding.line);
  fmt::format_to(to, ", {}", local_time(finding.time, zone));
  if (finding.rows > 1) {
    fmt::format_to(to, ", and {} behind it, up to byte {}", plural(finding.rows - 1, "row"),
                   finding.last_offset);
  }
  if (!finding.what.empty()) fmt::format_to(to, ": {}", finding.what);
  *to++ = '\n';
}

void write_counts(Out to, const SourceReport& source) {
  const std::pair<Fault, std::int64_t> counts[] = {{Fault::missing, source.missing},
                                                   {Fault::different, source.different},
                                                   {Fault::doubled, source.doubled},
                                                   {Fault::foreign, source.foreign}};
  std::string_view before = ": ";
  for (const auto& [fault, count] : counts) {
    if (count == 0) continue;
    fmt::format_to(to, "{}{} {}", before, count, to_string(fault));
    before = ", ";
  }
}

// What is no fault, and may be asked about all the same.
void write_remarks(Out to, const SourceReport& source) {
  const std::pair<std::int64_t, std::string_view> remarks[] = {
      {source.not_kept, "no longer kept there: retention took them"},
      {source.too_old, "older than the bucket keeps"},
      {source.under_way, "of the last minute and under way"},
      {source.not_played, "not played: the replay was stopped, or has not come so far"},
      {source.sent_twice, "sent twice; every reader drops the second by its identity"},
      {source.resent, "sent again from the dead letters"},
      {source.newer, "newer than this comparison"},
  };
  for (const auto& [count, what] : remarks) {
    if (count > 0) fmt::format_to(to, "      {}: {}\n", plural(count, "row"), what);
  }
}

void write_source(Out to, const SourceReport& source, const TimeZone& zone) {
  const bool whole = source.faults() == 0 && source.found == source.rows;
  fmt::format_to(to, "    {}", is_replay(source.source) ? "replay " + source.source + ": " : "");
  if (whole) {
    fmt::format_to(to, "every row is there once, with the same readings");
  } else {
    fmt::format_to(to, "{} of {} are there", source.found, plural(source.rows, "row"));
    write_counts(to, source);
  }
  *to++ = '\n';
  for (const Finding& finding : source.findings) write_finding(to, finding, zone);
  write_remarks(to, source);
  for (const std::string& note : source.notes) fmt::format_to(to, "      {}\n", note);
}

void write_place(Out to, std::span<const LogUnderTest> logs, const PlaceOutcome& place) {
  fmt::format_to(to, "\n{} {}\n", place.word(), place.report.name);
  if (!place.error.empty()) fmt::format_to(to, "  not compared: {}\n", place.error);
  for (std::size_t i = 0; i < place.report.logs.size(); ++i) {
    const PlaceReport::OfLog& log = place.report.logs[i];
    fmt::format_to(to, "  {}\n", display(logs[i].file->path().filename()));
    for (const SourceReport& source : log.sources) write_source(to, source, *logs[i].zone);
    for (const std::string& note : log.notes) fmt::format_to(to, "    {}\n", note);
  }
  for (const std::string& note : place.report.notes) fmt::format_to(to, "  {}\n", note);
}

void write_notes(JsonWriter& json, std::span<const std::string> notes) {
  json.key("notes").begin_array();
  for (const std::string& note : notes) json.string(note);
  json.end_array();
}

void write_finding(JsonWriter& json, const Finding& finding) {
  json.begin_object().member("fault", to_string(finding.fault)).member("offset", finding.offset);
  json.key("line");
  finding.line > 0 ? json.integer(finding.line) : json.null();
  json.member("time", finding.time);
  json.member("rows", finding.rows).member("last_offset", finding.last_offset);
  json.member("what", finding.what).end_object();
}

void write_source(JsonWriter& json, const SourceReport& source) {
  json.begin_object().member("source", source.source).member("replay", is_replay(source.source));
  json.member("rows", source.rows).member("found", source.found);
  json.member("missing", source.missing).member("different", source.different);
  json.member("doubled", source.doubled).member("foreign", source.foreign);
  json.member("not_kept", source.not_kept).member("too_old", source.too_old);
  json.member("under_way", source.under_way);
  json.member("not_played", source.not_played).member("sent_twice", source.sent_twice);
  json.member("resent", source.resent).member("newer", source.newer);
  json.key("findings").begin_array();
  for (const Finding& finding : source.findings) write_finding(json, finding);
  json.end_array();
  write_notes(json, source.notes);
  json.end_object();
}

void write_place(JsonWriter& json, std::span<const LogUnderTest> logs, const PlaceOutcome& place) {
  const PlaceReport& report = place.report;
  json.begin_object().member("kind", report.kind).member("name", report.name);
  json.member("holds", place.holds()).key("error");
  place.error.empty() ? json.null() : json.string(place.error);
  json.key("logs").begin_array();
  for (std::size_t i = 0; i < report.logs.size(); ++i) {
    json.begin_object().member("file", display(logs[i].file->path())).key("sources").begin_array();
    for (const SourceReport& source : report.logs[i].sources) write_source(json, source);
    json.end_array();
    write_notes(json, report.logs[i].notes);
    json.end_object();
  }
  json.end_array();
  write_notes(json, report.notes);
  json.end_object();
}

}  // namespace

std::string verify_text(std::span<const LogUnderTest> logs, std::span<const PlaceOutcome> places) {
  std::string text;
  const auto to = std::back_inserter(text);
  for (const LogUnderTest& log : logs) write_log(to, log);
  for (const PlaceOutcome& place : places) write_place(to, logs, place);
  return text;
}

std::string verify_json(std::span<const LogUnderTest> logs, std::span<const PlaceOutcome> places) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("holds", std::ranges::all_of(places, &PlaceOutcome::holds));
  json.key("logs").begin_array();
  for (const LogUnderTest& log : logs) {
    json.begin_object()
        .member("file", display(log.file->path()))
        .member("source", log.survey.source);
    json.member("bytes", log.survey.bytes).member("rows", log.survey.rows);
    json.member("set_aside", log.survey.set_aside);
    json.member("host", log.device.host).member("gpu", log.device.gpu);
    json.member("timezone", log.zone->name()).end_object();
  }
  json.end_array().key("places").begin_array();
  for (const PlaceOutcome& place : places) write_place(json, logs, place);
  json.end_array().end_object();
  text += '\n';
  return text;
}

}  // namespace gpulse::cli
