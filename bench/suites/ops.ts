/** Operations by themselves, of the kinds that other suites do not have. */
import { type Input, uniform } from '../inputs.js';
import { type OperationName, segments } from '../library.js';
import { type Case, measure } from '../measure.js';
import { candidates, type Suite } from './suite.js';
import { quickerTarget } from './targets.js';

const suite = 'ops';

interface Operation {
  readonly name: string;
  readonly program: OperationName;
  readonly inputs: readonly Input[];
}

/** Positions, as floats. */
const indices = (seed: number, count: number, below: number): Input => {
  const { values, shape } = uniform(seed, [count], 0, below);
  return { values: values.map(Math.floor), shape };
};

const operations = (): readonly Operation[] => {
  const rows = [uniform(0, [512, 1024])];
  const image = [8, 64, 64, 64];
  const half = [8, 64, 32, 32];
  return [
    { name: 'GELU', program: 'gelu', inputs: rows },
    { name: 'running sums of rows', program: 'cumsum', inputs: rows },
    { name: 'log-sum-exp of rows', program: 'logsumexp', inputs: rows },
    { name: 'largest of rows, where', program: 'argmax', inputs: rows },
    { name: 'ten largest of rows', program: 'topK', inputs: rows },
    { name: 'rows sorted', program: 'sortRows', inputs: rows },
    { name: '16384 rows of 64 taken', program: 'takeRows', inputs: [uniform(0, [1000, 64]), indices(1, 16384, 1000)] },
    { name: '4096 rows of 64 added', program: 'addRows', inputs: [uniform(0, [4096, 64]), indices(1, 4096, segments)] },
    { name: 'max pool 2×2', program: 'maxPool', inputs: [uniform(0, image)] },
    { name: 'max pool 2×2, gradient', program: 'maxPoolInput', inputs: [uniform(0, image), uniform(1, half)] },
    { name: 'bilinear ×2', program: 'upsample', inputs: [uniform(0, half)] },
    {
      name: 'einsum bqhd,bkhd→bhqk',
      program: 'attentionScores',
      inputs: [uniform(0, [8, 128, 8, 64]), uniform(1, [8, 128, 8, 64])],
    },
  ];
};

const bytesOf = (inputs: readonly Input[]): number => inputs.reduce((sum, { values }) => sum + values.byteLength, 0);

const cases = (): readonly Case[] =>
  operations().map(({ name, program, inputs }) => ({
    name,
    bytes: bytesOf(inputs),
    runners: candidates({ program, inputs }),
  }));

export const ops: Suite = {
  about: 'operations by themselves: scans, sorting, indexing, pooling, resampling',
  run: (effort, report) => measure(suite, cases(), effort, report),
  targets: rows => operations().map(({ name }) => quickerTarget(suite, rows, name, 2)),
};
