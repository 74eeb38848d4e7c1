/** Counts of Poisson and binomial counts: Pearson's test against exact probabilities, moments, edges, transformations. */
import { cast, grad, jit, sum, type Tensor, tensor, vmap } from 'tenfold';
import { binomial, type Key, key, poisson, split, splitStack } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const list = (x: Tensor): number[] => Array.from(x.dataSync() as Float64Array);
const n = 20_000;

interface Masses {
  readonly first: number;
  readonly p: readonly number[];
}

/** Probabilities of the counts within twelve deviations, by the ratios of neighbours alone. */
const masses = (mean: number, deviation: number, last: number, ratio: (k: number) => number): Masses => {
  const first = Math.max(0, Math.floor(mean - 12 * deviation));
  const end = Math.min(last, Math.ceil(mean + 12 * deviation + 20));
  const logs = [0];
  for (let k = first; k < end; k++) logs.push(logs[logs.length - 1]! + Math.log(ratio(k)));
  const top = logs.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY);
  const p = logs.map(x => Math.exp(x - top));
  const total = p.reduce((x, y) => x + y, 0);
  return { first, p: p.map(x => x / total) };
};

const ofPoisson = (rate: number): Masses =>
  masses(rate, Math.sqrt(rate), Number.POSITIVE_INFINITY, k => rate / (k + 1));

const ofBinomial = (count: number, p: number): Masses =>
  masses(count * p, Math.sqrt(count * p * (1 - p)), count, k => ((count - k) / (k + 1)) * (p / (1 - p)));

/** χ² at 0.999, by Wilson and Hilferty's approximation. */
const quantile = (df: number): number => df * (1 - 2 / (9 * df) + 3.09 * Math.sqrt(2 / (9 * df))) ** 3;

/** Pearson's test over cells of about equal probability, of 1 in 1000 errors. */
const follows = (values: readonly number[], { first, p }: Masses, count = n): void => {
  expect(values.length).toBe(count);
  const cellOf: number[] = [];
  const expected = [0];
  for (const each of p) {
    if (expected.at(-1)! > count / 40) expected.push(0);
    cellOf.push(expected.length - 1);
    expected[expected.length - 1]! += each * count;
  }
  if (expected.length > 1 && expected.at(-1)! < 5) {
    const rest = expected.pop()!;
    expected[expected.length - 1]! += rest;
  }
  const seen = expected.map(() => 0);
  let strange = 0;
  for (const value of values) {
    const cell = cellOf[value - first];
    if (cell === undefined) strange++;
    else seen[Math.min(cell, seen.length - 1)]! += 1;
  }
  expect(strange).toBe(0);
  const statistic = expected.reduce((total, each, i) => total + (seen[i]! - each) ** 2 / each, 0);
  expect(expected.length).toBeGreaterThan(1);
  expect(statistic).toBeLessThan(quantile(expected.length - 1));
};

/** Mean and variance, each within three and a half deviations of it. */
const hasMoments = (values: readonly number[], mean: number, variance: number): void => {
  const count = values.length;
  const average = values.reduce((x, y) => x + (y - mean), 0) / count;
  const spread = values.reduce((x, y) => x + (y - mean) ** 2, 0) / count;
  expect(Math.abs(average)).toBeLessThan(3.5 * Math.sqrt(variance / count));
  expect(Math.abs(spread / variance - 1)).toBeLessThan(3.5 * Math.sqrt((2 + 1 / variance) / count));
};

describe('counts follow their distribution', () => {
  for (const [i, rate] of [0.05, 0.7, 3, 9.75, 10, 12.5, 60, 1500, 1e6].entries()) {
    it(`poisson ${rate}`, () => {
      follows(list(poisson(key(i), rate, { shape: [n] })), ofPoisson(rate));
      follows(list(poisson(key(50 + i), tensor(rate), { shape: [n], dtype: 'float32' })), ofPoisson(Math.fround(rate)));
    });
  }
  for (const [i, [count, p]] of (
    [
      [1, 0.3],
      [12, 0.5],
      [19, 0.5],
      [20, 0.5],
      [25, 0.75],
      [90, 0.1],
      [200, 0.1],
      [200, 0.97],
      [5000, 0.4],
      [1_000_000, 0.9],
      [1_000_000, 1e-6],
    ] as const
  ).entries()) {
    it(`binomial ${count}, ${p}`, () => {
      follows(list(binomial(key(i), count, p, { shape: [n] })), ofBinomial(count, p));
      const given = tensor(count, { dtype: 'int32' });
      const drawn = binomial(key(50 + i), given as Tensor, tensor(p), { shape: [n], dtype: 'float64' });
      follows(list(drawn), ofBinomial(count, Math.fround(p)));
    });
  }
});

