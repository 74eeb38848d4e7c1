/** Laws of samplers, on a mixture of Gaussians of which everything is known: a line of the table is a sampler. */
import {
  abs,
  add,
  argsort,
  broadcastTo,
  concat,
  div,
  expandDims,
  grad,
  less,
  matmul,
  max,
  mean,
  mul,
  neg,
  sqrt,
  square,
  std,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  where,
} from 'tenfold';
import {
  cosineBetas,
  ddim,
  ddpm,
  deis,
  discreteProcess,
  dormandPrince,
  dpm2,
  dpmSolver,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  edmProcess,
  edmStochastic,
  euler,
  eulerAncestral,
  exponentialSigmas,
  flowHeun,
  flowProcess,
  gaussianDiffusion,
  heun,
  inferenceTimesteps,
  karrasSigmas,
  type Levels,
  levelsAt,
  levelsOf,
  linearBetas,
  lms,
  logLikelihood,
  type NoiseLevel,
  plms,
  pndm,
  rescaleProcess,
  respace,
  reverseLevels,
  rk4,
  type Sampler,
  sample,
  uniPc,
} from 'tenfold/diffusion';
import { key, normal, uniform } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussianMixture } from './mixture.js';

const mixture = gaussianMixture({
  means: [
    [1, -0.5],
    [-0.8, 0.6],
    [0.2, -1],
  ],
  variances: [0.3, 0.2, 0.4],
  weights: [1, 2, 1],
});

const preserving = rescaleProcess(edmProcess(), 'preserving');
const levelAt = (levels: Levels, index: number): NoiseLevel => {
  const of = (values: Tensor): Tensor => take(values, index) as Tensor;
  return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
};
const number = (x: Tensor): number => x.item() as number;
const rootMeanSquare = (x: Tensor): number => Math.sqrt(number(mean(square(x)) as Tensor));
const furthest = (a: Tensor, b: Tensor): number => number(max(abs(sub(a, b)) as Tensor) as Tensor);
/** Samplers of a table have states of their own kinds. */
const run = (sampler: object, levels: Levels, x: Tensor): Tensor =>
  sample(sampler as Sampler, mixture.denoiser, levels, x);
const exactly = dormandPrince({ rtol: 1e-12, atol: 1e-12 });

/** n + 1 values of a function on [0, 1]. */
const spaced = (n: number, f: (share: number) => number): readonly number[] =>
  Array.from({ length: n + 1 }, (_, i) => f(i / n));
const fall = (share: number): number => 3 * (0.3 / 3) ** share;

/** Levels of n steps between the same two levels. */
const grids = {
  /** Even in log(σ / α). */
  even: (n: number) => levelsOf(preserving, spaced(n, fall), { final: 'none' }),
  /** The same with steps that are ever longer from the first on: what a method of many steps begins with counts for less. */
  graded: (n: number) =>
    levelsOf(
      preserving,
      spaced(n, share => fall(share ** 2)),
      { final: 'none' },
    ),
  /** Even in the time of a flow. */
  time: (n: number) =>
    levelsAt(
      flowProcess(),
      spaced(n, share => 0.75 - share / 2),
      { final: 'none' },
    ),
};

const whole = { lowerOrderFinal: false } as const;
const uncorrected = { ...whole, disableCorrector: Array.from({ length: 96 }, (_, i) => i) };

