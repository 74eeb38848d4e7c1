/** Products of matrices: square ones, odd ones, long ones, many at once, of transposed operands. */
import { type Input, uniform } from '../inputs.js';
import type { ProgramName } from '../library.js';
import { arithmeticLimits } from '../limit/arithmetic.js';
import { type Case, measure } from '../measure.js';
import { limitImpl, limitOnTwo, ownOnTwo, type Row, rowOf, type Target } from '../row.js';
import { candidates, productLibraries, type Suite } from './suite.js';
import { bestPeerTarget, rateTarget } from './targets.js';

const suite = 'gemm';

/** Squares that are held to the limit. */
const large = [512, 1024, 2048];

interface Product {
  readonly name: string;
  readonly kind: string;
  readonly a: Input['shape'];
  readonly b: Input['shape'];
  readonly program?: ProgramName;
  readonly limits?: boolean;
}

const bytesOf = (...shapes: readonly Input['shape'][]): number =>
  4 * shapes.reduce((sum, shape) => sum + shape.reduce((product, length) => product * length, 1), 0);

const entry = (rows: number, depth: number, columns: number, batch: number, product: Product): Case => {
  const { name, kind, a, b, program = 'matmul', limits = false } = product;
  const flops = 2 * batch * rows * depth * columns;
  return {
    name,
    kind,
    flops,
    bytes: bytesOf(a, b, [batch, rows, columns]),
    runners: [
      ...candidates({ program, inputs: [uniform(0, a), uniform(1, b)] }, productLibraries),
      ...(limits ? arithmeticLimits(flops) : []),
    ],
  };
};

const square = (n: number): Case =>
  entry(n, n, n, 1, {
    name: `${n}`,
    // Some peers take much longer for odd sizes.
    kind: n % 2 === 0 ? 'even' : 'odd',
    a: [n, n],
    b: [n, n],
    limits: large.includes(n),
  });

const rectangular = (rows: number, depth: number, columns: number): Case =>
  entry(rows, depth, columns, 1, {
    name: `${rows}×${depth}×${columns}`,
    kind: 'rectangular',
    a: [rows, depth],
    b: [depth, columns],
  });

const batched = (batch: number, rows: number, depth: number, columns: number): Case =>
  entry(rows, depth, columns, batch, {
    name: `${batch} × ${rows}×${depth}×${columns}`,
    kind: 'batched',
    a: [batch, rows, depth],
    b: [batch, depth, columns],
  });

const transpositions = [
  { text: 'aᵀ·b', program: 'matmulLeft' },
  { text: 'a·bᵀ', program: 'matmulRight' },
] as const;

const transposedName = (n: number, text: string): string => `${n}, ${text}`;

const transposed = (n: number): readonly Case[] =>
  transpositions.map(({ text, program }) =>
    entry(n, n, n, 1, { name: transposedName(n, text), kind: program, a: [n, n], b: [n, n], program }),
  );

const cases = (): readonly Case[] => [
  ...[64, 128, 256, 511, 512, 1023, 1024, 2048].map(square),
  rectangular(4096, 64, 64),
  rectangular(64, 4096, 64),
  rectangular(1, 1024, 1024),
  batched(16, 128, 128, 64),
  ...[512, 1024].flatMap(transposed),
];

/** Cases that should be as fast as an even square of plain operands. */
const alike = [
  { name: '511', as: '512' },
  { name: '1023', as: '1024' },
  ...[512, 1024].flatMap(n => transpositions.map(({ text }) => ({ name: transposedName(n, text), as: `${n}` }))),
];

const againstLimits = (rows: readonly Row[], name: string): readonly Target[] => [
  rateTarget(
    { suite, what: name, goal: '≥ 85 % of the limit', atLeast: 0.85 },
    rowOf(rows, name),
    rowOf(rows, name, limitImpl),
  ),
  rateTarget(
    { suite, what: `${name}, 2 threads`, goal: '≥ 85 % of two limits side by side', atLeast: 0.85 },
    rowOf(rows, name, ownOnTwo),
    rowOf(rows, name, limitOnTwo),
  ),
];

const onTwoThreads = (rows: readonly Row[], name: string): readonly Target[] =>
  ['tfjs-wasm', 'jax-js'].map(peer =>
    rateTarget(
      { suite, what: `${name}, 2 threads`, goal: `≥ 1.7 × ${peer}`, atLeast: 1.7 },
      rowOf(rows, name, ownOnTwo),
      rowOf(rows, name, peer),
    ),
  );

export const gemm: Suite = {
  about: 'products of matrices',
  run: (effort, report) => measure(suite, cases(), effort, report),
  targets: rows => [
    ...large.flatMap(n => [
      ...againstLimits(rows, `${n}`),
      bestPeerTarget(suite, rows, `${n}`, 1.2),
      ...onTwoThreads(rows, `${n}`),
    ]),
    ...alike.map(({ name, as }) =>
      rateTarget({ suite, what: name, goal: `≥ 90 % of ${as}`, atLeast: 0.9 }, rowOf(rows, name), rowOf(rows, as)),
    ),
  ],
};