describe('large ones have the right mean and variance', () => {
  for (const rate of [1e4, 1e9, 2e9]) {
    it(`poisson ${rate}`, () => hasMoments(list(poisson(key(7), rate, { shape: [n] })), rate, rate));
  }
  for (const rate of [1e12, 1e15]) {
    it(`poisson ${rate}, as float64`, () => {
      const drawn = list(poisson(key(8), rate, { shape: [n], dtype: 'float64' }));
      hasMoments(drawn, rate, rate);
      expect(drawn.every(Number.isSafeInteger)).toBe(true);
    });
  }
  for (const [count, p] of [
    [2e9, 0.3],
    [2e9, 0.999],
    [2e9, 1e-7],
    [2e15, 0.25],
  ] as const) {
    it(`binomial ${count}, ${p}`, () => {
      const drawn = list(binomial(key(9), count, p, { shape: [n], dtype: 'float64' }));
      hasMoments(drawn, count * p, count * p * (1 - p));
      expect(drawn.every(x => Number.isSafeInteger(x) && x >= 0 && x <= count)).toBe(true);
    });
  }
});

describe('millions do, so that a hundredth of a probability would be seen', () => {
  const millions = 2_000_000;
  it('poisson 10', () => {
    const drawn = list(poisson(key(1), 10, { shape: [millions] }));
    follows(drawn, ofPoisson(10), millions);
    hasMoments(drawn, 10, 10);
  });
  it('binomial 20, 0.5', () => {
    const drawn = list(binomial(key(2), 20, 0.5, { shape: [millions] }));
    follows(drawn, ofBinomial(20, 0.5), millions);
    hasMoments(drawn, 10, 5);
  });
});

