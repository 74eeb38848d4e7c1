/** Distributions: that their functions agree with each other, their draws with them, and that they can be differentiated. */
import { pipe } from 'fp-ts/lib/function.js';
import { grad, jit, linspace, reshape, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import {
  bernoulli,
  beta,
  binomial,
  categorical,
  cauchy,
  cdf,
  chi2,
  type Distribution,
  dirichlet,
  entropy,
  exponential,
  gamma,
  geometric,
  gumbel,
  halfCauchy,
  halfNormal,
  icdf,
  klDivergence,
  laplace,
  logNormal,
  logProb,
  mean,
  multinomial,
  normal,
  pareto,
  poisson,
  sample,
  studentT,
  uniform,
  variance,
  weibull,
} from 'tenfold/distributions';
import { key, split } from 'tenfold/random';
import { describe, expect, test } from 'vitest';
import { caught, close } from '../helpers.js';

const f64 = (x: number | readonly number[]): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const numbers = (x: Tensor): readonly number[] => [...(x.dataSync() as Iterable<number>)];
const number = (x: Tensor): number => numbers(x)[0]!;

const inverted: readonly Distribution[] = [
  normal({ loc: f64(1), scale: 2 }),
  logNormal({ loc: f64(0.5), scale: 0.7 }),
  uniform({ low: f64(-1), high: 3 }),
  exponential({ rate: f64(2) }),
  laplace({ loc: f64(1), scale: 2 }),
  cauchy({ loc: f64(1), scale: 2 }),
  gumbel({ loc: f64(1), scale: 2 }),
  halfNormal({ scale: f64(2) }),
  halfCauchy({ scale: f64(2) }),
  weibull({ scale: f64(2), concentration: 1.5 }),
  pareto({ scale: f64(2), alpha: 3 }),
];

/** Of those without an inverse distribution function, and where nearly all of their mass is. */
const others: readonly (readonly [Distribution, number, number])[] = [
  [gamma({ concentration: f64(2.5), rate: 2 }), 0, 30],
  [chi2({ df: f64(4) }), 0, 80],
  [beta({ concentration1: f64(2.5), concentration0: 3 }), 0, 1],
  [studentT({ df: f64(7), loc: 1, scale: 0.5 }), -60, 60],
];

const discrete: readonly (readonly [Distribution, number])[] = [
  [bernoulli({ probs: f64(0.3) }), 1],
  [bernoulli({ logits: f64(-0.7) }), 1],
  [geometric({ probs: f64(0.4) }), 90],
  [poisson({ rate: f64(3.5) }), 60],
  [binomial({ totalCount: 9, probs: f64(0.3) }), 9],
  [binomial({ totalCount: 9, logits: f64(0.3) }), 9],
];

/** Simpson's rule for f of the logarithm of the density and the place. */
const integral = (
  d: Distribution,
  from: number,
  to: number,
  f: (density: number, x: number, i: number) => number,
): number => {
  const n = 20000;
  const xs = numbers(linspace(from, to, n + 1, { dtype: 'float64' }) as Tensor);
  const densities = numbers(logProb(d, f64(xs))).map(Math.exp);
  const terms = densities.map((p, i) => (i === 0 || i === n ? 1 : i % 2 === 0 ? 2 : 4) * f(p, xs[i]!, i));
  return (terms.reduce((x, y) => x + y, 0) * (to - from)) / n / 3;
};

const xlogx = (p: number): number => (p === 0 ? 0 : p * Math.log(p));

describe('functions of one family agree', () => {
  for (const d of inverted) {
    test(`${d.family}: the density integrates to the distribution function, of which icdf is the inverse`, () => {
      const ps = [0.05, 0.25, 0.5, 0.75, 0.95];
      const xs = icdf(d, f64(ps));
      close(cdf(d, xs), ps, 1e-12);
      const places = numbers(xs);
      for (const i of [1, 2, 3, 4]) {
        expect(integral(d, places[i - 1]!, places[i]!, p => p)).toBeCloseTo(ps[i]! - ps[i - 1]!, 8);
      }
    });
  }

  for (const [d, from, to] of others) {
    test(`${d.family}: mass, mean, variance and entropy are integrals of the density`, () => {
      const average = number(mean(d));
      expect(integral(d, from, to, p => p)).toBeCloseTo(1, 5);
      expect(integral(d, from, to, (p, x) => p * x)).toBeCloseTo(average, 5);
      expect(integral(d, from, to, (p, x) => p * (x - average) ** 2)).toBeCloseTo(number(variance(d)), 4);
      expect(-integral(d, from, to, xlogx)).toBeCloseTo(number(entropy(d)), 4);
    });
  }

  for (const [d, last] of discrete) {
    test(`${d.family} of ${Object.keys(d.parameters).join(', ')}: mass, mean and variance are sums`, () => {
      const ks = Array.from({ length: last + 1 }, (_, k) => k);
      const masses = numbers(logProb(d, f64(ks))).map(Math.exp);
      const total = (f: (p: number, k: number) => number): number => masses.reduce((s, p, k) => s + f(p, k), 0);
      const average = number(mean(d));
      expect(total(p => p)).toBeCloseTo(1, 10);
      expect(total((p, k) => p * k)).toBeCloseTo(average, 9);
      expect(total((p, k) => p * (k - average) ** 2)).toBeCloseTo(number(variance(d)), 8);
      if (d.entropy !== undefined) expect(-total(xlogx)).toBeCloseTo(number(entropy(d)), 8);
    });
  }

  test('multinomial of two categories is binomial', () => {
    const d = multinomial({ totalCount: 3, probs: f64([1, 3]) });
    const counts = reshape(f64([0, 1, 2, 3].flatMap(k => [k, 3 - k])), [4, 2]) as Tensor;
    close(
      logProb(d, counts),
      numbers(logProb(binomial({ totalCount: 3, probs: f64(0.25) }), f64([0, 1, 2, 3]))),
      1e-12,
    );
    close(logProb(d, f64([1, 1])), Number.NEGATIVE_INFINITY);
  });

  test('dirichlet of two categories is beta', () => {
    const pair = dirichlet({ concentration: f64([2, 3]) });
    const single = beta({ concentration1: f64(2), concentration0: 3 });
    close(logProb(pair, f64([0.3, 0.7])), number(logProb(single, 0.3)), 1e-12);
    close(entropy(pair), number(entropy(single)), 1e-12);
    close(variance(pair), [number(variance(single)), number(variance(single))], 1e-12);
  });
});

describe('draws', () => {
  const n = 4000;
  // The quantile of Kolmogorov's distribution at 0.999, of the distance times √n.
  const limit = 1.95 / Math.sqrt(n);

  for (const [i, d] of inverted.entries()) {
    test(`${d.family}: Kolmogorov and Smirnov's test`, () => {
      const draws = sample(d, key(i), { shape: [n] });
      expect(draws.dtype).toBe('float64');
      const sorted = numbers(cdf(d, draws)).toSorted((x, y) => x - y);
      const distance = Math.max(...sorted.map((p, at) => Math.max(p - at / n, (at + 1) / n - p)));
      expect(distance).toBeLessThan(limit);
    });
  }

  /** Members of families without a distribution function that are members of others with one as well. */
  const alike: readonly (readonly [Distribution, Distribution])[] = [
    [gamma({ concentration: f64(1), rate: 3 }), exponential({ rate: f64(3) })],
    [chi2({ df: f64(2) }), exponential({ rate: f64(0.5) })],
    [beta({ concentration1: f64(1), concentration0: 1 }), uniform({ low: f64(0), high: 1 })],
    [studentT({ df: f64(1), loc: 2, scale: 3 }), cauchy({ loc: f64(2), scale: 3 })],
  ];
  for (const [d, same] of alike) {
    test(`${d.family}: Kolmogorov and Smirnov's test`, () => {
      const sorted = numbers(cdf(same, sample(d, key(30), { shape: [n] }))).toSorted((x, y) => x - y);
      const distance = Math.max(...sorted.map((p, at) => Math.max(p - at / n, (at + 1) / n - p)));
      expect(distance).toBeLessThan(limit);
    });
  }

  test('dirichlet: vectors of probabilities of the right mean', () => {
    const d = dirichlet({ concentration: f64([1, 2, 5]) });
    const draws = sample(d, key(31), { shape: [n] });
    expect(draws.shape).toEqual([n, 3]);
    close(sum(draws, { axis: 1 }) as Tensor, new Array<number>(n).fill(1), 1e-12);
    const deviations = numbers(variance(d)).map(x => 3.5 * Math.sqrt(x / n));
    const averages = numbers(sum(draws, { axis: 0 }) as Tensor).map(x => x / n);
    for (const [i, x] of numbers(mean(d)).entries()) expect(Math.abs(averages[i]! - x)).toBeLessThan(deviations[i]!);
  });

  /** χ² at 0.999, by degrees of freedom. */
  const quantiles = [0, 10.83, 13.82, 16.27, 18.47, 20.52];
  const drawn: readonly (readonly [Distribution, number])[] = [
    [bernoulli({ probs: 0.3 }), 1],
    [bernoulli({ logits: 0.3 }), 1],
    [geometric({ probs: 0.4 }), 5],
    [categorical({ probs: tensor([1, 2, 3, 0.5]) }), 3],
    [categorical({ logits: tensor([1, 2, 0, Number.NEGATIVE_INFINITY, -1]) }), 4],
  ];
  for (const [i, [d, last]] of drawn.entries()) {
    test(`${d.family} ${i}: Pearson's test`, () => {
      const draws = numbers(sample(d, key(40 + i), { shape: [n] }));
      const ks = Array.from({ length: last + 1 }, (_, k) => k);
      const expected = numbers(logProb(d, tensor(ks) as Tensor)).map(x => Math.exp(x) * n);
      const seen = ks.map(k => draws.filter(x => x === k).length);
      const terms = ks.flatMap(k => (expected[k] === 0 ? [] : [(seen[k]! - expected[k]!) ** 2 / expected[k]!]));
      for (const k of ks) if (expected[k] === 0) expect(seen[k]).toBe(0);
      expect(terms.reduce((x, y) => x + y, 0)).toBeLessThan(quantiles[Math.min(ks.length, 5)]!);
    });
  }

  test('are differentiable in the parameters, those of discrete families with the derivative 0', () => {
    const noise = numbers(sample(normal({ loc: 0, scale: 1 }), key(3), { shape: [4] }));
    const total = (scale: Tensor): Tensor => sum(sample(normal({ loc: 1, scale }), key(3), { shape: [4] })) as Tensor;
    const slope = grad(total as never) as (x: Tensor) => Tensor;
    close(
      slope(tensor(2) as Tensor),
      noise.reduce((x, y) => x + y, 0),
      1e-5,
    );
    const failures = (probs: Tensor): Tensor => sum(sample(geometric({ probs }), key(3), { shape: [4] })) as Tensor;
    close((grad(failures as never) as (x: Tensor) => Tensor)(tensor(0.3) as Tensor), 0);
  });

  test('have the shape asked for, then that of the batch', () => {
    const d = normal({ loc: zeros([2, 1]), scale: tensor([1, 2, 3]) });
    expect([d.batchShape, d.eventShape]).toEqual([[2, 3], []]);
    expect(sample(d, key(0)).shape).toEqual([2, 3]);
    expect(pipe(d, sample(key(0), { shape: [4] })).shape).toEqual([4, 2, 3]);
    expect(sample(categorical({ logits: zeros([2, 5]) }), key(0), { shape: [4] }).shape).toEqual([4, 2]);
  });
});

describe('divergences', () => {
  const pairs: readonly (readonly [Distribution, Distribution])[] = [
    [normal({ loc: f64(0), scale: 1 }), normal({ loc: f64(1), scale: 2 })],
    [logNormal({ loc: f64(0), scale: 1 }), logNormal({ loc: f64(1), scale: 2 })],
    [uniform({ low: f64(0), high: 1 }), uniform({ low: f64(-1), high: 2 })],
    [exponential({ rate: f64(1) }), exponential({ rate: f64(3) })],
    [laplace({ loc: f64(0), scale: 1 }), laplace({ loc: f64(1), scale: 2 })],
    [cauchy({ loc: f64(0), scale: 1 }), cauchy({ loc: f64(1), scale: 2 })],
    [gumbel({ loc: f64(0), scale: 1 }), gumbel({ loc: f64(1), scale: 2 })],
    [halfNormal({ scale: f64(1) }), halfNormal({ scale: f64(2) })],
    [gamma({ concentration: f64(2), rate: 1 }), gamma({ concentration: f64(3), rate: 2 })],
    [chi2({ df: f64(3) }), chi2({ df: f64(5) })],
    [beta({ concentration1: f64(2), concentration0: 3 }), beta({ concentration1: f64(4), concentration0: 2 })],
    [bernoulli({ probs: f64(0.2) }), bernoulli({ logits: f64(1) })],
    [geometric({ probs: f64(0.2) }), geometric({ probs: f64(0.5) })],
    [poisson({ rate: f64(2) }), poisson({ rate: f64(3) })],
    [categorical({ probs: f64([1, 0, 2]) }), categorical({ logits: f64([0, 1, 2]) })],
    [dirichlet({ concentration: f64([1, 2, 3]) }), dirichlet({ concentration: f64([3, 1, 2]) })],
  ];
  const isReal = ({ family }: Distribution): boolean => !['categorical', 'dirichlet'].includes(family);
  const isDiscrete = ({ family }: Distribution): boolean => ['bernoulli', 'geometric', 'poisson'].includes(family);

  /** The sum or integral that the divergence is. */
  const direct = (p: Distribution, q: Distribution): number => {
    if (isDiscrete(p)) {
      const ks = f64(Array.from({ length: p.family === 'bernoulli' ? 2 : 200 }, (_, k) => k));
      const [own, other] = [numbers(logProb(p, ks)), numbers(logProb(q, ks))];
      return own.reduce((total, l, i) => total + Math.exp(l) * (l - other[i]!), 0);
    }
    if (p.icdf === undefined) {
      const to = p.family === 'beta' ? 1 : 80;
      const logs = numbers(logProb(q, linspace(0, to, 20001, { dtype: 'float64' }) as Tensor));
      const term = (density: number, i: number): number => xlogx(density) - (density === 0 ? 0 : density * logs[i]!);
      return integral(p, 0, to, (density, _, i) => term(density, i));
    }
    // The mean over equally likely values of p.
    const n = 200000;
    const xs = icdf(p, f64(Array.from({ length: n }, (_, i) => (i + 0.5) / n)));
    const [own, other] = [numbers(logProb(p, xs)), numbers(logProb(q, xs))];
    return own.reduce((total, l, i) => total + l - other[i]!, 0) / n;
  };

  for (const [p, q] of pairs) {
    test(`of ${p.family} distributions`, () => {
      close(klDivergence(p, p), 0, 1e-12);
      expect(number(klDivergence(p, q))).toBeGreaterThan(0);
      close(pipe(p, klDivergence(q)), number(klDivergence(p, q)));
      if (isReal(p)) expect(number(klDivergence(p, q))).toBeCloseTo(direct(p, q), 3);
    });
  }

  test('of distributions of different families are refused, with what to do', () => {
    const error = caught(() => klDivergence(normal({ loc: 0, scale: 1 }), cauchy({ loc: 0, scale: 1 })));
    expect(error.message).toContain('normal and cauchy');
    expect(error.hint).toContain('Estimate');
  });

  test('are infinite where p is possible and q is not', () => {
    close(klDivergence(bernoulli({ probs: 0.5 }), bernoulli({ probs: 1 })), Number.POSITIVE_INFINITY);
    close(klDivergence(uniform({ low: 0, high: 2 }), uniform({ low: 0, high: 1 })), Number.POSITIVE_INFINITY);
  });
});

describe('edges', () => {
  test('outside of the support the density is 0 and its derivative finite', () => {
    const cases: readonly (readonly [Distribution, number])[] = [
      [logNormal({ loc: 0, scale: 1 }), 0],
      [exponential({ rate: 1 }), -1],
      [pareto({ scale: 2, alpha: 1 }), 1],
      [uniform({ low: 0, high: 1 }), 1],
      [beta({ concentration1: 2, concentration0: 2 }), 1.5],
      [poisson({ rate: 1 }), 0.5],
      [bernoulli({ probs: 0.5 }), 2],
      [categorical({ logits: zeros([3]) }), 3],
    ];
    for (const [d, x] of cases) {
      close(logProb(d, x), Number.NEGATIVE_INFINITY);
      close((grad((y: Tensor) => logProb(d, y) as never) as (x: Tensor) => Tensor)(tensor(x) as Tensor), 0);
    }
  });

  test('certain outcomes', () => {
    close(logProb(bernoulli({ probs: tensor([0, 1]) }), tensor([0, 1])), [0, 0]);
    close(logProb(bernoulli({ logits: tensor([-Infinity, Infinity]) }), tensor([0, 1])), [0, 0]);
    close(logProb(geometric({ probs: 1 }), tensor([0, 1])), [0, Number.NEGATIVE_INFINITY]);
    close(entropy(bernoulli({ probs: tensor([0, 1]) })), [0, 0]);
    close(entropy(categorical({ logits: tensor([0, -Infinity]) })), 0);
    close(logProb(weibull({ scale: 1, concentration: 1 }), 0), 0);
    close(logProb(normal({ loc: 0, scale: 1 }), Number.NaN), Number.NaN);
  });

  test('moments that do not exist', () => {
    const t = studentT({ df: tensor([0.5, 1.5, 3]), loc: 1, scale: 1 });
    close(mean(t), [Number.NaN, 1, 1]);
    close(variance(t), [Number.NaN, Number.POSITIVE_INFINITY, 3]);
    close(mean(pareto({ scale: 1, alpha: tensor([1, 2]) })), [Number.POSITIVE_INFINITY, 2]);
  });
});

test('compiled and over a batch', () => {
  const f = (loc: Tensor): Tensor => logProb(normal({ loc, scale: 2 }), 1);
  const locs = tensor([0, 1, 2]) as Tensor;
  const expected = numbers(f(locs));
  close((jit(f as never) as typeof f)(locs), expected);
  close((vmap(f as never) as typeof f)(locs), expected);
  const keys = split(key(0), 3);
  const draw = jit((loc: Tensor, scale: Tensor) => sample(normal({ loc, scale }), keys[0]!) as never) as (
    ...args: readonly Tensor[]
  ) => Tensor;
  close(draw(locs, tensor(2) as Tensor), numbers(sample(normal({ loc: locs, scale: 2 }), keys[0]!)));
});
