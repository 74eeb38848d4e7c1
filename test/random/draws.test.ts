import { add, grad, jit, sum, type Tensor, tensor, vmap } from 'tenfold';
import { beta, dirichlet, exponential, gamma, gumbel, key, laplace, split, splitStack, studentT } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const list = (x: Tensor): number[] => [...(x.dataSync() as Float64Array)];
const dtypes = ['float32', 'float64'] as const;
const n = 4000;

/** Lanczos, g = 7. */
const lgamma = (x: number): number => {
  const c = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const t = x + 6.5;
  const series = c.reduce((total, each, i) => total + each / (x + i), 0.9999999999998099);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series);
};

/** F(a, x) by its series, whose terms are all positive. */
const gammaCdf = (a: number, x: number): number => {
  if (x <= 0) return 0;
  let term = 1 / a;
  let total = term;
  for (let i = 1; i < 20_000 && term > total * 1e-17; i++) {
    term *= x / (a + i);
    total += term;
  }
  return Math.min(1, total * Math.exp(a * Math.log(x) - x - lgamma(a)));
};

/** I(a, b, x) by its series in x, of the smaller side. */
const betaCdf = (a: number, b: number, x: number): number => {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(b, a, 1 - x);
  let term = 1 / a;
  let total = term;
  for (let i = 0; i < 20_000 && term > total * 1e-17; i++) {
    term *= (x * (a + b + i)) / (a + 1 + i);
    total += term;
  }
  return total * Math.exp(a * Math.log(x) + b * Math.log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b));
};

const studentCdf = (df: number, t: number): number => {
  const tail = betaCdf(df / 2, 0.5, df / (df + t * t)) / 2;
  return t > 0 ? 1 - tail : tail;
};

/** Kolmogorov and Smirnov's test, of 1 in 1000 errors. */
const follows = (values: readonly number[], cdf: (x: number) => number): void => {
  expect(values.length).toBe(n);
  const sorted = [...values].sort((a, b) => a - b);
  const distances = sorted.map((x, i) => Math.abs(cdf(x) - (i + 0.5) / n) + 0.5 / n);
  expect(Math.max(...distances)).toBeLessThan(1.95 / Math.sqrt(n));
};