describe('edges', () => {
  it('of poisson: nothing comes of the rate 0, no count of what is no rate, the largest of an infinite one', () => {
    const rates = tensor([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e12]);
    expect(list(poisson(key(0), rates))).toEqual([0, -1, -1, 2 ** 31 - 1, 2 ** 31 - 1]);
    const [none, ...others] = list(poisson(key(0), rates, { dtype: 'float64' }));
    expect([none, ...others.slice(0, 3)]).toEqual([0, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(Math.abs(others[3]! / 1e12 - 1)).toBeLessThan(1e-5);
    expect(list(poisson(key(0), 0, { shape: [3] }))).toEqual([0, 0, 0]);
  });

  it('of binomial: certain successes and failures, no trials, and what is no count or no probability', () => {
    const counts = tensor([0, 0, 7, 7, 1e6, 1e6, 2.5, -1, Number.POSITIVE_INFINITY, Number.NaN, 5, 5, 5]);
    const ps = tensor([0, 0.5, 0, 1, 0, 1, 0.5, 0.5, 0.5, 0.5, -0.1, 1.1, Number.NaN]);
    const bad = [0, 0, 0, 0, 0, 0, 0];
    expect(list(binomial(key(0), counts, ps))).toEqual([0, 0, 0, 7, 0, 1e6, ...bad.map(() => -1)]);
    expect(list(binomial(key(0), counts, ps, { dtype: 'float32' }))).toEqual([
      ...[0, 0, 0, 7, 0, 1e6],
      ...bad.map(() => Number.NaN),
    ]);
  });

  it('counts are int32 unless floats are asked for, and those are the same counts', () => {
    const drawn = poisson(key(1), tensor([2, 40, 7]), { shape: [5, 3] });
    expect([drawn.dtype, drawn.shape]).toEqual(['int32', [5, 3]]);
    for (const dtype of ['float32', 'float64'] as const) {
      const floats = poisson(key(1), tensor([2, 40, 7], { dtype }), { shape: [5, 3], dtype });
      expect(floats.dtype).toBe(dtype);
      expect(list(floats)).toEqual(list(drawn));
    }
    const successes = binomial(key(1), 30, tensor([[0.1], [0.5]]), { shape: [4, 2, 3] });
    expect([successes.dtype, successes.shape]).toEqual(['int32', [4, 2, 3]]);
    expect(list(binomial(key(1), tensor([30, 40, 50], { dtype: 'int32' }), tensor([[0.1], [0.5]]))).length).toBe(6);
  });
});

describe('an element', () => {
  const draws: Record<string, (k: Key, shape: readonly number[]) => Tensor> = {
    'poisson of a small rate': (k, shape) => poisson(k, 2.5, { shape }),
    'poisson of a large rate': (k, shape) => poisson(k, 25, { shape }),
    'binomial of few': (k, shape) => binomial(k, 9, 0.6, { shape }),
    'binomial of many': (k, shape) => binomial(k, 90, 0.6, { shape }),
  };
  for (const [name, draw] of Object.entries(draws)) {
    it(`of ${name} depends on its key and place alone`, () => {
      const whole = list(draw(key(3), [60]));
      expect(new Set(whole).size).toBeGreaterThan(4);
      expect(list(draw(key(3), [60]))).toEqual(whole);
      expect(list(draw(key(4), [60]))).not.toEqual(whole);
      expect(list(draw(key(3), [3, 5]))).toEqual(whole.slice(0, 15));
      expect(list(draw(key(3), []))).toEqual(whole.slice(0, 1));
      expect(list(draw(key(3), [0]))).toEqual([]);
    });
    it(`of ${name} is the same under jit and vmap`, () => {
      const plain = split(key(5), 3).map(k => draw(k, [7]).toArray());
      const f = (k: Tensor): Tensor => draw(k as Key, [7]);
      expect(vmap(f)(splitStack(key(5), 3)).toArray()).toEqual(plain);
      expect(jit(f)(split(key(5), 3)[1]! as Tensor).toArray()).toEqual(plain[1]);
    });
  }

  it('is not touched by the parameters of others', () => {
    const mixed = list(poisson(key(3), tensor([1, 200, Number.NaN, 3, 1e6])));
    for (const [i, rate] of [1, 200, Number.NaN, 3, 1e6].entries()) {
      expect(list(poisson(key(3), tensor([rate, rate, rate, rate, rate])))[i]).toBe(mixed[i]);
    }
    const successes = list(binomial(key(3), tensor([3, 200, 1000]), tensor([0.5, 0.9, 0.001])));
    expect(list(binomial(key(3), tensor([3, 200, 1000]), tensor([0.1, 0.9, 0.4])))[1]).toBe(successes[1]);
  });

  it('is the same for parameters that are mapped over', () => {
    const rates = [0.5, 4, 40, 4e5];
    const over = (f: (x: Tensor) => Tensor): number[] => list((vmap(f as never) as typeof f)(tensor(rates) as Tensor));
    expect(over(rate => poisson(key(2), rate))).toEqual(rates.map(rate => list(poisson(key(2), tensor(rate)))[0]));
    expect(over(count => binomial(key(2), cast(count, 'int32') as Tensor, 0.4))).toEqual(
      rates.map(count => list(binomial(key(2), Math.floor(count), 0.4))[0]),
    );
  });
});

it('draws have no derivative', () => {
  const slope = (f: (x: Tensor) => Tensor): number[] =>
    list((grad(f as never) as typeof f)(tensor([0.3, 0.4]) as Tensor));
  const shape = [3, 2];
  expect(slope(rate => sum(poisson(key(0), rate, { shape, dtype: 'float32' })) as Tensor)).toEqual([0, 0]);
  expect(slope(p => sum(binomial(key(0), 50, p, { shape, dtype: 'float32' })) as Tensor)).toEqual([0, 0]);
});
