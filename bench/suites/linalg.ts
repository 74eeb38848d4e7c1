/** Decompositions of matrices and systems of equations, beside a product of matrices. */
import { type Input, uniform } from '../inputs.js';
import type { DecompositionName } from '../library.js';
import { type Case, measure } from '../measure.js';
import { jax } from '../peers/jax.js';
import { tenfold, tenfoldOnTwo } from '../peers/tenfold.js';
import { type Row, rowOf, type Target } from '../row.js';
import { candidates, type Suite } from './suite.js';
import { quickerTarget, rateTarget } from './targets.js';

const suite = 'linalg';
const side = 512;

interface Decomposition {
  readonly name: string;
  readonly program: DecompositionName;
  readonly inputs: readonly Input[];
  /** Floating-point operations, where there is a count that all agree on. */
  readonly flops?: number;
  readonly tolerance?: number;
}

/** Matrices, each changed by a function of the place. */
const changed = ({ values, shape }: Input, change: (value: number, i: number, j: number) => number): Input => {
  const n = shape.at(-1)!;
  return { values: values.map((value, at) => change(value, Math.floor(at / n) % shape.at(-2)!, at % n)), shape };
};

const transposed = ({ values, shape }: Input): Float32Array => {
  const n = shape.at(-1)!;
  return values.map((_, at) => {
    const [matrix, i, j] = [Math.floor(at / n ** 2), Math.floor(at / n) % n, at % n];
    return values[matrix * n ** 2 + j * n + i]!;
  });
};

const symmetric = (x: Input): Input => {
  const mirrored = transposed(x);
  return { values: x.values.map((value, at) => (value + mirrored[at]!) / 2), shape: x.shape };
};

/** Positive definite: the diagonal outweighs the rest. */
const definite = (x: Input): Input => {
  const n = x.shape.at(-1)!;
  return changed(symmetric(x), (value, i, j) => (i === j ? n / 2 + value : value));
};

/** Well-conditioned, without a zero in the way. */
const regular = (x: Input): Input => {
  const n = x.shape.at(-1)!;
  return changed(x, (value, i, j) => (i === j ? value + Math.sqrt(n) * (i % 2 === 0 ? 1 : -1) : value));
};

const lower = (x: Input): Input => changed(definite(x), (value, i, j) => (j > i ? 0 : value));

const decompositions = (): readonly Decomposition[] => {
  const square = uniform(0, [side, side]);
  const small = uniform(2, [256, 16, 16]);
  const right = uniform(1, [side, side]);
  return [
    { name: `cholesky ${side}`, program: 'cholesky', inputs: [definite(square)], flops: side ** 3 / 3 },
    { name: 'cholesky 256 of 16', program: 'cholesky', inputs: [definite(small)] },
    { name: `lu ${side}`, program: 'lu', inputs: [regular(square)], flops: (2 / 3) * side ** 3, tolerance: 1e-3 },
    { name: `triangularSolve ${side}`, program: 'triangularSolve', inputs: [lower(square), right], flops: side ** 3 },
    {
      name: `solve ${side}, 16 right sides`,
      program: 'solve',
      inputs: [regular(square), uniform(1, [side, 16])],
      tolerance: 1e-2,
    },
    { name: 'inverse 128', program: 'inverse', inputs: [regular(uniform(3, [128, 128]))], tolerance: 1e-3 },
    { name: 'eigh 32', program: 'eigh', inputs: [symmetric(uniform(4, [32, 32]))], tolerance: 1e-2 },
    { name: 'eigh 128', program: 'eigh', inputs: [symmetric(uniform(5, [128, 128]))], tolerance: 1e-2 },
    { name: 'svd 64×32', program: 'svd', inputs: [uniform(6, [64, 32])], tolerance: 1e-2 },
    { name: 'svd 128', program: 'svd', inputs: [uniform(7, [128, 128])], tolerance: 1e-2 },
  ];
};

const product: Case = {
  name: `product ${side}`,
  flops: 2 * side ** 3,
  bytes: 3 * 4 * side ** 2,
  runners: candidates({ program: 'matmul', inputs: [uniform(0, [side, side]), uniform(1, [side, side])] }, [
    tenfold,
    tenfoldOnTwo,
    jax,
  ]),
};

const cases = (): readonly Case[] => [
  product,
  ...decompositions().map(({ name, program, inputs, flops, tolerance }) => ({
    name,
    ...(flops === undefined ? {} : { flops }),
    ...(tolerance === undefined ? {} : { tolerance }),
    runners: candidates({ program, inputs }, [tenfold, tenfoldOnTwo, jax]),
  })),
];

/** A quarter of what the product reaches. */
const ofProduct = (rows: readonly Row[], what: string): Target =>
  rateTarget(
    { suite, what, goal: "≥ 25 % of the product's rate", atLeast: 0.25 },
    rowOf(rows, what),
    rowOf(rows, product.name),
  );

export const linalg: Suite = {
  about: 'decompositions of matrices and systems of equations',
  run: (effort, report) => measure(suite, cases(), effort, report),
  targets: rows =>
    decompositions().flatMap(({ name, flops }) => [
      ...(flops === undefined ? [] : [ofProduct(rows, name)]),
      quickerTarget(suite, rows, name, 2),
    ]),
};
