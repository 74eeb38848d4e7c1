/** Samplers made of samplers: what they do step by step, by hand, and which draws they take. */
import { add, div, mean, mul, sin, std, sub, type Tensor, take, tensor, zeros } from 'tenfold';
import {
  combine,
  type Denoiser,
  ddim,
  discreteProcess,
  dpmSolverMultistep,
  edmProcess,
  edmStochastic,
  gaussianDiffusion,
  heun,
  levelsAt,
  levelsOf,
  linearBetas,
  type NoiseLevel,
  repeatSteps,
  restart,
  type Sampler,
  type SamplerState,
  sample,
  sampleState,
  sampleSteps,
  switchAt,
  tap,
  withChurn,
  withCorrector,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussian } from './gaussian.js';

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

const float64 = { dtype: 'float64' } as const;
const x = normal(key(0), [3, 4], float64) as Tensor;
const ratios = [20, 8, 3, 1, 0.4, 0.1];
const levels = levelsOf(edmProcess(), ratios);
const start = mul(x, 20) as Tensor;
/** A denoiser that is nowhere linear. */
const curved: Denoiser = (at, level, context) => {
  const { x0 } = gaussian(0.5, 0.7)(at, level, context);
  const bent = add(x0, mul(sin(mul(x0, 2)), 0.1)) as Tensor;
  return {
    x0: bent,
    eps: combine([div(1, level.sigma) as Tensor, at], [div(mul(level.alpha, -1), level.sigma) as Tensor, bent]),
  };
};
const multistep = dpmSolverMultistep() as unknown as Sampler;

const largest = (a: Tensor, b: Tensor): number =>
  Math.max(...Array.from(sub(a, b).dataSync(), value => Math.abs(Number(value))));

/** A table of draws for every step, and single ones of them. */
const table = normal(key(7), [6, 40, 3, 4], float64) as Tensor;
const drawn = (step: number, draw: number): Tensor =>
  take(take(table, tensor(step, { dtype: 'int32' })) as Tensor, tensor(draw, { dtype: 'int32' })) as Tensor;

const level = (ratio: number): NoiseLevel => edmProcess().levelOf(tensor(ratio, float64) as Tensor);

/** One step by hand. */
const stepOf = (
  sampler: Sampler,
  state: SamplerState,
  [from, to]: readonly [number, number],
  { step = 0, count = 6, noise = (draw: number) => drawn(step, draw) } = {},
): SamplerState =>
  sampler.step(
    state,
    {
      from: level(from),
      to: level(to),
      index: tensor(step, { dtype: 'int32' }) as Tensor,
      count,
      noise: (draw = 0) => noise(draw as number),
      levelOf: edmProcess().levelOf,
      levelAt: edmProcess().levelAt,
    },
    (at, here) => curved(at, here, { inputs: null, previous: state.x0 }),
  );

/** Noise added from one ratio up to another. */
const up = (at: Tensor, low: number, high: number, noise: Tensor): Tensor =>
  add(at, mul(noise, Math.sqrt(high ** 2 - low ** 2))) as Tensor;

const all = [...ratios, 0];
const options = { noise: table };

describe('two samplers', () => {
  it('one after the other do what they do on their parts of the levels', () => {
    for (const [high, low] of [
      [ddim(), heun()],
      [heun(), multistep],
      [multistep, multistep],
      [ddim({ eta: 1 }), ddim()],
    ] as const) {
      const both = sample(switchAt(1, high, low), curved, levels, start, options);
      let state = high.init(start);
      for (const step of [0, 1, 2, 3]) state = stepOf(high, state, [all[step]!, all[step + 1]!], { step });
      let then = low.init(state.x);
      for (const step of [4, 5]) then = stepOf(low, then, [all[step]!, all[step + 1]!], { step });
      expect(largest(both, then.x)).toBeLessThan(1e-12);
    }
  });

  it('at the ends are one of them, to the last bit', () => {
    expect(sample(switchAt(0, heun(), ddim()), curved, levels, start).toArray()).toEqual(
      sample(heun(), curved, levels, start).toArray(),
    );
    expect(sample(switchAt(1e9, heun(), ddim()), curved, levels, start).toArray()).toEqual(
      sample(ddim(), curved, levels, start).toArray(),
    );
  });
});