/** Samplers and their orders, with the grid that they have it on and, where it is another one than their name says, why. */
const solvers: Readonly<Record<string, readonly [sampler: object, grid: keyof typeof grids, order: number]>> = {
  ddim: [ddim(), 'even', 1],
  euler: [euler(), 'even', 1],
  heun: [heun(), 'even', 2],
  flowHeun: [flowHeun(), 'time', 2],
  dpm2: [dpm2(), 'even', 2],
  'edmStochastic of order 1, no noise': [edmStochastic({ order: 1 }), 'even', 1],
  'edmStochastic, no noise': [edmStochastic(), 'even', 2],
  'rk4 of flows': [rk4(), 'time', 4],
  'rk4 in σ': [rk4({ path: 'exploding' }), 'even', 4],
  'dpmSolver of order 1': [dpmSolver({ order: 1 }), 'even', 1],
  'dpmSolver of order 2': [dpmSolver({ order: 2 }), 'even', 2],
  'dpmSolver of order 3': [dpmSolver({ order: 3 }), 'even', 3],
  ...Object.fromEntries(
    (['dpmsolver', 'dpmsolver++'] as const).flatMap(algorithm => [
      [`multistep ${algorithm} of order 1`, [dpmSolverMultistep({ algorithm, order: 1, ...whole }), 'even', 1]],
      ...(['midpoint', 'heun'] as const).flatMap(solverType => [
        [
          `multistep ${algorithm} of order 2, ${solverType}`,
          [dpmSolverMultistep({ algorithm, order: 2, solverType, ...whole }), 'even', 2],
        ],
        [
          `singlestep ${algorithm} of order 2, ${solverType}`,
          [dpmSolverSinglestep({ algorithm, order: 2, solverType, ...whole }), 'even', 2],
        ],
        [
          `singlestep ${algorithm} of order 3, ${solverType}`,
          [dpmSolverSinglestep({ algorithm, order: 3, solverType, ...whole }), 'even', 3],
        ],
      ]),
      // The second difference has half its weight in the authors' code, an error of third order in each step.
      [`multistep ${algorithm} of order 3`, [dpmSolverMultistep({ algorithm, order: 3, ...whole }), 'even', 2]],
    ]),
  ),
  'deis of order 1': [deis({ order: 1, ...whole }), 'even', 1],
  'deis of order 2': [deis({ order: 2, ...whole }), 'graded', 2],
  'deis of order 3': [deis({ order: 3, ...whole }), 'graded', 3],
  // Its first step of first order is all there is to see where steps are even.
  'deis of order 3 on even steps': [deis({ order: 3, ...whole }), 'even', 2],
  'lms of order 1': [lms({ order: 1 }), 'even', 1],
  'lms of order 2': [lms({ order: 2 }), 'graded', 2],
  'lms of order 3': [lms({ order: 3 }), 'graded', 3],
  'lms of order 4': [lms({ order: 4 }), 'graded', 4],
  'uniPc of order 1, no corrector': [uniPc({ order: 1, ...uncorrected }), 'even', 1],
  'uniPc of order 2, no corrector': [uniPc({ order: 2, ...uncorrected }), 'graded', 2],
  'uniPc of order 3, no corrector': [uniPc({ order: 3, ...uncorrected }), 'graded', 3],
  // The corrector uses a prediction more.
  ...Object.fromEntries(
    (['bh1', 'bh2'] as const).flatMap(solverType =>
      [true, false].flatMap(predictX0 =>
        ([1, 2, 3] as const).map(order => [
          `uniPc of order ${order}, ${solverType}, of ${predictX0 ? 'x₀' : 'ε'}`,
          [uniPc({ order, solverType, predictX0, ...whole }), 'graded', order + 1],
        ]),
      ),
    ),
  ),
  // Weights of Adams and Bashforth for even steps of a plain integral, which the flow of a velocity is.
  'pndm of velocities': [pndm({ prediction: 'velocity' }), 'time', 4],
  // It begins with a step of Heun's method and one of two predictions, whose errors are of third order.
  'plms of velocities': [plms({ prediction: 'velocity' }), 'time', 3],
  // The transfer is not linear in the time: what is extrapolated for the middle of a step is not what a step needs.
  'pndm of noise': [pndm(), 'time', 2],
  'plms of noise': [plms(), 'time', 2],
  'pndm of v': [pndm({ prediction: 'v' }), 'time', 1],
};

describe('the order of', () => {
  const starts = Object.fromEntries(
    Object.entries(grids).map(([name, grid]) => {
      const x = mixture.draw(key(0), 8, levelAt(grid(1), 0));
      return [name, { x, end: run(exactly, grid(1), x) }];
    }),
  );
  for (const [name, [sampler, grid, order]] of Object.entries(solvers)) {
    it(`${name} is ${order}`, () => {
      const { x, end } = starts[grid]!;
      const errorAt = (n: number): number => rootMeanSquare(sub(run(sampler, grids[grid](n), x), end) as Tensor);
      // The errors of methods of fourth order in one step come down to those of the solution they are measured by.
      const [coarse, fine] = name.startsWith('rk4') ? [12, 24] : [48, 96];
      const measured = Math.log2(errorAt(coarse!) / errorAt(fine!));
      expect(Math.abs(measured - order), `measured ${measured.toFixed(2)}`).toBeLessThan(0.2);
    });
  }

  it('DDIM and back again is 1', () => {
    const { x } = starts.even!;
    const errorAt = (n: number): number => {
      const levels = grids.even(n);
      const there = sample(ddim(), mixture.denoiser, levels, x);
      return rootMeanSquare(sub(sample(ddim(), mixture.denoiser, reverseLevels(levels), there), x) as Tensor);
    };
    const [coarse, fine] = [errorAt(100), errorAt(400)];
    expect(fine).toBeLessThan(0.01);
    expect(Math.abs(Math.log(coarse / fine) / Math.log(4) - 1)).toBeLessThan(0.2);
  });
});

