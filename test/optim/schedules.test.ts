/** Learning rates beyond PyTorch's numbers (`test/golden/optim.test.ts`): counts of all kinds, compiled once. */
import { add, arange, jit, mul, type Tensor, tensor, vmap } from 'tenfold';
import {
  adam,
  applyUpdates,
  type CountedSchedule,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  emaPowerWarmup,
  emaWarmup,
  exponentialLR,
  linearLR,
  multiStepLR,
  oneCycleLR,
  oneCycleMomentum,
  piecewiseLR,
  polynomialLR,
  powerEma,
  reduceLROnPlateau,
  sequentialLR,
  sgd,
  stepLR,
  warmupCosine,
} from 'tenfold/optim';
import { describe, expect, it } from 'vitest';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught, close } from '../helpers.js';

const points = [
  [10, 1],
  [30, 3],
  [40, 0],
] as const;

const schedules: Readonly<Record<string, CountedSchedule>> = {
  constantLR: constantLR(0.1, { factor: 0.5, totalIters: 7 }),
  linearLR: linearLR(0.1, { totalIters: 30 }),
  polynomialLR: polynomialLR(0.1, { totalIters: 60, power: 1.5 }),
  exponentialLR: exponentialLR(0.1, { gamma: 0.95 }),
  stepLR: stepLR(0.1, { stepSize: 9, gamma: 0.7 }),
  multiStepLR: multiStepLR(0.1, { milestones: [5, 5, 70] }),
  cosineAnnealingLR: cosineAnnealingLR(0.1, { tMax: 33, etaMin: 0.01 }),
  'warm restarts of one length': cosineAnnealingWarmRestarts(0.1, { t0: 12 }),
  'warm restarts that get longer': cosineAnnealingWarmRestarts(0.1, { t0: 3, tMult: 3 }),
  cyclicLR: cyclicLR(0.1, { maxRate: 1, stepSizeUp: 5, stepSizeDown: 11, mode: 'expRange', gamma: 0.9 }),
  oneCycleLR: oneCycleLR(0.1, { totalSteps: 90, threePhase: true }),
  oneCycleMomentum: oneCycleMomentum({ totalSteps: 90, annealStrategy: 'linear' }),
  sequentialLR: sequentialLR([linearLR(0.1), exponentialLR(0.1, { gamma: 0.9 }), constantLR(1)], [5, 80]),
  'piecewiseLR in steps': piecewiseLR(points),
  'piecewiseLR along lines': piecewiseLR(points, { between: 'linear' }),
  warmupCosine: warmupCosine({ peak: 0.1, warmup: 10, steps: 90 }),
  emaWarmup: emaWarmup(0.99),
  emaPowerWarmup: emaPowerWarmup(0.95, { inverseGamma: 2, power: 0.75, least: 0.1 }),
  powerEma: powerEma(0.1),
};

describe.each(Object.entries(schedules))('%s', (_, schedule) => {
  const all = schedule(arange(100, { dtype: 'float64' }) as Tensor).toArray() as number[];

  it('is compiled once for all of 100 steps', () => {
    const jitted = jit((count: Tensor) => [schedule(count), add(count, 1)] as [Tensor, Tensor]);
    let count: Tensor = tensor(0, { dtype: 'int32' });
    const seen: number[] = [];
    for (let i = 0; i < 100; i++) {
      const [rate, next] = jitted(count);
      expect([rate.dtype, rate.shape]).toEqual(['float32', []]);
      seen.push(rate.item() as number);
      count = next;
    }
    expect(tracesOf(jitted).length).toBe(1);
    close(seen, all, 1e-6);
  });

  it('takes counts of any shape, dtype and batch', () => {
    const counts = arange(100, { dtype: 'int32' }) as Tensor;
    close(schedule(counts), all, 1e-6);
    close(vmap(schedule)(counts), all, 1e-6);
    expect(
      schedule(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      ).shape,
    ).toEqual([2, 3]);
    expect(schedule(tensor(3, { dtype: 'float64' })).dtype).toBe('float64');
  });

  it('stays finite after its last step', () => {
    expect(Number.isFinite(schedule(tensor(1_000_000, { dtype: 'int32' })).item())).toBe(true);
  });
});

