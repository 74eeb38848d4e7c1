/** How convolutions whose result is an output or an input are cut: into blocks of channels and bands of places. */

import { stridesOf } from '../../../shape.js';
import { blocksOf } from './blocking.js';
import { panelColumns } from './blocks.js';
import { hull, type Reach, type SpreadConv, type Window, windowOf } from './conv.js';
import { bytesFor } from './numbers.js';
import { tableBytes } from './offsets.js';
import { type Panels, panelsOf } from './panels.js';
import { edgeBytes } from './product.js';
import { lengthOf, stagedSize } from './stage.js';
import { countOf, type Walk, walkOf } from './walk.js';

/** Bytes of a staged band, and columns of it: what stays in the nearer caches. */
const stagedBytes = 2 ** 18;
const mostColumns = 512;
/** Columns packed at a time. */
export const packedColumns = 128;
/** Bytes of kernels that are packed whole. A larger one is packed a block of channels at a time, and results come back to be added to. */
const wholeKernel = 2 ** 20;
/** Columns up to which images are done together, if they do not fill panels by themselves, how much of panels they may leave empty, and tasks that there should still be. */
const togetherColumns = 64;
const mostEmpty = 1.25;
const fewTasks = 4;
/** Tasks that there should be for threads to share, and columns below which they are not worth it. */
const enoughTasks = 16;
const fewestColumns = 96;

/** Products that differ in where they begin alone. */
export interface Part {
  /** How the first of them reaches. */
  readonly reach: readonly Reach[];
  /** Columns of a band, of the kernel's rows and of a channel's taps, in bytes. */
  readonly columns: Walk;
  readonly depth: Walk;
  readonly taps: Walk;
  /** Where columns are in the result, if they are no neighbours. */
  readonly places: Walk | null;
  readonly begins: readonly Begin[];
}

/** Bytes from what is staged to the first column at the first tap, and those of the kernel and of the result to the first ones. */
export interface Begin {
  readonly origin: number;
  readonly tap: number;
  readonly place: number;
}

/** What parts with the same code have in common. */
const formOf = (reach: readonly Reach[]): string => reach.map(({ columns, taps }) => `${columns} ${taps}`).join();

const alike = (parts: SpreadConv['parts']): readonly SpreadConv['parts'][] => {
  const forms = new Map<string, (readonly Reach[])[]>();
  for (const reach of parts) {
    const form = formOf(reach);
    forms.set(form, [...(forms.get(form) ?? []), reach]);
  }
  return [...forms.values()];
};

export interface Layout {
  readonly panels: Panels;
  /** Channels of a block. */
  readonly channels: number;
  /** Whether all blocks of the kernel are packed before the first is used. */
  readonly whole: boolean;
  /** Samples of a task: one, or several that are too small to fill panels. */
  readonly images: number;
  /** Columns of the first axis in a band, and how many bands there are. */
  readonly band: number;
  readonly bands: number;
  /** What a band sees; null where it is read in place. */
  readonly staged: readonly Window[] | null;
  /** Bytes from channel to channel of what is read, and from sample to sample of a task. */
  readonly channelStride: number;
  readonly imageStride: number;
  readonly rows: Walk;
  readonly parts: readonly Part[];
  readonly common: readonly number[];
  readonly own: readonly number[];
}

/** What a band of so many columns of the first axis sees along each axis; parts without taps see nothing. */
const windowsOf = ({ parts }: SpreadConv, band: number): readonly Window[] => {
  const seeing = parts.filter(part => part.every(({ taps }) => taps > 0));
  return parts[0]!.map((_, axis) => {
    const windows = seeing.map(part => {
      const reach = part[axis]!;
      return windowOf(reach, axis === 0 ? Math.min(band, reach.columns) : reach.columns);
    });
    return windows.length === 0 ? { from: 0, to: 1 } : hull(windows);
  });
};

/** Bytes of a table of beginnings, which one alone does without. */
const beginBytes = (begins: readonly Begin[]): number => (begins.length > 1 ? 12 * begins.length : 0);

export const inner = (reach: readonly Reach[]): number =>
  reach.slice(1).reduce((product, { columns }) => product * columns, 1);

