/**
 * Plots as SVG elements for a page, drawn by echarts in its server-side mode. Ink and lines are variables of the page's
 * style, so that they follow its light or dark; what hovering would need is taken out.
 */

import { CustomChart, LineChart, LinesChart, ScatterChart } from 'echarts/charts';
import { GraphicComponent, GridComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Tensor } from 'tenfold';
import { half } from './density.js';

use([CustomChart, LineChart, LinesChart, ScatterChart, GraphicComponent, GridComponent, SVGRenderer]);

const ink = 'var(--ink)';
const soft = 'var(--soft)';
const side = 200;

/** A point of the plane. */
export type Point = readonly [x: number, y: number];

/** An arrow through a point. */
export interface Arrow {
  readonly at: Point;
  readonly by: Point;
}

/** Rows of two numbers as points. */
export const pointsIn = async (x: Tensor): Promise<readonly Point[]> => {
  const values = await x.data();
  return Array.from({ length: values.length / 2 }, (_, i) => [Number(values[2 * i]), Number(values[2 * i + 1])]);
};

/** A still element: no styles of hovering, ids of its own, and a size that the page gives it. */
const render = (name: string, label: string, width: number, height: number, option: EChartsCoreOption): string => {
  const chart = init(null, null, { renderer: 'svg', ssr: true, locale: 'EN', width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: 'transparent', ...option });
    return chart
      .renderToSVGString()
      .replace(/<style\b[^>]*>[\s\S]*?<\/style>\s*/g, '')
      .replace(/ class="zr\d+-cls-\d+"/g, '')
      .replace(/ (?:ecmeta_\w+|pointer-events)="[^"]*"/g, '')
      .replace(/\bzr\d+-/g, `${name}-`)
      .replace(/^<svg width="\d+" height="\d+"/, `<svg role="img" aria-label="${label}"`);
  } finally {
    chart.dispose();
  }
};

/** The window of the plane, without axes, over a picture of a density. */
const plane = (background: string) => {
  const axis = { type: 'value', min: -half, max: half, show: false };
  return {
    graphic: [
      { type: 'image', left: 0, top: 0, z: -1, silent: true, style: { image: background, width: side, height: side } },
    ],
    grid: { left: 0, top: 0, right: 0, bottom: 0 },
    xAxis: axis,
    yAxis: axis,
  };
};

/** The ways of samples from noise, where they begin and end. */
export const trajectoriesPlot = (
  name: string,
  label: string,
  background: string,
  color: string,
  paths: readonly (readonly Point[])[],
): string => {
  const coords = paths.map(path => ({ coords: path }));
  return render(name, label, side, side, {
    ...plane(background),
    series: [
      {
        type: 'lines',
        coordinateSystem: 'cartesian2d',
        polyline: true,
        silent: true,
        data: coords,
        lineStyle: { color, width: 0.9, opacity: 0.65 },
      },
      {
        type: 'scatter',
        silent: true,
        symbolSize: 2.5,
        data: paths.map(path => path[0]),
        itemStyle: { color: soft },
      },
      {
        type: 'scatter',
        silent: true,
        symbolSize: 4.5,
        data: paths.map(path => path.at(-1)),
        itemStyle: { color, borderColor: 'var(--card)', borderWidth: 0.75 },
      },
    ],
  });
};

/** The points that noise begins at. */
export const startsPlot = (name: string, label: string, background: string, starts: readonly Point[]): string =>
  render(name, label, side, side, {
    ...plane(background),
    series: [{ type: 'scatter', silent: true, symbolSize: 3.5, data: starts, itemStyle: { color: ink } }],
  });

