/**
 * The curve of the training loss as a standalone SVG. echarts draws it in its server-side mode; what differs from one
 * render to the next (ids counted over the life of the process, in styles for hovering that a still picture has no use
 * for) is taken out, so that the same points always give the same file.
 */

import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

const size = Object.freeze({ width: 840, height: 440 });
const colors = Object.freeze({ ink: '#1f2933', faint: '#e4e7eb', line: '#2563eb' });

/** The share of its weight that the smoothed line keeps when the next point arrives: it looks back some 20 points. */
const decay = 0.95;

/** An exponential moving average, corrected for its start at zero; a loss that is not finite is left out of it. */
const smooth = (losses: readonly number[]): readonly number[] => {
  let sum = 0;
  let weight = 0;
  return losses.map(loss => {
    if (!Number.isFinite(loss)) return Number.NaN;
    sum = decay * sum + (1 - decay) * loss;
    weight = decay * weight + (1 - decay);
    return sum / weight;
  });
};

/** The marks 1, 2, 5, 10, 20, ... from the last one not above `low` to the first one not below `high`. */
const logMarks = (low: number, high: number): number[] => {
  const first = Math.floor(Math.log10(low));
  const decades = Math.ceil(Math.log10(high)) - first + 1;
  const all = Array.from({ length: decades }, (_, i) => [1, 2, 5].map(mark => Number(`${mark}e${first + i}`))).flat();
  const from = Math.max(
    0,
    all.findLastIndex(mark => mark <= low),
  );
  // A flat curve that lies on a mark still needs an axis of some length.
  const to = Math.max(
    from + 1,
    all.findIndex(mark => mark >= high),
  );
  const marks = all.slice(from, to + 1);
  // Over many decades the marks at 2 and 5 would crowd the axis.
  return marks.length <= 10 ? marks : all.filter((_, i) => i % 3 === 0);
};

const axis = (name: string) => ({
  name,
  nameLocation: 'middle' as const,
  nameTextStyle: { color: colors.ink, fontSize: 14 },
  axisLine: { onZero: false, lineStyle: { color: colors.ink } },
  splitLine: { lineStyle: { color: colors.faint } },
});

const label = Object.freeze({ color: colors.ink, fontSize: 13 });

const lossAxis = (losses: readonly number[]) => {
  const low = losses.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = losses.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const base = { ...axis('loss'), nameGap: 48 };
  if (!(low > 0 && high < Number.POSITIVE_INFINITY)) return { ...base, type: 'value' as const, axisLabel: label };
  const marks = logMarks(low, high);
  return {
    ...base,
    type: 'log' as const,
    min: marks[0] ?? low,
    max: marks.at(-1) ?? high,
    axisTick: { customValues: marks },
    axisLabel: { ...label, customValues: marks },
  };
};

/** Only hover styles carry a class, and only they sit in the style element: a still picture needs neither. */
const still = (svg: string): string =>
  svg
    .replace(/<style\b[^>]*>[\s\S]*?<\/style>\s*/g, '')
    .replace(/ class="zr\d+-cls-\d+"/g, '')
    .replace(/ (?:ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, 'loss-');

/**
 * The losses by step, and their moving average, as an SVG document. The loss axis is logarithmic when every loss is
 * positive. A loss that is not finite leaves a gap where it stands.
 */
export const lossPlot = (points: readonly LossPoint[]): string => {
  const losses = points.map(point => point.loss);
  const finite = losses.filter(Number.isFinite);
  const data = (values: readonly number[]) =>
    points.map(({ step }, i) => {
      const value = values[i];
      return [step, value !== undefined && Number.isFinite(value) ? value : '-'];
    });
  // A point on its own draws no line.
  const symbols = { showSymbol: finite.length === 1, symbol: 'circle', symbolSize: 6 };
  const line = { type: 'line' as const, ...symbols, sampling: 'lttb' as const, silent: true };
  const chart = init(null, null, { renderer: 'svg', ssr: true, locale: 'EN', ...size });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      color: [colors.line, colors.line],
      title: {
        text: 'Training loss',
        left: 'center',
        top: 14,
        textStyle: { color: colors.ink, fontSize: 18 },
        ...(points.length === 0 ? { subtext: 'no training step in this run' } : {}),
      },
      legend: { selectedMode: false, right: 32, top: 48, itemGap: 24, itemStyle: { opacity: 0 }, textStyle: label },
      grid: { left: 84, right: 32, top: 84, bottom: 64 },
      xAxis: {
        ...axis('step'),
        type: 'value',
        nameGap: 32,
        ...(points.length > 1 ? { min: 'dataMin', max: 'dataMax' } : { minInterval: 1 }),
        axisLabel: label,
      },
      yAxis: lossAxis(finite),
      series: [
        { ...line, name: 'each step', data: data(losses), lineStyle: { width: 1, opacity: 0.3 } },
        { ...line, name: 'moving average', data: data(smooth(losses)), lineStyle: { width: 2.5 } },
      ],
    });
    return still(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
};