/** Columns of the first axis that are done at a time. */
const bandOf = (conv: SpreadConv, channels: number): number => {
  const { parts, samples, groups } = conv;
  const rows = Math.max(...parts.map(([first]) => first!.columns));
  const columns = (band: number): number => band * Math.max(...parts.map(inner));
  let band = rows;
  const staged = (): number => 4 * channels * stagedSize(windowsOf(conv, band).map(window => ({ window })));
  while (band > 1 && (staged() > stagedBytes || columns(band) > mostColumns)) band = Math.ceil(band / 2);
  const half = (): number => Math.ceil(band / 2);
  while (band > 1 && samples * groups * Math.ceil(rows / band) < enoughTasks && columns(half()) >= fewestColumns)
    band = half();
  // Bands that are all alike leave rows ready for the kernel behind.
  for (let even = band; 2 * even > band; even--) if (rows % even === 0) return even;
  return band;
};

/** Samples of a task: as many as fill panels, where a whole one leaves much of its last panel empty. */
const imagesOf = ({ parts, samples, groups }: SpreadConv, bands: number): number => {
  const columns = Math.max(...parts.map(part => part[0]!.columns * inner(part)));
  const filled = panelColumns * Math.ceil(columns / panelColumns);
  if (bands > 1 || filled <= mostEmpty * columns || columns > togetherColumns / 2) return 1;
  const shared = Math.max(Math.ceil(panelColumns / columns), Math.ceil((samples * groups) / fewTasks));
  return Math.min(samples, shared, Math.floor(togetherColumns / columns));
};

/** @param made whether the source is made piece by piece */
export const layoutOf = (conv: SpreadConv, tallest: number, made: boolean): Layout => {
  const { parts, source, kernel, spatial, groups } = conv;
  const panels = panelsOf(conv.rows, tallest);
  const mostTaps = Math.max(1, ...parts.map(part => part.reduce((product, { taps }) => product * taps, 1)));
  const channels = Math.max(1, Math.ceil(conv.channels / blocksOf(conv.channels * mostTaps)));
  const band = bandOf(conv, channels);
  const bands = Math.ceil(Math.max(...parts.map(([first]) => first!.columns)) / band);
  const seen = windowsOf(conv, band);
  const everything = windowsOf(conv, Number.POSITIVE_INFINITY);
  const inside = everything.every(({ from, to }, axis) => from >= 0 && to <= source.lengths[3 + axis]!);
  const staged = inside && !made ? null : seen;
  const strides =
    staged === null
      ? source.strides.slice(3)
      : seen.map((_, axis) => 4 * seen.slice(axis + 1).reduce((product, window) => product * lengthOf(window), 1));
  const channelStride =
    staged === null ? source.strides[2]! : 4 * seen.reduce((product, window) => product * lengthOf(window), 1);
  const images = imagesOf(conv, bands);
  const imageStride = staged === null ? source.strides[0]! : channels * channelStride;
  const cutParts = alike(parts).map((same): Part => {
    const reach = same[0]!;
    const columns = reach.map((axis, i) => (i === 0 ? Math.min(band, axis.columns) : axis.columns));
    const taps = reach.map(axis => axis.taps);
    const places = walkOf(
      [images, ...columns],
      [4 * groups * conv.rows * spatial.size, ...reach.map(({ place }, i) => place.step * spatial.strides[i]!)],
    );
    const neighbours = places.lengths.length === 0 || (places.lengths.length === 1 && places.strides[0] === 4);
    return {
      reach,
      columns: walkOf([images, ...columns], [imageStride, ...reach.map(({ step }, i) => step * strides[i]!)]),
      depth: walkOf([channels, ...taps], [channelStride, ...reach.map(({ tapStep }, i) => tapStep * strides[i]!)]),
      taps: walkOf(
        [channels, ...taps],
        [kernel.strides[2]!, ...reach.map(({ tap }, i) => tap.step * kernel.strides[3 + i]!)],
      ),
      places: neighbours ? null : places,
      begins: same.map(each => ({
        origin: total(each, ({ origin }, i) => (origin - (staged === null ? 0 : seen[i]!.from)) * strides[i]!),
        tap: total(each, ({ tap }, i) => tap.first * kernel.strides[3 + i]!),
        place: total(each, ({ place }, i) => place.first * spatial.strides[i]!),
      })),
    };
  });
  const rows = walkOf([conv.rows], [kernel.strides[1]!]);
  const widest = Math.min(packedColumns, Math.max(...cutParts.map(({ columns }) => countOf(columns))));
  const termsOf = ({ depth }: Part, count: number): number => (countOf(depth) / channels) * count;
  const kernelBytes = (count: number): readonly number[] =>
    cutParts.map(part => 4 * groups * conv.rows * termsOf(part, count) * part.begins.length);
  const whole = sum(kernelBytes(conv.channels)) <= wholeKernel;
  const deepest = Math.max(...cutParts.map(({ depth }) => countOf(depth)));
  return {
    panels,
    channels,
    images,
    band,
    bands,
    staged,
    channelStride,
    imageStride,
    rows,
    parts: cutParts,
    whole,
    common: kernelBytes(whole ? conv.channels : channels),
    own: [
      edgeBytes(panels, false),
      4 * panelColumns * Math.ceil(widest / panelColumns) * deepest,
      staged === null ? 0 : 4 * images * channels * stagedSize(seen.map(window => ({ window }))),
      made ? 4 * lengthOf(seen[0]!) * rowUnit(conv) : 0,
      tableBytes(rows, panels.height),
      ...cutParts.flatMap(({ columns, depth, taps, places, begins }) => [
        beginBytes(begins),
        tableBytes(columns, panelColumns),
        tableBytes(depth, countOf(depth)),
        tableBytes(taps, countOf(taps)),
        places === null ? 0 : tableBytes(places, countOf(places)),
      ]),
    ],
  };
};

