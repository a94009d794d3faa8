// What is around the panels: name, links, variables, the range at first.

import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";

import type { Grid } from "./panels";
import { dashboards, flux, prometheus, state } from "./words";

/**
 * The number of the form of dashboards that Grafana 9.4 reads; newer ones bring it up to date when they load it. What
 * is written here is only what that form knows.
 */
const schemaVersion = 36;

export interface FrameOptions {
  page: keyof typeof dashboards;
  description: string;
  from: string;
  refresh: string;
  variables: Builder<dashboard.VariableModel>[];
}

const pages = Object.values(dashboards);

function linkTo(page: { uid: string; title: string }): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(page.title)
    .type(dashboard.DashboardLinkType.Link)
    .url(`/d/${page.uid}`)
    .icon("dashboard")
    // "All" cards are no choice for the page of one.
    .includeVars(page.uid !== dashboards.gpu.uid)
    .keepTime(false);
}

/** The dashboard as Grafana reads it. */
export function frame(options: FrameOptions, grid: Grid): dashboard.Dashboard {
  const page = dashboards[options.page];
  const builder = new dashboard.DashboardBuilder(page.title)
    .uid(page.uid)
    .description(options.description)
    .tags(["gpulse"])
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: options.from, to: "now" })
    .refresh(options.refresh)
    .timezone("browser")
    .editable()
    .links(pages.filter((other) => other.uid !== page.uid).map(linkTo))
    .annotation(alertMarks());
  const built = builder.build();
  built.panels = grid.panels;
  built.schemaVersion = schemaVersion;
  built.templating = { list: options.variables.map((each) => each.build()) };
  return built;
}

/** Alerts that change their state are marked in charts. */
function alertMarks(): dashboard.AnnotationQueryBuilder {
  return new dashboard.AnnotationQueryBuilder()
    .name("Alerts")
    .datasource({ type: "grafana", uid: "-- Grafana --" })
    .enable(true)
    .hide(true)
    .iconColor(state.alert)
    .builtIn(1)
    .type("dashboard");
}

// Ten years, so that cards are listed that are only history.
const tagValues = (tag: string, predicate: string) => `import "influxdata/influxdb/schema"

schema.tagValues(bucket: v.defaultBucket, tag: "${tag}", predicate: (r) => r._measurement == "gpu_metrics"${predicate}, start: -10y)`;

function cardVariable(name: "host" | "gpu", label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(flux)
    .query(query)
    .refresh(dashboard.VariableRefresh.OnDashboardLoad)
    .sort(dashboard.VariableSort.AlphabeticalAsc);
}

/** Any number of hosts and GPUs; all at first. */
export function manyCards(): dashboard.QueryVariableBuilder[] {
  return [
    cardVariable("host", "Host", tagValues("host", "")),
    cardVariable("gpu", "GPU", tagValues("gpu", " and r.host =~ /^${host:regex}$/")),
  ].map((variable) =>
    variable
      .multi(true)
      .includeAll(true)
      .allValue(".*")
      .current({ text: "All", value: "$__all" }),
  );
}

/** One host and one of its GPUs. */
export function oneCard(): dashboard.QueryVariableBuilder[] {
  return [
    cardVariable("host", "Host", tagValues("host", "")),
    cardVariable("gpu", "GPU", tagValues("gpu", ' and r.host == "${host}"')),
  ];
}

/** A variable of a Prometheus label, in the form in which Grafana keeps it. */
export function labelVariable(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheus)
    .query({ query, refId: "StandardVariableQuery" })
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ text: "All", value: "$__all" });
}
