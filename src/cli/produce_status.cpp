#include "cli/produce_status.h"

#include <algorithm>
#include <filesystem>

#include "cli/status_page.h"
#include "platform/file.h"

namespace gpulse::cli {
namespace {

// What has been written to a log, and what of it is behind the broker's acknowledgement.
struct Backlog {
  Device device;
  std::string file;
  std::int64_t bytes = 0;
};

// Of logs that are there. The book names the newest source of a file last.
std::vector<Backlog> backlogs(const Store& book, const LogPlan& plan) {
  std::vector<Backlog> out;
  const auto sources = book.sources();
  for (const LogChoice& log : plan.logs) {
    std::error_code error;
    const auto size = std::filesystem::file_size(log.file, error);
    if (error) continue;
    Backlog backlog{log.device, display(log.file), static_cast<std::int64_t>(size)};
    if (sources) {
      for (const SourceRecord& source : *sources) {
        if (source.file != backlog.file) continue;
        backlog.device = source.device;
        backlog.bytes = std::max<std::int64_t>(0, static_cast<std::int64_t>(size) - source.bytes);
      }
    }
    out.push_back(std::move(backlog));
  }
  return out;
}

std::string metrics(const SampleProducer& producer, const Store& book, const LogPlan& plan,
                    const RequestCounters& requests) {
  const ProducerStatistics sent = producer.statistics();
  Exposition out;
  out.add_process(GPULSE_VERSION, process_usage());
  out.add_requests(requests);
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    out.single(name, kCounter, help, static_cast<double>(value));
  };
  counter("gpulse_produce_records_total", "Records that the brokers acknowledged.", sent.records);
  counter("gpulse_produce_bytes_total", "Bytes of their values, before compression.", sent.bytes);
  counter("gpulse_produce_refused_total", "Records that the brokers refuse for good, set aside.",
          sent.refused);
  counter("gpulse_produce_errors_total", "Answers other than an acknowledgement.", sent.errors);
  counter("gpulse_produce_reconnects_total", "Times that the connection was made anew.",
          sent.rebuilt);
  out.single("gpulse_produce_acknowledge_seconds", kGauge,
             "From the handing over of the last record to its acknowledgement.",
             std::chrono::duration<double>(sent.acknowledged_after).count());
  out.single("gpulse_kafka_connected", kGauge, "1 unless no broker answers.", sent.away ? 0 : 1);
  out.declare("gpulse_log_backlog_bytes", kGauge,
              "Bytes of the log that are not acknowledged yet.");
  for (const Backlog& log : backlogs(book, plan)) {
    out.sample("gpulse_log_backlog_bytes",
               {{"host", log.device.host}, {"gpu", log.device.gpu}, {"file", log.file}},
               static_cast<double>(log.bytes));
  }
  return out.text();
}

// {"status":"sending"|"away","records","logs":[{"host","gpu","file","backlog_bytes"}]}; 503 when
// Kafka is away.
Response health(const SampleProducer& producer, const Store& book, const LogPlan& plan) {
  const ProducerStatistics sent = producer.statistics();
  Response response;
  response.status = sent.away ? 503 : 200;
  JsonWriter json(response.body);
  json.begin_object().member("status", sent.away ? "away" : "sending");
  json.member("records", static_cast<std::int64_t>(sent.records)).key("logs").begin_array();
  for (const Backlog& log : backlogs(book, plan)) {
    json.begin_object().member("host", log.device.host).member("gpu", log.device.gpu);
    json.member("file", log.file).member("backlog_bytes", log.bytes).end_object();
  }
  json.end_array().end_object();
  return response;
}

}  // namespace

StatusPages produce_pages(const SampleProducer& producer, const Store& book, const LogPlan& plan) {
  return {[&](const RequestCounters& requests) { return metrics(producer, book, plan, requests); },
          [&] { return health(producer, book, plan); }};
}

}  // namespace gpulse::cli
