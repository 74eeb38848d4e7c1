/** Integration of samples: fixed and adaptive steps, and the sampler made of the latter. */
import {
  abs,
  add,
  cast,
  concat,
  cos,
  div,
  exp,
  full,
  grad,
  jit,
  jvp,
  max,
  mul,
  neg,
  reshape,
  sin,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
} from 'tenfold';
import {
  denoiser,
  discreteProcess,
  dormandPrince,
  edmProcess,
  flowProcess,
  gaussianDiffusion,
  type Levels,
  levelsAt,
  levelsOf,
  linearBetas,
  type NoiseLevel,
  type Process,
  rescaleProcess,
  reverseLevels,
  sample,
  sampleSteps,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { integrate } from '../../src/diffusion/ode/dormand-prince.js';
import { type InitialValue, rungeKutta4, type Slope } from '../../src/diffusion/ode/runge-kutta.js';
import { close } from '../helpers.js';
import { gaussianFlow, gaussianMixture } from './mixture.js';

const vector = (...values: number[]): Tensor => tensor(values, { dtype: 'float64' }) as Tensor;
const column = (t: Tensor, like: Tensor): Tensor => reshape(t, [-1, ...like.shape.slice(1).map(() => 1)]) as Tensor;
const furthest = (a: Tensor, b: Tensor): number => max(abs(sub(a, b)) as Tensor).item() as number;
const rowsOf = (x: Tensor, from: number, to: number): Tensor => slice(x, [from], [to]) as Tensor;

/** y′ = −y cos t and z′ = z sin t, whose solutions are e^(−sin t) and e^(−cos t); parts of different shapes. */
const waves: Slope = (t, [y, z]) => [neg(mul(y!, cos(column(t, y!)))) as Tensor, mul(z!, sin(t)) as Tensor];
const start = (count: number, from: Tensor, to: Tensor): InitialValue => ({
  y: [normal(key(0), [count, 2], { dtype: 'float64' }) as Tensor, full([count], 1, { dtype: 'float64' }) as Tensor],
  from,
  to,
});
const solved = ({ y: [y, z], from, to }: InitialValue): readonly Tensor[] => [
  mul(y!, column(exp(sub(sin(from), sin(to))) as Tensor, y!)) as Tensor,
  mul(z!, exp(sub(cos(from), cos(to)))) as Tensor,
];
const errorOf = (got: readonly Tensor[], problem: InitialValue): number =>
  Math.max(...solved(problem).map((part, i) => furthest(part, got[i]!)));

const adaptive = (f: Slope, problem: InitialValue, tolerance: number, maxSteps = 10_000): readonly Tensor[] =>
  integrate(f, { ...problem, slope: f(problem.from, problem.y) }, { rtol: tolerance, atol: tolerance, maxSteps }).y;

const spans = start(3, vector(0, 0.5, 2), vector(3, -1, 2));

describe('the classical method of Runge and Kutta', () => {
  it('is of fourth order, forwards and backwards, and stays where it is', () => {
    const [coarse, fine] = [16, 64].map(steps => errorOf(rungeKutta4(waves, spans, steps), spans));
    expect(Math.log(coarse! / fine!) / Math.log(4)).toBeGreaterThan(3.85);
    expect(Math.log(coarse! / fine!) / Math.log(4)).toBeLessThan(4.15);
    close(rowsOf(rungeKutta4(waves, spans, 5)[0]!, 2, 3), rowsOf(spans.y[0]!, 2, 3).toArray() as number[][], 0);
  });

  it('has derivatives', () => {
    const end = (y: Tensor): Tensor => sum(rungeKutta4(waves, { ...spans, y: [y, spans.y[1]!] }, 50)[0]!) as Tensor;
    const factors = exp(sub(sin(spans.from), sin(spans.to))).toArray() as number[];
    close(
      grad(end)(spans.y[0]!),
      factors.map(factor => [factor, factor]),
      1e-7,
    );
  });
});

describe('the method of Dormand and Prince', () => {
  it('comes as near as the tolerance asks for, each sample from and to its own times', () => {
    for (const tolerance of [1e-4, 1e-7, 1e-10]) {
      expect(errorOf(adaptive(waves, spans, tolerance), spans)).toBeLessThan(10 * tolerance);
    }
    close(rowsOf(adaptive(waves, spans, 1e-3)[0]!, 2, 3), rowsOf(spans.y[0]!, 2, 3).toArray() as number[][], 0);
  });

  it('takes steps in the number of a method of fifth order', () => {
    const long = start(1, vector(0), vector(30));
    const isEnough = (tolerance: number, maxSteps: number): boolean =>
      Number.isFinite(sum(adaptive(waves, long, tolerance, maxSteps)[0]!).item() as number);
    const stepsFor = (tolerance: number): number => {
      let [low, high] = [1, 4096];
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (isEnough(tolerance, middle)) high = middle;
        else low = middle;
      }
      return high;
    };
    const [few, many] = [stepsFor(1e-6), stepsFor(1e-11)];
    // The error of a step is one of order 5, so 10⁵ times less of it takes 10 times the steps.
    expect(Math.log10(many / few)).toBeGreaterThan(0.9);
    expect(Math.log10(many / few)).toBeLessThan(1.1);
  });

  it('gives each sample what it has alone, to the last bit', () => {
    // From lazy to lively: some are done long before the others.
    const rates = vector(0.01, 1, 30);
    const lively =
      (rate: Tensor): Slope =>
      (t, [y]) => [mul(column(cos(mul(rate, t)), y!), mul(y!, column(rate, y!))) as Tensor];
    for (const dtype of ['float32', 'float64'] as const) {
      const y = normal(key(1), [3, 5], { dtype }) as Tensor;
      const ends = { from: vector(0, 0, 0), to: vector(2, 1, 3) };
      const slopes =
        (rate: Tensor): Slope =>
        (t, state) =>
          lively(rate)(t, [cast(state[0]!, 'float64') as Tensor]).map(part => cast(part, dtype) as Tensor);
      const [together] = adaptive(slopes(rates), { y: [y], ...ends }, 1e-6);
      for (const i of [0, 1, 2]) {
        const only = (x: Tensor): Tensor => rowsOf(x, i, i + 1);
        const problem = { y: [only(y)], from: only(ends.from), to: only(ends.to) };
        const [alone] = adaptive(slopes(only(rates)), problem, 1e-6);
        expect(alone!.toArray()).toEqual(only(together!).toArray());
      }
    }
  });

  it('says NaN of samples that do not come to an end, and of no others', () => {
    // 1 / (1 − t) and 1 / (5 − t): the first is infinite on the way.
    const blowUp: Slope = (_, [y]) => [square(y!) as Tensor];
    const problem = { y: [vector(1, 0.2)], from: vector(0, 0), to: vector(2, 2) };
    close(adaptive(blowUp, problem, 1e-9)[0]!, [Number.NaN, 1 / 3], 1e-7);
    // Too few steps.
    const some = start(2, vector(0, 0), vector(1e-3, 30));
    const [y] = adaptive(waves, some, 1e-6, 10);
    expect((y!.toArray() as number[][]).map(row => row.some(Number.isNaN))).toEqual([false, true]);
    // No slope: it gives up at once.
    const none: Slope = (t, [z]) => [div(sub(z!, z!), mul(column(t, z!), 0)) as Tensor];
    expect(adaptive(none, { y: [vector(1)], from: vector(0), to: vector(1) }, 1e-6)[0]!.toArray()).toEqual([
      Number.NaN,
    ]);
  });

  it('is a program of its own, with forward derivatives', () => {
    const end = (y: Tensor): Tensor => adaptive(waves, { ...spans, y: [y, spans.y[1]!] }, 1e-9)[0]!;
    expect(jit(end)(spans.y[0]!).toArray()).toEqual(end(spans.y[0]!).toArray());
    const direction = normal(key(2), [3, 2], { dtype: 'float64' }) as Tensor;
    const [, tangent] = jvp(end, [spans.y[0]!], [direction]);
    close(tangent, solved({ ...spans, y: [direction, spans.y[1]!] })[0]!.toArray() as number[][], 1e-7);
    // Where nothing moves, neither do the errors that steps are chosen by.
    const still = (y: Tensor): Tensor => adaptive((_, [at]) => [mul(at!, 0) as Tensor], { ...spans, y: [y] }, 1e-6)[0]!;
    expect(jvp(still, [spans.y[0]!], [direction])[1].toArray()).toEqual(direction.toArray());
  });
});

