/** Samplers that integrate in σ / α: their order, their limits, and that the scaling of samples does not matter. */
import {
  add,
  cos,
  div,
  grad,
  greater,
  mul,
  reshape,
  sin,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  where,
} from 'tenfold';
import {
  cosineBetas,
  type Denoiser,
  ddim,
  denoiser,
  discreteProcess,
  dpm2,
  dpm2Ancestral,
  edmProcess,
  edmStochastic,
  euler,
  eulerAncestral,
  flowProcess,
  gaussianDiffusion,
  heun,
  karrasSigmas,
  type Levels,
  type LmsState,
  levelsAt,
  levelsOf,
  lms,
  type NoiseLevel,
  type Process,
  rescaleProcess,
  rk4,
  type Sampler,
  type SamplerState,
  type Scaling,
  type Step,
  sample,
  sampleSteps,
  scaleOf,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussianMixture } from './mixture.js';

const float64 = { dtype: 'float64' } as const;
const scalar = (value: number): Tensor => tensor(value, float64) as Tensor;
const numbers = (x: Tensor): readonly number[] => Array.from(x.dataSync() as Float64Array);
const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
const apart = (a: Tensor, b: Tensor): number => largest(numbers(sub(a, b) as Tensor));
const normals = (seed: number, shape: readonly number[]): Tensor => normal(key(seed), shape, float64) as Tensor;

const churn = { churn: 3, min: 0.05, max: 50, noise: 1.003 } as const;

const samplers: Readonly<Record<string, () => Sampler>> = {
  'euler()': () => euler(),
  'euler(churn)': () => euler(churn),
  'eulerAncestral()': () => eulerAncestral(),
  'heun()': () => heun(),
  'dpm2()': () => dpm2(),
  'dpm2Ancestral()': () => dpm2Ancestral(),
  'lms()': () => lms() as unknown as Sampler,
  'edmStochastic(churn)': () => edmStochastic(churn),
  "rk4({ path: 'exploding' })": () => rk4({ path: 'exploding' }),
  'rk4()': () => rk4(),
};

/** A network whose prediction is no simple function of its arguments. */
const curved: Denoiser = denoiser(
  (x, t) => add(mul(x, 0.3), mul(add(sin(mul(x, 2)), cos(mul(reshape(t, [-1, 1]), 0.01)) as Tensor), 0.2)) as Tensor,
  { prediction: 'v' },
);
/** The first level of `levels`, or the one after it, …: what a step is given. */
const levelAt = ({ alpha, sigma, time }: Levels, i: number): NoiseLevel => {
  const of = (vector: Tensor): Tensor => scalar(numbers(vector)[i]!);
  return { alpha: of(alpha), sigma: of(sigma), time: of(time) };
};

const stepOf = (levels: Levels, i: number, noise: Tensor): Step => ({
  from: levelAt(levels, i),
  to: levelAt(levels, i + 1),
  index: tensor(i, { dtype: 'int32' }) as Tensor,
  count: levels.sigma.shape[0]! - 1,
  noise: () => noise,
  levelOf: levels.process.levelOf,
  levelAt: levels.process.levelAt,
});

