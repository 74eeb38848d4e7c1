/** Consistency training whose target is an average and whose levels become more: algorithm 3 written by hand, and one program for all stages. */
import { cast, div, equal, mean, mul, reshape, sub, type Tensor, tensor } from 'tenfold';
import {
  consistencyDecay,
  consistencyDistillation,
  consistencyLevels,
  consistencyStages,
  consistencyTimes,
  consistencyTraining,
  type Denoiser,
  type DenoiserModel,
  denoiser,
  denoisingLoss,
  edmProcess,
  flowProcess,
  karrasSigmas,
  latentDiffusion,
  levelsOf,
  trainer,
} from 'tenfold/diffusion';
import type { Layer } from 'tenfold/nn';
import { adam, scale } from 'tenfold/optim';
import { foldIn, type Key, key, normal, split, uniform } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';
import { gaussian } from './gaussian.js';

const f64 = { dtype: 'float64' } as const;
const process = edmProcess();
const one = (): Tensor => tensor(1, f64);
const bytes = (tree: unknown): number[][] =>
  leaves(tree).map(leaf => [...new Uint8Array((leaf as Tensor).dataSync().buffer)]);
const numbers = (x: Tensor): number[] => x.toArray() as number[];
const int32 = (value: number): Tensor => tensor(value, { dtype: 'int32' }) as Tensor;

type Scaling = Layer<{ readonly w: Tensor }, readonly [x: Tensor, t: Tensor]>;

/** x₀ = w x (1 − σ / 10): one parameter. */
const shrinking: Scaling = {
  init: () => ({ w: tensor(1.2, f64) as Tensor }),
  apply: ({ w }, x, t) => mul(mul(x, w), reshape(sub(1, div(t, 10) as Tensor), [-1, 1]) as Tensor) as Tensor,
};
const asX0 = <E>(model: DenoiserModel<E>): Denoiser<E> => denoiser(model, { prediction: 'x0', scaling: 'exploding' });
const counting = (): { readonly model: Scaling; readonly calls: () => number } => {
  let calls = 0;
  const apply: Scaling['apply'] = (...args) => {
    calls += 1;
    return shrinking.apply(...args);
  };
  return { model: { ...shrinking, apply }, calls: () => calls };
};

const steps = 9;
const stages = consistencyStages(steps, { growth: 'squareRoot', first: 2, last: 4 });
const ratios = (n: number): readonly number[] => karrasSigmas(n, { min: 0.1, max: 5 });
const rising = consistencyLevels(process, stages, ratios);
const batch = normal(key(1), [5, 2], f64) as Tensor;
const rate = 0.3;

