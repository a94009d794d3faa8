#include "verify/topic_place.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "kafka/dead_letter.h"
#include "kafka/sample_json.h"
#include "kafka/topic_reader.h"
#include "verify/row_merge.h"
#include "verify/source_choice.h"

namespace gpulse {
namespace {

constexpr std::size_t kRecordsAtOnce = 1000;
// Somebody sits in front of it.
constexpr std::chrono::seconds kPatience{15};

// A source of a log, as the topic has it.
struct SourceInTopic {
  SourceInTopic(const LogUnderTest& log, std::string source) : tally(log, std::move(source)) {}

  RowTally tally;
  std::map<int, RowMerge> merges;  // by partition
};

struct LogInTopic {
  const LogUnderTest* log;
  std::map<std::string, std::unique_ptr<SourceInTopic>, std::less<>> sources;
  std::set<Device> elsewhere;  // other devices under which this log is there
};

class TopicComparison {
 public:
  TopicComparison(TopicReader& reader, std::span<const LogUnderTest> logs) : reader_(reader) {
    for (const LogUnderTest& log : logs) logs_.push_back({&log, {}, {}});
  }

  Expected<void> read() {
    for (;;) {
      const auto records = reader_.next(kRecordsAtOnce);
      if (!records) return std::unexpected(records.error());
      if (records->empty()) return {};
      for (const KafkaRecord& record : *records) {
        if (auto taken = take(record); !taken) return taken;
      }
    }
  }

  Expected<void> settle(Timestamp now, PlaceReport& report) {
    for (LogInTopic& log : logs_) {
      auto settled = settle(log, now);
      if (!settled) return std::unexpected(settled.error());
      report.logs.push_back(std::move(*settled));
    }
    if (no_records_ > 0) {
      report.notes.push_back(fmt::format(
          "{} records are no samples and were skipped; the first is offset {} of partition {}: {}",
          no_records_, first_no_record_.offset, first_no_record_.partition,
          first_no_record_.reason));
    }
    if (others_ > 0) {
      report.notes.push_back(fmt::format("{} records are of other logs or devices", others_));
    }
    return {};
  }

 private:
  Expected<void> take(const KafkaRecord& record) {
    const auto sample = parser_.read(record.value);
    if (!sample) {
      if (no_records_++ == 0) {
        first_no_record_ = {record.partition, record.offset, sample.error().message};
      }
      return {};
    }
    const SampleRecord& row = **sample;
    LogInTopic* const log = find_log(row);
    if (log == nullptr) {
      ++others_;
      return {};
    }
    auto source = log->sources.find(row.source);
    if (source == log->sources.end()) {
      const std::string name(row.source);
      source = log->sources.emplace(name, std::make_unique<SourceInTopic>(*log->log, name)).first;
    }
    return take_row(record, row, *source->second);
  }

  // Null when it is of none that we were asked about.
  LogInTopic* find_log(const SampleRecord& row) {
    const std::string_view stem = stem_of(row.source);
    for (LogInTopic& log : logs_) {
      if (log.log->survey.source != stem) continue;
      if (log.log->device.host == row.host && log.log->device.gpu == row.gpu) return &log;
      log.elsewhere.insert({std::string(row.host), std::string(row.gpu)});
    }
    return nullptr;
  }

  Expected<void> take_row(const KafkaRecord& record, const SampleRecord& row,
                          SourceInTopic& source) {
    // It is in the topic a second time on purpose, and leaves the mark alone.
    if (std::ranges::find(record.headers, kResentHeader, &KafkaHeader::name) !=
        record.headers.end()) {
      source.tally.resent(row.offset);
      return {};
    }
    readings_.clear();
    readings_.reserve(row.readings.size());
    for (const RecordReading& reading : row.readings) {
      readings_.push_back({reading.name, reading.value});
    }
    RowMerge& merge = source.merges.try_emplace(record.partition, source.tally).first->second;
    const auto taken = merge.take({row.offset, row.timestamp, row.session, readings_});
    if (!taken) return std::unexpected(taken.error());
    if (!*taken) source.tally.dropped(row.offset);
    return {};
  }

  Expected<PlaceReport::OfLog> settle(LogInTopic& log, Timestamp now) {
    PlaceReport::OfLog report;
    std::vector<std::string> names;
    names.reserve(log.sources.size());
    for (const auto& [name, source] : log.sources) names.push_back(name);
    const SourceChoice choice = choose_sources(log.log->survey.source, names);
    std::vector<std::string> chosen = choice.replays;
    if (!choice.own.empty()) chosen.insert(chosen.begin(), choice.own);
    if (chosen.empty()) {
      chosen.push_back(log.log->survey.source);
      log.sources.emplace(chosen.front(),
                          std::make_unique<SourceInTopic>(*log.log, chosen.front()));
    }
    for (const std::string& name : chosen) {
      auto settled = settle(*log.sources.at(name), now, report);
      if (!settled) return std::unexpected(settled.error());
      report.sources.push_back(std::move(*settled));
    }
    note_earlier(choice.earlier, report);
    for (const Device& device : log.elsewhere) {
      report.notes.push_back(
          fmt::format("this log is there as {} / {}, too: --host and --gpu "
                      "choose what is compared",
                      device.host, device.gpu));
    }
    return report;
  }

  Expected<SourceReport> settle(SourceInTopic& source, Timestamp now, PlaceReport::OfLog& report) {
    Judging judging;
    judging.now = now;
    std::vector<int> partitions;
    for (const auto& [partition, merge] : source.merges) {
      partitions.push_back(partition);
      // A head that is gone without retention's doing is a fault.
      if (begin_of(partition) > 0) judging.head_may_be_gone = true;
    }
    source.merges.clear();
    if (partitions.size() > 1) {
      report.notes.push_back(
          fmt::format("its records are in partitions {}: one device belongs in one, since doubles "
                      "are known within a partition only",
                      fmt::join(partitions, ", ")));
    }
    return source.tally.settle(judging);
  }

  [[nodiscard]] std::int64_t begin_of(int partition) const {
    return reader_.partitions()[static_cast<std::size_t>(partition)].begin;
  }

  struct NoRecord {
    int partition = 0;
    std::int64_t offset = 0;
    std::string reason;
  };

  TopicReader& reader_;
  std::vector<LogInTopic> logs_;
  SampleJsonReader parser_;
  std::vector<PlaceReading> readings_;
  std::int64_t others_ = 0;
  std::int64_t no_records_ = 0;
  NoRecord first_no_record_;
};

}  // namespace

Expected<PlaceReport> verify_topic(const KafkaConnection& connection,
                                   std::span<const LogUnderTest> logs, const Clock& clock,
                                   KafkaObserver& observer) {
  PlaceReport report(
      "topic", fmt::format("{} at {}", connection.topic, fmt::join(connection.brokers, ", ")));
  const Timestamp now = clock.now();
  auto reader = TopicReader::open(connection, observer, kPatience);
  if (!reader) return std::unexpected(reader.error());
  TopicComparison comparison(**reader, logs);
  if (auto read = comparison.read(); !read) return std::unexpected(read.error());
  if (auto settled = comparison.settle(now, report); !settled) {
    return std::unexpected(settled.error());
  }
  return report;
}

}  // namespace gpulse
