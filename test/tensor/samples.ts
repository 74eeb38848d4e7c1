/**
 * Sample calls for every primitive: how to make one, and on what. The tests of derivatives, batching and
 * evaluation walk the table through these, and a primitive without samples fails them by name.
 */
import { b } from '../../src/tensor/build.js';
import { allocate, type DType } from '../../src/tensor/dtype.js';
import { bufferNode, DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { operandRoles, outputLength } from '../../src/tensor/primitives/convolution.js';
import type { CustomJvp, CustomRule } from '../../src/tensor/primitives/custom.js';
import type { ExternalParams } from '../../src/tensor/primitives/external.js';
import { full } from '../../src/tensor/primitives/full.js';
import { repeat } from '../../src/tensor/primitives/movement.js';
import { results } from '../../src/tensor/primitives/results.js';
import type { ConvParams, PrimitiveName } from '../../src/tensor/primitives/signatures.js';
import { type Aval, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage } from '../../src/tensor/storage.js';
import { graphs } from '../../src/tensor/transform/graphs.js';

/** One way to call a primitive. */
export interface Sample {
  readonly inputs: readonly Aval[];
  /** Range of the values drawn, where the primitive is smooth. */
  readonly low?: number;
  readonly high?: number;
  /** Values instead of drawn ones, by operand. */
  readonly values?: Readonly<Record<number, readonly number[]>>;
  /** The mode of differentiation that it has no rule for, where the table does not say so for all calls of the primitive. */
  readonly lacks?: 'jvp' | 'vjp';
  readonly build: (inputs: readonly Node[]) => readonly Node[];
}

const f64 = (...shape: number[]): Aval => ({ shape, dtype: 'float64' });
const i32 = (...shape: number[]): Aval => ({ shape, dtype: 'int32' });
const of = (dtype: DType, ...shape: number[]): Aval => ({ shape, dtype });

/** A deterministic, irregular sequence in (0, 1). */
export const noise = (seed: number): ((i: number) => number) => {
  return i => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return x - Math.floor(x);
  };
};

/** Inputs of a sample, drawn. */
export const draw = ({ inputs, low = -1.5, high = 1.5, values }: Sample, seed = 0): Node[] =>
  inputs.map(({ shape, dtype }, operand) => {
    const array = allocate(dtype, sizeOf(shape));
    const u = noise(seed * 17 + operand);
    for (let i = 0; i < array.length; i++) {
      array[i] = values?.[operand]?.[i] ?? (dtype === 'bool' ? Number(u(i) > 0.5) : low + (high - low) * u(i));
    }
    return bufferNode(shape, new HostStorage(dtype, array));
  });

const unary = (op: PrimitiveName, low = -1.5, high = 1.5, dtype: DType = 'float64'): Sample[] => [
  { inputs: [of(dtype, 2, 3)], low, high, build: ([x]) => [(b[op] as (x: Node) => Node)(x!)] },
];
const binary = (op: PrimitiveName, dtype: DType = 'float64', low = 0.5, high = 2): Sample[] => [
  {
    inputs: [of(dtype, 2, 3), of(dtype, 2, 3)],
    low,
    high,
    build: ([x, y]) => [(b[op] as (x: Node, y: Node) => Node)(x!, y!)],
  },
];
const one = (inputs: readonly Aval[], build: (...inputs: Node[]) => Node, more: Partial<Sample> = {}): Sample => ({
  inputs,
  build: nodes => [build(...nodes)],
  ...more,
});
/** A multiple of the identity, for each matrix of x. */
const identity = (x: Node, factor: number): Node => {
  const [rows, columns] = [2, 1].map(back =>
    b.iota({ shape: x.shape, dtype: 'int32', axis: x.shape.length - back }),
  ) as [Node, Node];
  return b.select(b.eq(rows, columns), full(b, x, factor), full(b, x, 0));
};
const scalar = (value: number, dtype: DType): Node => b.constant({ value: new DynamicNumber(value), dtype });