describe('a corrector', () => {
  it('that does nothing changes nothing, not even the draws', () => {
    const same = { correct: (at: Tensor) => at };
    for (const sampler of [ddim({ eta: 1 }), heun(), multistep]) {
      const given = { key: key(5) };
      expect(sample(withCorrector(sampler, same), curved, levels, start, given).toArray()).toEqual(
        sample(sampler, curved, levels, start, given).toArray(),
      );
    }
  });

  it('works at the level that was come to, with draws of its own, and not where there is no noise', () => {
    const towards = {
      correct: (
        at: Tensor,
        here: NoiseLevel,
        denoise: (y: Tensor, l: NoiseLevel) => { x0: Tensor },
        noise: (draw?: number) => Tensor,
      ) => combine([1, at], [0.1, denoise(at, here).x0], [mul(here.sigma, 0.1) as Tensor, noise()], [0.01, noise(1)]),
    };
    const corrected = sample(withCorrector(ddim({ eta: 1 }), towards), curved, levels, start, options);
    let state = ddim({ eta: 1 }).init(start);
    for (const step of range(6)) {
      state = stepOf(ddim({ eta: 1 }), state, [all[step]!, all[step + 1]!], {
        step,
        noise: draw => drawn(step, 2 * draw),
      });
      if (step === 5) continue;
      const at = level(all[step + 1]!);
      const next = towards.correct(
        state.x,
        at,
        (y, l) => curved(y, l, { inputs: null, previous: y }),
        (draw = 0) => drawn(step, 2 * draw + 1),
      );
      state = { ...state, x: next };
    }
    expect(largest(corrected, state.x)).toBeLessThan(1e-12);
  });
});

describe('steps taken again', () => {
  it('add noise from where they end to where they began', () => {
    for (const sampler of [ddim({ eta: 1 }), heun(), multistep]) {
      const n = 3;
      const again = sample(repeatSteps(n, sampler), curved, levels, start, options);
      let state = sampler.init(start);
      for (const step of range(6)) {
        const [from, to] = [all[step]!, all[step + 1]!];
        let at = state.x;
        let next = state;
        for (const r of range(n)) {
          next = stepOf(sampler, { ...state, x: at }, [from, to], {
            step,
            noise: draw => drawn(step, 2 * n * draw + r),
          });
          at = up(next.x, to, from, drawn(step, n + r));
        }
        state = next;
      }
      expect(largest(again, state.x)).toBeLessThan(1e-10);
    }
  });

  it('once are the sampler', () => {
    const once = heun();
    expect(repeatSteps(1, once)).toBe(once);
    const given = { key: key(2) };
    expect(Number.isFinite(sample(repeatSteps(2, multistep), curved, levels, start, given).dataSync()[0])).toBe(true);
  });

  it('keep the distribution at another scaling', () => {
    const process = discreteProcess(gaussianDiffusion(linearBetas(1000)));
    const down = levelsAt(
      process,
      Array.from({ length: 100 }, (_, i) => 999 - i * 10),
    );
    const ends = sample(repeatSteps(2, heun()), gaussian(2, 0.25), down, [4000, 1], {
      key: key(4),
      dtype: 'float64',
    });
    expect(Math.abs(Number(mean(ends).item()) - 2)).toBeLessThan(0.03);
    expect(Math.abs(Number(std(ends).item()) - 0.5)).toBeLessThan(0.03);
  });
});

describe('restarts', () => {
  const again = levelsOf(edmProcess(), [3, 2, 0.7, 0.4], { final: 'none' });
  const path = [3, 2, 0.7, 0.4];

  it('go up again from the level they are at, so many times, with draws of their own', () => {
    for (const sampler of [ddim({ eta: 1 }), heun(), multistep]) {
      const times = 2;
      const parts = 1 + times + times * 3;
      const done = sample(restart(sampler, again, { times }), curved, levels, start, options);
      let state = sampler.init(start);
      for (const step of range(6)) {
        const [from, to] = [all[step]!, all[step + 1]!];
        state = stepOf(sampler, state, [from, to], { step, noise: draw => drawn(step, parts * draw) });
        if (to !== 0.4) continue;
        for (const k of range(times)) {
          state = sampler.init(up(state.x, 0.4, 3, drawn(step, 1 + k)));
          for (const j of range(3)) {
            const noise = (draw: number) => drawn(step, parts * draw + 1 + times + 3 * k + j);
            // Steps of a restart are counted on their own; the table's row is the run's.
            state = stepOf(sampler, state, [path[j]!, path[j + 1]!], { step: j, count: 3, noise });
          }
        }
      }
      expect(largest(done, state.x)).toBeLessThan(1e-10);
    }
  });

  it('that no step arrives at are none', () => {
    const never = levelsOf(edmProcess(), [50, 40], { final: 'none' });
    const draws = { key: key(3) };
    expect(sample(restart(ddim({ eta: 1 }), never), curved, levels, start, draws).toArray()).toEqual(
      sample(ddim({ eta: 1 }), curved, levels, start, draws).toArray(),
    );
  });

  it('end where the step that passes their last level ends', () => {
    const passed = levelsOf(edmProcess(), [3, 0.5], { final: 'none' });
    const done = sampleSteps(restart(ddim(), passed), gaussian(0.5, 0.7), levels, start, options).x;
    const exact = levelsOf(edmProcess(), [3, 0.4], { final: 'none' });
    expect(done.toArray()).toEqual(
      sampleSteps(restart(ddim(), exact), gaussian(0.5, 0.7), levels, start, options).x.toArray(),
    );
  });

  it('at the last level, without noise', () => {
    const end = levelsOf(edmProcess(), [1, 0.3]);
    const done = sample(restart(ddim(), end, { times: 3 }), curved, levels, start, options);
    expect(Array.from(done.dataSync(), Number).every(Number.isFinite)).toBe(true);
  });
});

