import uPlot from "uplot";
import type { Scale, TimeTick } from "../format/ticks";
import type { Aligned, Value } from "../model/series";
import { drawBands, drawGrid, drawLoneDots, drawRules, drawStack, type RuleLine } from "./draw";
import type { Palette } from "./palette";
import { padding } from "./scale";
import type { SeriesStyle } from "./styles";

export interface PlotSeries {
  name: string;
  style: SeriesStyle;
  color: string;
}

export interface PlotInput {
  width: number;
  height: number;
  from: number;
  to: number;
  scale: Scale;
  ticks: TimeTick[];
  series: PlotSeries[];
  data: Aligned;
  /** Raw rows have one reading an entry, and so no band. */
  bands: boolean;
  rules: RuleLine[];
  /** Where the rules' words begin: right of the ticks that stand inside a narrow plot. */
  wordsFrom: number;
  palette: Palette;
}

/**
 * One track's plot. uPlot keeps the canvas, the scales and the paths of the lines; grid, bands,
 * stack and rules are drawn in its hooks, since its own axes and bands know neither the shared
 * gutter nor columns with a minimum and a maximum.
 */
export class TrackPlot {
  private plot: uPlot | null = null;
  private input: PlotInput | null = null;
  private shape = "";

  constructor(private readonly root: HTMLElement) {}

  update(input: PlotInput): void {
    this.input = input;
    const shape = JSON.stringify([input.palette.theme, input.series]);
    const data = dataOf(input);
    if (!this.plot || shape !== this.shape) {
      this.plot?.destroy();
      this.shape = shape;
      this.plot = new uPlot(this.options(input), data, this.root);
      return;
    }
    if (this.plot.width !== input.width || this.plot.height !== input.height) {
      this.plot.setSize({ width: input.width, height: input.height });
    }
    this.plot.setData(data, true);
  }

  /** The canvas, for a saved picture. */
  get canvas(): HTMLCanvasElement | null {
    return this.plot?.ctx.canvas ?? null;
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private options(input: PlotInput): uPlot.Options {
    const range = (pick: (i: PlotInput) => [number, number]) => (): [number, number] => pick(this.input ?? input);
    return {
      width: input.width,
      height: input.height,
      padding: [padding, 0, padding, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: range((i) => [i.from, i.to]) },
        y: { range: range((i) => [i.scale.min, i.scale.max]) },
      },
      axes: [{ show: false }, { show: false }],
      series: [
        {},
        ...linesOf(input).map(({ style, color }) => ({
          stroke: color,
          width: style.width,
          ...(style.dash ? { dash: style.dash } : {}),
          points: { show: false },
        })),
      ],
      hooks: { drawClear: [(plot) => this.drawBelow(plot)], draw: [(plot) => this.drawAbove(plot)] },
    };
  }

  private drawBelow(plot: uPlot): void {
    const { input } = this;
    if (!input) return;
    drawGrid(plot, input.ticks, input.scale.ticks, input.palette);
    const layers: { values: Value[]; color: string; alpha: number }[] = [];
    input.series.forEach(({ style, color }, i) => {
      const values = input.data.columns[i]?.mean;
      if (style.fill !== null && values) layers.unshift({ values, color, alpha: style.fill });
    });
    drawStack(plot, input.data.time, layers);
    input.series.forEach(({ style, color }, i) => {
      const column = input.data.columns[i];
      if (input.bands && style.fill === null && column) {
        drawBands(plot, input.data.time, column.min, column.max, color, input.palette.bandAlpha);
      }
    });
  }

  private drawAbove(plot: uPlot): void {
    const { input } = this;
    if (!input) return;
    input.series.forEach(({ style, color }, i) => {
      const column = input.data.columns[i];
      if (style.fill === null && column) drawLoneDots(plot, input.data.time, column.mean, color);
    });
    drawRules(plot, input.rules, input.wordsFrom, input.palette);
  }
}

const linesOf = (input: PlotInput) => input.series.filter((s) => s.style.fill === null);

function dataOf(input: PlotInput): uPlot.AlignedData {
  const lines: Value[][] = [];
  input.series.forEach((s, i) => {
    if (s.style.fill === null) lines.push(input.data.columns[i]?.mean ?? []);
  });
  return [input.data.time, ...lines];
}