const levelAt = (levels: Levels, index: number): NoiseLevel => {
  const of = (values: Tensor): Tensor => take(values, index) as Tensor;
  return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
};

const gaussian = { mean: [1, -2], variance: 0.25 };
const one = gaussianMixture({ means: [gaussian.mean], variances: gaussian.variance });
const several = gaussianMixture({
  means: [
    [1, -2],
    [-1, 0.5],
    [0, 1],
  ],
  variances: [0.25, 0.05, 0.5],
  weights: [1, 2, 1],
});

const processes: Readonly<Record<string, Process>> = {
  exploding: edmProcess(),
  preserving: rescaleProcess(edmProcess(), 'preserving'),
  flow: flowProcess(),
  discrete: discreteProcess(gaussianDiffusion(linearBetas(1000))),
};

describe('dormandPrince', () => {
  it('follows the ODE of a Gaussian, to data without noise and back', () => {
    for (const [name, process] of Object.entries(processes)) {
      const levels = levelsOf(process, [60]);
      const [noise, data] = [levelAt(levels, 0), levelAt(levels, 1)];
      const x = one.draw(key(0), 4, noise);
      const wanted = gaussianFlow(gaussian)(x, noise, data);
      for (const tolerance of [1e-4, 1e-9]) {
        const sampler = dormandPrince({ rtol: tolerance, atol: tolerance });
        const found = sample(sampler, one.denoiser, levels, x);
        expect(furthest(found, wanted), name).toBeLessThan(20 * tolerance);
        const back = sample(sampler, one.denoiser, reverseLevels(levels), found);
        expect(furthest(div(back, noise.sigma) as Tensor, div(x, noise.sigma) as Tensor), name).toBeLessThan(
          50 * tolerance,
        );
      }
    }
  });

  it('gives the same whatever the scaling, and however many levels there are', () => {
    const ratios = [60, 20, 3, 0.7, 0.2];
    const exact = dormandPrince({ rtol: 1e-10, atol: 1e-10 });
    const unit = normal(key(3), [3, 2], { dtype: 'float64' }) as Tensor;
    const endOf = (process: Process, list: readonly number[]): Tensor => {
      const levels = levelsOf(process, list);
      return sample(exact, several.denoiser, levels, mul(unit, levelAt(levels, 0).sigma) as Tensor);
    };
    const wanted = endOf(edmProcess(), [60]);
    for (const process of Object.values(processes)) {
      for (const list of [ratios, [60]]) expect(furthest(endOf(process, list), wanted)).toBeLessThan(1e-7);
    }
  });

  it('starts without any signal, and ends between', () => {
    const levels = levelsAt(flowProcess(), [1, 0.3], { final: 'none' });
    const [noise, end] = [levelAt(levels, 0), levelAt(levels, 1)];
    const x = one.draw(key(4), 3, noise);
    const found = sample(dormandPrince({ rtol: 1e-9, atol: 1e-9 }), one.denoiser, levels, x);
    expect(furthest(found, gaussianFlow(gaussian)(x, noise, end))).toBeLessThan(1e-7);
  });

  it('does not depend on the batch, in any precision, nor on being compiled', () => {
    const levels = levelsOf(processes.preserving!, [60, 1]);
    for (const dtype of ['float32', 'float64'] as const) {
      const x = cast(several.draw(key(5), 4, levelAt(levels, 0)), dtype) as Tensor;
      const run = (y: Tensor): Tensor => sample(dormandPrince(), several.denoiser, levels, y);
      const together = run(x);
      for (const i of [0, 1, 2, 3]) {
        expect(run(rowsOf(x, i, i + 1)).toArray()).toEqual(rowsOf(together, i, i + 1).toArray());
      }
      const crowd = run(concat([x, mul(x, 3) as Tensor]) as Tensor);
      expect(rowsOf(crowd, 0, 4).toArray()).toEqual(together.toArray());
      expect(jit(run)(x).toArray()).toEqual(together.toArray());
      expect(together.dtype).toBe(dtype);
    }
  });

  it('shows the network the times between, and the first prediction of x₀', () => {
    const levels = levelsAt(processes.discrete!, [999, 500], { final: 'none' });
    // A network that predicts ε = t / 1000, whatever x is.
    const network = denoiser((x, t) => add(mul(x, 0), column(div(t, 1000) as Tensor, x)) as Tensor);
    const x = normal(key(6), [2, 3], { dtype: 'float64' }) as Tensor;
    const exact = dormandPrince({ rtol: 1e-9, atol: 1e-9 });
    const { x: found, x0 } = sampleSteps(exact, network, levels, x);
    // So x / α moves by ∫ t / 1000 d(σ / α), which is known between whole timesteps.
    const table = levelsAt(
      processes.discrete!,
      Array.from({ length: 500 }, (_, i) => 999 - i),
      { final: 'none' },
    );
    const [alphas, sigmas, times] = [table.alpha, table.sigma, table.time].map(v => v.toArray() as number[]);
    const ratio = (i: number): number => sigmas![i]! / alphas![i]!;
    let integral = 0;
    for (let i = 1; i < times!.length; i++) {
      // Between them log(σ / α) is linear.
      const slopeOfLog = Math.log(ratio(i) / ratio(i - 1));
      integral +=
        (times![i]! * ratio(i) - times![i - 1]! * ratio(i - 1) + (ratio(i) - ratio(i - 1)) / slopeOfLog) / 1000;
    }
    const first = levelAt(levels, 0);
    const last = levelAt(levels, 1);
    const wanted = mul(add(div(x, first.alpha), integral), last.alpha) as Tensor;
    expect(furthest(take(found, 0) as Tensor, wanted)).toBeLessThan(1e-5);
    const seen = network(x, first, { inputs: null, previous: x }).x0;
    expect(furthest(take(x0, 0) as Tensor, seen)).toBeLessThan(1e-12);
  });

  it('says NaN where it was not done in time, or the network has nothing to say', () => {
    const levels = levelsOf(edmProcess(), [60]);
    const x = one.draw(key(7), 2, levelAt(levels, 0));
    const short = sample(dormandPrince({ maxSteps: 3 }), one.denoiser, levels, x);
    expect(short.toArray()).toEqual([
      [Number.NaN, Number.NaN],
      [Number.NaN, Number.NaN],
    ]);
    const broken = denoiser(y => div(y, mul(y, 0)) as Tensor);
    expect((sample(dormandPrince(), broken, levels, x).toArray() as number[][]).flat().every(Number.isNaN)).toBe(true);
  });
});