describe('consistency training by hand', () => {
  /** N(k) and μ(k) of the paper. */
  const levelsIn = (k: number): number => Math.ceil(Math.sqrt((k / steps) * (5 ** 2 - 2 ** 2) + 2 ** 2) - 1) + 1;
  const decayIn = (k: number): number => Math.exp((2 * Math.log(0.8)) / levelsIn(k));

  /** Parameters and their average after each step, in plain numbers; `below` is the sample at the lower level. */
  const byHand = (
    forSteps: Key,
    below: (x0: number, x: number, noise: number, upper: number, lower: number) => number,
  ): readonly (readonly [w: number, average: number])[] => {
    const x0s = batch.toArray() as number[][];
    let [w, average] = [1.2, 1.2];
    return Array.from({ length: steps }, (_, k) => {
      const [forTimes, forNoise] = split(foldIn(forSteps, k), 4) as readonly Key[];
      const sigmas = ratios(levelsIn(k));
      const places = numbers(uniform(forTimes!, [5], f64) as Tensor).map(u => Math.floor(u * (sigmas.length - 1)));
      const noise = (normal(forNoise!, [5, 2], f64) as Tensor).toArray() as number[][];
      const slopes = x0s.flatMap((row, i) =>
        row.map((x0, j) => {
          const [upper, lower] = [sigmas[places[i]!]!, sigmas[places[i]! + 1]!];
          const x = x0 + upper * noise[i]![j]!;
          const end = below(x0, x, noise[i]![j]!, upper, lower);
          const held = lower === sigmas.at(-1) ? end : average * end * (1 - lower / 10);
          const seen = x * (1 - upper / 10);
          return 2 * (w * seen - held) * seen;
        }),
      );
      w -= (rate * slopes.reduce((a, b) => a + b, 0)) / slopes.length;
      average = decayIn(k) * average + (1 - decayIn(k)) * w;
      return [w, average] as const;
    });
  };

  const teacher = gaussian(0.4, 0.7);
  const options = { denoiser: asX0, metric: 'mse', weighting: one } as const;

  it.each(['only', 'named'] as const)('is what a trainer does with the target of an average, the %s one', which => {
    const decay = consistencyDecay(stages, 0.8);
    const target = which === 'only' ? 'average' : ({ average: 'slow' } as const);
    const { model } = counting();
    const run = trainer({
      process,
      model,
      optimizer: scale(-rate),
      loss: consistencyTraining(rising, { ...options, target }),
      timesteps: consistencyTimes(rising, { distribution: 'uniform' }),
      ema: (which === 'only' ? decay : { fast: 0.1, slow: decay }) as typeof decay,
    });
    let state = run.init(key(3));
    const wanted = byHand(state.key, (x0, _, noise, __, lower) => x0 + lower * noise);
    for (const [w, average] of wanted) {
      [state] = run.step(state, batch);
      close(state.params.w, w, 1e-12);
      const held = which === 'only' ? state.ema : (state.ema as unknown as { slow: { w: Tensor } }).slow;
      close(held.w, average, 1e-12);
    }
    // The two differ, so that one in the place of the other would be seen.
    expect(Math.abs(wanted[3]![0] - wanted[3]![1])).toBeGreaterThan(1e-3);
  });

  it('and distillation, by steps of Euler', () => {
    const run = trainer({
      process,
      model: shrinking,
      optimizer: scale(-rate),
      loss: consistencyDistillation(rising, teacher, { ...options, target: 'average', solver: 'euler' }),
      timesteps: consistencyTimes(rising, { distribution: 'uniform' }),
      ema: consistencyDecay(stages, 0.8),
    });
    let state = run.init(key(4));
    // Of data N(0.4, 0.7) the slope of the ODE is σ (x − 0.4) / (0.7 + σ²).
    const wanted = byHand(
      state.key,
      (_, x, __, upper, lower) => x + ((lower - upper) * upper * (x - 0.4)) / (0.7 + upper ** 2),
    );
    for (const [w, average] of wanted) {
      [state] = run.step(state, batch);
      close([state.params.w.item(), state.ema.w.item()] as number[], [w, average], 1e-12);
    }
  });

  it('has the average in latents as well', () => {
    const latent = latentDiffusion({ encode: x => x, decode: x => x });
    const { model, calls } = counting();
    const run = trainer({
      process,
      model,
      optimizer: scale(-rate),
      loss: latent.loss(consistencyTraining<{ readonly key: Key }>(rising, { ...options, target: 'average' })) as never,
      timesteps: consistencyTimes(rising),
    });
    expect(Number.isFinite(run.step(run.init(key(4)), batch)[1].loss.item())).toBe(true);
    expect(calls()).toBe(2);
  });
});

describe('the average', () => {
  it('is not computed where no loss asks for it, nor again at later steps', () => {
    for (const [loss, wanted] of [
      [denoisingLoss({ prediction: 'x0' }), 1],
      [consistencyTraining(rising, { denoiser: asX0 }), 2],
      [consistencyTraining(rising, { denoiser: asX0, target: 'average' }), 2],
    ] as const) {
      const { model, calls } = counting();
      const run = trainer({
        process,
        model,
        loss: loss as never,
        timesteps: consistencyTimes(rising),
        optimizer: adam(1e-2),
      });
      let state = run.init(key(5));
      for (let i = 0; i < steps; i++) [state] = run.step(state, batch);
      expect(calls()).toBe(wanted);
    }
  });

  it('is refused by a name it does not have', () => {
    const losses = (target: object | string, ema: object | number): string => {
      const loss = consistencyTraining(rising, { denoiser: asX0, target: target as never });
      const run = trainer({
        process,
        model: shrinking,
        loss,
        timesteps: consistencyTimes(rising),
        optimizer: adam(1e-2),
        ema: ema as number,
      });
      return caught(() => run.step(run.init(key(6)), batch)).message;
    };
    expect(losses('average', { short: 0.5, long: 0.9 })).toMatch(/trainer step: .* averages are short, long/s);
    expect(losses({ average: 'middle' }, { short: 0.5, long: 0.9 })).toMatch(/the average 'middle'/);
    expect(losses({ average: 'toString' }, { short: 0.5, long: 0.9 })).toMatch(/the average 'toString'/);
    expect(losses({ average: 'short' }, 0.5)).toMatch(/the one average there is has no name/);
  });
});

