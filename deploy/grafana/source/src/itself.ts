// gpulse itself, by what Prometheus collects of its commands: does everything that is logged arrive, and how soon?

import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";

import { frame, labelVariable } from "./frame";
import { chart, figure, fixedColour, Grid, noBands, steps, words } from "./panels";
import { promNow, promQuery } from "./queries";
import { hues, state } from "./words";

const programs = 'job="gpulse",instance=~"$instance"';
const card = `${programs},host=~"$host",gpu=~"$gpu"`;

const rate = (metric: string, labels = programs) => `rate(${metric}{${labels}}[$__rate_interval])`;

const upWords = words([[0, "away", state.alert], [1, "up", hues.fan[2]]]);
const connectedWords = words([[0, "cut off", state.alert], [1, "connected", hues.fan[2]]]);

function states() {
  return new statetimeline.PanelBuilder()
    .title("Programs and their connections")
    .targets([
      promQuery(`up{${programs}}`, "{{instance}}"),
      promQuery(`gpulse_kafka_connected{${programs}}`, "{{instance}} → Kafka", "B"),
      promQuery(`gpulse_influxdb_connected{${programs}}`, "{{instance}} → InfluxDB", "C"),
    ])
    .thresholds(noBands())
    .mappings([connectedWords])
    .overrideByQuery("A", [{ id: "mappings", value: [upWords] }])
    .mergeValues(true).showValue(common.VisibilityMode.Auto).alignValue(common.TimelineValueAlignment.Left)
    .rowHeight(0.8).lineWidth(0).fillOpacity(70)
    .legend(new common.VizLegendOptionsBuilder().displayMode(common.LegendDisplayMode.List)
      .placement(common.LegendPlacement.Bottom).showLegend(false).calcs([]));
}

const lostIf = (from: number, colour: string) => steps([null, state.good], [from, colour]);

