/**
 * Gradients of 3×3 kernels by minimal algorithms: the same trilinear form, of which the kernel is left out. What tiles see and what
 * comes back to their results are transformed into the operands of products over tiles, and these into taps.
 */
import type { Local } from '../../assembler.js';
import { usesWinograd } from '../../features.js';
import { type Crew, meet, share } from '../../threads/crew.js';
import { type Addresses, inRuns, longestBlock } from '../blocking.js';
import { panelColumns } from '../blocks.js';
import type { GatherConv } from '../conv.js';
import type { Library } from '../library.js';
import { bytesFor, constant, cut, linear, rowsInside } from '../numbers.js';
import { type Panels, panelsOf } from '../panels.js';
import type { Finish } from '../pieces.js';
import { edgeBytes } from '../product.js';
import { apart, fewestTerms, inWhole } from './conv.js';
import { largestSide, minimal, type TileSide } from './forms.js';
import { lanes } from './transforms.js';

/** The gradient of the kernels of a convolution of images with 3×3 taps that are neighbours, place by place. */
export interface WinogradGradient {
  readonly kind: 'winogradGradient';
  /** The left operand is the output. */
  readonly leftOperand: 1;
  readonly side: TileSide;
  readonly samples: number;
  readonly rows: number;
  readonly channels: number;
  /** [samples, channels, height, width]: how many, and bytes from one to the next. */
  readonly source: { readonly lengths: readonly number[]; readonly strides: readonly number[] };
  /** [samples, rows, height, width]: bytes from one to the next. */
  readonly output: readonly number[];
  readonly places: readonly [number, number];
  /** Where in the source the first window begins. */
  readonly origin: readonly number[];
}

const taps = 9;
/** Bytes of products, and of these together with their operands: what is in the nearer caches. */
const productBytes = 2 ** 20;
const commonBytes = 3 * 2 ** 19;
/** Tiles of all images from which on products are worth the transforms. */
const fewestTiles = 16;
/** Bytes of the products, and of both operands for a tile. */
const bytesOf = (
  rows: number,
  channels: number,
  side: TileSide,
): { readonly products: number; readonly tile: number } => {
  const [count, width] = [minimal[side].products ** 2, inWhole(channels, panelColumns)];
  return { products: 4 * count * rows * width, tile: 4 * count * (rows + width) };
};

export const winogradGradientOf = (conv: GatherConv): WinogradGradient | null => {
  const { reach, groups, channels, rows, samples, source, output } = conv;
  const near = reach.every(({ step, taps: count, tapStep }) => step === 1 && count === 3 && tapStep === 1);
  if (!usesWinograd() || reach.length !== 2 || !near || groups > 1) return null;
  if (channels < fewestTerms || rows < fewestTerms) return null;
  const [height, width] = reach.map(({ columns }) => columns) as [number, number];
  const side = largestSide([height, width], side => {
    const across = width / side;
    const bytes = bytesOf(rows, channels, side);
    return (
      (samples * height * across) / side >= fewestTiles &&
      across <= longestBlock &&
      bytes.products <= productBytes &&
      bytes.products + bytes.tile * across <= commonBytes
    );
  });
  if (side === null) return null;
  return {
    kind: 'winogradGradient',
    leftOperand: 1,
    side,
    samples,
    rows,
    channels,
    source: { lengths: source.lengths.toSpliced(1, 1), strides: source.strides.toSpliced(1, 1) },
    output: output.strides.toSpliced(1, 1),
    places: [height, width],
    origin: reach.map(({ origin }) => origin),
  };
};

interface Layout {
  readonly panels: Panels;
  /** Rows of tiles of an image, and tiles of such a row. */
  readonly tiles: readonly [number, number];
  /** Rows of tiles whose operands are there at a time, and tiles of them. */
  readonly run: number;
  readonly depth: number;
  /** Channels in whole panels. */
  readonly width: number;
  /** Bytes from product to product: of the left operands, of the right ones, and of what they give. */
  readonly strides: { readonly left: number; readonly right: number; readonly product: number };
  /** Rows and columns of what a row of tiles sees of a channel, with what is around it. */
  readonly seen: readonly [number, number];
  readonly common: readonly number[];
  readonly own: readonly number[];
}