const total = (reach: readonly Reach[], of: (axis: Reach, i: number) => number): number => sum(reach.map(of));

const sum = (numbers: readonly number[]): number => numbers.reduce((p, n) => p + n, 0);

/** Elements of the source between two indices of its first spatial axis. */
export const rowUnit = ({ source }: SpreadConv): number =>
  source.lengths.slice(4).reduce((product, length) => product * length, 1);

/** How much of the source may be made again for the next band, which sees some of the same, at most. */
const mostOverlap = 0.5;

/** Whether a task sees all of a channel, which is then made at once; else parts of its first axis are. */
export const seesPlanes = ({ source }: SpreadConv, { bands, staged }: Layout): boolean =>
  bands === 1 && staged![0]!.from <= 0 && staged![0]!.to >= source.lengths[3]!;

/** Elements that the source is made in pieces of; null where it is not in order, or bands would make too much of it twice. */
export const madeUnit = (conv: SpreadConv, tallest: number): number | null => {
  const { lengths, strides } = conv.source;
  const layout = layoutOf(conv, tallest, true);
  const { band, bands, staged } = layout;
  const seen = lengthOf(staged![0]!) / (band * conv.parts[0]![0]!.step);
  if (bands > 1 && seen > 1 + mostOverlap) return null;
  const whole = stridesOf(lengths);
  const inOrder = lengths.every((length, axis) => length === 1 || strides[axis] === 4 * whole[axis]!);
  return inOrder ? rowUnit(conv) * (seesPlanes(conv, layout) ? lengths[3]! : 1) : null;
};

export const spreadBytes = (
  conv: SpreadConv,
  tallest: number,
  made: boolean,
): { readonly common: number; readonly own: number } => {
  const { common, own } = layoutOf(conv, tallest, made);
  return { common: bytesFor(common), own: bytesFor(own) };
};

/** Whether all of the kernel is packed at once. */
export const spreadIsWhole = (conv: SpreadConv, tallest: number): boolean => layoutOf(conv, tallest, false).whole;

/** Elements of a row of the result that a task leaves ready; null where tasks leave different numbers. */
export const spreadUnit = (conv: SpreadConv, tallest: number): number | null => {
  const { band } = layoutOf(conv, tallest, false);
  const inner = conv.spatial.strides[0]! / 4;
  const rows = band * conv.parts[0]![0]!.place.step;
  return (conv.spatial.size / inner) % rows === 0 ? rows * inner : null;
};
