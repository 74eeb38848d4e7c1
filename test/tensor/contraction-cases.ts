/** What the tests of contractions share: operands of which the bits tell in which order they were added, views, an oracle. */
import { add, matmul, mul, type Tensor } from 'tenfold';
import { expect } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import type { Plan } from '../../src/tensor/backend/wasm/steps.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { bufferNode, type Node } from '../../src/tensor/graph.js';
import { operandRoles, outputLength } from '../../src/tensor/primitives/convolution.js';
import type { ConvParams, ConvRole, DotParams } from '../../src/tensor/primitives/signatures.js';
import { range, type Shape, sizeOf, stridesOf } from '../../src/tensor/shape.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { wrap } from '../../src/tensor/tensor.js';
import { randomOf } from './differential.js';

/** The values of some roots, computed in one program. */
export const computedAll = (...roots: readonly Node[]): readonly Float32Array[] => {
  const { program, scalars, leaves, stored } = programOfPending(roots.filter(({ value }) => value === null));
  const given = leaves.map(each => each.value as Storage);
  const values = program.instructions.length === 0 ? [] : wasmBackend.compile(program).run(given, scalars);
  return roots.map(
    root => ((root.value ?? values[stored.indexOf(root)]) as Storage).readSync() as unknown as Float32Array,
  );
};
export const computed = (root: Node, ...others: readonly Node[]): Float32Array => computedAll(root, ...others)[0]!;

export const planFor = (...roots: readonly Node[]): Plan => planOf(programOfPending(roots).program);
export const kindsOf = ({ steps }: Plan): readonly string[] => steps.map(({ kind }) => kind);

export const leaf = (shape: Shape, array: Float32Array): Node => bufferNode(shape, new HostStorage('float32', array));

/** Numbers of several magnitudes: their sum has other bits in another order. */
export const noise = (size: number, seed: number): Float32Array => {
  const random = randomOf(seed);
  return Float32Array.from({ length: size }, () => (random() - 0.5) * 2 ** (random() * 6 - 3));
};
/** Made once, since large ones take longer to make than to multiply. */
const made = new Map<string, Node>();
export const noiseOf = (shape: Shape, seed = sizeOf(shape)): Node => {
  const key = `${shape} ${seed}`;
  const node = made.get(key) ?? leaf(shape, noise(sizeOf(shape), seed));
  if (sizeOf(shape) > 100_000) made.set(key, node);
  return node;
};

/** A stored copy. */
export const written = (x: Node): Node => (x.value !== null ? x : leaf(x.shape, computed(x)));

/** The same for what is not of float32. */
export const writtenAs = (x: Node): Node => {
  const { dtype, shape } = x;
  return bufferNode(shape, new HostStorage(dtype, computed(x) as never));
};

/** Index `i` of an axis, the axis staying. */
export const at = (x: Node, axis: number, from: number, to = from + 1): Node =>
  b.slice(x, {
    start: x.shape.map((_, each) => (each === axis ? from : 0)),
    stop: x.shape.map((n, each) => (each === axis ? to : n)),
    step: x.shape.map(() => 1),
  });

export const turned = (x: Node, axes: readonly number[] = range(x.shape.length).reverse()): Node =>
  b.permute(x, { axes });

/** The same elements somewhere within a larger buffer of other numbers; in every axis that would be much larger. */
const within = (x: Node, before: number, after: number, apart: number): Node => {
  const values = computed(x);
  const outer = x.shape.map((_, axis) => axis === 0 || axis >= x.shape.length - 2);
  const [low, high, step] = [
    outer.map(is => (is ? before : 0)),
    outer.map(is => (is ? after : 0)),
    outer.map(is => (is ? apart : 1)),
  ];
  const stop = x.shape.map((n, axis) => low[axis]! + n * step[axis]!);
  const shape = stop.map((n, axis) => n + high[axis]!);
  const array = noise(sizeOf(shape), 77);
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  values.forEach((value, flat) => {
    const indices = x.shape.map((n, axis) => Math.floor(flat / from[axis]!) % n);
    array[indices.reduce((sum, i, axis) => sum + (low[axis]! + i * step[axis]!) * to[axis]!, 0)] = value;
  });
  return b.slice(leaf(shape, array), { start: low, stop, step });
};