describe('the mixture', () => {
  it('says the same by its denoiser as by its density', () => {
    for (const process of [preserving, edmProcess(), flowProcess()]) {
      const level = process.levelOf(tensor(0.7, { dtype: 'float64' }));
      const x = mixture.draw(key(1), 5, level);
      const { x0, eps } = mixture.denoiser(x, level, { inputs: null, previous: x });
      const score = grad((y: Tensor) => sum(mixture.logDensity(y, level)) as Tensor)(x);
      expect(furthest(neg(div(eps, level.sigma) as Tensor) as Tensor, score)).toBeLessThan(1e-12);
      expect(furthest(add(mul(x0, level.alpha), mul(eps, level.sigma)) as Tensor, x)).toBeLessThan(1e-12);
    }
  });

  it('has samples whose mean and spread are those of the denoiser', () => {
    const x = mixture.draw(key(2), 20_000);
    const wanted = [(1 - 1.6 + 0.2) / 4, (-0.5 + 1.2 - 1) / 4];
    for (const [i, m] of (mean(x, { axis: 0 }).toArray() as number[]).entries()) {
      expect(Math.abs(m - wanted[i]!)).toBeLessThan(0.025);
    }
    const noisy = preserving.levelOf(tensor(1e6, { dtype: 'float64' }));
    const { x0 } = mixture.denoiser(normal(key(3), [1, 2], { dtype: 'float64' }) as Tensor, noisy, {
      inputs: null,
      previous: x,
    });
    expect(furthest(x0, tensor([wanted], { dtype: 'float64' }) as Tensor)).toBeLessThan(1e-5);
  });
});

describe('few steps', () => {
  // Even in λ, in which these methods take their polynomials; on that of `karrasSigmas` the last steps are too long for order 3.
  const grid = (steps: number): Levels => levelsOf(preserving, exponentialSigmas(steps, { max: 40, min: 0.05 }));
  const x = mul(normal(key(4), [64, 2], { dtype: 'float64' }), Math.sin(Math.atan(40))) as Tensor;
  const end = run(exactly, levelsOf(preserving, [40]), x);
  const errorOf = (sampler: object, steps: number): number =>
    rootMeanSquare(sub(run(sampler, grid(steps), x), end) as Tensor);
  const ddimAt20 = errorOf(ddim(), 20);
  for (const [name, sampler] of Object.entries({
    'dpm++ of two predictions': dpmSolverMultistep({ order: 2 }),
    'dpm++ of three predictions': dpmSolverMultistep({ order: 3 }),
    'uniPc of order 2': uniPc({ order: 2 }),
    'uniPc of order 3': uniPc({ order: 3 }),
  })) {
    it(`${name}: 10 are better than 20 of DDIM`, () => {
      expect(errorOf(sampler, 10)).toBeLessThan(ddimAt20);
    });
  }
});

describe('processes of discrete times', () => {
  const betas = linearBetas(1000);
  const process = discreteProcess(gaussianDiffusion(betas));

  it('DDIM with η = 1 is DDPM with the variance of the posterior', () => {
    const levels = levelsAt(process, inferenceTimesteps(1000, 25));
    const x = normal(key(5), [4, 2], { dtype: 'float64' }) as Tensor;
    const [a, b] = [ddim({ eta: 1 }), ddpm({ variance: 'fixedSmall' })].map(sampler =>
      sample(sampler, mixture.denoiser, levels, x, { key: key(6) }),
    );
    expect(furthest(a!, b!)).toBeLessThan(1e-12);
    const other = sample(ddpm({ variance: 'fixedLarge' }), mixture.denoiser, levels, x, { key: key(6) });
    expect(furthest(a!, other)).toBeGreaterThan(1e-3);
  });

  it('respaced by all their steps are what they were', () => {
    for (const given of [betas, cosineBetas(50)]) {
      const diffusion = gaussianDiffusion(given);
      const again = respace(
        diffusion,
        diffusion.betas.map((_, t) => t),
      );
      expect(again.timestepMap).toEqual(diffusion.timestepMap);
      for (const [t, beta] of diffusion.betas.entries()) {
        expect(Math.abs(again.betas[t]! - beta)).toBeLessThan(1e-14);
        expect(Math.abs(again.sqrtAlphasCumprod[t]! - diffusion.sqrtAlphasCumprod[t]!)).toBeLessThan(1e-13);
      }
    }
  });
});

/**
 * The p-value of the energy distance between samples: the share of random exchanges between the two that have one as large.
 *
 * Source: Székely & Rizzo 2004, "Testing for equal distributions in high dimension".
 */