export function itself(): dashboard.Dashboard {
  const few = ["lastNotNull", "mean", "max"];
  const grid = new Grid()
    .row(4,
      [figure("Programs up", "none", [promNow(`sum(up{${programs}})`, "")]), 4],
      [figure("Behind, records", "locale", [promNow(`sum(gpulse_sink_lag_records{${programs}})`, "")])
        .description("In Kafka and not yet in InfluxDB.").thresholds(lostIf(1000, state.warn)), 5],
      [figure("Not yet in Kafka", "bytes", [promNow(`sum(gpulse_log_backlog_bytes{${card}})`, "")])
        .description("In the logs and not yet acknowledged.").thresholds(lostIf(1_048_576, state.warn)), 5],
      [figure("Set aside in the range", "locale", [promNow(
        `sum(increase(gpulse_sink_set_aside_total{${programs}}[$__range])) + sum(increase(gpulse_produce_refused_total{${programs}}[$__range]))`, "")])
        .description("Records that could not be stored or sent: gpulse dead list has them.")
        .decimals(0).thresholds(lostIf(0.5, state.warn)), 5],
      [figure("Dropped by InfluxDB in the range", "locale", [promNow(
        `sum(increase(gpulse_sink_dropped_total{${programs}}[$__range]))`, "")]).decimals(0).thresholds(lostIf(0.5, state.alert)), 5])
    .row(8,
      [states(), 24])
    .row(8,
      [chart({ title: "Records", unit: "cps", least: 0, legendCalcs: few, queries: [
        promQuery(`sum(${rate("gpulse_produce_records_total")})`, "Sent to Kafka"),
        promQuery(`sum(${rate("gpulse_sink_stored_total")})`, "Stored in InfluxDB", "B"),
        promQuery(`sum(${rate("gpulse_rows_total", card)})`, "Read by run", "C"),
      ] }), 12],
      [chart({ title: "Behind, by partition", unit: "locale", least: 0, legendCalcs: few, queries: [
        promQuery(`sum by (topic, partition) (gpulse_sink_lag_records{${programs}})`, "{{topic}} {{partition}}"),
      ] }), 12])
    .row(8,
      [chart({ title: "Batches to InfluxDB", unit: "reqps", least: 0, legendCalcs: few, queries: [
        promQuery(`sum(${rate("gpulse_sink_requests_total")})`, "Requests"),
        promQuery(`sum(${rate("gpulse_sink_retries_total")})`, "Retries", "B"),
      ] }).overrideByName("Retries", [fixedColour(state.warn)]), 8],
      [chart({ title: "Time InfluxDB takes for a batch", unit: "s", least: 0, legendCalcs: few, queries: [
        promQuery(`sum by (instance) (${rate("gpulse_sink_request_seconds_total")}) / sum by (instance) (${rate("gpulse_sink_requests_total")})`,
          "{{instance}}"),
      ] }), 8],
      [chart({ title: "Waiting in the sink", unit: "locale", least: 0, legendCalcs: few, queries: [
        promQuery(`sum by (instance) (gpulse_sink_queued_lines{${programs}})`, "{{instance}} lines"),
        promQuery(`sum by (instance) (gpulse_sink_queued_bytes{${programs}})`, "{{instance}} bytes", "B"),
      ] }).overrideByQuery("B", [{ id: "unit", value: "bytes" }]), 8])
    .row(8,
      [chart({ title: "Time until Kafka acknowledges", unit: "s", least: 0, legendCalcs: few, queries: [
        promQuery(`gpulse_produce_acknowledge_seconds{${programs}}`, "{{instance}}"),
      ] }), 8],
      [chart({ title: "Not yet in Kafka, by log", unit: "bytes", least: 0, legendCalcs: few, queries: [
        promQuery(`sum by (host, gpu) (gpulse_log_backlog_bytes{${card}})`, "{{host}} / {{gpu}}"),
      ] }), 8],
      [chart({ title: "Out of the ordinary", unit: "cps", least: 0, legendCalcs: few, queries: [
        promQuery(`sum(${rate("gpulse_produce_errors_total")})`, "Errors of Kafka"),
        promQuery(`sum(${rate("gpulse_produce_reconnects_total")})`, "Reconnects to Kafka", "B"),
        promQuery(`sum(${rate("gpulse_sink_set_aside_total")}) + sum(${rate("gpulse_produce_refused_total")})`, "Set aside", "C"),
        promQuery(`sum(${rate("gpulse_sink_dropped_total")})`, "Dropped by InfluxDB", "D"),
        promQuery(`sum(${rate("gpulse_set_aside_total", card)})`, "Lines of logs that are no rows", "E"),
      ] }), 8])
    .row(8,
      [chart({ title: "Age of the newest row", unit: "s", least: 0, legendCalcs: few, rule: 60,
        description: "Of cards whose log is followed by gpulse run.", queries: [
          promQuery(`gpulse_last_row_age_seconds{${card}}`, "{{host}} / {{gpu}}"),
        ] }), 8],
      [chart({ title: "Bytes sent", unit: "Bps", least: 0, legendCalcs: few, queries: [
        promQuery(`sum(${rate("gpulse_produce_bytes_total")})`, "To Kafka, before compression"),
        promQuery(`sum(${rate("gpulse_sink_sent_bytes_total")})`, "To InfluxDB", "B"),
      ] }), 8],
      [chart({ title: "Requests to run's page", unit: "reqps", least: 0, legendCalcs: few, queries: [
        promQuery(`sum by (code) (${rate("gpulse_http_requests_total")})`, "{{code}}"),
      ] }), 8])
    .row(8,
      [chart({ title: "CPU", unit: "percentunit", least: 0, legendCalcs: few, description: "1 is a core.", queries: [
        promQuery(`sum by (instance) (${rate("gpulse_process_cpu_seconds_total")})`, "{{instance}}"),
      ] }), 12],
      [chart({ title: "Memory", unit: "bytes", least: 0, legendCalcs: few, queries: [
        promQuery(`gpulse_process_resident_memory_bytes{${programs}}`, "{{instance}}"),
      ] }), 12]);
  const cards = '{__name__=~"gpulse_rows_total|gpulse_log_backlog_bytes"';
  return frame({ page: "itself", description: "Does everything that is logged arrive, and how soon?", from: "now-1h", refresh: "10s",
    variables: [
      labelVariable("instance", "Program", 'label_values(up{job="gpulse"}, instance)'),
      labelVariable("host", "Host", `label_values(${cards}}, host)`),
      labelVariable("gpu", "GPU", `label_values(${cards},host=~"$host"}, gpu)`),
    ] }, grid);
}