describe('learning rates', () => {
  it('compile a training step once for all of 100 steps', () => {
    const optimizer = adam(warmupCosine({ peak: 0.1, warmup: 10, steps: 90 }));
    const step = jit((w: Tensor, state: ReturnType<typeof optimizer.init>) => {
      const [updates, next] = optimizer.update(mul(w, 2) as Tensor, state, w);
      return [applyUpdates(w, updates), next] as const;
    });
    let w: Tensor = tensor([1, -2]);
    let state = optimizer.init(w);
    for (let i = 0; i < 100; i++) [w, state] = step(w, state);
    expect(tracesOf(step).length).toBe(1);
    expect(step(w, state)[1][1].count.item()).toBe(101);
    close(w, [0, 0], 0.2);
  });

  it('restart exactly where a descent ends, however many there were', () => {
    const rate = cosineAnnealingWarmRestarts(1, { t0: 10, tMult: 2 });
    for (let n = 1; n < 20; n++) {
      const start = 10 * (2 ** n - 1);
      if (start >= 2 ** 24) break;
      expect(rate(tensor(start, { dtype: 'int32' })).item()).toBe(1);
      expect(rate(tensor(start - 1, { dtype: 'int32' })).item()).toBeLessThan(0.03);
    }
    const step = stepLR(1, { stepSize: 3, gamma: 0.5 });
    expect([2, 3, 29, 30].map(t => step(tensor(t, { dtype: 'int32' })).item())).toEqual([1, 0.5, 2 ** -9, 2 ** -10]);
  });

  it('end exactly where they should, however much smaller that is than where they began', () => {
    const at = (schedule: CountedSchedule, count: number): number => schedule(tensor(count)).item() as number;
    const line = linearLR(1, { startFactor: 1, endFactor: 1e-9, totalIters: 10 });
    expect([at(line, 0), at(line, 10), at(line, 11)]).toEqual([1, Math.fround(1e-9), Math.fround(1e-9)]);
    expect(at(constantLR(1, { factor: 1e-9 }), 0)).toBe(Math.fround(1e-9));
    for (const annealStrategy of ['cos', 'linear'] as const) {
      const cycle = oneCycleLR(1, { totalSteps: 100, finalDivFactor: 1e6, annealStrategy, pctStart: 0.297 });
      expect([at(cycle, 99), at(cycle, 1000)]).toEqual([Math.fround(4e-8), Math.fround(4e-8)]);
    }
    expect(at(warmupCosine({ peak: 1, warmup: 10, steps: 1000, end: 1e-8 }), 1000)).toBe(Math.fround(1e-8));
  });

  it('of powers keep their digits over a million steps', () => {
    const million = tensor(1e6);
    close((exponentialLR(1, { gamma: 0.99999 })(million).item() as number) / 0.99999 ** 1e6, 1, 1e-5);
    close((stepLR(1, { stepSize: 10, gamma: 0.9999 })(million).item() as number) / 0.9999 ** 1e5, 1, 1e-5);
    const options = { maxRate: 1, stepSizeUp: 1, mode: 'expRange', gamma: 0.9999 } as const;
    close((cyclicLR(0, options)(tensor(1e5 + 1)).item() as number) / 0.9999 ** (1e5 + 1), 1, 1e-5);
    expect(exponentialLR(1, { gamma: -0.5 })(tensor([0, 1, 2, 3])).toArray()).toEqual([1, -0.5, 0.25, -0.125]);
    expect(exponentialLR(1, { gamma: 0 })(tensor([0, 1])).toArray()).toEqual([1, 0]);
    close(exponentialLR(1, { gamma: -0.1 })(tensor([1, 2, 3])), [-0.1, 0.01, -0.001], 1e-8);
  });

  it('may end above the peak of a warm-up, or be negative', () => {
    const counts = tensor([0, 5, 10, 15, 20, 99]);
    close(warmupCosine({ peak: 1, warmup: 10, steps: 20, end: 5 })(counts), [0, 0.5, 1, 3, 5, 5]);
    close(warmupCosine({ peak: -1, warmup: 10, steps: 20 })(counts), [0, -0.5, -1, -0.5, 0, 0]);
  });

  it('are a line or a step between points, and constant beyond them', () => {
    const counts = tensor([0, 10, 20, 30, 35, 40, 99], { dtype: 'int32' });
    close(piecewiseLR(points)(counts), [1, 1, 1, 3, 3, 0, 0]);
    close(piecewiseLR(points, { between: 'linear' })(counts), [1, 1, 2, 3, 1.5, 0, 0]);
    close(piecewiseLR([[5, 2]], { between: 'linear' })(counts), [2, 2, 2, 2, 2, 2, 2]);
  });

  it('halve when the loss has stalled, in a compiled step too', () => {
    const { init, update } = reduceLROnPlateau(1, { factor: 0.5, patience: 1, cooldown: 1, minRate: 0.2 });
    const jitted = jit(update);
    let [plain, compiled] = [init(), init()];
    const seen: number[] = [];
    for (const loss of [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]) {
      plain = update(plain, loss);
      compiled = jitted(compiled, loss);
      expect(compiled.rate.item()).toBe(plain.rate.item());
      seen.push(plain.rate.item() as number);
    }
    close(seen, [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]);
    expect(tracesOf(jitted).length).toBe(1);
    const optimizer = sgd(() => plain.rate);
    const w = tensor([0]);
    close(optimizer.update(tensor([1]), optimizer.init(w), w)[0], [-0.2]);
  });

  it('rise with a metric that should, by a difference', () => {
    const { init, update } = reduceLROnPlateau(1, { mode: 'max', thresholdMode: 'abs', threshold: 1, patience: 0 });
    const rates = [0, 2, 2.5].map((_, i, metrics) =>
      metrics
        .slice(0, i + 1)
        .reduce(update, init())
        .rate.item(),
    );
    close(rates as number[], [1, 1, 0.1]);
  });

  it('of averages: 0.999 after 10,000 steps with the power 3/4', () => {
    const decay = emaPowerWarmup(0.9999, { power: 0.75 });
    close(decay(tensor([0, 9999, 10_000_000], { dtype: 'float64' })), [0, 0.999, 0.9999], 1e-6);
    close(emaPowerWarmup(0.9, { least: 0.2 })(tensor([0, 1e6])), [0.2, 0.9]);
  });

  it('say what is wrong with them', () => {
    expect(caught(() => stepLR(0.1, { stepSize: 0 })).message).toMatch(/stepLR: got 0 as stepSize/);
    expect(caught(() => exponentialLR(0.1, {} as never)).message).toMatch(/exponentialLR: got undefined as gamma/);
    expect(caught(() => multiStepLR(0.1, { milestones: [3, 1] })).message).toMatch(
      /multiStepLR: got milestones \[3, 1\]/,
    );
  });
});
