/** Which convolutions are done by minimal algorithms, and how they are cut. */
import { stridesOf } from '../../../../shape.js';
import { usesWinograd } from '../../features.js';
import { longestBlock } from '../blocking.js';
import { panelColumns } from '../blocks.js';
import type { SpreadConv } from '../conv.js';
import { bytesFor } from '../numbers.js';
import { type Panels, panelsOf } from '../panels.js';
import { edgeBytes } from '../product.js';
import { largestSide, minimal, type TileSide } from './forms.js';

/** A convolution of images with kernels of 3×3 taps that are neighbours, place by place. */
export interface WinogradConv {
  readonly kind: 'winograd';
  /** Which operand is the left one, the kernel. */
  readonly leftOperand: 0 | 1;
  readonly side: TileSide;
  readonly samples: number;
  readonly rows: number;
  readonly channels: number;
  /** [samples, channels, height, width]: how many, and bytes from one to the next. */
  readonly source: { readonly lengths: readonly number[]; readonly strides: readonly number[] };
  /** Bytes to the tap that meets the first element of a window, from row to row, channel to channel, and between taps. */
  readonly kernel: {
    readonly first: number;
    readonly row: number;
    readonly channel: number;
    readonly taps: readonly number[];
  };
  /** Height and width of the result. */
  readonly places: readonly [number, number];
  /** Where in the source the first window begins. */
  readonly origin: readonly number[];
}

/** Channels from which on products are worth the transforms; however few rows there are, these are less work than packing taps. */
export const fewestTerms = 16;
/** Tiles of an image from which on they are: with fewer of the larger ones columns of panels are empty where images come one by one. */
const fewestTiles = { 2: 1, 4: 4 } as const;
/** Bytes of what a row of tiles gives beyond which they are not: it would be in no cache. */
const mostInputBytes = 3 * 2 ** 18;

const square = (n: number): number => n * n;

/**
 * The convolution as one by minimal algorithms; null where it is none, the sum itself is as good, or wanted. It depends on one sample
 * alone, so that bits do not depend on how many there are.
 */
export const winogradOf = (conv: SpreadConv): WinogradConv | null => {
  const { parts, groups, channels, rows, samples, source, kernel, leftOperand } = conv;
  const [reach] = parts as readonly [SpreadConv['parts'][number]];
  const near = reach.every(({ step, taps, tapStep, place }) => {
    return step === 1 && taps === 3 && Math.abs(tapStep) === 1 && place.step === 1;
  });
  if (!usesWinograd() || parts.length > 1 || reach.length !== 2 || !near || groups > 1) return null;
  if (channels < fewestTerms || channels > longestBlock) return null;
  const [height, width] = reach.map(({ columns }) => columns) as [number, number];
  const side = largestSide([height, width], side => {
    const bytes = 4 * square(minimal[side].products) * channels * (width / side);
    return (height * width) / square(side) >= fewestTiles[side] && bytes <= mostInputBytes;
  });
  if (side === null) return null;
  const backward = reach.map(({ tapStep }) => tapStep < 0);
  const taps = kernel.strides.slice(3);
  return {
    kind: 'winograd',
    leftOperand,
    side,
    samples,
    rows,
    channels,
    source: { lengths: source.lengths.toSpliced(1, 1), strides: source.strides.toSpliced(1, 1) },
    kernel: {
      first: taps.reduce((sum, stride, axis) => sum + (backward[axis] ? 2 * stride : 0), 0),
      row: kernel.strides[1]!,
      channel: kernel.strides[2]!,
      taps: taps.map((stride, axis) => (backward[axis] ? -stride : stride)),
    },
    places: [height, width],
    origin: reach.map(({ origin }, axis) => (backward[axis] ? origin - 2 : origin)),
  };
};

/** Two for each pair of element and tap that meets in the sum itself. */
export const winogradFlops = ({ samples, rows, channels, places: [height, width] }: WinogradConv): number =>
  2 * samples * rows * channels * height * width * 9;

/** Tiles of a task at most, and how many tasks there should be for threads to share, even where these are of one panel or two. */
const mostTaskTiles = 48;
const enoughTasks = 8;
/** Bytes of transformed kernels that are there at a time, of what a task sees, if it is more than a panel, and of the products of a run of rows. */
const kernelBytes = 2 ** 20;
const inputBytes = 2 ** 19;
const outputBytes = 2 ** 17;
/** Bytes that are left between products, which else would meet in the same sets of a cache. */
export const apart = 64;