/** Arrows at points; lengths are in units of the plane. */
export const fieldPlot = (name: string, label: string, background: string, arrows: readonly Arrow[]): string => {
  const toPixels = side / (2 * half);
  return render(name, label, side, side, {
    ...plane(background),
    series: [
      {
        type: 'custom',
        silent: true,
        clip: true,
        data: arrows.map(({ at, by }) => [...at, ...by]),
        renderItem: (_: unknown, api: { value: (i: number) => number; coord: (at: Point) => Point }) => {
          const [x, y] = api.coord([api.value(0), api.value(1)]);
          const [dx, dy] = [api.value(2) * toPixels, -api.value(3) * toPixels];
          const tip: Point = [x + dx / 2, y + dy / 2];
          const barb = (turn: 1 | -1): Point => [
            tip[0] - 0.35 * dx + 0.2 * turn * dy,
            tip[1] - 0.35 * dy - 0.2 * turn * dx,
          ];
          const points = [[x - dx / 2, y - dy / 2], tip, barb(1), tip, barb(-1)];
          return {
            type: 'polyline',
            shape: { points },
            style: { fill: 'none', stroke: ink, lineWidth: 0.9, opacity: 0.85 },
          };
        },
      },
    ],
  });
};

const label = Object.freeze({ color: soft, fontSize: 12 });

const axisOf = (name: string, gap: number) => ({
  name,
  nameLocation: 'middle',
  nameGap: gap,
  nameTextStyle: { color: ink, fontSize: 13 },
  axisLine: { show: true, onZero: false, lineStyle: { color: soft } },
  axisTick: { lineStyle: { color: soft } },
  axisLabel: label,
  splitLine: { show: true, lineStyle: { color: 'var(--line)' } },
  minorSplitLine: { show: false },
});

/** A curve of `budgetPlot`. */
interface Curve {
  readonly color: string;
  readonly symbol: string;
  readonly points: readonly Point[];
}

/** Marks 1, 2, 5, 10, … around positive values. */
const marksAround = (values: readonly number[]): readonly number[] => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const first = Math.floor(Math.log10(low));
  const all = Array.from({ length: 12 }, (_, i) => [1, 2, 5].map(mark => Number(`${mark}e${first + i}`))).flat();
  const from = Math.max(
    0,
    all.findLastIndex(mark => mark <= low),
  );
  return all.slice(from, Math.max(from + 2, all.findIndex(mark => mark >= high) + 1));
};

/** The distance to the data over the calls of the network, both on logarithmic axes; `floor` is that of real data. */
export const budgetPlot = (
  name: string,
  description: string,
  curves: readonly Curve[],
  floor: number,
  budgets: readonly number[],
): string => {
  const marks = marksAround([floor, ...curves.flatMap(({ points }) => points.map(([, y]) => y))]);
  const [left, right] = [budgets[0]! / 1.6, budgets.at(-1)! * 1.2];
  return render(name, description, 460, 300, {
    grid: { left: 62, top: 14, right: 12, bottom: 48 },
    xAxis: {
      ...axisOf('calls of the network', 30),
      type: 'log',
      logBase: 2,
      min: left,
      max: right,
      axisTick: { customValues: budgets, lineStyle: { color: soft } },
      axisLabel: { ...label, customValues: budgets },
      splitLine: { show: false },
    },
    yAxis: {
      ...axisOf('sliced Wasserstein', 44),
      type: 'log',
      min: marks[0],
      max: marks.at(-1),
      axisTick: { customValues: marks, lineStyle: { color: soft } },
      axisLabel: { ...label, customValues: marks },
    },
    series: [
      {
        type: 'line',
        silent: true,
        symbol: 'none',
        data: [
          [left, floor],
          [right, floor],
        ],
        lineStyle: { color: ink, width: 1.5, type: 'dashed' },
        endLabel: { show: true, formatter: 'two real halves', color: ink, fontSize: 12, offset: [-388, -9] },
      },
      ...curves.map(({ color, symbol, points }) => ({
        type: 'line',
        silent: true,
        symbol,
        symbolSize: 7,
        data: points,
        lineStyle: { color, width: 2 },
        itemStyle: { color },
      })),
    ],
  });
};