describe('orders of convergence', () => {
  const { denoiser: exact } = gaussianMixture({ means: [[-1], [1.5]], variances: [0.2, 0.1], weights: [2, 1] });
  const finest = 768;
  const sigmas = (n: number): readonly number[] => karrasSigmas(n + 1, { min: 0.1, max: 10, rho: 3 });
  const levels = (n: number, skipped = 0): Levels =>
    levelsOf(edmProcess(), sigmas(n).slice(skipped), { final: 'none' });
  const start = mul(normals(5, [8, 1]), 10) as Tensor;
  const truth = sampleSteps(rk4({ path: 'exploding' }), exact, levels(finest), start).x;
  const truthAt = (n: number, steps: number): Tensor =>
    take(truth, tensor((finest / n) * steps - 1, { dtype: 'int32' })) as Tensor;

  const orderOf = (error: (n: number) => number, steps: number): number => Math.log2(error(steps) / error(2 * steps));

  const orders: Readonly<Record<string, readonly [order: number, steps: number, sampler: Sampler]>> = {
    'euler()': [1, 192, euler()],
    'heun()': [2, 96, heun()],
    'dpm2()': [2, 96, dpm2()],
    'edmStochastic()': [2, 96, edmStochastic()],
    'edmStochastic({ order: 1 })': [1, 192, edmStochastic({ order: 1 })],
    'rk4()': [4, 48, rk4()],
    "rk4({ path: 'exploding' })": [4, 48, rk4({ path: 'exploding' })],
  };
  for (const [name, [order, steps, sampler]] of Object.entries(orders)) {
    it(`${name} is of order ${order}`, () => {
      const error = (n: number): number => apart(sample(sampler, exact, levels(n), start) as Tensor, truthAt(n, n));
      expect(Math.abs(orderOf(error, steps) - order)).toBeLessThan(0.2);
    });
  }

  for (const order of [1, 2, 3, 4] as const) {
    it(`lms({ order: ${order} }) is of order ${order}, when its first steps are exact`, () => {
      const sampler = lms({ order });
      const error = (n: number): number => {
        const prepared = Array.from({ length: order - 1 }).reduce<LmsState>((state, _, i) => {
          const step = stepOf(levels(n), i, start);
          const next = sampler.step(state, step, (x, level) => exact(x, level, { inputs: null, previous: state.x0 }));
          return { ...next, x: truthAt(n, i + 1) };
        }, sampler.init(start));
        const continued = { ...sampler, init: () => prepared };
        return apart(sample(continued, exact, levels(n, order - 1), prepared.x) as Tensor, truthAt(n, n));
      };
      expect(Math.abs(orderOf(error, 96) - order)).toBeLessThan(0.2);
    });
  }

  it('rk4() is of order 4 from pure noise to data', () => {
    const flow = (n: number): Levels =>
      levelsAt(
        flowProcess(),
        Array.from({ length: n }, (_, i) => 1 - i / n),
      );
    const at1 = normals(5, [8, 1]);
    const best = sample(rk4(), exact, flow(finest), at1) as Tensor;
    const error = (n: number): number => apart(sample(rk4(), exact, flow(n), at1) as Tensor, best);
    expect(Math.abs(orderOf(error, 24) - 4)).toBeLessThan(0.2);
  });
});

describe('lms', () => {
  it('is exact where the noise is a polynomial in σ / α, with steps of any size', () => {
    // dy/dr = 1 − 2 r + 3 r² + 4 r³ has the solution y = r − r² + r³ + r⁴.
    const noise = (r: number): number => 1 - 2 * r + 3 * r ** 2 + 4 * r ** 3;
    const solution = (r: number): number => r - r ** 2 + r ** 3 + r ** 4;
    const ratios = [3, 2.7, 1.9, 1.8, 1, 0.65, 0.1, 0];
    for (const process of [edmProcess(), flowProcess()]) {
      const levels = levelsOf(process, ratios, { final: 'none' });
      const sampler = lms();
      let state = sampler.init(tensor([0], float64) as Tensor);
      for (const [i, ratio] of ratios.slice(0, -1).entries()) {
        const step = stepOf(levels, i, state.x);
        const alpha = step.from.alpha.item() as number;
        // Until three predictions are known the solution is given.
        if (i <= 3) state = { ...state, x: tensor([alpha * solution(ratio)], float64) as Tensor };
        const eps = tensor([noise(ratio)], float64) as Tensor;
        state = sampler.step(state, step, x => ({ x0: sub(div(x, alpha), mul(eps, ratio)) as Tensor, eps }));
        const expected = (step.to.alpha.item() as number) * solution(ratios[i + 1]!);
        if (i >= 3) expect(Math.abs(numbers(state.x)[0]! - expected)).toBeLessThan(1e-12);
      }
    }
  });

  it('begins anew at a level that it meets again', () => {
    const start = normals(1, [2, 3]);
    const run = (ratios: readonly number[]): Tensor =>
      sample(lms(), curved, levelsOf(edmProcess(), ratios, { final: 'none' }), start) as Tensor;
    const twice = run([4, 3, 2, 2, 2, 1, 0.5]);
    expect(
      apart(twice, sample(lms(), curved, levelsOf(edmProcess(), [2, 1, 0.5], { final: 'none' }), run([4, 3, 2]))),
    ).toBeLessThan(1e-15);
  });
});