describe('distributions', () => {
  for (const dtype of dtypes) {
    it(`exponential, gumbel, laplace: ${dtype}`, () => {
      follows(list(exponential(key(1), [n], { dtype }) as Tensor), x => -Math.expm1(-x));
      follows(list(gumbel(key(2), [n], { dtype }) as Tensor), x => Math.exp(-Math.exp(-x)));
      follows(list(laplace(key(3), [n], { dtype }) as Tensor), x => (x < 0 ? Math.exp(x) / 2 : 1 - Math.exp(-x) / 2));
    });
    for (const a of [0.2, 1, 7.5, 400]) {
      it(`gamma ${a}: ${dtype}`, () => {
        follows(list(gamma(key(4), a, { shape: [n], dtype })), x => gammaCdf(a, x));
      });
    }
    for (const [a, b] of [
      [0.5, 0.3],
      [2, 5],
      [150, 90],
    ] as const) {
      it(`beta ${a}, ${b}: ${dtype}`, () => {
        follows(list(beta(key(5), a, b, { shape: [n], dtype })), x => betaCdf(a, b, x));
      });
    }
    for (const df of [0.7, 4, 120]) {
      it(`studentT ${df}: ${dtype}`, () => {
        follows(list(studentT(key(6), df, { shape: [n], dtype })), t => studentCdf(df, t));
      });
    }
    it(`dirichlet: ${dtype}`, () => {
      const a = [0.4, 3, 20];
      const rows = dirichlet(key(7), tensor(a, { dtype }), { shape: [n, 3] }).toArray() as number[][];
      for (const [i, each] of a.entries()) {
        follows(
          rows.map(row => row[i]!),
          x => betaCdf(each, 23.4 - each, x),
        );
      }
      for (const row of rows) expect(row[0]! + row[1]! + row[2]!).toBeCloseTo(1, 5);
    });
  }

  it('gamma of a tiny concentration is tiny, and beta and dirichlet of such are vertices', () => {
    // log x ≈ log(u) / a, below the floats: what is made of the logarithms still sums to 1.
    const rows = dirichlet(key(8), tensor([1e-4, 1e-4, 1e-4]), { shape: [300, 3] }).toArray() as number[][];
    for (const row of rows) expect(row[0]! + row[1]! + row[2]!).toBeCloseTo(1, 6);
    const ones = [0, 1, 2].map(i => rows.filter(row => row[i]! > 0.5).length);
    for (const count of ones) expect(Math.abs(count - 100)).toBeLessThan(30);
    const halves = list(beta(key(8), 1e-4, 1e-4, { shape: [300] })).filter(x => x > 0.5).length;
    expect(Math.abs(halves - 150)).toBeLessThan(35);
  });

  it('NaN comes of what is no concentration, and nothing happens to the others', () => {
    const got = list(gamma(key(1), tensor([Number.NaN, -1, 0, 2])));
    expect(got.slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(got[3]).toBe(list(gamma(key(1), tensor([2, 2, 2, 2])))[3]);
  });
});

describe('an element', () => {
  const draws: Record<string, (k: never, shape: readonly number[]) => Tensor> = {
    exponential: (k, shape) => exponential(k, shape),
    gumbel: (k, shape) => gumbel(k, shape),
    laplace: (k, shape) => laplace(k, shape),
    gamma: (k, shape) => gamma(k, 0.6, { shape }),
    beta: (k, shape) => beta(k, 0.6, 2, { shape }),
    dirichlet: (k, shape) => dirichlet(k, tensor([1, 2]), { shape: [...shape, 2] }),
    studentT: (k, shape) => studentT(k, 3, { shape }),
  };
  for (const [name, draw] of Object.entries(draws)) {
    it(`of ${name} depends on its key and place alone`, () => {
      const whole = list(draw(key(3) as never, [60]));
      expect(list(draw(key(3) as never, [3, 5]))).toEqual(whole.slice(0, name === 'dirichlet' ? 30 : 15));
      expect(list(draw(key(3) as never, []))).toEqual(whole.slice(0, name === 'dirichlet' ? 2 : 1));
      expect(list(draw(key(3) as never, [0]))).toEqual([]);
      expect(draw(key(3) as never, [2]).dtype).toBe('float32');
    });
    it(`of ${name} is the same bits under jit and vmap`, () => {
      const plain = split(key(5), 3).map(k => draw(k as never, [7]).toArray());
      const f = (k: Tensor): Tensor => draw(k as never, [7]);
      expect(vmap(f)(splitStack(key(5), 3)).toArray()).toEqual(plain);
      expect(jit(f)(split(key(5), 3)[1]! as Tensor).toArray()).toEqual(plain[1]);
    });
  }
});

describe('derivatives', () => {
  const quantile = (cdf: (x: number) => number, from: number, to: number, p: number): number => {
    let [low, high] = [from, to];
    for (let i = 0; i < 200; i++) {
      const middle = (low + high) / 2;
      if (cdf(middle) < p) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };

  it('of gamma are those of its quantiles, in float64 to 1e-5', () => {
    const a = [0.3, 0.3, 1, 1, 3, 3, 20, 20, 150, 150];
    const given = tensor(a, { dtype: 'float64' });
    const x = list(gamma(key(2), given));
    const got = list(grad((at: Tensor) => sum(gamma(key(2), at)) as never)(given as never) as Tensor);
    a.forEach((each, i) => {
      const p = gammaCdf(each, x[i]!);
      const h = each * 1e-4;
      const at = (c: number): number => quantile(y => gammaCdf(c, y), 0, x[i]! * 2 + 1, p);
      const expected = (at(each + h) - at(each - h)) / (2 * h);
      expect(Math.abs(got[i]! / expected - 1), `a = ${each}, x = ${x[i]}`).toBeLessThan(1e-5);
    });
  });

  it('of gamma are there a second time', () => {
    const first = (a: Tensor): Tensor => grad((at: Tensor) => sum(gamma(key(2), at)) as never)(a as never) as Tensor;
    const a = tensor([0.5, 2, 30], { dtype: 'float64' });
    const second = list(grad((at: Tensor) => sum(first(at)) as never)(a as never) as Tensor);
    const x = list(gamma(key(2), a));
    [0.5, 2, 30].forEach((each, i) => {
      const p = gammaCdf(each, x[i]!);
      const h = each * 2e-3;
      const at = (c: number): number => quantile(y => gammaCdf(c, y), 0, x[i]! * 2 + 1, p);
      const expected = (at(each + h) - 2 * at(each) + at(each - h)) / (h * h);
      expect(Math.abs(second[i]! - expected), `a = ${each}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
    });
  });

  it('of dirichlet sum to nothing, and those of beta have their signs', () => {
    const a = tensor([0.5, 2, 30], { dtype: 'float64' });
    close(grad((at: Tensor) => sum(dirichlet(key(2), at)) as never)(a as never) as Tensor, [0, 0, 0], 1e-12);
    const up = list(grad((at: Tensor) => sum(beta(key(2), at, 2)) as never)(a as never) as Tensor);
    const down = list(grad((at: Tensor) => sum(beta(key(2), 2, at)) as never)(a as never) as Tensor);
    expect(up.every(x => x > 0) && down.every(x => x < 0)).toBe(true);
    const t = grad((df: Tensor) => sum(add(studentT(key(2), df), 0)) as never)(a as never) as Tensor;
    expect(list(t).every(Number.isFinite)).toBe(true);
  });
});