const layoutOf = ({ side, samples, rows, channels, places }: WinogradGradient, tallest: number): Layout => {
  const products = minimal[side].products ** 2;
  const tiles = places.map(length => length / side) as [number, number];
  const bytes = bytesOf(rows, channels, side);
  const most = Math.min(longestBlock, Math.floor((commonBytes - bytes.products) / bytes.tile));
  const run = Math.min(samples * tiles[0], Math.max(1, Math.floor(most / tiles[1])));
  const depth = run * tiles[1];
  const width = inWhole(channels, panelColumns);
  const panels = panelsOf(rows, tallest);
  const strides = {
    left: 4 * depth * rows + apart,
    right: 4 * depth * width + apart,
    product: 4 * rows * width + apart,
  };
  const seen = [side + 2, places[1] + 2] as const;
  return {
    panels,
    tiles,
    run,
    depth,
    width,
    strides,
    seen,
    common: [products * strides.left, products * strides.right, products * strides.product],
    own: [edgeBytes(panels, false), 4 * channels * seen[0] * seen[1], 4 * rows * side * places[1], 4 * width],
  };
};

export const winogradGradientBytes = (
  conv: WinogradGradient,
  tallest: number,
): { readonly common: number; readonly own: number } => {
  const { common, own } = layoutOf(conv, tallest);
  return { common: bytesFor(common), own: bytesFor(own) };
};

/** Two for each pair of element and place that meets in the sum itself. */
export const winogradGradientFlops = ({ samples, rows, channels, places }: WinogradGradient): number =>
  2 * samples * rows * channels * places[0] * places[1] * taps;

/** Elements of a row of the result. */
export const winogradGradientUnit = ({ channels }: WinogradGradient): number => taps * channels;

