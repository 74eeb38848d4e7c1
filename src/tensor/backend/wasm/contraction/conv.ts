/**
 * Convolutions of float32 as products of matrices, of which the right operand is read out of a padded copy of some channels of
 * a sample: an index of a column and one of the depth say together where, so no matrix of patches is ever made.
 */
import type { Source } from '../../../compile/cluster.js';
import type { Instruction } from '../../../compile/program.js';
import { firstSpatial } from '../../../primitives/convolution.js';
import type { ConvParams } from '../../../primitives/signatures.js';
import { range, sizeOf, stridesOf } from '../../../shape.js';
import type { View } from '../../../view.js';

/** How columns and taps of a product go over one spatial axis of the source: column i and tap k meet it at origin + i·step + k·tapStep. */
export interface Reach {
  readonly columns: number;
  readonly step: number;
  readonly taps: number;
  readonly tapStep: number;
  readonly origin: number;
  /** Which of the kernel's taps they are, and which places of the result the columns. */
  readonly tap: { readonly first: number; readonly step: number };
  readonly place: { readonly first: number; readonly step: number };
}

/** What of an axis of the source is looked at, as indices of it: from `from` to before `to`, perhaps beyond its ends. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** An operand of a convolution: how many elements it has along its axes, and bytes from one to the next. */
interface Operand {
  readonly lengths: readonly number[];
  readonly strides: readonly number[];
}

/** The result is an output or an input: rows are its channels, the kernel is the left operand, depth is (channels of the source, taps). */
export interface SpreadConv {
  readonly kind: 'spread';
  /** Which operand is the left one, the kernel. */
  readonly leftOperand: 0 | 1;
  readonly samples: number;
  readonly groups: number;
  readonly rows: number;
  readonly channels: number;
  /** [samples, groups, channels, …spatial] */
  readonly source: Operand;
  /** [groups, rows, channels, …taps] */
  readonly kernel: Operand;
  /** Bytes of the spatial axes of the result, and how many elements they have together. */
  readonly spatial: { readonly strides: readonly number[]; readonly size: number };
  /** Products whose columns are all the places of the result; each has a reach for every axis. */
  readonly parts: readonly (readonly Reach[])[];
}

/** The result is a kernel: rows are channels of the output, columns are (channels of the input, taps), depth is (samples, places of the output). */
export interface GatherConv {
  readonly kind: 'gather';
  /** The left operand is the output. */
  readonly leftOperand: 1;
  readonly samples: number;
  readonly groups: number;
  readonly rows: number;
  readonly channels: number;
  /** The input: [samples, groups, channels, …spatial] */
  readonly source: Operand;
  /** The output: [samples, groups, rows, …places] */
  readonly output: Operand;
  /** Columns are the places of the output here, and taps those of the result. */
  readonly reach: readonly Reach[];
}

export type Conv = SpreadConv | GatherConv;

const operandOf = ({ shape, strides }: View): Operand => ({
  lengths: shape,
  strides: strides.map(stride => 4 * stride),
});

/** The same with two axes in each other's place. */
const exchanged = ({ lengths, strides }: Operand, i: number, j: number): Operand => {
  const order = range(lengths.length).map(axis => (axis === i ? j : axis === j ? i : axis));
  return { lengths: order.map(axis => lengths[axis]!), strides: order.map(axis => strides[axis]!) };
};

const isConv = ({ op, aval, inputAvals }: Instruction): boolean =>
  op === 'conv' && aval.dtype === 'float32' && [aval, ...inputAvals].every(({ shape }) => sizeOf(shape) > 0);

/** Whether an operand can be read through a view: all but padding. */
export const readsConvView = (instruction: Instruction, view: View): boolean =>
  isConv(instruction) && view.valid.every(valid => valid === null);

/** Places of the output along an axis, and how a kernel's taps lie on the input. */
const forward = (columns: number, taps: number, stride: number, dilation: number, low: number): Reach => ({
  columns,
  step: stride,
  taps,
  tapStep: dilation,
  origin: -low,
  tap: { first: 0, step: 1 },
  place: { first: 0, step: 1 },
});

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * Places of the input along an axis, by their remainder modulo the stride: only some of the taps come to each, and those at
 * the same distances, so every remainder is a product of its own and no zero between elements is multiplied.
 */
