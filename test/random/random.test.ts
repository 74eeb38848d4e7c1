import { pipe } from 'fp-ts/lib/function.js';
import * as S from 'fp-ts/lib/State.js';
import { all, equal, mean, type Tensor, tensor, variance, vmap, zeros } from 'tenfold';
import {
  bernoulli,
  bits,
  categorical,
  foldIn,
  key,
  normal,
  permutation,
  randint,
  split,
  splitStack,
  state,
  uniform,
} from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught } from '../helpers.js';

const list = (x: Tensor): number[] => [...(x.dataSync() as Float64Array)];

describe('keys', () => {
  it('carry 53 bits of the seed', () => {
    expect(key(2 ** 40 + 7).toArray()).toEqual([256, 7]);
    expect(caught(() => key(-1)).message).toMatch(/key: got the seed -1/);
    expect(caught(() => key(1.5))._tag).toBe('IndexError');
  });

  it('split gives the keys of the places, whatever the count', () => {
    const k = key(5);
    const three = split(k, 3);
    const seven = split(k, 7);
    three.forEach((each, i) => {
      expect(each.toArray()).toEqual(seven[i]!.toArray());
      expect(each.toArray()).toEqual(foldIn(k, i).toArray());
      expect(each.toArray()).toEqual(foldIn(k, tensor(i, { dtype: 'int32' })).toArray());
    });
    expect(splitStack(k, 3).toArray()).toEqual(three.map(each => each.toArray()));
    expect(new Set(split(k, 100).map(String)).size).toBe(100);
  });

  it('refuse what is no key and no place', () => {
    expect(caught(() => split(tensor([1, 2]) as never)).message).toMatch(/split: got a tensor float32\[2\] as the key/);
    expect(caught(() => splitStack(3 as never, 2)).message).toMatch(/splitStack: got number 3 as the key/);
    expect(caught(() => foldIn(key(0), -1)).message).toMatch(/foldIn: got the number -1/);
    expect(caught(() => foldIn(key(0), tensor(1.5))).message).toMatch(/foldIn: got float32\[\]/);
    expect(caught(() => split(key(0), 0)).message).toMatch(/split: got the count 0/);
  });
});