/** Ways to read a stored tensor out of something else. */
export const views: Readonly<Record<string, (x: Node) => Node>> = {
  turned: x => turned(written(turned(x))),
  rotated: x => {
    const axes = range(x.shape.length).map(axis => (axis + 1) % x.shape.length);
    return turned(
      written(turned(x, axes)),
      range(axes.length).map(axis => axes.indexOf(axis)),
    );
  },
  flipped: x => b.flip(written(b.flip(x, { axes: range(x.shape.length) })), { axes: range(x.shape.length) }),
  cut: x => within(x, 1, 2, 1),
  strided: x => within(x, 1, 0, 3),
  reshaped: x => b.reshape(leaf([sizeOf(x.shape)], computed(x)), { shape: x.shape }),
  'flipped, cut and turned': x =>
    b.flip(turned(within(turned(written(b.flip(x, { axes: [0] }))), 2, 1, 1)), { axes: [0] }),
};

/** Throws unless the bits are the same. */
export const same = (got: Float32Array, wanted: Float32Array, what: string): void => {
  if (got.length !== wanted.length) expect.fail(`${what}: ${got.length} elements instead of ${wanted.length}`);
  const off = wanted.findIndex((x, i) => !Object.is(x, got[i]));
  if (off >= 0) expect.fail(`${what}: element ${off} of ${wanted.length} is ${got[off]} instead of ${wanted[off]}`);
};

/** What a sum is, the sum of its terms' magnitudes, how many there are. */
interface Sum {
  readonly value: number;
  readonly magnitude: number;
  readonly terms: number;
}

/** Throws unless each number is the sum, as near as a float32 can come to it that is added up term by term. */
export const near = (got: Float32Array, sumAt: (i: number) => Sum, what: string): void => {
  got.forEach((x, i) => {
    const { value, magnitude, terms } = sumAt(i);
    const room = Math.max(16, Math.sqrt(terms)) * 2 ** -23 * magnitude + terms * 2 ** -149;
    const right = Number.isFinite(value) ? Math.abs(x - value) <= room : Object.is(x, value);
    if (!right) expect.fail(`${what}: element ${i} of ${got.length} is ${x} instead of ${value} ± ${room}`);
  });
};

/** Sums of so many terms beside their magnitudes. */
const sumsOf = (size: number, terms: number) => {
  const [values, magnitudes] = [new Float64Array(size), new Float64Array(size)];
  return {
    add: (i: number, term: number): void => {
      values[i]! += term;
      magnitudes[i]! += Math.abs(term);
    },
    at: (i: number): Sum => ({ value: values[i]!, magnitude: magnitudes[i]!, terms }),
  };
};

/** The product of stacks of matrices [batch, m, k] · [batch, k, n] in float64. */
export const productOf = (
  [batch, m, k, n]: readonly [number, number, number, number],
  x: Float32Array,
  y: Float32Array,
): ((i: number) => Sum) => {
  const sums = sumsOf(batch * m * n, k);
  for (let p = 0; p < batch; p++)
    for (let i = 0; i < m; i++)
      for (let l = 0; l < k; l++) {
        const left = x[(p * m + i) * k + l]!;
        for (let j = 0; j < n; j++) sums.add((p * m + i) * n + j, left * y[(p * k + l) * n + j]!);
      }
  return sums.at;
};

export const dot = (x: Node, y: Node, params: Partial<DotParams> = {}): Node =>
  b.dotGeneral(x, y, { lhsContract: [x.shape.length - 1], rhsContract: [0], lhsBatch: [], rhsBatch: [], ...params });
