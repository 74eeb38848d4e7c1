/** Processes: the two functions of each are inverse to each other, and levels have the scaling that they should. */

import fc from 'fast-check';
import { add, cast, div, log, mul, square, sub, type Tensor, tensor } from 'tenfold';
import {
  type ClosedLogSnr,
  continuousProcess,
  cosineBetas,
  cosineLogSnr,
  discreteProcess,
  edmProcess,
  flowLogSnr,
  flowProcess,
  gaussianDiffusion,
  halfLogSnr,
  laplaceLogSnr,
  linearBetas,
  linearLogSnr,
  noiseToSignal,
  type Process,
  rescaleProcess,
  rescaleZeroTerminalSnr,
  respace,
  type Scaling,
  spaceTimesteps,
  vpLogSnr,
} from 'tenfold/diffusion';
import { describe, expect, it } from 'vitest';

const f64 = (values: number | readonly number[]): Tensor => tensor(values as number, { dtype: 'float64' }) as Tensor;
const one = (x: Tensor): number => x.item() as number;

const schedules: Readonly<Record<string, ClosedLogSnr>> = {
  cosine: cosineLogSnr(),
  'cosine, shifted': cosineLogSnr({ min: -12, max: 9, shift: -1.5 }),
  linear: linearLogSnr(),
  vp: vpLogSnr(),
  'vp, even': vpLogSnr({ betaMin: 3, betaMax: 3 }),
  laplace: laplaceLogSnr({ mu: 0.5, b: 1.5 }),
  flow: flowLogSnr({ shift: 3 }),
};

const diffusion = gaussianDiffusion(cosineBetas(50));
const processes: Readonly<Record<string, readonly [process: Process, last: number]>> = {
  ...Object.fromEntries(
    Object.entries(schedules).map(([name, schedule]) => [name, [continuousProcess(schedule), 1]] as const),
  ),
  discrete: [discreteProcess(diffusion), 49],
  respaced: [discreteProcess(respace(diffusion, spaceTimesteps(50, '7'))), 49],
  'discrete, timesteps scaled': [discreteProcess(gaussianDiffusion(linearBetas(50), { rescaleTimesteps: true })), 980],
  edm: [edmProcess(), 80],
  'the straight line': [flowProcess(), 1],
  'the straight line to 1000': [flowProcess({ timeScale: 1000 }), 1000],
};

const times = fc.double({ min: 0.01, max: 0.99, noNaN: true });

describe.each(Object.entries(processes))('the process %s', (_, [process, last]) => {
  it('leads from a time to a level and back', () => {
    fc.assert(
      fc.property(times, share => {
        const level = process.levelAt(f64(share * last));
        const again = process.levelOf(noiseToSignal(level));
        expect(one(again.time)).toBeCloseTo(one(level.time), 4);
        for (const part of ['alpha', 'sigma'] as const) expect(one(again[part])).toBeCloseTo(one(level[part]), 10);
      }),
      { numRuns: 20 },
    );
  });

  it('has more noise at later times, in vectors as in scalars', () => {
    const shares = [0.05, 0.3, 0.5, 0.7, 0.95].map(share => share * last);
    const ratios = noiseToSignal(process.levelAt(f64(shares))).toArray() as number[];
    for (const [i, ratio] of ratios.entries()) {
      if (i > 0) expect(ratio).toBeGreaterThan(ratios[i - 1]!);
      expect(ratio).toBeCloseTo(one(noiseToSignal(process.levelAt(f64(shares[i]!)))), 12);
    }
  });

  it.each<[Scaling, (alpha: Tensor, sigma: Tensor) => Tensor]>([
    ['preserving', (a, s) => add(square(a), square(s)) as Tensor],
    ['exploding', a => a],
    ['flow', (a, s) => add(a, s) as Tensor],
  ])('scales its samples as it is told to: %s', (scaling, kept) => {
    const scaled = rescaleProcess(process, scaling).levelAt(f64(0.4 * last));
    expect(one(kept(scaled.alpha, scaled.sigma))).toBeCloseTo(1, 14);
    const own = process.levelAt(f64(0.4 * last));
    expect(one(noiseToSignal(scaled))).toBeCloseTo(one(noiseToSignal(own)), 10);
    expect(one(scaled.time)).toBe(one(own.time));
  });
});