describe('draws', () => {
  const draws: Record<string, (n: number) => Tensor> = {
    bits: n => bits(key(3), [n]) as Tensor,
    uniform: n => uniform(key(3), [n]) as Tensor,
    'uniform float64': n => uniform(key(3), [n], { dtype: 'float64' }) as Tensor,
    normal: n => normal(key(3), [n]) as Tensor,
    randint: n => randint(key(3), [n], -3, 12) as Tensor,
    bernoulli: n => bernoulli(key(3), 0.3, [n]) as Tensor,
    categorical: n => categorical(key(3), tensor([0.1, 2, -1]), { shape: [n] }),
  };
  for (const [name, draw] of Object.entries(draws)) {
    it(`${name}: a shorter draw is a prefix of a longer one`, () => {
      expect(list(draw(37)).slice(0, 10)).toEqual(list(draw(10)));
    });
    it(`${name}: the same key gives the same values, in any shape`, () => {
      expect(list(draw(24))).toEqual(list(draw(24)));
      expect(draw(0).shape[0]).toBe(0);
    });
  }

  it('over a batch of keys equal one by one, bit for bit', () => {
    const keys = splitStack(key(9), 4);
    const all = vmap((k: Tensor) => normal(k as never, [5]) as Tensor)(keys);
    split(key(9), 4).forEach((k, i) => {
      expect((all.toArray() as number[][])[i]).toEqual(normal(k, [5]).toArray());
    });
  });

  it('uniform fills its interval evenly (χ², 100 cells) and never reaches its end', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const values = list(uniform(key(1), [100_000], { low: -2, high: 3, dtype }));
      const counts = new Array<number>(100).fill(0);
      for (const v of values) counts[Math.floor((v + 2) * 20)]!++;
      expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
      expect(Math.max(...values)).toBeLessThan(3);
      const chi2 = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
      expect(chi2).toBeLessThan(149); // 99.9 % of χ² with 99 degrees of freedom
    }
    expect(list(uniform(key(1), [2000], { low: 1, high: 1 + 2 ** -23 })).every(v => v === 1)).toBe(true);
  });

  it('normal has the moments and the distribution of a normal (Kolmogorov-Smirnov)', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = normal(key(2), [50_000], { dtype });
      expect(Math.abs(mean(x).item() as number)).toBeLessThan(0.015);
      expect(Math.abs((variance(x).item() as number) - 1)).toBeLessThan(0.02);
      const sorted = list(x).sort((a, b) => a - b);
      const cdf = (z: number): number => {
        // Zelen & Severo's approximation (Abramowitz & Stegun 26.2.17), good to 7.5e-8.
        const t = 1 / (1 + 0.2316419 * Math.abs(z));
        const tail =
          (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
          t *
          (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return z > 0 ? 1 - tail : tail;
      };
      const distance = Math.max(...sorted.map((z, i) => Math.abs(cdf(z) - (i + 0.5) / sorted.length)));
      expect(distance).toBeLessThan(1.95 / Math.sqrt(sorted.length)); // 99.9 %
      expect(Math.max(...sorted)).toBeGreaterThan(3.5);
    }
  });

  it('randint is even, on awkward spans and at the ends of int32', () => {
    const counts = new Array<number>(7).fill(0);
    for (const v of list(randint(key(4), [70_000], -3, 4))) counts[v + 3]!++;
    expect(counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5); // 99.9 % of χ²(6)
    const wide = list(randint(key(4), [1000], -(2 ** 31), 2 ** 31));
    expect(Math.min(...wide)).toBeLessThan(-(2 ** 31) * 0.99);
    expect(Math.max(...wide)).toBeGreaterThan(2 ** 31 * 0.99);
    expect(list(randint(key(4), [50], 5, 6)).every(v => v === 5)).toBe(true);
  });

  it('randint computes ⌊(w₀·2³² + w₁)·span / 2⁶⁴⌋ exactly', () => {
    const span = 2 ** 32 - 5;
    const expected = split(key(4), 20).map(k => {
      const [high, low] = k.toArray() as [number, number];
      return Number((((BigInt(high) << 32n) + BigInt(low)) * BigInt(span)) >> 64n);
    });
    // split's words at place i are the two words of element i.
    expect(list(randint(key(4), [20], -(2 ** 31), -(2 ** 31) + span)).map(v => v + 2 ** 31)).toEqual(expected);
  });

  it('bernoulli and categorical follow their probabilities', () => {
    const share = list(bernoulli(key(6), 0.3, [20_000])).reduce((a, b) => a + b) / 20_000;
    expect(Math.abs(share - 0.3)).toBeLessThan(0.011);
    expect(bernoulli(key(6), tensor([0, 1, 0])).toArray()).toEqual([false, true, false]);
    const logits = [1, 0, -1, -Infinity];
    const counts = [0, 0, 0, 0];
    for (const v of list(categorical(key(7), tensor(logits), { shape: [30_000] }))) counts[v]!++;
    const total = logits.reduce((sum, l) => sum + Math.exp(l), 0);
    logits.forEach((l, i) => {
      expect(Math.abs(counts[i]! / 30_000 - Math.exp(l) / total)).toBeLessThan(0.01);
    });
    expect(categorical(key(7), zeros([4, 3]), { axis: 0, shape: [2] }).shape).toEqual([2, 3]);
  });

  it('permutation permutes, each order as often as the others', () => {
    expect(list(permutation(key(1), 1000)).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const rows = permutation(key(1), x).toArray() as number[][];
    expect(rows.map(row => row.join()).sort()).toEqual(['1,2', '3,4', '5,6']);
    const counts = new Map<string, number>();
    for (const k of split(key(11), 2400)) {
      const order = list(permutation(k, 4)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect([...counts.values()].reduce((sum, n) => sum + (n - 100) ** 2 / 100, 0)).toBeLessThan(49.7); // 99.9 % of χ²(23)
    expect(list(permutation(key(0), 0))).toEqual([]);
  });

  it('refuse bad calls by name', () => {
    const k = key(0);
    expect(caught(() => bits(tensor([1]) as never, [2])).message).toMatch(/bits: got a tensor float32\[1\]/);
    expect(caught(() => bits(k, [-1])).message).toMatch(/bits: got the shape \[-1\]/);
    expect(caught(() => uniform(k, [2], { low: 2, high: 1 })).message).toMatch(/uniform: got low 2 and high 1/);
    const wide = { low: -1.5e308, high: 1.5e308, dtype: 'float64' } as const;
    expect(caught(() => uniform(k, [2], wide)).message).toMatch(/float64 holds the bounds and their distance/);
    for (const [low, high] of [
      [0, 1e39],
      [-3e38, 3e38],
    ] as const) {
      expect(caught(() => uniform(k, [2], { low, high })).message).toMatch(/float32 holds the bounds/);
      expect(list(uniform(k, [2], { low, high, dtype: 'float64' })).every(x => x >= low && x < high)).toBe(true);
    }
    expect(caught(() => uniform(k, [2], { dtype: 'int32' as never })).message).toMatch(/uniform: got the dtype int32/);
    expect(caught(() => normal(k, [1.5])).message).toMatch(/normal: got the shape \[1.5\]/);
    expect(caught(() => randint(k, [2], 3, 3)).message).toMatch(/randint: got low 3 and high 3/);
    expect(caught(() => randint(k, [2], 0.5, 3)).message).toMatch(/randint: got low 0.5/);
    // @ts-expect-error bernoulli: lengths 2 and 3 differ and neither is 1
    expect(caught(() => bernoulli(k, tensor([0.1, 0.2]), [3])).message).toMatch(
      /bernoulli: got the shapes \[2\] and \[3\]/,
    );
    expect(caught(() => permutation(k, tensor(1) as Tensor)).message).toMatch(/permutation: got float32\[\]/);
    // @ts-expect-error categorical: axis 3 is out of range for rank 1
    expect(caught(() => categorical(k, tensor([1, 2]), { axis: 3 })).message).toMatch(
      /categorical: got axis 3 and the shape \[2\]/,
    );
  });
});

describe('State<Key, A>', () => {
  it('threads keys, and equals the plain functions', () => {
    const program = pipe(
      state.normal([3]),
      S.chain(x =>
        pipe(
          state.randint([2], 0, 10),
          S.map(n => ({ x, n })),
        ),
      ),
    );
    const [{ x, n }, rest] = program(key(8));
    const [first, after] = split(key(8)) as [never, never];
    const [second, last] = split(after) as [never, never];
    expect(x.toArray()).toEqual(normal(first, [3]).toArray());
    expect(n.toArray()).toEqual(randint(second, [2], 0, 10).toArray());
    expect(rest.toArray()).toEqual((last as Tensor).toArray());
  });

  it('obeys the monad laws', () => {
    const f = (x: Tensor): S.State<never, Tensor> => state.uniform([x.shape[0]!]) as never;
    const g = (x: Tensor): S.State<never, Tensor> => state.normal([x.shape[0]! + 1]) as never;
    const m = state.uniform([2]) as unknown as S.State<never, Tensor>;
    const same = (a: S.State<never, Tensor>, b: S.State<never, Tensor>): void => {
      const [[x, k], [y, l]] = [a(key(1) as never), b(key(1) as never)];
      expect(all(equal(x, y as never)).item()).toBe(true);
      expect((k as Tensor).toArray()).toEqual((l as Tensor).toArray());
    };
    same(pipe(S.of<never, Tensor>(tensor([1, 2, 3])), S.chain(f)), f(tensor([1, 2, 3])));
    same(
      pipe(
        m,
        S.chain(x => S.of<never, Tensor>(x)),
      ),
      m,
    );
    same(
      pipe(m, S.chain(f), S.chain(g)),
      pipe(
        m,
        S.chain(x => pipe(f(x), S.chain(g))),
      ),
    );
  });
});