/** A convolution and its two derivatives. */
const convSamples = (
  input: Shape,
  kernel: Shape,
  params: Pick<ConvParams, 'strides' | 'dilation' | 'padding'>,
  dtype: DType = 'float64',
): Sample[] => {
  const { strides, dilation, padding } = params;
  const places = input
    .slice(3)
    .map((length, axis) => outputLength(length, kernel[axis + 3]!, strides[axis]!, dilation[axis]!, padding[axis]!));
  const shapes = { input, kernel, output: [input[0]!, input[1]!, kernel[1]!, ...places] };
  return (['output', 'input', 'kernel'] as const).map(role => ({
    inputs: operandRoles(role).map(each => of(dtype, ...shapes[each])),
    ...(dtype === 'uint32' ? { low: 0, high: 2 ** 32 - 1 } : {}),
    build: ([x, y]) => [b.conv(x!, y!, { ...params, of: role, size: shapes[role].slice(3) })],
  }));
};

/** carry' = sin(carry · w) + x, y = carry'·x; two carries, one of them an integer counter. */
const foldBody = graphs.trace([f64(2), f64(2), i32(), f64(2)], ([w, carry, count, x]) => {
  const next = b.add(b.sin(b.mul(carry!, w!)), x!);
  return [next, b.add(count!, scalar(1, 'int32')), b.mul(next, x!)];
});
const foldSample = (length: number, reverse: boolean, more: { segments?: readonly number[] } = {}): Sample => ({
  inputs: [f64(2), f64(2), i32(), f64(length, 2)],
  values: { 2: [5] },
  build: inputs => results(b, b.fold(inputs, { body: foldBody, length, captures: 1, carries: 2, reverse, ...more })),
});
/** No carries, no captures: the body over the elements. */
const squares = graphs.trace([f64()], ([x]) => [b.mul(x!, x!)]);

const double = graphs.trace([f64(2), f64(2)], ([x, y]) => [b.mul(x!, y!)]);
const shiftAndSquare = graphs.trace([f64(2), f64(2)], ([x, y]) => [b.mul(b.add(x!, y!), b.add(x!, y!))]);
const condSample = (index: number): Sample => ({
  inputs: [i32(), f64(2), f64(2)],
  values: { 0: [index] },
  build: inputs => results(b, b.cond(inputs, { branches: [double, shiftAndSquare] })),
});

const below = graphs.trace([f64(), f64(2)], ([limit, x]) => [b.lt(b.sum(b.mul(x!, x!), { axes: [0] }), limit!)]);
const grow = graphs.trace([f64(2), f64(2)], ([w, x]) => [b.add(b.mul(x!, w!), x!)]);

/** w closed over, x, y and a number n: x·sin(y) + w and n + 1. The rules say of its derivative and batching what it is. */
const customBody = graphs.trace([f64(2), f64(2), f64(2), i32()], ([w, x, y, n]) => [
  b.add(b.mul(x!, b.sin(y!)), w!),
  b.add(n!, scalar(1, 'int32')),
]);
const without = (x: Node, y: Node, n: Node): Node[] => [b.mul(x, b.sin(y)), b.add(n, full(b, n, 1))];
const customJvp: CustomJvp = {
  kind: 'customJvp',
  apply: ([x, y, n], [tx, ty]) => ({
    outputs: without(x!, y!, n!),
    tangents: [b.add(b.mul(tx!, b.sin(y!)), b.mul(ty!, b.mul(x!, b.cos(y!)))), null],
  }),
};
const customVjp: CustomRule = {
  kind: 'customVjp',
  forward: ([x, y, n]) => ({
    outputs: without(x!, y!, n!),
    residuals: [b.sin(y!), b.mul(x!, b.cos(y!))],
    backward: ([dx, dy], [ct]) => [b.mul(ct!, dx!), b.mul(ct!, dy!), null],
  }),
};
const customRules: readonly CustomRule[] = [
  customJvp,
  customVjp,
  { ...customVjp, tangents: customJvp },
  {
    kind: 'customBatch',
    apply: ([x, y, n], batched, size) => {
      const rows = [x!, y!, n!].map((node, i) => (batched[i] ? node : repeat(b, node, size)));
      return without(rows[0]!, rows[1]!, rows[2]!);
    },
  },
];
const customSample = (rule: CustomRule): Sample => ({
  ...(rule.kind === 'customVjp' && rule.tangents === undefined ? { lacks: 'jvp' } : {}),
  inputs: [f64(2), f64(2), i32()],
  values: { 2: [5] },
  build: inputs => {
    const w = b.broadcast(scalar(0, 'float64'), { shape: [2] });
    return results(b, b.custom([w, ...inputs], { body: customBody, captures: 1, rule }));
  },
});