const energyTest = (a: Tensor, b: Tensor, exchanges = 999): number => {
  const pooled = concat([a, b]) as Tensor;
  const count = a.shape[0]!;
  const apart = sub(expandDims(pooled, 0), expandDims(pooled, 1)) as Tensor;
  const distances = sqrt(sum(square(apart), { axis: -1 }) as Tensor) as Tensor;
  // Signs tell which of the two a sample counts to: −sᵀ D s is the distance, up to a factor.
  const orders = argsort(uniform(key(99), [exchanges, 2 * count]), { axis: 1 }) as Tensor;
  const own = concat([broadcastTo(tensor(1), [count]), broadcastTo(tensor(-1), [count])]) as Tensor;
  const signs = concat([expandDims(own, 0), where(less(orders, count), 1, -1)]) as Tensor;
  const energies = neg(
    sum(mul(matmul(signs, distances), signs) as Tensor, { axis: 1 }) as Tensor,
  ).toArray() as number[];
  return energies.filter(energy => energy >= energies[0]!).length / (exchanges + 1);
};

describe('samples are those of the mixture', () => {
  const count = 400;
  const wanted = mixture.draw(key(7), count);
  const discrete = discreteProcess(gaussianDiffusion(linearBetas(1000)));
  const timesteps = (steps: number): Levels => levelsAt(discrete, inferenceTimesteps(1000, steps));
  const edm = (steps: number): Levels => levelsOf(edmProcess(), karrasSigmas(steps, { max: 80, min: 0.02 }));
  const sampleOf = (sampler: object, levels: Levels): Tensor =>
    sample(sampler as Sampler, mixture.denoiser, levels, [count, 2], { key: key(8), dtype: 'float64' });

  const runs: Readonly<Record<string, readonly [sampler: object, levels: Levels]>> = {
    'ddpm, 200 steps': [ddpm(), timesteps(200)],
    'ddim, 100 steps': [ddim(), timesteps(100)],
    'dpm++, 20 steps': [dpmSolverMultistep(), timesteps(20)],
    'sde-dpm++, 50 steps': [dpmSolverMultistep({ algorithm: 'sde-dpmsolver++' }), timesteps(50)],
    'uniPc, 20 steps': [uniPc(), timesteps(20)],
    'eulerAncestral, 100 steps': [eulerAncestral(), edm(100)],
    'edmStochastic, 60 steps': [edmStochastic({ churn: 20 }), edm(60)],
    dormandPrince: [dormandPrince(), levelsOf(flowProcess(), [1000])],
  };
  for (const [name, [sampler, levels]] of Object.entries(runs)) {
    it(`of ${name}`, () => {
      // One in a hundred correct samplers would fail with a key drawn at random.
      expect(energyTest(sampleOf(sampler, levels), wanted)).toBeGreaterThan(0.01);
    });
  }

  it('and not those of a sampler with too few steps, or too near to each other', () => {
    expect(energyTest(sampleOf(ddim(), timesteps(3)), wanted)).toBeLessThan(0.01);
    const near = mul(mixture.draw(key(9), count), 0.8) as Tensor;
    expect(energyTest(near, wanted)).toBeLessThan(0.01);
    expect(energyTest(mixture.draw(key(10), count), wanted)).toBeGreaterThan(0.01);
  });
});

describe('the log-likelihood by the ODE', () => {
  const levels = levelsOf(edmProcess(), [1000]);

  it('is that of the mixture within 1 %', () => {
    const x = mixture.draw(key(11), 100);
    const found = logLikelihood(mixture.denoiser, levels, x).logLikelihood;
    const wanted = mixture.logDensity(x);
    expect(number(max(abs(div(sub(found, wanted), wanted)) as Tensor) as Tensor)).toBeLessThan(0.01);
    expect(Math.abs(number(mean(found) as Tensor) / number(mean(wanted) as Tensor) - 1)).toBeLessThan(0.001);
  });

  it('is estimated by random directions within the error of their mean', () => {
    const points = mixture.draw(key(12), 3);
    for (const i of [0, 1, 2]) {
      const x = broadcastTo(take(points, tensor([i], { dtype: 'int32' })), [200, 2]) as Tensor;
      for (const directions of ['rademacher', 'normal'] as const) {
        const options = { divergence: 'hutchinson', directions, key: key(13) } as const;
        const found = logLikelihood(mixture.denoiser, levels, x, options).logLikelihood;
        const off = number(mean(found) as Tensor) - number(take(mixture.logDensity(x), 0) as Tensor);
        const error = number(std(found) as Tensor) / Math.sqrt(200);
        expect(error).toBeLessThan(0.2);
        expect(Math.abs(off)).toBeLessThan(2.5 * error + 0.001);
      }
    }
  });
});
