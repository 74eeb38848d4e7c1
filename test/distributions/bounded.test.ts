/** The truncated normal distribution and that of angles, against integrals, values of high precision and their draws. */
import { cast, grad, jit, linspace, reshape, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import {
  cdf,
  type Distribution,
  entropy,
  icdf,
  klDivergence,
  logProb,
  mean,
  normal,
  sample,
  truncatedNormal,
  variance,
  vonMises,
} from 'tenfold/distributions';
import { key } from 'tenfold/random';
import { describe, expect, test } from 'vitest';
import { close } from '../helpers.js';

const f64 = (x: number | readonly number[]): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const numbers = (x: Tensor): readonly number[] => [...(x.dataSync() as Iterable<number>)];
const number = (x: Tensor): number => numbers(x)[0]!;
const { POSITIVE_INFINITY: infinity } = Number;

type Parameters = readonly [loc: number, scale: number, low: number, high: number];

const made = ([loc, scale, low, high]: Parameters, dtype: 'float32' | 'float64' = 'float64'): Distribution =>
  truncatedNormal({ loc: tensor(loc, { dtype }) as Tensor, scale, low, high });

/** Mean, variance and entropy, by mpmath with 60 digits. */
const known: readonly (readonly [Parameters, mean: number, variance: number, entropy: number])[] = [
  [[0, 1, -1, 2], 0.22963717909132897, 0.5197625392115339, 1.0050201254964888],
  [[0, 1, 10, infinity], 10.098093233962512, 0.009445377825656262, -1.321880447495238],
  [[0, 1, -infinity, -30], -30.033259667433676, 0.001103771511890091, -2.4034104116333688],
  [[1, 2, -infinity, infinity], 1, 4, 2.112085713764618],
  [[0, 1, 5, 5.0001], 5.000049995833292, 8.333333226347963e-10, -9.210340382395389],
  [[3, 0.5, -infinity, 1], 0.8871964277552644, 0.011668209599355658, -1.1830958449036213],
  [[0, 1, -8, 9], 5.051243106179729e-15, 0.9999999999999596, 1.4189385332046518],
  [[0, 1, 1000, infinity], 1000.000999998, 9.999940000499995e-7, -5.907757278974637],
];

/** Simpson's rule for f of the density, from one quantile to another. */
const integral = (d: Distribution, from: number, to: number, f: (p: number) => number): number => {
  const n = 2000;
  const densities = numbers(logProb(d, linspace(from, to, n + 1, { dtype: 'float64' }) as Tensor)).map(Math.exp);
  const terms = densities.map((p, i) => (i === 0 || i === n ? 1 : i % 2 === 0 ? 2 : 4) * f(p));
  return (terms.reduce((x, y) => x + y, 0) * (to - from)) / n / 3;
};

describe('the truncated normal distribution', () => {
  for (const [parameters, average, spread, nats] of known) {
    const d = made(parameters);
    const [, , low, high] = parameters;

    test(`of ${parameters.join(', ')}: moments of high precision`, () => {
      close(mean(d), average, 1e-14);
      expect(number(variance(d)) / spread).toBeCloseTo(1, 12);
      close(entropy(d), nats, 2e-14);
      const single = made(parameters, 'float32');
      expect(mean(single).dtype).toBe('float32');
      close(mean(single), average, 1e-6);
      // The width of the narrow interval is rounded to a unit of the bounds.
      expect(number(variance(single)) / spread).toBeCloseTo(1, high - low < 1e-3 ? 1 : 4);
    });

    test(`of ${parameters.join(', ')}: the density integrates to the distribution function, of which icdf is the inverse`, () => {
      const ps = [0.001, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999];
      const xs = icdf(d, f64(ps));
      const places = numbers(xs);
      // What one unit of the place is in units of the probability.
      const grain = Math.max(...numbers(logProb(d, xs)).map((l, i) => Math.exp(l) * Math.abs(places[i]!) * 1e-15));
      close(cdf(d, xs), ps, 1e-13 + grain);
      for (const i of [1, 2, 3, 4, 5, 6]) {
        expect(Math.abs(integral(d, places[i - 1]!, places[i]!, p => p) - (ps[i]! - ps[i - 1]!))).toBeLessThan(
          1e-9 + grain,
        );
      }
      close(cdf(d, f64([low, high])), [0, 1]);
      close(icdf(d, f64([0, 1, 2])), [low, high, Number.NaN]);
    });

    test(`of ${parameters.join(', ')}: Kolmogorov and Smirnov's test`, () => {
      const n = 4000;
      const draws = sample(d, key(11), { shape: [n] });
      expect(numbers(draws).every(x => x >= low && x <= high)).toBe(true);
      const sorted = numbers(cdf(d, draws)).toSorted((x, y) => x - y);
      const distance = Math.max(...sorted.map((p, at) => Math.max(p - at / n, (at + 1) / n - p)));
      expect(distance).toBeLessThan(1.95 / Math.sqrt(n));
    });
  }

  test('without bounds is the normal one, whatever the tail', () => {
    const free = made([1, 2, -infinity, infinity]);
    const plain = normal({ loc: f64(1), scale: 2 });
    const xs = f64([-60, -5, 0, 1, 3, 80]);
    close(logProb(free, xs), numbers(logProb(plain, xs)), 1e-13);
    const tail = numbers(cdf(free, f64([-15, -5, 0])));
    for (const [i, p] of numbers(cdf(plain, f64([-15, -5, 0]))).entries()) expect(tail[i]! / p).toBeCloseTo(1, 11);
    // Probabilities far below the precision of 1.
    close(cdf(free, icdf(free, f64(1e-200))), 1e-200);
    expect(number(cdf(free, icdf(free, f64(1e-200)))) / 1e-200).toBeCloseTo(1, 9);
  });

  test('is impossible outside, with the derivative 0', () => {
    const d = made([0, 1, -1, 2]);
    close(logProb(d, f64([-1.5, 2.5])), [-infinity, -infinity]);
    close(cdf(d, f64([-5, 5])), [0, 1]);
    close((grad((x: Tensor) => logProb(d, x) as never) as (x: Tensor) => Tensor)(f64(-1.5)), 0);
    close(logProb(d, Number.NaN), Number.NaN);
  });

  test('in float32 is that of float64, up to the rounding of the place', () => {
    for (const parameters of [known[0]![0], known[1]![0], known[5]![0]]) {
      const [d, single] = [made(parameters), made(parameters, 'float32')];
      const ps = [0.05, 0.3, 0.7, 0.95];
      const xs = icdf(d, f64(ps));
      close(icdf(single, tensor(ps) as Tensor), numbers(xs), 2e-6);
      const near = cast(xs, 'float32') as Tensor;
      const [wide, narrow] = [cast(near, 'float64') as Tensor, near];
      close(logProb(single, narrow), numbers(logProb(d, wide)), 1e-5);
      close(cdf(single, narrow), numbers(cdf(d, wide)), 2e-6);
    }
  });

  test('takes values and probabilities of the other dtype', () => {
    const [d, single] = [made([0, 1, -1, 2]), made([0, 1, -1, 2], 'float32')];
    close(icdf(single, f64([0.2, 0.9])), numbers(icdf(d, f64([0.2, 0.9]))), 1e-6);
    close(icdf(d, tensor([0.25, 0.75])), numbers(icdf(d, f64([0.25, 0.75]))), 1e-12);
    close(cdf(single, f64([0.2, 0.9])), numbers(cdf(d, f64([0.2, 0.9]))), 1e-6);
    close(cdf(d, tensor([0.25, 0.75])), numbers(cdf(d, f64([0.25, 0.75]))), 1e-12);
  });

  test('draws the same compiled', () => {
    const draw = (low: Tensor): Tensor => sample(truncatedNormal({ loc: 0, scale: 1, low, high: 4 }), key(1));
    close((jit(draw as never) as typeof draw)(f64([-1, 2, 3])), numbers(draw(f64([-1, 2, 3]))), 1e-12);
  });

  test('is the bound where a quantile is nearer to it than the next number', () => {
    close(icdf(made([0, 1, 10, infinity]), f64([1e-20, 1e-18])), [10, 10]);
    close(icdf(made([0, 1, -infinity, -30], 'float32'), 0.99999994), -30, 1e-6);
  });

  test('broadcasts, maps and compiles', () => {
    const d = truncatedNormal({ loc: zeros([2, 1]), scale: 1, low: tensor([-1, 0, 3]), high: 4 });
    expect([d.batchShape, d.dtype]).toEqual([[2, 3], 'float32']);
    expect(logProb(d, zeros([5, 1, 1])).shape).toEqual([5, 2, 3]);
    expect(icdf(d, tensor([0.1, 0.2, 0.3])).shape).toEqual([2, 3]);
    expect(icdf(made([0, 1, -1, 1]), reshape(linspace(0, 1, 6), [2, 3]) as Tensor).shape).toEqual([2, 3]);
    expect(sample(d, key(0), { shape: [4] }).shape).toEqual([4, 2, 3]);
    const lows = f64([-1, 0.5, 3]);
    const functions: readonly ((low: Tensor) => Tensor)[] = [
      low => logProb(truncatedNormal({ loc: 0, scale: 1, low, high: 4 }), 3.5),
      low => icdf(truncatedNormal({ loc: 0, scale: 1, low, high: 4 }), 0.2),
      low => mean(truncatedNormal({ loc: 0, scale: 1, low, high: 4 })),
    ];
    for (const f of functions) {
      const expected = numbers(f(lows));
      close((vmap(f as never) as typeof f)(lows), expected, 1e-12);
      close((jit(f as never) as typeof f)(lows), expected, 1e-12);
    }
  });
});

describe('derivatives in loc, scale and the bounds', () => {
  const build = (x: readonly Tensor[]): Distribution =>
    truncatedNormal({ loc: x[0]!, scale: x[1]!, low: x[2]!, high: x[3]! });
  const functions: Readonly<Record<string, (d: Distribution) => Tensor>> = {
    logProb: d => logProb(d, 0.7),
    cdf: d => cdf(d, 0.7),
    icdf: d => icdf(d, 0.3),
    'icdf above': d => icdf(d, 0.9),
    mean,
    variance,
    entropy,
    sample: d => sample(d, key(2)),
  };
  /** Some values of each parameter. */
  const places = [
    [0.2, -2, 4],
    [0.8, 0.7, 0.9],
    [-0.5, 0.5, -1],
    [1.5, 2, 1.2],
  ];
  const every = (f: (d: Distribution) => Tensor, at: readonly (readonly number[])[]): readonly number[] =>
    at.flatMap((xs, i) => {
      const own = (y: Tensor): Tensor => sum(f(build(at.map((z, j) => (i === j ? y : f64(z)))))) as Tensor;
      return numbers((grad(own as never) as typeof own)(f64(xs)));
    });
  const differences = (f: (d: Distribution) => Tensor, at: readonly (readonly number[])[]): readonly number[] =>
    at.flatMap((_, i) => {
      const shifted = (by: number): readonly number[] =>
        numbers(f(build(at.map((xs, j) => f64(xs.map(x => (i === j ? x + by : x)))))));
      const below = shifted(-1e-5);
      return shifted(1e-5).map((y, j) => (y - below[j]!) / 2e-5);
    });

  for (const [name, f] of Object.entries(functions)) {
    test(`of ${name} are those of differences`, () => {
      close(every(f, places), differences(f, places), 1e-7);
    });
  }

  test('far out in a tail are those of differences, relative to their size', () => {
    const far = [[0], [1], [12], [12.5]];
    for (const f of [
      (d: Distribution) => logProb(d, 12.1),
      (d: Distribution) => cdf(d, 12.1),
      (d: Distribution) => icdf(d, 0.3),
      mean,
      entropy,
    ]) {
      close(every(f, far), differences(f, far), 1e-7);
    }
  });

  test('are finite and 0 for bounds that are infinite', () => {
    for (const f of Object.values(functions)) {
      const [ofLoc, ofScale, ofLow, ofHigh] = every(f, [[0.2], [0.8], [-infinity], [infinity]]);
      expect([ofLow, ofHigh]).toEqual([0, 0]);
      expect(Number.isFinite(ofLoc! + ofScale!)).toBe(true);
      if (f === mean) close([ofLoc!, ofScale!], [1, 0], 1e-12);
      if (f === variance) close([ofLoc!, ofScale!], [0, 1.6], 1e-12);
      if (f === functions.logProb) close([ofLoc!, ofScale!], [0.78125, -0.76171875], 1e-12);
    }
  });

  test('of second order are those of differences', () => {
    const quantile = (loc: Tensor): Tensor => icdf(build([loc, f64(0.8), f64(-0.5), f64(1.5)]), 0.3);
    const slope = grad(quantile as never) as typeof quantile;
    const expected = (number(slope(f64(0.2 + 1e-5))) - number(slope(f64(0.2 - 1e-5)))) / 2e-5;
    close((grad(slope as never) as typeof quantile)(f64(0.2)), expected, 1e-7);
  });
});

describe('the distribution of von Mises', () => {
  const { PI } = Math;
  const angles = ([loc, concentration]: readonly [number, number], dtype: 'float32' | 'float64' = 'float64') =>
    vonMises({ loc: tensor(loc, { dtype }) as Tensor, concentration });

  /** concentration, variance, entropy: by mpmath with 40 digits. */
  const directions: readonly (readonly [number, number, number])[] = [
    [0.01, 0.9950000624989583, 1.837852066878087],
    [0.5, 0.757500387419198, 1.778176979304426],
    [1, 0.5536100341034655, 1.6274014590199897],
    [5, 0.1066168629559148, 0.6756431570115127],
    [19.9, 0.0254585341420688, -0.0633482855421334],
    [20.1, 0.0252017524017534, -0.06848383352643124],
    [100, 0.00501262699483123, -0.8811275441649474],
    [1e6, 5.00000125000125e-7, -5.488816495777277],
  ];

  for (const [concentration, spread, nats] of directions) {
    test(`of the concentration ${concentration}: moments of high precision, which are integrals`, () => {
      const d = angles([0.5, concentration]);
      expect(number(variance(d)) / spread).toBeCloseTo(1, 12);
      close(entropy(d), nats, 1e-13);
      const single = angles([0.5, concentration], 'float32');
      expect(number(variance(single)) / spread).toBeCloseTo(1, 5);
      close(entropy(single), nats, 3e-6);
      const reach = Math.min(PI, 12 / Math.sqrt(concentration));
      expect(integral(d, 0.5 - reach, 0.5 + reach, p => p)).toBeCloseTo(1, 10);
      expect(integral(d, 0.5 - reach, 0.5 + reach, p => (p === 0 ? 0 : -p * Math.log(p)))).toBeCloseTo(nats, 9);
    });

    test(`of the concentration ${concentration}: Kolmogorov and Smirnov's test`, () => {
      const n = 2000;
      const d = angles([2.5, concentration]);
      const draws = numbers(sample(d, key(21), { shape: [n] }));
      expect(draws.every(x => Math.abs(x) <= PI)).toBe(true);
      // The distribution function from the direction opposite the mean on, between points that are close together.
      const reach = Math.min(PI, 12 / Math.sqrt(concentration));
      const cells = 4000;
      const grid = numbers(linspace(2.5 - reach, 2.5 + reach, cells + 1, { dtype: 'float64' }) as Tensor);
      const densities = numbers(logProb(d, f64(grid))).map(Math.exp);
      const masses = [0];
      for (let i = 0; i < cells; i++) {
        masses.push(masses[i]! + ((densities[i]! + densities[i + 1]!) * reach) / cells);
      }
      const turned = draws.map(x => x + 2 * PI * Math.round((2.5 - x) / (2 * PI)));
      const places = turned.map(x => ((x - 2.5 + reach) / (2 * reach)) * cells);
      expect(places.every(place => place >= 0 && place <= cells)).toBe(true);
      const sorted = places
        .map(place => {
          const cell = Math.min(Math.floor(place), cells - 1);
          return masses[cell]! + (masses[cell + 1]! - masses[cell]!) * (place - cell);
        })
        .toSorted((x, y) => x - y);
      const distance = Math.max(...sorted.map((p, at) => Math.max(p - at / n, (at + 1) / n - p)));
      expect(distance).toBeLessThan(1.95 / Math.sqrt(n));
    });
  }

  test('counts angles modulo 2π, and has the direction for its mean', () => {
    const d = angles([1, 3]);
    close(logProb(d, f64([0.3 + 2 * PI, 0.3 - 20 * PI])), Array(2).fill(number(logProb(d, 0.3))), 1e-12);
    close(mean(d), 1);
    const draws = numbers(sample(d, key(5), { shape: [4000] }));
    const [x, y] = [Math.cos, Math.sin].map(f => draws.reduce((s, a) => s + f(a), 0) / 4000) as [number, number];
    expect(Math.abs(Math.atan2(y, x) - 1)).toBeLessThan(0.04);
    expect(Math.abs(1 - Math.hypot(x, y) - number(variance(d)))).toBeLessThan(0.02);
  });

  test('is the uniform one in the limit, and a normal one', () => {
    close(logProb(angles([0, 1e-9]), f64([0, 3])), Array(2).fill(-Math.log(2 * PI)), 1e-8);
    const narrow = angles([0.3, 1e10]);
    const same = normal({ loc: f64(0.3), scale: 1e-5 });
    const xs = f64([0.3, 0.30002, 0.29999]);
    close(logProb(narrow, xs), numbers(logProb(same, xs)), 1e-8);
  });

  test('has divergences that are integrals', () => {
    const pairs: readonly (readonly [readonly [number, number], readonly [number, number]])[] = [
      [
        [0, 1],
        [1, 2],
      ],
      [
        [-2, 8],
        [2, 0.5],
      ],
      [
        [0, 30],
        [0.1, 50],
      ],
    ];
    for (const [first, second] of pairs) {
      const [p, q] = [angles(first), angles(second)];
      const n = 4000;
      const xs = linspace(-PI, PI, n + 1, { dtype: 'float64' }) as Tensor;
      const [own, other] = [numbers(logProb(p, xs)), numbers(logProb(q, xs))];
      const terms = own.slice(1).map((l, i) => Math.exp(l) * (l - other[i + 1]!));
      close(klDivergence(p, q), (terms.reduce((x, y) => x + y, 0) * 2 * PI) / n, 1e-12);
      expect(number(klDivergence(p, q))).toBeGreaterThan(0);
      close(klDivergence(p, p), 0, 1e-14);
    }
  });

  test('broadcasts, maps, compiles, and has the derivatives of differences', () => {
    const d = vonMises({ loc: zeros([2, 1]), concentration: tensor([1, 2, 3]) });
    expect([d.batchShape, d.dtype, sample(d, key(0), { shape: [4] }).shape]).toEqual([[2, 3], 'float32', [4, 2, 3]]);
    const functions: readonly ((x: Tensor) => Tensor)[] = [
      loc => logProb(vonMises({ loc, concentration: 2 }), 0.7),
      concentration => logProb(vonMises({ loc: 0.1, concentration }), 0.7),
      concentration => entropy(vonMises({ loc: 0.1, concentration })),
      concentration => variance(vonMises({ loc: 0.1, concentration })),
      loc => sample(vonMises({ loc, concentration: 2 }), key(3)),
    ];
    const places = [0.3, 1.1, 2.9];
    const at = f64(places);
    for (const [i, f] of functions.entries()) {
      const expected = numbers(f(at));
      close((jit(f as never) as typeof f)(at), expected, 1e-12);
      if (i < 4) close((vmap(f as never) as typeof f)(at), expected, 1e-12);
      const [above, below] = [1e-5, -1e-5].map(by => numbers(f(f64(places.map(x => x + by)))));
      const slopes = above!.map((y, j) => (y - below![j]!) / 2e-5);
      close((grad((x: Tensor) => sum(f(x)) as never) as typeof f)(at), slopes, 1e-8);
    }
  });
});