/** Running sums of a product, and how many there are. */
const runningSums: ExternalParams['run'] = ([x, y], _, results) => {
  let sum = 0;
  const sums = allocate(results[0]!.dtype, x!.length).map((_, i) => {
    sum += x![i]! * y![i % y!.length]!;
    return sum;
  });
  return [sums, Int32Array.of(sums.length)].slice(0, results.length);
};

/** Samples of every primitive but the leaves. */
export const samples: { readonly [P in Exclude<PrimitiveName, 'buffer' | 'parameter' | 'mark'>]: readonly Sample[] } = {
  constant: [one([], () => scalar(2.5, 'float64'))],
  iota: [one([], () => b.iota({ shape: [2, 3], dtype: 'int32', axis: 1 }))],
  neg: unary('neg'),
  abs: unary('abs'),
  sign: unary('sign'),
  floor: unary('floor'),
  ceil: unary('ceil'),
  round: unary('round'),
  exp: unary('exp'),
  expm1: unary('expm1'),
  log: unary('log', 0.3, 3),
  log1p: unary('log1p', -0.6, 3),
  sqrt: unary('sqrt', 0.3, 3),
  rsqrt: unary('rsqrt', 0.3, 3),
  sin: unary('sin'),
  cos: unary('cos'),
  tan: unary('tan', -1, 1),
  tanh: unary('tanh'),
  sigmoid: unary('sigmoid'),
  erf: unary('erf'),
  erfc: unary('erfc'),
  erfinv: unary('erfinv', -0.9, 0.9),
  asin: unary('asin', -0.8, 0.8),
  acos: unary('acos', -0.8, 0.8),
  atan: unary('atan'),
  sinh: unary('sinh'),
  cosh: unary('cosh'),
  asinh: unary('asinh'),
  acosh: unary('acosh', 1.5, 3),
  atanh: unary('atanh', -0.8, 0.8),
  atan2: [...binary('atan2'), ...binary('atan2', 'float64', -2, -0.5)],
  hypot: binary('hypot'),
  logaddexp: binary('logaddexp', 'float64', -2, 2),
  lgamma: [...unary('lgamma', 0.3, 4), ...unary('lgamma', -1.7, -1.3)],
  polygamma: [0, 1, 2].flatMap(order =>
    [0.4, -0.7].map(low => one([f64(2, 3)], x => b.polygamma(x, { order }), { low, high: low + 0.4 })),
  ),
  not: [...unary('not', 0, 10, 'int32'), ...unary('not', 0, 1, 'bool')],
  stopGradient: unary('stopGradient'),
  cast: [
    one([of('float32', 2, 3)], x => b.cast(x, { dtype: 'float64' })),
    one([f64(2, 3)], x => b.cast(x, { dtype: 'int32' }), { low: -9, high: 9 }),
    one([i32(2, 3)], x => b.cast(x, { dtype: 'float64' }), { low: -9, high: 9 }),
  ],
  add: [...binary('add'), ...binary('add', 'int32', -9, 9)],
  sub: [...binary('sub'), ...binary('sub', 'uint32', 0, 9)],
  mul: [...binary('mul'), ...binary('mul', 'int32', -9, 9)],
  div: binary('div'),
  rem: [
    one([f64(2, 3), f64(2, 3)], (x, y) => b.rem(x, y), {
      values: { 0: [5.3, -5.3, 7.1, 2.2, -9.4, 3.3], 1: [2, 2, -3, 5, 4, 1.7] },
    }),
    ...binary('rem', 'int32', 1, 9),
  ],
  pow: [...binary('pow'), ...binary('pow', 'int32', 0, 4)],
  max: binary('max'),
  min: binary('min'),
  and: [...binary('and', 'uint32', 0, 99), ...binary('and', 'bool')],
  or: [...binary('or', 'uint32', 0, 99), ...binary('or', 'bool')],
  xor: [...binary('xor', 'uint32', 0, 99), ...binary('xor', 'bool')],
  shiftLeft: binary('shiftLeft', 'uint32', 0, 40),
  shiftRight: binary('shiftRight', 'int32', 0, 40),
  shiftRightLogical: binary('shiftRightLogical', 'uint32', 0, 40),
  eq: binary('eq', 'int32', 0, 2),
  ne: binary('ne', 'int32', 0, 2),
  lt: binary('lt'),
  le: binary('le'),
  gt: binary('gt'),
  ge: binary('ge'),
  select: [one([of('bool', 2, 3), f64(2, 3), f64(2, 3)], (c, x, y) => b.select(c, x, y))],
  threefry2x32: (['xor', 0, 1] as const).map(word =>
    one(
      [of('uint32', 3), of('uint32', 3), of('uint32', 3), of('uint32', 3)],
      (k0, k1, c0, c1) => b.threefry2x32(k0, k1, c0, c1, { rounds: 20, word }),
      { low: 0, high: 2 ** 32 - 1 },
    ),
  ),
  reshape: [one([f64(2, 3)], x => b.reshape(x, { shape: [3, 2] })), one([f64(1, 1)], x => b.reshape(x, { shape: [] }))],
  permute: [one([f64(2, 3, 4)], x => b.permute(x, { axes: [2, 0, 1] }))],
  broadcast: [
    one([f64(3, 1)], x => b.broadcast(x, { shape: [2, 3, 4] })),
    one([f64()], x => b.broadcast(x, { shape: [2, 2] })),
  ],
  slice: [
    one([f64(5, 4)], x => b.slice(x, { start: [1, 0], stop: [5, 3], step: [2, 1] })),
    one([f64(4)], x => b.slice(x, { start: [2], stop: [2], step: [1] })),
  ],
  pad: [one([f64(2, 3)], x => b.pad(x, { low: [1, 0], high: [0, 2], interior: [1, 2] }))],
  flip: [one([f64(2, 3)], x => b.flip(x, { axes: [1] }))],
  concat: [{ inputs: [f64(2, 1), f64(2, 0), f64(2, 3)], build: xs => [b.concat(xs, { axis: 1 })] }],
  gather: [
    one([f64(2, 3, 2), i32(2, 2)], (x, i) => b.gather(x, i, { axis: 1 }), { values: { 1: [2, 0, 0, 1] } }),
    one([f64(4), i32()], (x, i) => b.gather(x, i, { axis: 0 }), { values: { 1: [3] } }),
  ],
  scatterAdd: [
    one([f64(2, 2, 2, 2), i32(2, 2)], (x, i) => b.scatterAdd(x, i, { axis: 1, length: 3 }), {
      values: { 1: [2, 0, 0, 7] },
    }),
    one([f64(3), i32()], (x, i) => b.scatterAdd(x, i, { axis: 1, length: 2 }), { values: { 1: [1] } }),
  ],
  sum: [
    one([f64(2, 3, 2)], x => b.sum(x, { axes: [0, 2] })),
    one([i32(2, 3)], x => b.sum(x, { axes: [1] }), { low: -9, high: 9 }),
    one([f64(2, 0)], x => b.sum(x, { axes: [1] })),
  ],
  reduceMax: [
    one([f64(2, 3, 2)], x => b.reduceMax(x, { axes: [0, 2] })),
    one([i32(2, 3)], x => b.reduceMax(x, { axes: [0] }), { low: -9, high: 9 }),
  ],
  reduceMin: [one([f64(2, 3)], x => b.reduceMin(x, { axes: [1] }))],
  prod: [
    one([f64(2, 3, 2)], x => b.prod(x, { axes: [0, 2] })),
    one([f64(2, 3)], x => b.prod(x, { axes: [1] }), { values: { 0: [0, 2, 3, 0, 0, 1] } }),
    one([i32(2, 3)], x => b.prod(x, { axes: [1] }), { low: -9, high: 9 }),
  ],
  argmax: [one([f64(2, 3)], x => b.argmax(x, { axes: [1] }))],
  argmin: [one([f64(2, 3)], x => b.argmin(x, { axes: [0] }))],
  dotGeneral: [
    one([f64(2, 3), f64(3, 4)], (x, y) =>
      b.dotGeneral(x, y, { lhsContract: [1], rhsContract: [0], lhsBatch: [], rhsBatch: [] }),
    ),
    one([f64(4, 2, 3, 2), f64(3, 4, 2, 5)], (x, y) =>
      b.dotGeneral(x, y, { lhsContract: [2, 1], rhsContract: [0, 2], lhsBatch: [0], rhsBatch: [1] }),
    ),
    one([f64(3), f64(3)], (x, y) =>
      b.dotGeneral(x, y, { lhsContract: [0], rhsContract: [0], lhsBatch: [], rhsBatch: [] }),
    ),
    one([f64(2), f64(3)], (x, y) =>
      b.dotGeneral(x, y, { lhsContract: [], rhsContract: [], lhsBatch: [], rhsBatch: [] }),
    ),
    one([f64(2, 0), f64(0, 3)], (x, y) =>
      b.dotGeneral(x, y, { lhsContract: [1], rhsContract: [0], lhsBatch: [], rhsBatch: [] }),
    ),
  ],
  conv: [
    ...convSamples([2, 2, 2, 5], [2, 3, 2, 3], { strides: [2], dilation: [1], padding: [[1, 0]] }),
    ...convSamples([2, 1, 2, 4, 5], [1, 2, 2, 2, 3], {
      strides: [1, 3],
      dilation: [2, 1],
      padding: [
        [0, 2],
        [2, 1],
      ],
    }),
    ...convSamples([1, 1, 1, 3, 2, 2], [1, 2, 1, 2, 1, 2], {
      strides: [1, 1, 2],
      dilation: [1, 1, 1],
      padding: [
        [0, 0],
        [0, 0],
        [1, -1],
      ],
    }),
    ...convSamples([2, 1, 0, 4], [1, 2, 0, 2], { strides: [1], dilation: [1], padding: [[0, 0]] }),
    ...convSamples([1, 1, 2, 7], [1, 2, 2, 2], { strides: [3], dilation: [1], padding: [[1, 0]] }, 'float32'),
    ...convSamples([2, 2, 2, 5], [2, 2, 2, 2], { strides: [1], dilation: [2], padding: [[0, 1]] }, 'uint32'),
  ],
  output: [one([f64(2), f64(2)], (x, y) => b.output(b.call([x, y], { body: shiftAndSquare }), { index: 0 }))],
  call: [{ inputs: [f64(2), f64(2)], build: inputs => results(b, b.call(inputs, { body: shiftAndSquare })) }],
  custom: customRules.map(customSample),
  external: [
    one([f64(2, 3), f64(3)], (x, y) => b.external([x, y], { name: 'sums', result: f64(2, 3), run: runningSums })),
    {
      inputs: [f64(2, 0), f64()],
      build: inputs => results(b, b.external(inputs, { name: 'sums', result: [f64(2, 0), i32()], run: runningSums })),
    },
    {
      inputs: [f64(4), f64(2)],
      build: inputs => results(b, b.external(inputs, { name: 'sums', result: [f64(4), i32()], run: runningSums })),
    },
  ],
  fold: [
    foldSample(3, false),
    foldSample(3, true),
    foldSample(0, false),
    foldSample(3, false, { segments: [1] }),
    foldSample(3, true, { segments: [2] }),
    foldSample(5, false, { segments: [2, 2] }),
    {
      inputs: [f64(4)],
      build: inputs =>
        results(b, b.fold(inputs, { body: squares, length: 4, captures: 0, carries: 0, reverse: false })),
    },
  ],
  cond: [condSample(0), condSample(1), condSample(-3), condSample(7)],
  while: [30, 0].map(limit => ({
    inputs: [f64(), f64(2), f64(2)],
    values: { 0: [limit], 1: [0.7, 0.4], 2: [1.1, 0.3] },
    build: inputs => results(b, b.while(inputs, { test: below, body: grow, testCaptures: 1, bodyCaptures: 1 })),
  })),
  argsort: [
    one([f64(2, 4)], x => b.argsort(x, { axis: 1 })),
    one([f64(2, 4)], x => b.argsort(x, { axis: 1, count: 3 })),
    one([f64(20, 2)], x => b.argsort(x, { axis: 0, count: 2 })),
  ],
  cumsum: [
    one([f64(2, 4, 3)], x => b.cumsum(x, { axis: 1, reverse: false })),
    one([f64(5)], x => b.cumsum(x, { axis: 0, reverse: true })),
    one([i32(2, 3)], x => b.cumsum(x, { axis: 0, reverse: true }), { low: -9, high: 9 }),
    one([f64(2, 0)], x => b.cumsum(x, { axis: 1, reverse: false })),
  ],
  recurrence: [
    one([f64(2, 4, 3), f64(2, 4, 3)], (a, x) => b.recurrence(a, x, { axis: 1, reverse: false })),
    one([f64(5), f64(5)], (a, x) => b.recurrence(a, x, { axis: 0, reverse: true }), {
      values: { 0: [0, 2, 0, 1, -1] },
    }),
    one([i32(2, 3), i32(2, 3)], (a, x) => b.recurrence(a, x, { axis: 1, reverse: false }), { low: -9, high: 9 }),
    one([f64(1, 0), f64(1, 0)], (a, x) => b.recurrence(a, x, { axis: 1, reverse: true })),
  ],
  cumargmax: [one([f64(3, 4)], x => b.cumargmax(x, { axis: 1 }))],
  cumargmin: [one([f64(3, 4)], x => b.cumargmin(x, { axis: 0 }))],
  cholesky: [
    one([f64(4, 4)], x => b.cholesky(b.add(x, identity(x, 6)))),
    one([f64(2, 3, 3)], x => b.cholesky(b.add(x, identity(x, 5)))),
    one([f64(1, 0, 0)], x => b.cholesky(x)),
  ],
  triangularSolve: [
    ...[false, true].flatMap(upper =>
      [false, true].flatMap(transpose =>
        [false, true].map(unit =>
          one([f64(4, 4), f64(4, 3)], (a, y) =>
            b.triangularSolve(b.add(a, identity(a, 3)), y, { upper, transpose, unit }),
          ),
        ),
      ),
    ),
    one([f64(2, 3, 3), f64(2, 3, 1)], (a, y) =>
      b.triangularSolve(b.add(a, identity(a, 3)), y, { upper: true, transpose: false, unit: false }),
    ),
    one([f64(3, 3), f64(3, 0)], (a, y) => b.triangularSolve(a, y, { upper: true, transpose: false, unit: false })),
  ],
  lu: [
    ...[f64(4, 4), f64(2, 3, 3), f64(4, 2), f64(2, 2, 4), f64(1, 1), f64(0, 3), f64(2, 3, 0)].map(
      (aval): Sample => ({ inputs: [aval], build: ([x]) => results(b, b.lu(x!)) }),
    ),
  ],
  orthogonalRows: [
    one([f64(4, 4)], x => b.orthogonalRows(x, { columns: 4 })),
    one([f64(2, 3, 5)], x => b.orthogonalRows(x, { columns: 2 })),
    one([f64(5, 9)], x => b.orthogonalRows(x, { columns: 6 })),
    one([f64(1, 0, 3)], x => b.orthogonalRows(x, { columns: 3 })),
    one([f64(2, 3, 0)], x => b.orthogonalRows(x, { columns: 0 })),
  ],
};
