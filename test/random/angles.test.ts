/** Angles of von Mises: Kolmogorov and Smirnov's test, moments of concentrated ones, edges, transformations, derivatives. */
import { grad, jit, sum, type Tensor, tensor, vmap } from 'tenfold';
import { type Key, key, split, splitStack, vonMises } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const list = (x: Tensor): number[] => Array.from(x.dataSync() as Float64Array);
const n = 4000;

/** The distribution function, by Simpson's rule over cells between which it is a line. */
const cdfOf = (kappa: number): ((x: number) => number) => {
  const to = Math.min(Math.PI, 12 / Math.sqrt(kappa));
  const cells = 20_000;
  const h = (2 * to) / cells;
  const density = (x: number): number => Math.exp(-2 * kappa * Math.sin(x / 2) ** 2);
  const sums = [0];
  for (let i = 0; i < cells; i++) {
    const x = i * h - to;
    sums.push(sums[i]! + density(x) + 4 * density(x + h / 2) + density(x + h));
  }
  return x => {
    const place = Math.min(cells, Math.max(0, (x + to) / h));
    const cell = Math.min(cells - 1, Math.floor(place));
    return (sums[cell]! + (place - cell) * (sums[cell + 1]! - sums[cell]!)) / sums[cells]!;
  };
};

/** Kolmogorov and Smirnov's test, of 1 in 1000 errors. */
const follows = (values: readonly number[], cdf: (x: number) => number): void => {
  expect(values.length).toBe(n);
  const sorted = [...values].sort((x, y) => x - y);
  const distances = sorted.map((x, i) => Math.abs(cdf(x) - (i + 0.5) / n) + 0.5 / n);
  expect(Math.max(...distances)).toBeLessThan(1.95 / Math.sqrt(n));
};

describe('angles follow their distribution', () => {
  for (const [i, kappa] of [0, 1e-9, 1e-3, 0.3, 1, 4.5, 70, 5000, 1e6, 1e12].entries()) {
    for (const dtype of ['float32', 'float64'] as const) {
      it(`${kappa}: ${dtype}`, () => {
        const drawn = list(vonMises(key(i), kappa, { shape: [n], dtype }));
        expect(drawn.every(x => x >= -Math.PI && x <= Math.PI)).toBe(true);
        follows(drawn, cdfOf(kappa));
      });
    }
  }

  it('concentrated ones are normal of the variance 1 / κ, to the last of the floats', () => {
    for (const kappa of [1e6, 1e12, 1e20, 1e100]) {
      const squares = list(vonMises(key(1), kappa, { shape: [n], dtype: 'float64' })).map(x => kappa * x * x);
      const mean = squares.reduce((x, y) => x + y, 0) / n;
      expect(Math.abs(mean - 1)).toBeLessThan(3.5 * Math.sqrt(2 / n));
    }
  });
});

it('edges: what is no concentration, an infinite one, none', () => {
  const kappas = tensor([-1, Number.NaN, Number.POSITIVE_INFINITY, 0, 2]);
  const drawn = vonMises(key(0), kappas);
  expect(drawn.dtype).toBe('float32');
  const values = list(drawn);
  expect(values.slice(0, 3).map(Math.abs)).toEqual([Number.NaN, Number.NaN, 0]);
  expect(values[3]).toBe(list(vonMises(key(0), 0, { shape: [5] }))[3]);
  expect(values[4]).toBe(list(vonMises(key(0), 2, { shape: [5] }))[4]);
  expect(vonMises(key(0), tensor([[1], [2]], { dtype: 'float64' }), { shape: [4, 2, 3] }).shape).toEqual([4, 2, 3]);
});

describe('an element', () => {
  const draw = (k: Key, shape: readonly number[]): Tensor => vonMises(k, 3, { shape });
  it('depends on its key and place alone', () => {
    const whole = list(draw(key(3), [60]));
    expect(list(draw(key(4), [60]))).not.toEqual(whole);
    expect(list(draw(key(3), [3, 5]))).toEqual(whole.slice(0, 15));
    expect(list(draw(key(3), []))).toEqual(whole.slice(0, 1));
    expect(list(draw(key(3), [0]))).toEqual([]);
  });
  it('is the same bits under jit and vmap', () => {
    const plain = split(key(5), 3).map(k => draw(k, [7]).toArray());
    const f = (k: Tensor): Tensor => draw(k as Key, [7]);
    expect(vmap(f)(splitStack(key(5), 3)).toArray()).toEqual(plain);
    expect(jit(f)(split(key(5), 3)[1]! as Tensor).toArray()).toEqual(plain[1]);
    const kappas = tensor([0.1, 5, 500]) as Tensor;
    const over = (vmap(((kappa: Tensor) => vonMises(key(2), kappa)) as never) as (x: Tensor) => Tensor)(kappas);
    expect(list(over)).toEqual([0.1, 5, 500].map(kappa => list(vonMises(key(2), tensor(kappa)))[0]));
  });
});

