// Panels as all dashboards have them: the same units, colours, legends and gaps everywhere.

import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

import { dashboards, type Hue, state } from "./words";

/** What the builders of all kinds of panels share, as far as it is used here. */
export interface PanelBuilder extends Builder<dashboard.Panel> {
  id(id: number): unknown;
  gridPos(position: dashboard.GridPos): unknown;
}

/** A sensor in a panel: its field, what people call it, its colour, and what else differs from its neighbours. */
export interface Sensor {
  field: string;
  name: string;
  colour?: string;
  unit?: string;
  more?: dashboard.DynamicConfigValue[];
}

/** Sensors of one topic, from its first colour on. */
export function sensors(hue: Hue, named: readonly (readonly [field: string, name: string])[]): Sensor[] {
  return named.map(([field, name], index) => ({ field, name, colour: hue[index % hue.length] as string }));
}

export const fieldsOf = (list: readonly Sensor[]) => list.map(({ field }) => field);

export function fixedColour(colour: string): dashboard.DynamicConfigValue {
  return { id: "color", value: { mode: "fixed", fixedColor: colour } };
}

export function steps(...list: [from: number | null, colour: string][]): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(list.map(([value, color]) => ({ value, color })));
}

/** Amber when near, red beyond. */
export const bands = (near: number, over: number) => steps([null, state.good], [near, state.warn], [over, state.alert]);

export const noBands = () => steps([null, state.good]);

/** Words for numbers; the order of the words is that of the list. */
export function words(list: readonly [value: number, text: string, colour: string][]): dashboard.ValueMapping {
  const options = Object.fromEntries(list.map(([value, text, color], index) => [value, { text, color, index }]));
  return { type: dashboard.MappingType.ValueToText, options };
}

/** Words for ranges of numbers, each up to below the next one's begin. */
export function rangeWords(list: readonly [from: number, text: string, colour: string][]): dashboard.ValueMapping[] {
  return list.map(([from, text, color], index) => ({
    type: dashboard.MappingType.RangeToText,
    options: { from, to: (list[index + 1]?.[0] ?? 1e12) - 1e-3, result: { text, color, index } },
  }));
}

interface Overridable {
  overrideByName(name: string, properties: dashboard.DynamicConfigValue[]): unknown;
}

/** Gives each field its name, colour and unit. */
export function dress<Panel extends Overridable>(panel: Panel, list: readonly Sensor[]): Panel {
  for (const { field, name, colour, unit, more } of list) {
    panel.overrideByName(field, [
      { id: "displayName", value: name },
      ...(colour ? [fixedColour(colour)] : []),
      ...(unit ? [{ id: "unit", value: unit }] : []),
      ...(more ?? []),
    ]);
  }
  return panel;
}

/** Links to the card's own dashboard from a row or a series that has host and gpu. */
export function linkToCard(host: string, gpu: string): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder("This card")
    .type(dashboard.DashboardLinkType.Link)
    .url(`/d/${dashboards.gpu.uid}?var-host=${host}&var-gpu=${gpu}&\${__url_time_range}`);
}

export interface ChartOptions {
  title: string;
  unit: string;
  queries: Builder<Dataquery>[];
  description?: string;
  /** The scale's ends, where they do not follow from the readings. */
  least?: number;
  most?: number;
  stacked?: boolean;
  bars?: boolean;
  /** Colours beyond which there is a rule, drawn as a dashed line. */
  rule?: number;
  legendCalcs?: string[];
  decimals?: number;
}

/** A chart over time. Lines stop where for a minute nothing was read. */
export function chart(options: ChartOptions): timeseries.PanelBuilder {
  const panel = new timeseries.PanelBuilder()
    .title(options.title)
    .description(options.description ?? "")
    .unit(options.unit)
    .targets(options.queries)
    .lineWidth(options.bars ? 0 : 1.5)
    .fillOpacity(options.bars ? 80 : options.stacked ? 35 : 0)
    .drawStyle(options.bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .showPoints(common.VisibilityMode.Auto)
    .pointSize(4)
    .spanNulls(60_000)
    .axisColorMode(common.AxisColorMode.Text)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(options.legendCalcs ?? ["lastNotNull", "min", "mean", "max"]),
    );
  if (options.least !== undefined) panel.min(options.least);
  if (options.most !== undefined) panel.max(options.most);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  if (options.rule !== undefined) {
    panel
      .thresholds(steps([null, "transparent"], [options.rule, state.alert]))
      .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
  } else {
    panel.thresholds(noBands());
  }
  return panel;
}

/** One number, or one a field. */
export function figure(title: string, unit: string, queries: Builder<Dataquery>[]): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(title)
    .unit(unit)
    .targets(queries)
    .thresholds(noBands())
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .justifyMode(common.BigValueJustifyMode.Auto)
    .textMode(common.BigValueTextMode.Auto)
    .orientation(common.VizOrientation.Auto)
    .reduceOptions(lastOf());
}

export function lastOf(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false);
}

/** Each row of a result as a value of its own. */
export function everyRow(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(true);
}

export function list(title: string, queries: Builder<Dataquery>[], columns: readonly Sensor[]): table.PanelBuilder {
  const panel = new table.PanelBuilder().title(title).targets(queries).thresholds(noBands()).showHeader(true);
  const order = Object.fromEntries(columns.map(({ field }, index) => [field, index]));
  return dress(panel, columns).withTransformation({
    id: "organize",
    options: { indexByName: order, excludeByName: {}, renameByName: {} },
  });
}

/** The text of a cell takes the colour of its threshold or word. Grafana 9.4's spelling; later ones translate it. */
export const colouredText: dashboard.DynamicConfigValue = { id: "custom.displayMode", value: "color-text" };

export const bandsOf = (near: number, over: number): dashboard.DynamicConfigValue => ({
  id: "thresholds",
  value: bands(near, over).build(),
});

/** Puts rows of panels below one another; each is as high as it says, and 24 columns wide at most. */
export class Grid {
  private y = 0;
  private id = 0;
  readonly panels: dashboard.Panel[] = [];

  row(height: number, ...panels: [panel: PanelBuilder, width: number][]): this {
    let x = 0;
    for (const [builder, w] of panels) {
      this.id += 1;
      builder.id(this.id);
      builder.gridPos({ x, y: this.y, w, h: height });
      x += w;
      const panel = builder.build();
      // All queries of a panel are of one data source, and Grafana goes by the panel's.
      panel.datasource = (panel.targets?.[0] as { datasource?: common.DataSourceRef } | undefined)?.datasource;
      this.panels.push(panel);
    }
    this.y += height;
    return this;
  }
}
