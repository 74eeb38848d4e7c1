/** What fusing is for, on a million elements: memory-bound where the arithmetic is cheap. */
import { type Input, uniform } from '../inputs.js';
import type { ProgramName } from '../library.js';
import type { LimitKernel } from '../limit/kernel.js';
import { instantiateKernel } from '../limit/kernel.js';
import { copyKernel, readKernel } from '../limit/memory.js';
import { type Case, measure } from '../measure.js';
import { limitImpl, type Row, rowOf, type Target } from '../row.js';
import { candidates, type Suite } from './suite.js';

const million = 2 ** 20;
const arrayBytes = 4 * million;

const limit = (kernel: LimitKernel): Case['runners'][number] => ({
  impl: limitImpl,
  make: async () => ({ impl: limitImpl, threads: 1, run: instantiateKernel(kernel) }),
});

const names = {
  square: 'a·a + 1',
  squareUnjitted: 'a·a + 1, un-jitted',
  tanh: '10 × tanh(1.1x + 0.1)',
  sum: 'sum',
} as const;

interface Options {
  /** Arrays of a million elements read and written. */
  readonly arrays: number;
  readonly jitted?: boolean;
  readonly limit?: LimitKernel;
}

const entry = (name: string, program: ProgramName, inputs: readonly Input[], options: Options): Case => ({
  name,
  bytes: options.arrays * arrayBytes,
  runners: [
    ...candidates({ program, inputs, jitted: options.jitted ?? true }),
    ...(options.limit === undefined ? [] : [limit(options.limit)]),
  ],
});

const cases = (): readonly Case[] => {
  const flat = uniform(0, [million]);
  const rows = uniform(0, [1024, 1024]);
  const perRow = [uniform(1, [1024]), uniform(2, [1024])];
  const image = uniform(0, [4, 64, 64, 64]);
  const perChannel = [uniform(1, [64]), uniform(2, [64])];
  // p, g, m, v
  const moments = [flat, uniform(1, [million]), uniform(2, [million], -0.1, 0.1), uniform(3, [million], 0, 0.1)];
  const copy = copyKernel(arrayBytes);
  return [
    entry(names.square, 'squarePlusOne', [flat], { arrays: 2, limit: copy }),
    entry(names.squareUnjitted, 'squarePlusOne', [flat], { arrays: 2, jitted: false, limit: copy }),
    entry(names.tanh, 'tanhChain', [flat], { arrays: 2 }),
    entry('softmax of rows', 'softmax', [rows], { arrays: 2 }),
    entry('layer norm', 'layerNorm', [rows, ...perRow], { arrays: 2 }),
    entry('group norm + SiLU', 'groupNormSilu', [image, ...perChannel], { arrays: 2 }),
    entry('Adam update', 'adam', moments, { arrays: 7 }),
    entry(names.sum, 'sum', [uniform(0, [million], 0, 1)], { arrays: 1, limit: readKernel(arrayBytes) }),
  ];
};

/** `fast` takes at most 1 / `atLeast` of the time of `slow`. */
const target = (what: string, goal: string, fast?: Row, slow?: Row, atLeast = 1): Target => {
  const suite = 'fused';
  if (fast === undefined || slow === undefined) return { suite, what, goal, measured: null, reached: false };
  const ratio = slow.ms! / fast.ms!;
  const measured = atLeast < 1 ? `${(100 * ratio).toFixed(0)} %` : `${ratio.toFixed(1)} ×`;
  return { suite, what, goal, measured, reached: ratio >= atLeast };
};

export const fused: Suite = {
  about: 'elementwise programs, normalisations and sums of a million elements',
  run: (effort, report) => measure('fused', cases(), effort, report),
  targets: rows => [
    ...[names.square, names.squareUnjitted, names.sum].map(name =>
      target(name, '≥ 70 % of the limit', rowOf(rows, name), rowOf(rows, name, limitImpl), 0.7),
    ),
    target(names.tanh, '≥ 10 × tfjs-wasm', rowOf(rows, names.tanh), rowOf(rows, names.tanh, 'tfjs-wasm'), 10),
  ],
};
