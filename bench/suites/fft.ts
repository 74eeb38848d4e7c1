/** Fourier transforms of several lengths. */
import { type Input, uniform } from '../inputs.js';
import type { TransformName } from '../library.js';
import { type Case, measure } from '../measure.js';
import { candidates, type Suite } from './suite.js';
import { quickerTarget } from './targets.js';

const suite = 'fft';

interface Transform {
  readonly name: string;
  readonly program: TransformName;
  readonly shape: readonly number[];
  /** Operations that a transform of a power of two takes, by which rates of transforms are told: 5·n·log₂ n for each. */
  readonly flops: number;
}

const complex = (name: string, program: 'fft' | 'fft2', shape: readonly [number, number]): Transform => {
  const length = program === 'fft' ? shape[1] : shape[0] * shape[1];
  return { name, program, shape, flops: 5 * shape[0] * shape[1] * Math.log2(length) };
};

const real = (name: string, shape: readonly [number, number]): Transform => ({
  name,
  program: 'rfft',
  shape,
  flops: 2.5 * shape[0] * shape[1] * Math.log2(shape[1]),
});

const transforms: readonly Transform[] = [
  complex('256 of 64', 'fft', [256, 64]),
  complex('256 of 1024', 'fft', [256, 1024]),
  complex('256 of 1000', 'fft', [256, 1000]),
  complex('64 of 1021, a prime', 'fft', [64, 1021]),
  complex('one of 65536', 'fft', [1, 65536]),
  complex('512×512', 'fft2', [512, 512]),
  real('64 real of 4096', [64, 4096]),
];

const inputsOf = ({ program, shape }: Transform): readonly Input[] =>
  (program === 'rfft' ? [0] : [0, 1]).map(seed => uniform(seed, shape));

const cases = (): readonly Case[] =>
  transforms.map(each => ({
    name: each.name,
    flops: each.flops,
    runners: candidates({ program: each.program, inputs: inputsOf(each) }),
  }));

export const fft: Suite = {
  about: 'Fourier transforms',
  run: (effort, report) => measure(suite, cases(), effort, report),
  targets: rows => transforms.map(({ name }) => quickerTarget(suite, rows, name, 2)),
};