describe('equal samplers', () => {
  const levels = levelsAt(discreteProcess(gaussianDiffusion(cosineBetas(100))), [90, 70, 40, 20, 5]);
  const start = normals(2, [2, 3]);
  const pairs: Readonly<Record<string, readonly [Sampler, Sampler]>> = {
    'euler() and ddim()': [euler(), ddim()],
    'eulerAncestral() and ddim({ eta: 1 })': [eulerAncestral(), ddim({ eta: 1 })],
    'eulerAncestral({ eta: 0 }) and euler()': [eulerAncestral({ eta: 0 }), euler()],
    'dpm2Ancestral({ eta: 0 }) and dpm2()': [dpm2Ancestral({ eta: 0 }), dpm2()],
    'edmStochastic() and heun()': [edmStochastic(), heun()],
    'edmStochastic({ order: 1 }) and euler()': [edmStochastic({ order: 1 }), euler()],
    'lms({ order: 1 }) and euler()': [lms({ order: 1 }) as unknown as Sampler, euler()],
    'edmStochastic with no level to raise and heun()': [edmStochastic({ churn: 9, min: 1e6 }), heun()],
  };
  for (const [name, [one, other]] of Object.entries(pairs)) {
    it(name, () => {
      const run = (sampler: Sampler): Tensor => sample(sampler, curved, levels, start, { key: key(7) }) as Tensor;
      expect(numbers(run(one))).toEqual(numbers(run(other)));
    });
  }
});

describe('the scaling of samples does not matter', () => {
  const process = discreteProcess(gaussianDiffusion(cosineBetas(100)));
  const times = [98, 80, 55, 30, 12, 3];
  const unit = normals(3, [4, 3]);
  /** A run that starts and ends with samples in the same scaling, whatever the levels'. */
  const run = (sampler: Sampler, of: Process, final: 'zero' | 'none'): Tensor => {
    const levels = levelsAt(of, times, { final });
    const count = levels.sigma.shape[0]!;
    const [first, last] = [levelAt(levels, 0), levelAt(levels, count - 1)];
    const start = mul(unit, scaleOf(first, 'preserving')) as Tensor;
    const end = sample(sampler, curved, levels, start, { key: key(9) }) as Tensor;
    return div(end, scaleOf(last, 'preserving')) as Tensor;
  };
  for (const [name, make] of Object.entries(samplers)) {
    it(name, () => {
      for (const final of ['zero', 'none'] as const) {
        const [preserving, ...others] = (['preserving', 'exploding', 'flow'] as readonly Scaling[]).map(scaling =>
          run(make(), rescaleProcess(process, scaling), final),
        );
        expect(largest(numbers(preserving!))).toBeGreaterThan(0.1);
        for (const other of others) expect(apart(preserving!, other)).toBeLessThan(1e-12);
      }
    });
  }
});

describe('from no signal to no noise', () => {
  const levels = levelsAt(flowProcess(), [1, 0.8, 0.5, 0.25]);
  const start = normals(4, [3, 2]);
  /** A network that knows nothing of data: there it gives NaN. */
  const blind = denoiser((x, t) => where(greater(reshape(t, [-1, 1]), 0), mul(sin(x), 0.5), Number.NaN) as Tensor, {
    prediction: 'velocity',
  });
  for (const [name, make] of Object.entries(samplers)) {
    it(`${name} gives samples, and asks of no level without noise`, () => {
      const x = sample(make(), blind, levels, start, { key: key(1) }) as Tensor;
      expect(numbers(x).every(Number.isFinite)).toBe(true);
      expect(largest(numbers(x))).toBeGreaterThan(0.1);
    });

    it(`${name} has the derivative that differences show`, () => {
      const loss = (x: Tensor): Tensor => sum(square(sample(make(), curved, levels, x, { key: key(1) }) as Tensor));
      const slope = numbers(grad(loss)(start) as Tensor);
      const moved = (by: number): number =>
        loss(
          add(
            start,
            tensor(
              [
                [0, 0],
                [by, 0],
                [0, 0],
              ],
              float64,
            ),
          ) as Tensor,
        ).item() as number;
      const difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      expect(slope.every(Number.isFinite)).toBe(true);
      expect(Math.abs(slope[2]! - difference)).toBeLessThan(1e-7 * (1 + Math.abs(difference)));
    });
  }
});