/** `left` is the output, `right` the input. */
export const writeWinogradGradient = (
  crew: Crew,
  conv: WinogradGradient,
  addresses: Addresses,
  library: Library,
  finish: Finish | null,
): void => {
  const { writer: f } = crew;
  const { side, samples, rows, channels, source, output, places, origin } = conv;
  const { panels, tiles, run, width, strides, seen, common, own } = layoutOf(conv, library.tallest);
  const [left, right, products] = cut(f, addresses.common, common) as [Local, Local, Local];
  const [edge, stage, lines, table] = cut(f, addresses.own, own) as [Local, Local, Local, Local];
  const [height, length] = source.lengths.slice(2) as [number, number];
  const count = minimal[side].products ** 2;
  const planeBytes = 4 * seen[0] * seen[1];
  const linesBytes = 4 * side * places[1];
  // Where channels are staged; the last one again until panels are full.
  const entry = constant(f, 0);
  f.loop(entry, constant(f, width), 1, () => {
    linear(f, 0, [table, 1], [entry, 4]);
    const channel = f
      .get(entry)
      .i32(channels - 1)
      .get(entry)
      .i32(channels)
      .op('i32.lt_u', 'select')
      .keep('i32');
    linear(f, 0, [stage, 1], [channel, planeBytes]).memory('i32.store');
  });

  /** Copies what a row of tiles sees of all channels, with zeros around it. */
  const stageSource = (sample: Local, down: Local): void => {
    const top = linear(f, origin[0]!, [down, side]).keep('i32');
    const { from, rows: there } = rowsInside(f, top, seen[0], height);
    const [first, end] = [Math.max(0, origin[1]!), Math.min(length, origin[1]! + seen[1])];
    f.get(stage)
      .i32(0)
      .i32(channels * planeBytes)
      .memoryFill();
    const channel = constant(f, 0);
    f.loop(channel, constant(f, channels), 1, () => {
      linear(f, 4 * (first - origin[1]!), [stage, 1], [channel, planeBytes], [from, 4 * seen[1]], [top, -4 * seen[1]]);
      f.i32(4 * seen[1]);
      linear(
        f,
        first * source.strides[3]!,
        [addresses.right, 1],
        [sample, source.strides[0]!],
        [channel, source.strides[1]!],
        [from, source.strides[2]!],
      );
      f.i32(source.strides[2]!)
        .i32(source.strides[3]!)
        .get(there)
        .i32(Math.max(0, end - first))
        .call(library.copyPlane);
    });
  };

  /** Copies what comes back to the results of a row of tiles. */
  const stageOutput = (sample: Local, down: Local): void => {
    const row = constant(f, 0);
    f.loop(row, constant(f, rows), 1, () => {
      linear(f, 0, [lines, 1], [row, linesBytes]).i32(4 * places[1]);
      linear(f, 0, [addresses.left, 1], [sample, output[0]!], [row, output[1]!], [down, side * output[2]!]);
      f.i32(output[2]!).i32(output[3]!).i32(side).i32(places[1]).call(library.copyPlane);
    });
  };

  /** Both operands, of a run of so many tiles, for a row of tiles that is the `index`-th of the run. */
  const transform = (index: Local, first: Local, depth: Local): void => {
    const place = linear(f, 0, [first, 1], [index, 1]).keep('i32');
    const sample = f.get(place).i32(tiles[0]).op('i32.div_u').keep('i32');
    const down = f.get(place).i32(tiles[0]).op('i32.rem_u').keep('i32');
    stageSource(sample, down);
    stageOutput(sample, down);
    const across = constant(f, 0);
    f.loop(across, constant(f, tiles[1]), 1, () => {
      const term = linear(f, 0, [index, tiles[1]], [across, 1]).keep('i32');
      const bytes = linear(f, 0, [across, 4 * side]).keep('i32');
      f.get(table, bytes)
        .i32(width)
        .i32(4 * seen[1]);
      linear(f, 0, [right, 1], [term, 4 * panelColumns]).i32(strides.right);
      linear(f, 0, [depth, 4 * panelColumns]).call(library.winogradInput(side));
      ofHeights(panels, (row, many, tall) => {
        const panel = constant(f, 0);
        f.loop(panel, constant(f, many), 1, () => {
          for (let lane = 0; lane < tall; lane += lanes) {
            linear(f, linesBytes * (row + lane), [lines, 1], [panel, linesBytes * tall], [bytes, 1]);
            f.i32(linesBytes).i32(4 * places[1]);
            const before = linear(f, row, [panel, tall]).get(depth).op('i32.mul').keep('i32');
            linear(f, 4 * lane, [left, 1], [before, 4], [term, 4 * tall]).i32(strides.left);
            f.call(library.winogradPlaces(side, Math.min(lanes, tall - lane)));
          }
        });
      });
    });
  };

  /** Adds the products of a run of tiles. */
  const multiply = (product: Local, depth: Local, adds: Local): void => {
    ofHeights(panels, (row, many, tall) => {
      linear(f, 0, [left, 1], [product, strides.left], [depth, 4 * row]);
      linear(f, 0, [right, 1], [product, strides.right]).get(depth);
      linear(f, 4 * width * row, [products, 1], [product, strides.product])
        .i32(4 * width)
        .i32(many)
        .i32(width)
        .get(edge);
      linear(f, 0, [depth, 4 * panelColumns])
        .i32(4 * panelColumns)
        .get(adds)
        .i32(0);
      f.call(library.tile(tall, panelColumns / 4));
    });
  };

  const all = constant(f, samples * tiles[0]);
  inRuns(f, all, run, constant(f, run), (first, some) => {
    const depth = linear(f, 0, [some, tiles[1]]).keep('i32');
    share(crew, some, index => transform(index, first, depth));
    meet(crew);
    share(crew, constant(f, count), product => multiply(product, depth, first));
    meet(crew);
  });
  share(crew, constant(f, rows), row => {
    const out = linear(f, 0, [addresses.out, 1], [row, 4 * taps * channels]).keep('i32');
    const from = linear(f, 0, [products, 1], [row, 4 * width]).keep('i32');
    const whole = channels - (channels % lanes);
    const brought = (channel: Local, many: number): void => {
      linear(f, 0, [from, 1], [channel, 4]).i32(strides.product);
      linear(f, 0, [out, 1], [channel, 4 * taps]).call(library.winogradTaps(side, many));
    };
    const channel = constant(f, 0);
    f.loop(channel, constant(f, whole), lanes, () => brought(channel, lanes));
    if (whole < channels) brought(constant(f, whole), channels - whole);
    finish?.(out, constant(f, 1), 4 * taps * channels);
  });
  meet(crew);
};

/** Panels of one height and then those of the other: the row they begin with, how many, and how high. */
const ofHeights = (
  { count, height, tall }: Panels,
  body: (row: number, panels: number, height: number) => void,
): void => {
  body(0, tall, height);
  if (tall < count) body(tall * height, count - tall, height - 1);
};
