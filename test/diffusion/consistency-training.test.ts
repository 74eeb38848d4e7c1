/** Consistency training and distillation: the losses by their formulas, and small networks that learn. */
import {
  add,
  cast,
  div,
  equal,
  grad,
  jit,
  max,
  mean,
  mul,
  ones,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from 'tenfold';
import {
  addNoise,
  type ConsistencyLevels,
  type ConsistencyMetric,
  combine,
  consistencyDistillation,
  consistencyLevels,
  consistencyStages,
  consistencyTimes,
  consistencyTraining,
  type Denoiser,
  type DenoiserModel,
  type DiffusionLoss,
  denoiser,
  edmProcess,
  energyDistance,
  euler,
  flowProcess,
  heun,
  karrasSigmas,
  type Levels,
  type LossExample,
  levelsOf,
  multistepConsistency,
  type Process,
  preconditioned,
  sample,
  slicedWasserstein,
  trainer,
  vpProcess,
} from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { type Key, key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';
import { gaussian } from './gaussian.js';
import { gaussianMixture } from './mixture.js';

const f64 = { dtype: 'float64' } as const;
const none = { final: 'none' } as const;
const sigmas = [5, 2, 0.5, 0.1];
const levels = levelsOf(edmProcess(), sigmas, none);
const one = (): Tensor => tensor(1, f64);

const xStart = normal(key(1), [3, 2], f64) as Tensor;
const noise = normal(key(2), [3, 2], f64) as Tensor;
/** Of samples whose intervals are the second, the last and the first. */
const example: LossExample<null> = {
  xStart,
  noise,
  t: tensor([2, 0.5, 5], f64),
  level: edmProcess().levelAt(tensor([2, 0.5, 5], f64)),
  inputs: null,
};
const [uppers, lowers] = [
  [2, 0.5, 5],
  [0.5, 0.1, 2],
];
const [x0s, epss] = [xStart, noise].map(x => x.toArray() as number[][]) as [number[][], number[][]];

/** What predicts x₀ = w x (1 − σ / 10), of samples with α = 1. */
const shrinking =
  (w: Tensor | number) =>
  (x: Tensor, t: Tensor): Tensor =>
    mul(mul(x, w as Tensor), reshape(sub(1, div(t, 10) as Tensor), [-1, 1]) as Tensor) as Tensor;
const asX0 = <E>(model: DenoiserModel<E>): Denoiser<E> => denoiser(model, { prediction: 'x0', scaling: 'exploding' });
const shrunk = (x: number, sigma: number, w = 1): number => w * x * (1 - sigma / 10);

/** Differences of the predictions, by sample and element; only that at the lower level has the other weight. */
const differences = (below: (i: number, j: number) => number, w = 1, held = w): number[][] =>
  x0s.map((row, i) =>
    row.map((x0, j) => {
      const upper = shrunk(x0 + uppers[i]! * epss[i]![j]!, uppers[i]!, w);
      return upper - (i === 1 ? below(i, j) : shrunk(below(i, j), lowers[i]!, held));
    }),
  );
const straight = (i: number, j: number): number => x0s[i]![j]! + lowers[i]! * epss[i]![j]!;
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('consistencyTraining', () => {
  it.each<[ConsistencyMetric | undefined, (d: number[]) => number]>([
    [undefined, d => Math.sqrt(Math.hypot(...d) ** 2 + 2 * 0.00054 ** 2) - Math.SQRT2 * 0.00054],
    [{ pseudoHuber: 0.7 }, d => Math.sqrt(Math.hypot(...d) ** 2 + 0.49) - 0.7],
    ['mse', d => meanOf(d.map(each => each ** 2))],
    ['l1', d => meanOf(d.map(Math.abs))],
  ])('compares predictions at adjacent levels, the metric being %s', (metric, distance) => {
    const options = { denoiser: asX0<null>, ...(metric === undefined ? {} : { metric }) };
    const wanted = differences(straight).map(distance);
    const alike = consistencyTraining<null>(levels, { ...options, weighting: one });
    close(alike(shrinking(1), example).loss, wanted, 1e-12);
    const byWidth = wanted.map((d, i) => d / (uppers[i]! - lowers[i]!));
    close(consistencyTraining<null>(levels, options)(shrinking(1), example).loss, byWidth, 1e-12);
  });

  it('learns by the upper prediction alone', () => {
    const loss = consistencyTraining<null>(levels, { denoiser: asX0, metric: 'mse', weighting: one });
    const slope = grad((w: Tensor) => mean(loss(shrinking(w), example).loss) as Tensor)(tensor(1.2, f64));
    const at = (w: number): number =>
      meanOf(
        differences(straight, w, 1.2)
          .flat()
          .map(d => d ** 2),
      );
    close(slope, (at(1.2 + 1e-5) - at(1.2 - 1e-5)) / 2e-5, 1e-8);
  });

  it('gives the same whatever the scaling and the process', () => {
    const loss = (process: Process): Tensor => {
      const others = levelsOf(process, sigmas, none);
      const { time } = process.levelOf(tensor(uppers, f64));
      const blind = (x: Tensor): Tensor => mul(x, 0.8) as Tensor;
      const of = consistencyTraining<null>(others, { denoiser: asX0 });
      return of(blind, { ...example, t: time, level: process.levelAt(time) }).loss;
    };
    const unit = loss(edmProcess()).toArray() as number[];
    for (const process of [flowProcess(), vpProcess()]) close(loss(process), unit, 1e-9);
  });

  it('takes times between levels to be at the next below, and ends where there is no noise', () => {
    const loss = consistencyTraining<null>(levels, { denoiser: asX0 });
    const between = loss(shrinking(1), { ...example, t: tensor([4.9, 1.9, 70], f64) }).loss;
    const at = loss(shrinking(1), { ...example, t: tensor([2, 0.5, 5], f64) }).loss;
    expect(between.toArray()).toEqual(at.toArray());
    const toZero = consistencyTraining<null>(levelsOf(edmProcess(), sigmas), { metric: 'mse', weighting: one });
    const lowest = { ...example, t: tensor([0.1, 0.1, 0.1], f64) };
    const x = addNoise(xStart, edmProcess().levelAt(tensor(0.1, f64)), noise);
    const network = (y: Tensor): Tensor => mul(y, 0.3) as Tensor;
    const { x0 } = preconditioned(network)(x, edmProcess().levelAt(tensor(0.1, f64)), { inputs: null, previous: x });
    const wanted = mean(square(sub(x0, xStart)), { axis: 1 }).toArray() as number[];
    close(toZero(network, lowest).loss, wanted, 1e-12);
  });

  it('gives the model one key for both predictions', () => {
    const seen: unknown[] = [];
    const loss = consistencyTraining<{ readonly key: Key }>(levels, { denoiser: asX0 });
    loss(
      (x, _, { key: k }) => {
        seen.push(k);
        return x;
      },
      { ...example, inputs: { key: key(3) } },
    );
    expect(seen.length).toBe(2);
    expect(seen[0]).toBe(seen[1]);
  });
});

describe('consistencyDistillation', () => {
  const teacher = gaussian(0.4, 0.7);
  const x = addNoise(xStart, example.level, noise);

  it.each([
    ['heun', heun()],
    ['euler', euler()],
  ] as const)('goes to the lower level by a step of %s, that of the sampler', (solver, sampler) => {
    const below = uppers.map((sigma, i) => {
      const row = slice(x, [i], [i + 1]) as Tensor;
      return sample(sampler, teacher, levelsOf(edmProcess(), [sigma, lowers[i]!], none), row).toArray() as number[][];
    });
    const options = { denoiser: asX0<null>, metric: 'mse', weighting: one, solver } as const;
    const wanted = differences((i, j) => below[i]![0]![j]!).map(d => meanOf(d.map(each => each ** 2)));
    close(consistencyDistillation<null>(levels, teacher, options)(shrinking(1), example).loss, wanted, 1e-12);
  });

  it('is 0 in the limit for the consistency function itself, with the order of the solver', () => {
    const [m, v, least] = [0.4, 0.7, 0.1];
    const known = (y: Tensor, t: Tensor): Tensor => {
      const share = reshape(sqrt(div(v + least ** 2, add(square(t), v))) as Tensor, [-1, 1]) as Tensor;
      return add(mul(sub(y, m), share), m) as Tensor;
    };
    const largest = (count: number, solver: 'heun' | 'euler'): number => {
      const fine = levelsOf(edmProcess(), karrasSigmas(count, { min: least, max: 5 }), none);
      const options = { denoiser: asX0<null>, metric: 'l1', weighting: one, solver } as const;
      const { t } = consistencyTimes(fine, { distribution: 'uniform' }).sample(null, key(4), 400);
      const many = { xStart: normal(key(5), [400, 2], f64), noise: normal(key(6), [400, 2], f64), t, inputs: null };
      const loss = consistencyDistillation<null>(fine, teacher, options);
      return max(loss(known, { ...many, level: edmProcess().levelAt(t) }).loss).item() as number;
    };
    // The error of a step: of third order for Heun's method, of second for Euler's.
    expect(largest(41, 'heun') / largest(81, 'heun')).toBeGreaterThan(6);
    expect(largest(41, 'euler') / largest(81, 'euler')).toBeGreaterThan(3);
    expect(largest(81, 'heun')).toBeLessThan(1e-4);
  });

  it('stays finite from levels without signal, and to those without noise', () => {
    const all = levelsOf(flowProcess(), [Number.POSITIVE_INFINITY, 1]);
    const flow = <E>(model: DenoiserModel<E>): Denoiser<E> => denoiser(model, { prediction: 'velocity' });
    const loss = consistencyDistillation<null>(
      all,
      flow(y => mul(y, 0.5) as Tensor),
      { denoiser: flow, weighting: one },
    );
    const ends = { ...example, t: tensor([1, 0.5, 1], f64), level: flowProcess().levelAt(tensor([1, 0.5, 1], f64)) };
    const slope = grad((w: Tensor) => sum(loss(y => mul(y, w) as Tensor, ends).loss) as Tensor)(tensor(0.3, f64));
    expect(Number.isFinite(slope.item())).toBe(true);
  });

  it('tells the teacher what conditions the samples, and no key', () => {
    const seen: unknown[] = [];
    const watching: Denoiser<object> = (y, level, context) => {
      seen.push(Object.keys(context.inputs));
      return { x0: y, eps: combine([level.sigma, y]) };
    };
    const loss = consistencyDistillation<object>(levels, watching, { denoiser: asX0 });
    loss(y => y, { ...example, inputs: { key: key(1), y: tensor([1, 2, 3]) } });
    expect(seen).toEqual([['y'], ['y']]);
  });
});

describe('consistencyTimes', () => {
  const share = (count: number, p: number): number => 4 * Math.sqrt((p * (1 - p)) / count);
  const count = 20_000;
  const frequencies = (drawn: Tensor, of: Levels): number[] =>
    (of.time.toArray() as number[]).map(t => mean(cast(equal(drawn, t), 'float64')).item() as number);

  it('has the intervals as often as a normal log σ falls into them', () => {
    const { t, weights } = consistencyTimes(levels, { mean: 0, deviation: Math.log(5) }).sample(null, key(1), count);
    // Standard normal quantiles 1, 0.4307, −0.4307 and −1.4307, between which are these parts.
    const parts = [0.17469, 0.33331, 0.25716];
    const total = parts.reduce((a, b) => a + b, 0);
    const found = frequencies(t, levels);
    for (const [i, part] of parts.entries()) {
      expect(Math.abs(found[i]! - part / total)).toBeLessThan(share(count, part / total));
    }
    expect(found[3]).toBe(0);
    expect(weights.toArray()).toEqual(ones([count]).toArray());
  });

  it('or equally often', () => {
    const { t } = consistencyTimes(levels, { distribution: 'uniform' }).sample(null, key(2), count);
    const found = frequencies(t, levels);
    for (const i of [0, 1, 2]) expect(Math.abs(found[i]! - 1 / 3)).toBeLessThan(share(count, 1 / 3));
  });

  it('draws for a position what it draws in any batch, compiled or not', () => {
    const { sample: draw } = consistencyTimes(levels);
    const all = draw(null, key(3), 50).t;
    expect(draw(null, key(3), 7).t.toArray()).toEqual((all.toArray() as number[]).slice(0, 7));
    expect(jit((k: Key) => draw(null, k, 50).t as Tensor)(key(3)).toArray()).toEqual(all.toArray());
  });

  it('takes levels with infinite ratios and without noise', () => {
    const all = levelsOf(flowProcess(), [Number.POSITIVE_INFINITY, 1]);
    const found = frequencies(consistencyTimes(all, { mean: 0, deviation: 1 }).sample(null, key(4), count).t, all);
    for (const i of [0, 1]) expect(Math.abs(found[i]! - 1 / 2)).toBeLessThan(share(count, 1 / 2));
  });
});

describe('a small network learns four Gaussians in the plane', () => {
  const mixture = gaussianMixture({
    means: [
      [1, 1],
      [-1, 1],
      [-1, -1],
      [1, -1],
    ],
    variances: 0.02,
  });
  const draw = (seed: number, count: number): Tensor => cast(mixture.draw(key(seed), count), 'float32') as Tensor;
  const process = edmProcess();
  const [most, least] = [10, 0.02];
  const known = levelsOf(process, karrasSigmas(18, { min: least, max: most }), none);
  const asDenoiser = <E>(model: DenoiserModel<E>): Denoiser<E> =>
    preconditioned((x, t, inputs, previous) => model(x, mul(t, 200) as Tensor, inputs, previous), { sigmaData: 1 });
  const network = residualMlp({ size: 2, hidden: 48, blocks: 2, embedding: 32 });
  const [start, truth] = [mul(normal(key(5), [1000, 2]), most) as Tensor, draw(7, 1000)];
  const distances = (x: Tensor): readonly number[] =>
    [energyDistance(x, truth), slicedWasserstein(x, truth, { key: key(0) })].map(d => d.item() as number);

  const steps = 400;
  const stages = consistencyStages(steps, { growth: 'squareRoot', first: 4, last: 17 });
  const rising = consistencyLevels(process, stages, n => karrasSigmas(n, { min: least, max: most }));
  const average = { denoiser: asDenoiser, target: { average: 'target' } } as const;

  it.each<[string, DiffusionLoss, ConsistencyLevels]>([
    ['by distillation', consistencyDistillation(known, mixture.denoiser, { denoiser: asDenoiser }), known],
    ['by distillation towards an average', consistencyDistillation(known, mixture.denoiser, average), known],
    ['by training', consistencyTraining(known, { denoiser: asDenoiser }), known],
    ['by training towards an average', consistencyTraining(known, average), known],
    ['by training with ever more levels', consistencyTraining(rising, average), rising],
  ])(
    '%s',
    (_, loss, levelsOfSteps) => {
      const timesteps = consistencyTimes(levelsOfSteps);
      const ema = { target: 0.9, samples: 0.98 };
      const run = trainer({ process, model: network, loss, timesteps, optimizer: adam(3e-3), ema });
      let state = run.init(key(1));
      for (let i = 0; i < steps; i++) state = run.step(state, draw(1000 + i, 128))[0];
      const student = asDenoiser((x, t) => network.apply(state.ema.samples, x, t));
      const sampler = multistepConsistency({ min: least });
      const of = (ratios: readonly number[]): Tensor =>
        sample(sampler, student, levelsOf(process, ratios), start, { key: key(9) });
      const step = distances(sample(euler(), mixture.denoiser, levelsOf(process, [most]), start));
      const real = distances(draw(8, 1000));
      const [once, twice] = [distances(of([most])), distances(of([most, 0.8]))];
      for (const i of [0, 1]) {
        expect(once[i]).toBeLessThan(step[i]! / 3);
        expect(twice[i]).toBeLessThan(step[i]! / 3);
      }
      // In one step nearly as near as other data are.
      expect(once[0]).toBeLessThan(0.05 + real[0]!);
    },
    60_000,
  );
});
