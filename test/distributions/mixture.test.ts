/** Mixtures, against sums over their components written out, integrals and their draws. */
import { expandDims, grad, jit, linspace, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import {
  categorical,
  cauchy,
  cdf,
  type Distribution,
  logProb,
  mean,
  mixture,
  multivariateNormal,
  normal,
  poisson,
  sample,
  uniform,
  variance,
  vonMises,
} from 'tenfold/distributions';
import { key } from 'tenfold/random';
import { describe, expect, test } from 'vitest';
import { caught, close } from '../helpers.js';

const f64 = (x: unknown): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const numbers = (x: Tensor): readonly number[] => [...(x.dataSync() as Iterable<number>)];
const number = (x: Tensor): number => numbers(x)[0]!;
const total = (xs: readonly number[]): number => xs.reduce((x, y) => x + y, 0);

const locs = [-1, 0.5, 3];
const scales = [0.5, 1, 2];
const weights = [0.2, 0.3, 0.5];
const members = locs.map((loc, i) => normal({ loc: f64(loc), scale: scales[i]! }));
const components = normal({ loc: f64(locs), scale: f64(scales) });
const d = mixture({ weights: f64(weights.map(w => 4 * w)), components });

/** Simpson's rule for f of the density and the place. */
const integral = (of: Distribution, from: number, to: number, f: (density: number, x: number) => number): number => {
  const n = 4000;
  const xs = numbers(linspace(from, to, n + 1, { dtype: 'float64' }) as Tensor);
  const densities = numbers(logProb(of, f64(xs))).map(Math.exp);
  const terms = densities.map((p, i) => (i === 0 || i === n ? 1 : i % 2 === 0 ? 2 : 4) * f(p, xs[i]!));
  return (total(terms) * (to - from)) / n / 3;
};

describe('a mixture of numbers', () => {
  test('has the weighted sum of densities and of distribution functions', () => {
    for (const x of [-2, 0, 1.5, 30]) {
      const densities = members.map((m, i) => weights[i]! * Math.exp(number(logProb(m, x))));
      close(logProb(d, x), Math.log(total(densities)), 1e-12);
      close(cdf(d, x), total(members.map((m, i) => weights[i]! * number(cdf(m, x)))), 1e-12);
    }
  });

  test('has the mass, mean and variance of its density', () => {
    const average = number(mean(d));
    expect(integral(d, -15, 25, p => p)).toBeCloseTo(1, 10);
    expect(integral(d, -15, 25, (p, x) => p * x)).toBeCloseTo(average, 9);
    expect(integral(d, -15, 25, (p, x) => p * (x - average) ** 2)).toBeCloseTo(number(variance(d)), 8);
    expect(integral(d, -15, 1, p => p)).toBeCloseTo(number(cdf(d, 1)), 10);
  });

  test('takes logits up to a summand, weights in the dtype of the components, and none of a component', () => {
    const logits = f64(weights.map(w => Math.log(w) + 7));
    close(logProb(mixture({ logits, components }), 0.3), number(logProb(d, 0.3)), 1e-12);
    const mixed = mixture({ weights: tensor([1, 3]) as Tensor, components: normal({ loc: f64([0, 1]), scale: 1 }) });
    expect([mixed.dtype, logProb(mixed, 0).dtype, sample(mixed, key(0)).dtype]).toEqual(Array(3).fill('float64'));
    close(mean(mixed), 0.75, 1e-15);
    const without = mixture({ weights: f64([0, 1, 0]), components });
    close(logProb(without, 0.3), number(logProb(members[1]!, 0.3)), 1e-14);
    const slope = grad((x: Tensor) => logProb(without, x) as never) as (x: Tensor) => Tensor;
    close(slope(f64(0.3)), 0.2, 1e-12);
  });

  test('is where one of its components is', () => {
    const pieces = mixture({ weights: f64([1, 3]), components: uniform({ low: f64([0, 2]), high: f64([1, 3]) }) });
    close(logProb(pieces, f64([0.5, 1.5, 2.5])), [Math.log(0.25), Number.NEGATIVE_INFINITY, Math.log(0.75)], 1e-12);
    const slope = grad((x: Tensor) => logProb(pieces, x) as never) as (x: Tensor) => Tensor;
    close(slope(f64(1.5)), 0);
  });

  test('of counts is discrete', () => {
    const counts = mixture({ weights: f64([1, 1]), components: poisson({ rate: f64([1, 5]) }) });
    const ks = Array.from({ length: 40 }, (_, k) => k);
    const masses = numbers(logProb(counts, f64(ks))).map(Math.exp);
    expect(total(masses)).toBeCloseTo(1, 12);
    expect(total(masses.map((p, k) => p * (k - 3) ** 2))).toBeCloseTo(number(variance(counts)), 9);
    close(logProb(counts, 1.5), Number.NEGATIVE_INFINITY);
    const draws = numbers(
      sample(
        mixture({
          weights: f64([1, 1]),
          components: categorical({
            probs: f64([
              [0, 1],
              [1, 0],
            ]),
          }),
        }),
        key(0),
        { shape: [50] },
      ),
    );
    expect(new Set(draws)).toEqual(new Set([0, 1]));
  });

  test('of mixtures is one', () => {
    const inner = mixture({
      weights: f64([
        [1, 1],
        [1, 3],
      ]),
      components: normal({
        loc: f64([
          [0, 1],
          [2, 3],
        ]),
        scale: 1,
      }),
    });
    const outer = mixture({ weights: f64([1, 2]), components: inner });
    const flat = mixture({ weights: f64([2, 2, 2, 6]), components: normal({ loc: f64([0, 1, 2, 3]), scale: 1 }) });
    close(logProb(outer, f64([0.3, 5])), numbers(logProb(flat, f64([0.3, 5]))), 1e-12);
    close(variance(outer), number(variance(flat)), 1e-12);
  });

  test('lacks what its components lack', () => {
    const heavy = mixture({ weights: f64([1, 2]), components: cauchy({ loc: f64([0, 1]), scale: 1 }) });
    expect(caught(() => mean(heavy)).message).toContain('mixture has no mean');
    const angles = vonMises({ loc: f64([1, 2]), concentration: 3 });
    const smooth = mixture({ weights: f64([1, 2]), components: angles });
    for (const f of [mean, variance]) expect(caught(() => f(smooth)).message).toContain('mixture has no');
    const each = numbers(logProb(angles, 0.5)).map(Math.exp);
    close(logProb(smooth, 0.5), Math.log((each[0]! + 2 * each[1]!) / 3), 1e-12);
    expect(caught(() => cdf(smooth, 1)).message).toContain('mixture has no cdf');
  });
});

describe('draws', () => {
  const n = 4000;

  test('of numbers: Kolmogorov and Smirnov’s test', () => {
    const sorted = numbers(cdf(d, sample(d, key(3), { shape: [n] }))).toSorted((x, y) => x - y);
    const distance = Math.max(...sorted.map((p, at) => Math.max(p - at / n, (at + 1) / n - p)));
    expect(distance).toBeLessThan(1.95 / Math.sqrt(n));
  });

  test('are differentiable in the parameters of the component drawn', () => {
    const drawn = (loc: Tensor): Tensor =>
      sum(
        sample(mixture({ weights: f64(weights), components: normal({ loc, scale: 1e-3 }) }), key(4), { shape: [n] }),
      ) as Tensor;
    const shares = numbers((grad(drawn as never) as typeof drawn)(f64(locs))).map(x => x / n);
    for (const [i, share] of shares.entries()) expect(Math.abs(share - weights[i]!)).toBeLessThan(0.03);
    expect(total(shares)).toBeCloseTo(1, 12);
  });
});

describe('a mixture of vectors', () => {
  const centres = f64([
    [-2, 0],
    [1, 1],
    [0, 3],
  ]);
  const factors = f64([
    [
      [1, 0],
      [0.5, 1],
    ],
    [
      [0.5, 0],
      [0, 2],
    ],
    [
      [1, 0],
      [-0.5, 0.5],
    ],
  ]);
  const vectors = multivariateNormal({ loc: centres, scaleTril: factors });
  const mixed = mixture({ weights: f64(weights), components: vectors });

  test('has the weighted sum of densities, and of moments', () => {
    expect([mixed.batchShape, mixed.eventShape]).toEqual([[], [2]]);
    const points = f64([
      [0.5, 1],
      [-1, 2],
    ]);
    const each = numbers(logProb(vectors, expandDims(points, 1) as Tensor)).map(Math.exp);
    close(
      logProb(mixed, points),
      [0, 1].map(i => Math.log(total(weights.map((w, j) => w * each[3 * i + j]!)))),
      1e-12,
    );
    close(mean(mixed), [0.2 * -2 + 0.3, 0.3 + 1.5], 1e-12);
    const [x, y] = numbers(mean(mixed)) as [number, number];
    close(
      variance(mixed),
      [
        0.2 * (1 + (x + 2) ** 2) + 0.3 * (0.25 + (x - 1) ** 2) + 0.5 * (1 + x ** 2),
        0.2 * (1.25 + y ** 2) + 0.3 * (4 + (y - 1) ** 2) + 0.5 * (0.5 + (y - 3) ** 2),
      ],
      1e-12,
    );
  });

  test('is drawn whole vectors at a time', () => {
    const n = 4000;
    const draws = sample(mixed, key(6), { shape: [n] });
    expect(draws.shape).toEqual([n, 2]);
    const averages = numbers(sum(draws, { axis: 0 }) as Tensor).map(x => x / n);
    const deviations = numbers(variance(mixed)).map(x => 3.5 * Math.sqrt(x / n));
    for (const [i, x] of numbers(mean(mixed)).entries())
      expect(Math.abs(averages[i]! - x)).toBeLessThan(deviations[i]!);
    // Vectors of one component are on one side of a line, and those of the other on the other.
    const apart = multivariateNormal({
      loc: f64([
        [-9, -9],
        [9, 9],
      ]),
      scaleTril: f64([
        [1, 0],
        [0, 1],
      ]),
    });
    const pairs = numbers(sample(mixture({ weights: f64([1, 1]), components: apart }), key(7), { shape: [100] }));
    const signs = pairs.map(Math.sign);
    expect(signs.filter((_, i) => i % 2 === 0)).toEqual(signs.filter((_, i) => i % 2 === 1));
    expect(new Set(signs)).toEqual(new Set([-1, 1]));
  });
});

describe('batches', () => {
  test('of draws are the same compiled', () => {
    const draw = (loc: Tensor): Tensor =>
      sample(mixture({ weights: f64(weights), components: normal({ loc, scale: 1 }) }), key(1), { shape: [5] });
    close((jit(draw as never) as typeof draw)(f64(locs)), numbers(draw(f64(locs))), 1e-12);
  });

  test('have the axis of the components last', () => {
    const many = mixture({
      weights: f64(weights),
      components: normal({ loc: zeros([4, 5, 3], { dtype: 'float64' }), scale: f64(scales) }),
    });
    expect(many.batchShape).toEqual([4, 5]);
    expect(logProb(many, zeros([2, 1, 5], { dtype: 'float64' })).shape).toEqual([2, 4, 5]);
    expect(sample(many, key(0), { shape: [7] }).shape).toEqual([7, 4, 5]);
    expect([mean(many).shape, variance(many).shape]).toEqual([
      [4, 5],
      [4, 5],
    ]);
  });

  test('by vmap and compiled, in both dtypes, with the derivatives of differences', () => {
    const f = (x: Tensor): Tensor => logProb(d, x);
    const xs = f64([-1, 0.2, 4]);
    close((vmap(f as never) as typeof f)(xs), numbers(f(xs)), 1e-12);
    close((jit(f as never) as typeof f)(xs), numbers(f(xs)), 1e-12);
    const single = mixture({
      weights: tensor(weights) as Tensor,
      components: normal({ loc: tensor(locs) as Tensor, scale: tensor(scales) as Tensor }),
    });
    expect(logProb(single, 0).dtype).toBe('float32');
    close(logProb(single, 0.2), number(logProb(d, 0.2)), 1e-6);
    const ofLogits = (logits: Tensor): Tensor => logProb(mixture({ logits, components }), 0.4);
    const ofLocs = (loc: Tensor): Tensor =>
      logProb(mixture({ weights: f64(weights), components: normal({ loc, scale: 1 }) }), 0.4);
    for (const g of [ofLogits, ofLocs]) {
      const at = [0.3, -0.4, 0.1];
      const shift = (i: number, by: number): number => number(g(f64(at.map((x, j) => (i === j ? x + by : x)))));
      close(
        (grad(g as never) as typeof g)(f64(at)),
        at.map((_, i) => (shift(i, 1e-5) - shift(i, -1e-5)) / 2e-5),
        1e-8,
      );
    }
  });
});
