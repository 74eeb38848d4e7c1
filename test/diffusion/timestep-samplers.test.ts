import { fold, stack, type Tensor, tensor, zeros } from 'tenfold';
import { lossSecondMomentSampler, uniformSampler } from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const steps = (...t: number[]): Tensor => tensor(t, { dtype: 'int32' });

describe('a bad call names the function and what it was given', () => {
  const [uniform, moment] = [uniformSampler(4), lossSecondMomentSampler(4)];
  const state = moment.init();
  it.each<[string, () => unknown, string, readonly string[]]>([
    ['uniformSampler', () => uniformSampler(0), 'IndexError', ['0 as the number of timesteps']],
    ['lossSecondMomentSampler', () => lossSecondMomentSampler(1.5), 'IndexError', ['1.5 as the number']],
    [
      'lossSecondMomentSampler',
      () => lossSecondMomentSampler(4, { historyPerTerm: 0 }),
      'IndexError',
      ['0 as history'],
    ],
    [
      'lossSecondMomentSampler',
      () => lossSecondMomentSampler(4, { uniformProb: 2 }),
      'ArgumentError',
      ['uniformProb 2'],
    ],
    [
      'uniformSampler.update',
      () => uniform.update(null, steps(1), zeros([2])),
      'ShapeError',
      ['int32[1]', 'float32[2]'],
    ],
    [
      'lossSecondMomentSampler.update',
      () => moment.update(state, steps(1), zeros([2])),
      'ShapeError',
      ['int32[1]', 'float32[2]'],
    ],
    [
      'lossSecondMomentSampler.update',
      () => moment.update(state, steps(1), steps(1)),
      'DTypeError',
      ['losses int32[1]'],
    ],
    [
      'lossSecondMomentSampler.update',
      () => moment.update(state, zeros([1]), zeros([1])),
      'DTypeError',
      ['float32[1]'],
    ],
    ['uniformSampler.sample', () => uniform.sample(null, key(0), 0), 'IndexError', ['0 as the batch']],
    ['lossSecondMomentSampler.sample', () => moment.sample(state, key(0), -1), 'IndexError', ['-1 as the batch']],
    [
      'uniformSampler.importanceWeights',
      () => uniform.importanceWeights(null, tensor([1])),
      'DTypeError',
      ['float32[1]'],
    ],
    [
      'lossSecondMomentSampler.importanceWeights',
      () => moment.importanceWeights(state, tensor(1, { dtype: 'int32' })),
      'ShapeError',
      ['int32[]'],
    ],
  ])('%s %#', (operation, f, tag, given) => {
    const error = caught(f);
    expect(error._tag).toBe(tag);
    expect(error.operation).toBe(operation);
    for (const part of given) expect(error.given).toContain(part);
  });
});

describe('uniformSampler', () => {
  it('draws every timestep, with weights 1', () => {
    const sampler = uniformSampler(5);
    const { t, weights } = sampler.sample(sampler.init(), key(1), 400);
    expect([t.dtype, weights.dtype]).toEqual(['int32', 'float32']);
    const counts = [0, 0, 0, 0, 0];
    for (const step of t.dataSync()) counts[step]!++;
    for (const count of counts) expect(Math.abs(count - 80)).toBeLessThan(40);
    expect(new Set(weights.dataSync())).toEqual(new Set([1]));
    expect(sampler.update(null, t, weights)).toBe(null);
    expect(sampler.weights(null).toArray()).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('lossSecondMomentSampler', () => {
  const sampler = lossSecondMomentSampler(3, { historyPerTerm: 2, uniformProb: 0.1 });
  const full = sampler.update(sampler.init(), steps(0, 1, 2, 0, 1, 2), tensor([3, 1, 0, 4, 1, 0]));

  it('takes pairs one after the other, a timestep more than once too', () => {
    const some = sampler.update(sampler.init(), steps(1, 1, 1, 0), tensor([5, 6, 7, 8]));
    expect(some.lossHistory.toArray()).toEqual([
      [8, 0],
      [6, 7],
      [0, 0],
    ]);
    expect(some.lossCounts.toArray()).toEqual([1, 2, 0]);
    const none = sampler.update(some, steps(), zeros([0]));
    expect(none.lossHistory.toArray()).toEqual(some.lossHistory.toArray());
  });

  it('is uniform until the history is full', () => {
    expect(sampler.weights(sampler.init()).toArray()).toEqual([1, 1, 1]);
    expect(sampler.importanceWeights(sampler.init(), steps(2, 0)).toArray()).toEqual([1, 1]);
    const moments = [Math.sqrt(12.5), 1, 0];
    const wanted = moments.map(m => (0.9 * m) / (Math.sqrt(12.5) + 1) + 0.1 / 3);
    close(sampler.weights(full), wanted, 1e-15);
    close(sampler.importanceWeights(full, steps(2, 0)), [10, 1 / (3 * wanted[0]!)], 1e-6);
  });

  it('draws in proportion, each position from its own bits', () => {
    const { t, weights } = sampler.sample(full, key(3), 600);
    const p = sampler.weights(full).toArray();
    const counts = [0, 0, 0];
    for (const step of t.dataSync()) counts[step]!++;
    counts.forEach((count, i) => {
      expect(Math.abs(count - 600 * p[i]!)).toBeLessThan(5 * Math.sqrt(600 * p[i]!));
    });
    expect(weights.toArray()).toEqual(sampler.importanceWeights(full, t).toArray());
    expect(sampler.sample(full, key(3), 7).t.toArray()).toEqual(t.toArray().slice(0, 7));
  });

  it('changes no state, and can be folded', () => {
    const before = full.lossHistory.toArray();
    const next = sampler.update(full, steps(0), tensor([9]));
    expect(full.lossHistory.toArray()).toEqual(before);
    expect(Object.isFrozen(next)).toBe(true);
    const batches = {
      t: stack([steps(0, 1), steps(2, 2)]),
      losses: tensor([
        [1, 2],
        [3, 4],
      ]),
    };
    const folded = fold((state: typeof full, { t, losses }: typeof batches) => sampler.update(state, t, losses))(
      sampler.init(),
      batches,
    );
    expect(folded.lossHistory.toArray()).toEqual([
      [1, 0],
      [2, 0],
      [3, 4],
    ]);
  });
});

it('losses that say nothing leave the distribution as it is without any', () => {
  const sampler = lossSecondMomentSampler(3, { historyPerTerm: 1 });
  for (const losses of [
    [0, 0, 0],
    [1, Number.NaN, 2],
    [1, 2, Number.POSITIVE_INFINITY],
  ]) {
    const state = sampler.update(sampler.init(), steps(0, 1, 2), tensor(losses) as Tensor);
    expect(sampler.weights(state).toArray()).toEqual([1, 1, 1]);
    expect(sampler.sample(state, key(0), 4).weights.toArray()).toEqual([1, 1, 1, 1]);
  }
});