describe('churn', () => {
  const levels = levelsOf(edmProcess(), [4, 2, 1], { final: 'none' });
  const x = tensor([[3, -2]], float64) as Tensor;
  const noise = tensor([[1, -1]], float64) as Tensor;
  /** What a denoiser is asked, which says of everything that half of it is noise of a unit. */
  const asked = (sampler: Sampler, step: Step) => {
    const calls: (readonly [sigma: number, x: readonly number[]])[] = [];
    const state: SamplerState = sampler.step(sampler.init(x), step, (y, level) => {
      calls.push([level.sigma.item() as number, numbers(y)]);
      const eps = mul(y, 0.5) as Tensor;
      return { x0: sub(y, mul(eps, level.sigma)) as Tensor, eps };
    });
    return { calls, x: numbers(state.x) };
  };
  // γ = 0.25, so that σ̂ = 5 and √(σ̂² − σ²) = 3.
  const options = { churn: 0.5, noise: 2 };

  it('raises the level before edmStochastic asks', () => {
    const { calls, x: next } = asked(edmStochastic({ ...options, order: 1 }), stepOf(levels, 0, noise));
    expect(calls).toEqual([[5, [9, -8]]]);
    // Then on by (2 − 5) · ε.
    expect(next).toEqual([9 - 3 * 4.5, -8 + 3 * 4]);
  });

  it('comes after the question of euler', () => {
    const { calls, x: next } = asked(euler(options), stepOf(levels, 0, noise));
    expect(calls).toEqual([[4, [3, -2]]]);
    expect(next).toEqual([9 - 3 * 1.5, -8 + 3 * 1]);
  });

  it('is of levels between min and max, and no more than √2 − 1', () => {
    for (const make of [euler, (o: object) => edmStochastic({ ...o, order: 1 })]) {
      const plain = asked(euler(), stepOf(levels, 0, noise)).x;
      for (const bounds of [{ min: 4.5 }, { max: 3.5 }, { min: 5, max: 9 }]) {
        expect(asked(make({ ...options, ...bounds }), stepOf(levels, 0, noise)).x).toEqual(plain);
      }
      for (const bounds of [{ min: 4 }, { max: 4 }, { min: 4, max: 4 }]) {
        expect(asked(make({ ...options, ...bounds }), stepOf(levels, 0, noise)).x).not.toEqual(plain);
      }
    }
    const { calls } = asked(edmStochastic({ churn: 100, order: 1 }), stepOf(levels, 0, noise));
    expect(calls[0]![0]).toBeCloseTo(4 * Math.SQRT2, 12);
  });

  it('keeps the distribution: what is put in is taken out', () => {
    const mixture = gaussianMixture({ means: [[1]], variances: [0.25] });
    const many = levelsOf(edmProcess(), karrasSigmas(200, { min: 0.02, max: 10 }));
    const from = mixture.draw(key(6), 8000, levelAt(many, 0));
    const samplersOfMany = [edmStochastic({ churn: 20 }), eulerAncestral(), dpm2Ancestral(), heun()];
    for (const sampler of samplersOfMany) {
      const values = numbers(sample(sampler, mixture.denoiser, many, from, { key: key(8) }) as Tensor);
      const mean = values.reduce((total, value) => total + value, 0) / values.length;
      const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
      // Four standard errors, and what 200 steps get wrong.
      expect(Math.abs(mean - 1)).toBeLessThan(0.02);
      expect(Math.abs(variance - 0.25)).toBeLessThan(0.02);
    }
  });
});