/** Stacks of matrices. */
export const batched = (x: Node, y: Node): Node =>
  dot(x, y, { lhsBatch: [0], rhsBatch: [0], lhsContract: [2], rhsContract: [1] });

/** A convolution: what its letters and spatial axes are. */
export interface ConvCase {
  readonly n: number;
  readonly g: number;
  readonly o: number;
  readonly c: number;
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly strides?: readonly number[];
  readonly dilation?: readonly number[];
  readonly padding?: readonly (readonly [number, number])[];
}

/** Convolutions that differ in how they are cut into blocks. */
export const convCases: Readonly<Record<string, ConvCase>> = {
  'of more terms than a block': {
    ...{ n: 9, g: 1, o: 7, c: 40, size: [9, 11], kernel: [3, 3] },
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  'in groups, with strides and uneven padding': {
    ...{ n: 9, g: 3, o: 4, c: 5, size: [10, 7], kernel: [3, 2], strides: [2, 3] },
    padding: [
      [1, 0],
      [2, 1],
    ],
  },
  'along one axis': {
    ...{ n: 9, g: 1, o: 13, c: 70, size: [50], kernel: [5], dilation: [3], strides: [2], padding: [[4, 2]] },
  },
  'over three axes': {
    ...{ n: 9, g: 2, o: 3, c: 6, size: [4, 5, 6], kernel: [2, 3, 2], dilation: [2, 1, 1] },
    padding: [
      [1, 2],
      [0, 1],
      [1, 0],
    ],
  },
  'with strides longer than the kernel': {
    ...{ n: 9, g: 1, o: 8, c: 3, size: [11, 13], kernel: [2, 1], strides: [3, 4] },
  },
  'over planes of more places than a block': {
    ...{ n: 3, g: 1, o: 2, c: 3, size: [30, 37], kernel: [3, 3] },
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  'of rows of more places than a block': { n: 2, g: 1, o: 5, c: 2, size: [3, 400], kernel: [2, 4] },
  'of images that are done together': {
    ...{ n: 35, g: 2, o: 9, c: 11, size: [5, 4], kernel: [3, 3], strides: [2, 2] },
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  'of images with a place each': { n: 9, g: 1, o: 12, c: 90, size: [2, 2], kernel: [2, 2] },
  'of single places': { n: 9, g: 1, o: 33, c: 350, size: [3, 2], kernel: [1, 1] },
};

export const roles = ['output', 'input', 'kernel'] as const;

/** Where each of the letters stands. */
export const letters: Readonly<Record<ConvRole, readonly (keyof ConvCase)[]>> = {
  input: ['n', 'g', 'c'],
  kernel: ['g', 'o', 'c'],
  output: ['n', 'g', 'o'],
};

const convParams = (one: ConvCase): Required<Pick<ConvCase, 'strides' | 'dilation' | 'padding'>> => ({
  strides: one.strides ?? one.size.map(() => 1),
  dilation: one.dilation ?? one.size.map(() => 1),
  padding: one.padding ?? one.size.map(() => [0, 0] as const),
});

export const shapesOf = (one: ConvCase): Readonly<Record<ConvRole, Shape>> => {
  const { n, g, o, c, size, kernel } = one;
  const { strides, dilation, padding } = convParams(one);
  const places = size.map((length, i) => outputLength(length, kernel[i]!, strides[i]!, dilation[i]!, padding[i]!));
  return { input: [n, g, c, ...size], kernel: [g, o, c, ...kernel], output: [n, g, o, ...places] };
};

export const convOperands = (one: ConvCase, of: ConvRole): readonly [Node, Node] =>
  operandRoles(of).map((role, i) => noiseOf(shapesOf(one)[role], i + 1)) as [Node, Node];

export const conv = (one: ConvCase, of: ConvRole, [x, y]: readonly [Node, Node]): Node =>
  b.conv(x, y, { ...convParams(one), of, size: shapesOf(one)[of].slice(3) } satisfies ConvParams);

/** Spatial axes as three. */
const three = <T>(list: readonly T[], missing: T): readonly [T, T, T] =>
  [...range(3 - list.length).map(() => missing), ...list] as [T, T, T];

/**
 * A convolution in float64, from its definition. A zero of the padding is a term, and so is one beyond the ends of the
 * output: where the other factor is no number, neither is the sum.
 */
export const convolved = (one: ConvCase, of: ConvRole, x: Float32Array, y: Float32Array): ((i: number) => Sum) => {
  const { n, g, o, c } = one;
  const shapes = shapesOf(one);
  const { strides, dilation, padding } = convParams(one);
  const [S, K, T] = [
    three(shapes.input.slice(3), 1),
    three(shapes.kernel.slice(3), 1),
    three(shapes.output.slice(3), 1),
  ];
  const [step, apart] = [three(strides, 1), three(dilation, 1)];
  const low = three(padding, [0, 0] as const).map(([first]) => first);
  const [s3, k3, t3] = [S, K, T].map(sizeOf) as [number, number, number];
  const flat = (place: readonly number[], [p, q, r]: readonly number[]): number =>
    place[0]! >= 0 && place[0]! < p! && place[1]! >= 0 && place[1]! < q! && place[2]! >= 0 && place[2]! < r!
      ? (place[0]! * q! + place[1]!) * r! + place[2]!
      : -1;
  const indexOf = (at: number, [, q, r]: readonly number[]): readonly number[] => [
    Math.floor(at / (q! * r!)),
    Math.floor(at / r!) % q!,
    at % r!,
  ];
  /** What meets: places of input, kernel and output, −1 where there is none. */
  const meetings: (readonly [number, number, number])[] = [];
  for (let k = 0; k < k3; k++) {
    const tap = indexOf(k, K);
    if (of === 'input') {
      for (let s = 0; s < s3; s++) {
        const place = indexOf(s, S).map((each, i) => (each + low[i]! - tap[i]! * apart[i]!) / step[i]!);
        if (place.every(Number.isInteger)) meetings.push([s, k, flat(place, T)]);
      }
    } else {
      for (let t = 0; t < t3; t++) {
        const place = indexOf(t, T).map((each, i) => each * step[i]! + tap[i]! * apart[i]! - low[i]!);
        meetings.push([flat(place, S), k, t]);
      }
    }
  }
  const sums = sumsOf(sizeOf(shapes[of]), { output: c * k3, input: o * k3, kernel: n * t3 }[of]);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < g; j++)
      for (let l = 0; l < c; l++)
        for (let m = 0; m < o; m++) {
          const bases = [((i * g + j) * c + l) * s3, ((j * o + m) * c + l) * k3, ((i * g + j) * o + m) * t3] as const;
          for (const [s, k, t] of meetings) {
            const xs = s < 0 ? 0 : of === 'input' ? 0 : x[bases[0] + s]!;
            const ws = of === 'output' ? y[bases[1] + k]! : of === 'input' ? x[bases[1] + k]! : 0;
            const ys = t < 0 || of === 'output' ? 0 : y[bases[2] + t]!;
            if (of === 'output') sums.add(bases[2] + t, xs * ws);
            else if (of === 'input') sums.add(bases[0] + s, ws * ys);
            else sums.add(bases[1] + k, xs * ys);
          }
        }
  return sums.at;
};

/** A stored tensor; its type says nothing of its shape. */
export const stored = (shape: readonly number[], seed = sizeOf(shape)): Tensor => wrap(noiseOf(shape, seed)) as Tensor;
export const product = (x: Tensor, y: Tensor): Tensor => matmul(x, y as never) as Tensor;
export const both = (x: Tensor, y: Tensor | number): Tensor => add(x, y as never) as Tensor;
export const times = (x: Tensor, y: Tensor | number): Tensor => mul(x, y as never) as Tensor;
