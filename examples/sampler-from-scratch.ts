/**
 * A sampler written from scratch, in twenty lines, and what the library then does with it.
 *
 * A sampler is a pair of pure functions: `init` makes its state of the samples to start from, `step` leads from one noise
 * level to the next. This one is the Adams–Bashforth method of second order on the probability-flow ODE
 * d(x/α) / d(σ/α) = ε: it remembers the noise that was predicted one step earlier. Nothing says that it is not the
 * library's own: it is folded, jitted, differentiated and composed like those.
 */
import { add, div, mean, mul, neg, norm, realize, sqrt, square, sub, type Tensor, tensor, zerosLike } from 'tenfold';
import { eightGaussians } from 'tenfold/data';
import {
  combine,
  ddim,
  dpmSolverMultistep,
  edmProcess,
  heun,
  karrasSigmas,
  type Levels,
  levelsOf,
  lms,
  noiseToSignal,
  type Sampler,
  type SamplerState,
  sample,
  sampleState,
  slicedWasserstein,
  switchAt,
  tap,
  withChurn,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { eightCentres, eightDeviation, mixtureDenoiser } from './common/mixture.js';
import { runAsProgram } from './common/program.js';
import { printTable } from './common/table.js';

interface AdamsBashforthState extends SamplerState {
  /** The noise that the step before predicted, and the ratio σ / α where it did. */
  readonly eps: Tensor;
  readonly ratio: Tensor;
}

const adamsBashforth: Sampler<AdamsBashforthState> = {
  // As if there had been a step before, infinitely long: then it counts for nothing, and the first one is Euler's.
  init: x => ({ x, x0: zerosLike(x), eps: zerosLike(x), ratio: tensor(Infinity, { dtype: 'float64' }) }),
  step: ({ x, eps: before, ratio }, { from, to }, denoise) => {
    const { x0, eps } = denoise(x, from);
    const here = noiseToSignal(from);
    const width = sub(noiseToSignal(to), here);
    const share = div(width, mul(sub(here, ratio), 2));
    const next = combine(
      [div(to.alpha, from.alpha), x],
      [mul(to.alpha, mul(width, add(share, 1))), eps],
      [neg(mul(to.alpha, mul(width, share))), before],
    );
    return { x: next, x0, eps, ratio: here };
  },
};

/** The data: eight normal distributions on a circle. */
const denoiser = mixtureDenoiser(eightCentres, eightDeviation);
const levelsFor = (steps: number): Levels => levelsOf(edmProcess(), karrasSigmas(steps, { min: 0.01, max: 20 }));

/** √ of the mean squared difference. */
const distance = (x: Tensor, y: Tensor): number => sqrt(mean(square(sub(x, y)))).item();

/** Noise while there is much of it, the method from above where the picture gets its details. */
const composed = switchAt(1, withChurn(ddim(), { churn: 8 }), adamsBashforth);

/** A sampler that also adds up how far samples go on average, from a start. */
const measured = <S extends SamplerState>(sampler: Sampler<S>, start: Tensor) =>
  tap(sampler, (way, { x }) => ({ x, length: add(way.length, mean(norm(sub(x, way.x), { axis: 1 }))) }), {
    x: start,
    length: tensor(0) as Tensor,
  });

export interface Options {
  readonly samples?: number;
  readonly steps?: readonly number[];
}

export const main = async ({ samples = 2000, steps = [8, 16, 32, 64] }: Options = {}) => {
  const start = mul(normal(key(0), [samples, 2]), 20);
  // All of them solve the same equation; Heun's method in many steps says where it leads.
  const exact = realize(sample(heun(), denoiser, levelsFor(400), start));
  const rows = steps.map(n => {
    const errorOf = <S extends SamplerState>(sampler: Sampler<S>): number =>
      distance(sample(sampler, denoiser, levelsFor(n), start), exact);
    return {
      steps: n,
      ddim: errorOf(ddim()),
      scratch: errorOf(adamsBashforth),
      lms: errorOf(lms({ order: 2 })),
      dpmSolver: errorOf(dpmSolverMultistep()),
    };
  });
  console.log('How far from the exact solution the samplers end, by the number of steps:');
  printTable(rows);

  const { x, seen } = sampleState(measured(composed, start), denoiser, levelsFor(40), start, { key: key(1) });
  const [real, others] = [key(2), key(3)].map(each => eightGaussians(each, samples).points as Tensor);
  const apart = { key: key(4), projections: 64 };
  const toReal = slicedWasserstein(x, real!, apart).item();
  const amongReal = slicedWasserstein(others!, real!, apart).item();
  const length = Number(seen.length.item());
  console.log('\nswitchAt(1, withChurn(ddim(), { churn: 8 }), adamsBashforth), in 40 steps:');
  console.log(`its distance from the data is ${toReal.toFixed(3)}, that of other data ${amongReal.toFixed(3)};`);
  console.log(
    `a sample goes ${length.toFixed(1)} on a way of ${mean(norm(sub(x, start), { axis: 1 }))
      .item()
      .toFixed(1)}.`,
  );
  return { rows, length, toReal, amongReal };
};

runAsProgram(import.meta, main);
