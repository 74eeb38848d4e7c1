/** Draws of the families of counts: Pearson's test against their own probabilities, totals, edges, transformations. */
import { cumsum, exp, grad, jit, reshape, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import {
  binomial,
  type Distribution,
  logProb,
  mean,
  multinomial,
  poisson,
  sample,
  variance,
} from 'tenfold/distributions';
import { type Key, key, split, splitStack } from 'tenfold/random';
import { describe, expect, test } from 'vitest';
import { close } from '../helpers.js';

const numbers = (x: Tensor): number[] => Array.from(x.dataSync() as Float64Array);
const f64 = (x: number | readonly number[]): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const n = 6000;

/** χ² at 0.999, by Wilson and Hilferty's approximation. */
const quantile = (df: number): number => df * (1 - 2 / (9 * df) + 3.09 * Math.sqrt(2 / (9 * df))) ** 3;

/** Pearson's statistic of how often each value was seen, rare ones taken together with others. */
const follows = (seen: readonly number[], probabilities: readonly number[]): void => {
  expect(seen.reduce((x, y) => x + y, 0)).toBe(n);
  const cells: (readonly [number, number])[] = [];
  let [count, expected] = [0, 0];
  for (const [i, p] of probabilities.entries()) {
    if (p === 0) expect(seen[i]).toBe(0);
    count += seen[i]!;
    expected += p * n;
    if (expected < 8) continue;
    cells.push([count, expected]);
    [count, expected] = [0, 0];
  }
  const [lastCount, lastExpected] = cells.pop()!;
  cells.push([lastCount + count, lastExpected + expected]);
  expect(cells.length).toBeGreaterThan(1);
  expect(cells.reduce((total, [o, e]) => total + (o - e) ** 2 / e, 0)).toBeLessThan(quantile(cells.length - 1));
};

const univariate: readonly (readonly [Distribution, number])[] = [
  [poisson({ rate: 2.5 }), 40],
  [poisson({ rate: f64(35) }), 150],
  [binomial({ totalCount: 12, probs: 0.3 }), 12],
  [binomial({ totalCount: 12, logits: f64(0.6) }), 12],
  [binomial({ totalCount: 300, probs: f64(0.8) }), 300],
  [binomial({ totalCount: 300, logits: -2 }), 300],
];

describe('draws follow the probabilities of their family', () => {
  for (const [i, [d, last]] of univariate.entries()) {
    test(`${d.family} ${i}`, () => {
      const draws = sample(d, key(i), { shape: [n] });
      expect(draws.dtype).toBe(d.dtype);
      const values = numbers(draws);
      const ks = Array.from({ length: last + 1 }, (_, k) => k);
      const seen = ks.map(() => 0);
      for (const x of values) seen[x]! += 1;
      follows(seen, numbers(exp(logProb(d, tensor(ks, { dtype: 'float64' }) as Tensor)) as Tensor));
    });
  }

  const weights = [0.2, 0.5, 0, 0.3];
  for (const [form, d] of [
    ['probs', multinomial({ totalCount: 4, probs: tensor([2, 5, 0, 3]) as Tensor })],
    ['logits', multinomial({ totalCount: 4, logits: f64(weights.map(Math.log)) })],
  ] as const) {
    test(`multinomial of ${form}: all vectors`, () => {
      const vectors: number[][] = [];
      for (let a = 0; a <= 4; a++) {
        for (let b = 0; a + b <= 4; b++) for (let c = 0; a + b + c <= 4; c++) vectors.push([a, b, c, 4 - a - b - c]);
      }
      const draws = sample(d, key(8), { shape: [n] });
      expect([draws.shape, draws.dtype]).toEqual([[n, 4], d.dtype]);
      const places = new Map(vectors.map((vector, i) => [vector.join(), i]));
      const seen = vectors.map(() => 0);
      for (const row of draws.toArray() as number[][]) seen[places.get(row.join())!]! += 1;
      const all = tensor(vectors, { dtype: 'float64' }) as Tensor;
      follows(seen, numbers(exp(logProb(d, all)) as Tensor));
    });
  }

  test('multinomial: large counts, a batch, and every row sums to the total', () => {
    const totalCount = 2 ** 24;
    const d = multinomial({
      totalCount,
      probs: tensor([
        [1, 2, 3, 0],
        [0, 0, 1, 0],
        [1e-7, 1, 1, 1],
      ]) as Tensor,
    });
    const draws = sample(d, key(3), { shape: [400] });
    expect(draws.shape).toEqual([400, 3, 4]);
    close(
      sum(draws, { axis: -1 }) as Tensor,
      Array.from({ length: 400 }, () => [totalCount, totalCount, totalCount]),
    );
    const averages = numbers(sum(draws, { axis: 0 }) as Tensor).map(x => x / 400);
    const [means, variances] = [numbers(mean(d)), numbers(variance(d))];
    for (const [i, x] of averages.entries()) {
      // The sum that the average is made of is one of float32.
      expect(Math.abs(x - means[i]!)).toBeLessThanOrEqual(3.5 * Math.sqrt(variances[i]! / 400) + totalCount * 2 ** -24);
    }
  });
});

test('edges', () => {
  close(sample(binomial({ totalCount: 7, probs: tensor([0, 1]) as Tensor }), key(0)), [0, 7]);
  close(sample(binomial({ totalCount: 7, logits: tensor([-Infinity, Infinity]) as Tensor }), key(0)), [0, 7]);
  close(sample(binomial({ totalCount: 0, probs: 0.5 }), key(0)), 0);
  close(sample(multinomial({ totalCount: 0, probs: tensor([1, 2]) as Tensor }), key(0)), [0, 0]);
  close(sample(multinomial({ totalCount: 9, probs: tensor([3]) as Tensor }), key(0)), [9]);
  close(sample(multinomial({ totalCount: 9, logits: tensor([-Infinity, 0, -Infinity]) as Tensor }), key(0)), [0, 9, 0]);
  close(sample(multinomial({ totalCount: 9, probs: tensor([1, Number.NaN]) as Tensor }), key(0)), [
    Number.NaN,
    Number.NaN,
  ]);
  expect(sample(poisson({ rate: zeros([0]) }), key(0)).shape).toEqual([0]);
  expect(sample(poisson({ rate: tensor([[1], [2]]) as Tensor }), key(0), { shape: [3] }).shape).toEqual([3, 2, 1]);
});

describe('the same key gives the same draw', () => {
  const scores = tensor([0.3, -0.2, 1]) as Tensor;
  const draws: Record<string, (k: Key, logits: Tensor) => Tensor> = {
    poisson: (k, logits) => sample(poisson({ rate: exp(logits) as Tensor }), k, { shape: [5] }),
    binomial: (k, logits) => sample(binomial({ totalCount: 40, logits }), k, { shape: [5] }),
    multinomial: (k, logits) => sample(multinomial({ totalCount: 40, logits }), k, { shape: [5] }),
  };
  for (const [name, draw] of Object.entries(draws)) {
    test(`${name}: compiled and over a batch of keys`, () => {
      const plain = split(key(5), 3).map(k => draw(k, scores).toArray());
      const f = (k: Tensor): Tensor => draw(k as Key, scores);
      expect(vmap(f)(splitStack(key(5), 3)).toArray()).toEqual(plain);
      expect(jit(f)(split(key(5), 3)[1]! as Tensor).toArray()).toEqual(plain[1]);
      expect(draw(key(5), scores).toArray()).toEqual(draw(key(5), scores).toArray());
    });
    test(`${name}: the derivative is 0`, () => {
      const total = (logits: Tensor): Tensor => sum(draw(key(1), logits)) as Tensor;
      close((grad(total as never) as (x: Tensor) => Tensor)(scores), [0, 0, 0]);
    });
  }

  test('multinomial: fewer draws are the first of more', () => {
    const d = multinomial({ totalCount: 30, logits: scores });
    const all = numbers(sample(d, key(2), { shape: [20] }));
    expect(numbers(sample(d, key(2), { shape: [2, 3] }))).toEqual(all.slice(0, 18));
    const running = numbers(reshape(cumsum(sample(d, key(2), { shape: [20] })), [60]) as Tensor);
    expect(running.filter((_, i) => i % 3 === 2)).toEqual(Array.from({ length: 20 }, () => 30));
  });
});