const backward = (places: number, taps: number, stride: number, dilation: number, low: number): readonly Reach[] => {
  const tapStride = stride / gcd(stride, dilation);
  return range(Math.min(stride, places)).map(first => {
    const tap = range(Math.min(tapStride, taps)).find(k => (first + low - k * dilation) % stride === 0);
    const count = tap === undefined ? 0 : Math.ceil((taps - tap) / tapStride);
    return {
      columns: Math.ceil((places - first) / stride),
      step: 1,
      taps: count,
      tapStep: (-tapStride * dilation) / stride,
      origin: tap === undefined ? 0 : (first + low - tap * dilation) / stride,
      tap: { first: tap ?? 0, step: tapStride },
      place: { first, step: stride },
    };
  });
};

/** One from each list, in all ways. */
const combinations = <T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] =>
  lists.reduce<readonly (readonly T[])[]>(
    (chosen, list) => chosen.flatMap(before => list.map(each => [...before, each])),
    [[]],
  );

export const convOf = (instruction: Instruction, operands: readonly Source[]): Conv | null => {
  if (!isConv(instruction)) return null;
  const { of, strides, dilation, padding } = instruction.params as unknown as ConvParams;
  const [first, second] = operands.map(({ view }) => operandOf(view)) as [Operand, Operand];
  const { shape } = instruction.aval;
  const axes = range(shape.length - firstSpatial);
  const at = (list: readonly number[], axis: number): number => list[firstSpatial + axis]!;
  const low = (axis: number): number => padding[axis]![0];
  if (of === 'kernel') {
    const [input, output] = [first, second];
    const [samples, groups, channels] = input.lengths as readonly [number, number, number];
    const reach = axes.map(axis =>
      forward(at(output.lengths, axis), at(shape, axis), strides[axis]!, dilation[axis]!, low(axis)),
    );
    return { kind: 'gather', leftOperand: 1, samples, groups, rows: shape[1]!, channels, source: input, output, reach };
  }
  // Operands in the order input, kernel, output: the kernel is the second or the first.
  const [source, given] = of === 'output' ? [first, second] : [second, first];
  const kernel = of === 'output' ? given : exchanged(given, 1, 2);
  const [samples, groups, channels] = source.lengths as readonly [number, number, number];
  const reaches = axes.map(axis => {
    const numbers = [at(kernel.lengths, axis), strides[axis]!, dilation[axis]!, low(axis)] as const;
    return of === 'output' ? [forward(at(shape, axis), ...numbers)] : backward(at(shape, axis), ...numbers);
  });
  const spatial = shape.slice(firstSpatial);
  return {
    kind: 'spread',
    leftOperand: of === 'output' ? 1 : 0,
    samples,
    groups,
    rows: shape[2]!,
    channels,
    source,
    kernel,
    spatial: { strides: stridesOf(spatial).map(stride => 4 * stride), size: sizeOf(spatial) },
    parts: combinations(reaches),
  };
};

/** What so many columns of an axis see of the source. */
export const windowOf = ({ step, taps, tapStep, origin }: Reach, columns: number): Window => {
  const [tapEnd, columnEnd] = [Math.max(0, taps - 1) * tapStep, Math.max(0, columns - 1) * step];
  return { from: origin + Math.min(0, tapEnd), to: origin + columnEnd + Math.max(0, tapEnd) + 1 };
};

/** What all of some windows see together. */
export const hull = (windows: readonly Window[]): Window => ({
  from: Math.min(...windows.map(({ from }) => from)),
  to: Math.max(...windows.map(({ to }) => to)),
});

/** Floating-point operations: two for each pair that meets. */
export const convFlops = (conv: Conv): number => {
  const { samples, groups, rows, channels } = conv;
  const parts = conv.kind === 'spread' ? conv.parts : [conv.reach];
  const meetings = parts.reduce(
    (sum, part) => sum + part.reduce((product, { columns, taps }) => product * columns * taps, 1),
    0,
  );
  return 2 * samples * groups * rows * channels * meetings;
};