export interface Layout {
  readonly panels: Panels;
  /** Tiles of an image from top to bottom and from left to right. */
  readonly tiles: readonly [number, number];
  /** Images of a task; or one, and so many rows of tiles of it. */
  readonly images: number;
  readonly band: number;
  readonly tasks: number;
  /** Tiles of a task at most, in whole panels. */
  readonly width: number;
  /** Panels of rows whose kernels are there at a time, and of these those whose products are. */
  readonly block: number;
  readonly run: number;
  /** Bytes from product to product: of kernels, of elements, and of what they give. */
  readonly strides: { readonly kernel: number; readonly input: number; readonly output: number };
  /** Rows and columns of what is seen of a channel of an image, with what is around it. */
  readonly seen: readonly [number, number];
  readonly common: readonly number[];
  readonly own: readonly number[];
}

/** The least divisor of a number that is at least so much, or the number itself. */
const divisorFrom = (n: number, least: number): number => {
  let divisor = Math.min(n, least);
  while (n % divisor !== 0) divisor++;
  return divisor;
};

/** A count, rounded up to whole runs. */
export const inWhole = (count: number, size: number): number => size * Math.ceil(count / size);

export const layoutOf = (conv: WinogradConv, tallest: number, made: boolean): Layout => {
  const { side, samples, rows, channels, places, source } = conv;
  const products = square(minimal[side].products);
  const [down, across] = places.map(length => length / side) as [number, number];
  const ofImage = down * across;
  const all = samples * ofImage;
  const least = all < enoughTasks * panelColumns ? panelColumns : 2 * panelColumns;
  const most = Math.min(mostTaskTiles, Math.max(panelColumns, Math.floor(inputBytes / (4 * products * channels))));
  const wanted = Math.min(most, Math.max(least, Math.floor(all / enoughTasks)));
  const images = ofImage > wanted ? 1 : Math.min(samples, Math.floor(wanted / ofImage));
  // Bands that are all alike leave rows ready for the kernel behind.
  const band = images > 1 || ofImage <= wanted ? down : down / divisorFrom(down, Math.ceil(ofImage / wanted));
  const width = inWhole(images * band * across, panelColumns);
  const panels = panelsOf(rows, tallest);
  const block = Math.min(
    panels.count,
    Math.max(1, Math.floor(kernelBytes / (4 * products * channels * panels.height))),
  );
  const run = Math.min(block, Math.max(1, Math.floor(outputBytes / (4 * products * width * panels.height))));
  const strides = {
    kernel: 4 * panels.height * block * channels + apart,
    input: 4 * width * channels + apart,
    output: 4 * width * panels.height * run + apart,
  };
  const seen = [side * band + 2, side * across + 2] as const;
  return {
    panels,
    tiles: [down, across],
    images,
    band,
    tasks: images > 1 ? Math.ceil(samples / images) : samples * (down / band),
    width,
    block,
    run,
    strides,
    seen,
    common: [products * strides.kernel],
    own: [
      edgeBytes(panels, false),
      products * strides.input,
      products * strides.output,
      4 * images * seen[0] * seen[1],
      4 * width,
      4 * width,
      made ? 4 * seen[0] * source.lengths[3]! : 0,
    ],
  };
};

export const winogradBytes = (
  conv: WinogradConv,
  tallest: number,
  made: boolean,
): { readonly common: number; readonly own: number } => {
  const { common, own } = layoutOf(conv, tallest, made);
  return { common: bytesFor(common), own: bytesFor(own) };
};

/** Whether all kernels are there at once. */
export const winogradIsWhole = (conv: WinogradConv, tallest: number): boolean => {
  const { block, panels } = layoutOf(conv, tallest, false);
  return block === panels.count;
};

/** Elements of a row of the result that a task leaves ready. */
export const winogradUnit = (conv: WinogradConv, tallest: number): number =>
  layoutOf(conv, tallest, false).band * conv.side * conv.places[1];

/** How much of the source may be made again for the next band, which sees some of the same, at most. */
const mostOverlap = 0.5;

/** Whether a task sees all of a channel, which is then made at once; else rows of it are. */
export const seesPlanes = ({ source, origin }: WinogradConv, { seen }: Layout): boolean =>
  origin[0]! <= 0 && origin[0]! + seen[0] >= source.lengths[2]!;

/** Elements that the source is made in pieces of; null where it is not in order, or much of it would be made more than once. */
export const winogradMadeUnit = (conv: WinogradConv, tallest: number): number | null => {
  const { lengths, strides } = conv.source;
  const layout = layoutOf(conv, tallest, true);
  const { band, tiles, seen, panels, block } = layout;
  if (block < panels.count) return null;
  if (band < tiles[0] && seen[0] > (1 + mostOverlap) * band * conv.side) return null;
  const whole = stridesOf(lengths);
  const inOrder = lengths.every((length, axis) => length === 1 || strides[axis] === 4 * whole[axis]!);
  return inOrder ? lengths[3]! * (seesPlanes(conv, layout) ? lengths[2]! : 1) : null;
};