describe('schedules in continuous time', () => {
  it.each(Object.entries(schedules))('%s: numbers are those of tensors, and times those of numbers', (_, schedule) => {
    fc.assert(
      fc.property(times, t => {
        const lambda = one(schedule.logSnr(f64(t)));
        expect(schedule(t)).toBe(lambda);
        expect(one(schedule.time(f64(lambda)))).toBeCloseTo(t, 5);
        const level = continuousProcess(schedule).levelAt(f64(t));
        expect(2 * one(halfLogSnr(level))).toBeCloseTo(lambda, 9);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a discrete process', () => {
  it('has the coefficients of its timesteps, to the last bit', () => {
    const { alpha, sigma, time } = discreteProcess(diffusion).levelAt(f64([0, 7, 49]));
    const of = (values: readonly number[]): readonly number[] => [0, 7, 49].map(t => values[t]!);
    expect(alpha.toArray()).toEqual(of(diffusion.sqrtAlphasCumprod));
    expect(sigma.toArray()).toEqual(of(diffusion.sqrtOneMinusAlphasCumprod));
    expect(time.toArray()).toEqual([0, 7, 49]);
  });

  it('is linear in log(σ / α) between them', () => {
    const process = discreteProcess(diffusion);
    const at = (t: number): Tensor => log(noiseToSignal(process.levelAt(f64(t)))) as Tensor;
    const middle = div(add(at(7), at(8)), 2) as Tensor;
    expect(one(sub(at(7.5), middle) as Tensor)).toBeCloseTo(0, 12);
  });

  it('may end without signal', () => {
    const process = discreteProcess(gaussianDiffusion(rescaleZeroTerminalSnr(linearBetas(50))));
    const { alpha, sigma } = process.levelAt(f64([48, 49]));
    expect((alpha.toArray() as number[])[1]).toBe(0);
    expect((sigma.toArray() as number[])[1]).toBe(1);
    expect((alpha.toArray() as number[])[0]).toBeGreaterThan(0);
  });

  it('without signal has its last timestep', () => {
    const process = discreteProcess(gaussianDiffusion(rescaleZeroTerminalSnr(linearBetas(50))));
    const { alpha, sigma, time } = process.levelOf(f64([1, Number.POSITIVE_INFINITY]));
    expect([alpha, sigma, time].map(each => (each.toArray() as number[])[1])).toEqual([0, 1, 49]);
  });

  it('takes times of any numeric dtype, and those outside to be at its ends', () => {
    const process = discreteProcess(diffusion);
    const int = cast(f64([-3, 7, 90]), 'int32') as Tensor;
    const level = process.levelAt(int);
    expect(level.alpha.toArray()).toEqual(process.levelAt(f64([0, 7, 49])).alpha.toArray());
    expect(one(process.levelOf(mul(f64(1), 1e9) as Tensor).time)).toBe(49);
  });
});

it('noise alone is a level of every process that ends in it, in every scaling that has it', () => {
  const ends = [
    continuousProcess(flowLogSnr()),
    continuousProcess(flowLogSnr(), 'flow'),
    rescaleProcess(flowProcess(), 'preserving'),
    rescaleProcess(continuousProcess(flowLogSnr()), 'flow'),
  ];
  for (const process of ends) {
    for (const level of [process.levelAt(f64([0.5, 1])), process.levelOf(f64([1, Number.POSITIVE_INFINITY]))]) {
      expect([level.alpha, level.sigma].map(each => (each.toArray() as number[])[1])).toEqual([0, 1]);
      expect((level.time.toArray() as number[])[1]).toBe(1);
    }
    // Where the square of the ratio is too large a number.
    expect((process.levelOf(f64([1e200, 1])).sigma.toArray() as number[])[0]).toBeCloseTo(1, 12);
  }
});

it('levels are float64, also of ratios that are not', () => {
  const single = tensor([0.5, 2]) as Tensor;
  for (const process of [discreteProcess(diffusion), continuousProcess(flowLogSnr()), edmProcess(), flowProcess()]) {
    const { alpha, sigma, time } = process.levelOf(single);
    expect([alpha.dtype, sigma.dtype, time.dtype]).toEqual(['float64', 'float64', 'float64']);
    expect(sigma.toArray()).toEqual(process.levelOf(f64([0.5, 2])).sigma.toArray());
  }
});