describe('levels that become more', () => {
  it.each(['uniform', 'logNormal'] as const)(
    'in one program are those of the stages, each by itself, %s',
    distribution => {
      const common = { process, model: shrinking, optimizer: adam(1e-2), ema: 0.9 };
      const options = { denoiser: asX0, target: 'average' } as const;
      const { model, calls } = counting();
      const whole = trainer({
        ...common,
        model,
        loss: consistencyTraining(rising, options),
        timesteps: consistencyTimes(rising, { distribution }),
      });
      let state = whole.init(key(7));
      let apart = state;
      let done = 0;
      for (const { levels, until } of stages) {
        const own = levelsOf(process, ratios(levels), { final: 'none' });
        const stage = trainer({
          ...common,
          loss: consistencyTraining(own, options),
          timesteps: consistencyTimes(own, { distribution }),
        });
        for (; done < until; done++) {
          [state] = whole.step(state, batch);
          [apart] = stage.step(apart, batch);
          expect(bytes(state)).toEqual(bytes(apart));
        }
      }
      expect(done).toBe(steps);
      expect(calls()).toBe(2);
    },
  );

  it('are those of their number of steps, with the last one repeated, of any process', () => {
    const flow = flowProcess();
    const of = consistencyLevels(flow, stages, ratios);
    for (const [step, count] of [
      [0, 2],
      [stages[0]!.until - 1, 2],
      [stages[0]!.until, 3],
      [steps - 1, 5],
      [steps + 100, 5],
    ] as const) {
      const known = levelsOf(flow, ratios(count), { final: 'none' });
      const found = of(int32(step));
      for (const name of ['alpha', 'sigma', 'time'] as const) {
        const values = numbers(known[name]);
        expect(numbers(found[name])).toEqual([...values, ...Array.from({ length: 5 - count }, () => values.at(-1)!)]);
      }
      expect(found.process).toBe(flow);
    }
  });

  it.each(['uniform', 'logNormal'] as const)('have no times in intervals that are none, %s', distribution => {
    const count = 20_000;
    const options = distribution === 'uniform' ? { distribution } : { mean: 0, deviation: 1 };
    const { sample } = consistencyTimes(rising, options);
    const known = levelsOf(process, ratios(3), { final: 'none' });
    const drawn = sample(null, key(8), count, int32(stages[0]!.until)).t as Tensor;
    const alone = consistencyTimes(known, options).sample(null, key(8), count).t;
    expect(numbers(drawn)).toEqual(numbers(alone as Tensor));
    const share = mean(cast(equal(drawn, ratios(3)[0]!), 'float64')).item() as number;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.95);
  });
});

describe('consistencyStages', () => {
  it('that double are the numbers of levels of the formula, step by step', () => {
    for (const [total, first, last] of [
      [800, 10, 1280],
      [1003, 10, 1280],
      [100, 4, 4],
      [97, 3, 20],
      [50, 2, 3],
    ] as const) {
      const found = consistencyStages(total, { first, last });
      const each = Math.floor(total / (Math.log2(Math.floor(last / first)) + 1));
      const wanted = Array.from({ length: total }, (_, k) => Math.min(first * 2 ** Math.floor(k / each), last) + 1);
      expect(wanted.map((_, k) => found.find(({ until }) => k < until)!.levels)).toEqual(wanted);
      expect(found.at(-1)!.until).toBe(total);
    }
  });

  it('by the square root are those of the other, in whole numbers', () => {
    for (const [total, first, last] of [
      [3000, 2, 150],
      [1001, 2, 150],
      [40, 2, 150],
      [24, 2, 4],
      [21, 2, 4],
      [7, 3, 3],
      [1, 2, 9],
    ] as const) {
      const found = consistencyStages(total, { growth: 'squareRoot', first, last });
      expect(found.at(-1)!.until).toBe(total);
      expect(found.every(({ until }, i) => until > (found[i - 1]?.until ?? 0))).toBe(true);
      for (let k = 0; k < total; k++) {
        // ⌈√x − 1⌉ + 1 is the least whole number N of which the square is not below x.
        const x = BigInt(k * ((last + 1) ** 2 - first ** 2) + total * first ** 2);
        const levels = BigInt(found.find(({ until }) => k < until)!.levels);
        const isLeast = levels ** 2n * BigInt(total) >= x && (levels - 1n) ** 2n * BigInt(total) < x;
        if (!isLeast) expect([total, first, last, k]).toBe(levels);
      }
    }
  });

  it('have the decay μ₀ at first, and of the paper after that', () => {
    const decay = consistencyDecay(consistencyStages(3000, { growth: 'squareRoot' }));
    for (const k of [0, 1, 400, 2999]) {
      const levels = Math.ceil(Math.sqrt((k / 3000) * (151 ** 2 - 2 ** 2) + 2 ** 2) - 1) + 1;
      close(decay(int32(k)) as Tensor, Math.exp((2 * Math.log(0.9)) / levels), 1e-14);
    }
  });
});
