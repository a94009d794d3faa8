#include "cli/sink_status.h"

#include <numeric>

#include "cli/status_page.h"

namespace gpulse::cli {
namespace {

std::string metrics(const InfluxRelay& relay, const RequestCounters& requests) {
  const InfluxRelayStatistics done = relay.statistics();
  const InfluxWriterStatistics& writer = done.writer;
  Exposition out;
  out.add_process(GPULSE_VERSION, process_usage());
  out.add_requests(requests);
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    out.single(name, kCounter, help, static_cast<double>(value));
  };
  const auto gauge = [&](const char* name, const char* help, auto value) {
    out.single(name, kGauge, help, static_cast<double>(value));
  };
  counter("gpulse_sink_records_total", "Records read from the topic.", done.records);
  counter("gpulse_sink_stored_total", "Lines that InfluxDB stored.", writer.lines_stored);
  counter("gpulse_sink_set_aside_total", "Records sent to the dead letters.", done.set_aside);
  counter("gpulse_sink_dropped_total", "Points that InfluxDB dropped of lines it took.",
          writer.lines_dropped);
  counter("gpulse_sink_requests_total", "Batches sent to InfluxDB.", writer.requests);
  counter("gpulse_sink_retries_total", "Batches that had to be sent again.", writer.retries);
  counter("gpulse_sink_sent_bytes_total", "Bytes of the batches, as sent.", writer.bytes_sent);
  out.single("gpulse_sink_request_seconds_total", kCounter,
             "From sending to the answer, summed over all batches.",
             static_cast<double>(writer.request_microseconds) / 1e6);
  gauge("gpulse_sink_queued_lines", "Lines that wait for InfluxDB or are being sent.",
        writer.queued_lines);
  gauge("gpulse_sink_queued_bytes", "Their bytes.", writer.queued_bytes);
  gauge("gpulse_kafka_connected", "1 unless no broker answers.", done.kafka_away ? 0 : 1);
  gauge("gpulse_influxdb_connected", "1 unless InfluxDB takes nothing.", done.influx_away ? 0 : 1);
  out.declare("gpulse_sink_lag_records", kGauge,
              "Records of the partition that are not stored yet.");
  for (const PartitionLag& lag : done.lag) {
    out.sample("gpulse_sink_lag_records",
               {{"topic", lag.place.topic}, {"partition", std::to_string(lag.place.partition)}},
               static_cast<double>(lag.lag()));
  }
  return out.text();
}

// {"status":"reading"|"away","kafka","influxdb":"connected"|"away","records","lag_records"}; 503
// when one of them is away.
Response health(const InfluxRelay& relay) {
  const InfluxRelayStatistics done = relay.statistics();
  const bool away = done.kafka_away || done.influx_away;
  const auto lag =
      std::accumulate(done.lag.begin(), done.lag.end(), std::int64_t{0},
                      [](std::int64_t sum, const PartitionLag& one) { return sum + one.lag(); });
  const auto word = [](bool is_away) { return is_away ? "away" : "connected"; };
  Response response;
  response.status = away ? 503 : 200;
  JsonWriter json(response.body);
  json.begin_object().member("status", away ? "away" : "reading");
  json.member("kafka", word(done.kafka_away)).member("influxdb", word(done.influx_away));
  json.member("records", static_cast<std::int64_t>(done.records)).member("lag_records", lag);
  json.end_object();
  return response;
}

}  // namespace

StatusPages sink_pages(const InfluxRelay& relay) {
  return {[&](const RequestCounters& requests) { return metrics(relay, requests); },
          [&] { return health(relay); }};
}

}  // namespace gpulse::cli