describe('churn', () => {
  const churn = { churn: 2, min: 0.3, max: 10, noise: 1.1 };

  it('before Heun’s steps is the stochastic sampler of Karras et al.', () => {
    const given = sample(withChurn(heun(), churn), curved, levels, start, options);
    expect(largest(given, sample(edmStochastic(churn), curved, levels, start, options))).toBeLessThan(1e-10);
    expect(largest(given, sample(heun(), curved, levels, start))).toBeGreaterThan(0.01);
  });

  it('of 0 is the sampler', () => {
    expect(sample(withChurn(heun()), curved, levels, start).toArray()).toEqual(
      sample(heun(), curved, levels, start).toArray(),
    );
  });

  it('keeps the distribution', () => {
    const going = levelsOf(
      edmProcess(),
      Array.from({ length: 60 }, (_, i) => 40 * (0.01 / 40) ** (i / 59)),
    );
    const ends = sample(withChurn(heun(), { churn: 20 }), gaussian(1, 0.25), going, [4000, 1], {
      key: key(8),
      dtype: 'float64',
    });
    expect(Math.abs(Number(mean(ends).item()) - 1)).toBeLessThan(0.03);
    expect(Math.abs(Number(std(ends).item()) - 0.5)).toBeLessThan(0.03);
  });

  it('leaves pure noise as it is', () => {
    const process = discreteProcess(gaussianDiffusion(linearBetas(1000)));
    const some = levelsAt(process, [999, 500]);
    const none = { ...some, alpha: tensor([0, 0.5, 1], float64), sigma: tensor([1, Math.sqrt(0.75), 0], float64) };
    const ended = sample(withChurn(ddim(), { churn: 1 }), gaussian(1, 0.25), none as typeof some, x, { key: key(1) });
    expect(Array.from(ended.dataSync(), Number).every(Number.isFinite)).toBe(true);
  });
});

describe('observing', () => {
  it('folds what steps give, and changes no sample', () => {
    const summed = tap(
      heun(),
      (total: Tensor, { x0, to }) => combine([1, total], [to.sigma, x0]),
      zeros([3, 4], float64) as Tensor,
    );
    const { seen, x: ended } = sampleState(summed, curved, levels, start);
    expect(ended.toArray()).toEqual(sample(heun(), curved, levels, start).toArray());
    const steps = sampleSteps(heun(), curved, levels, start).x0;
    const wanted = range(6)
      .map(i => mul(take(steps, tensor(i, { dtype: 'int32' })), all[i + 1]!) as unknown as Tensor)
      .reduce((a, b) => add(a, b) as Tensor);
    expect(largest(seen, wanted)).toBeLessThan(1e-12);
  });

  it('may be done twice, and around other combinators', () => {
    const count = (steps: Tensor): Tensor => add(steps, 1) as Tensor;
    const twice = tap(tap(repeatSteps(2, heun()), count, tensor(0) as Tensor), count, tensor(10) as Tensor);
    const { seen, inner } = sampleState(twice, curved, levels, start, options);
    expect([seen.item(), inner.seen.item()]).toEqual([16, 6]);
  });
});

it('draws of nested combinators are all different', () => {
  const taken: number[] = [];
  const noisy: Sampler = {
    init: ddim().init,
    step: (state, at, denoise) => {
      at.noise();
      at.noise(1);
      return ddim().step(state, at, denoise);
    },
  };
  const corrector = {
    correct: (at: Tensor, _: NoiseLevel, __: unknown, noise: (draw?: number) => Tensor): Tensor => {
      noise();
      return at;
    },
  };
  const nested = withCorrector(withChurn(withCorrector(noisy, corrector), { churn: 1 }), corrector);
  stepOf(nested, nested.init(start), [3, 1], {
    noise: draw => {
      taken.push(draw);
      return x;
    },
  });
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.length).toBe(5);
});