describe('derivatives are those of the quantiles', () => {
  const density = (x: number, kappa: number): number => Math.exp(-2 * kappa * Math.sin(x / 2) ** 2);
  const integral = (kappa: number, to: number): number => {
    const cells = 600;
    const h = to / cells;
    let sum = 0;
    for (let i = 0; i < cells; i++) {
      sum += density(i * h, kappa) + 4 * density((i + 0.5) * h, kappa) + density((i + 1) * h, kappa);
    }
    return (sum * h) / 6;
  };
  /** What part of the angles of [0, π] is below. */
  const part = (kappa: number, x: number): number =>
    integral(kappa, x) / integral(kappa, Math.min(Math.PI, 12 / Math.sqrt(kappa)));
  const quantile = (kappa: number, p: number): number => {
    let [low, high] = [0, Math.min(Math.PI, 12 / Math.sqrt(kappa))];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (part(kappa, middle) < p) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  const slope = (f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
    grad(((x: Tensor) => sum(f(x))) as never) as unknown as (x: Tensor) => Tensor;
  const draw = (kappa: Tensor): Tensor => vonMises(key(6), kappa);
  const f64 = (x: readonly number[]): Tensor => tensor(x, { dtype: 'float64' }) as Tensor;
  const kappas = [0.01, 0.01, 0.4, 0.4, 0.4, 2, 2, 2, 2, 15, 15, 15, 15, 300, 300, 300, 1e5, 1e5];

  it('in float64, and a second time', () => {
    const angles = list(draw(f64(kappas)));
    const first = list(slope(draw)(f64(kappas)));
    const second = list(slope(slope(draw))(f64(kappas)));
    for (const [i, kappa] of kappas.entries()) {
      const size = Math.abs(angles[i]!);
      const p = part(kappa, size);
      const h = kappa * 1e-3;
      const [below, above] = [quantile(kappa - h, p), quantile(kappa + h, p)];
      const expected = (Math.sign(angles[i]!) * (above - below)) / (2 * h);
      expect(Math.abs(first[i]! / expected - 1), `κ = ${kappa}, θ = ${angles[i]}`).toBeLessThan(1e-5);
      const curve = (Math.sign(angles[i]!) * (above - 2 * size + below)) / (h * h);
      // The differences are of angles to 1e-15 or so of their scale.
      const tolerance = Math.abs(curve) * 1e-4 + 1e-14 / (h * h * Math.sqrt(Math.max(1, kappa)));
      expect(Math.abs(second[i]! - curve), `κ = ${kappa}, θ = ${angles[i]}`).toBeLessThan(tolerance);
    }
  });

  it('at their limits: −sin θ where all angles are alike, −θ / 2κ where they are concentrated', () => {
    const none = f64([0, 0, 0, 0]);
    const [angles, slopes] = [list(draw(none)), list(slope(draw)(none))];
    for (const [i, angle] of angles.entries()) expect(slopes[i]).toBeCloseTo(-Math.sin(angle), 12);
    const many = [1e9, 1e9, 1e12, 1e12, 1e30];
    const [narrow, steep] = [list(draw(f64(many))), list(slope(draw)(f64(many)))];
    for (const [i, kappa] of many.entries()) {
      expect(Math.abs((steep[i]! * 2 * kappa) / narrow[i]! + 1)).toBeLessThan(1e-7);
    }
    const odd = list(slope(draw)(tensor([-1, Number.NaN, Number.POSITIVE_INFINITY, 3]) as Tensor));
    expect(odd.map(Number.isNaN)).toEqual([true, true, false, false]);
    expect(odd[2]).toBe(0);
  });

  it('in float32 they are those of float64, rounded', () => {
    const single = slope(kappa => vonMises(key(6), kappa))(tensor(kappas) as Tensor);
    expect(single.dtype).toBe('float32');
    const double = list(slope(draw)(f64(kappas.map(Math.fround))));
    for (const [i, x] of list(single).entries()) expect(Math.abs(x / double[i]! - 1)).toBeLessThan(1e-6);
  });
});
