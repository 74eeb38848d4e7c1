/** Distribution functions made of incomplete gamma and beta functions, against densities, sums and differences. */
import { grad, linspace, sum, type Tensor, tensor, vmap } from 'tenfold';
import { beta, cdf, chi2, type Distribution, gamma, logProb, poisson, studentT } from 'tenfold/distributions';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const f64 = (x: number | readonly number[]): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;

const numbers = (x: Tensor): readonly number[] => Array.from(x.dataSync() as ArrayLike<number>);

/** Families of one parameter that is varied, and places with the end from which the mass is counted, where one is near. */
const families: Readonly<
  Record<string, { readonly of: (p: Tensor) => Distribution; readonly p: number; readonly at: readonly number[] }>
> = {
  'gamma, of the concentration': { of: p => gamma({ concentration: p, rate: 2 }), p: 2.5, at: [0.2, 0.9, 1.4, 6] },
  'gamma, of the rate': { of: p => gamma({ concentration: 3, rate: p }), p: 1.5, at: [0.1, 1, 2.2, 9] },
  chi2: { of: p => chi2({ df: p }), p: 5, at: [0.3, 2, 5, 20] },
  'beta, of the first': { of: p => beta({ concentration1: p, concentration0: 3 }), p: 2.5, at: [0.05, 0.4, 0.5, 0.9] },
  'beta, of the second': { of: p => beta({ concentration1: 4, concentration0: p }), p: 2, at: [0.05, 0.4, 0.7, 0.9] },
  'studentT, of df': { of: p => studentT({ df: p, loc: 1, scale: 0.5 }), p: 3, at: [-20, -0.3, 0.9, 1, 1.2, 2.5, 30] },
  'studentT, of the scale': { of: p => studentT({ df: 7, loc: 1, scale: p }), p: 2, at: [-20, -0.3, 0.9, 1, 2.5, 30] },
};

/** Simpson's rule for the density between two places. */
const massBetween = (d: Distribution, from: number, to: number): number => {
  const n = 2000;
  const densities = numbers(logProb(d, linspace(from, to, n + 1, { dtype: 'float64' }) as Tensor)).map(Math.exp);
  const terms = densities.map((y, i) => (i === 0 || i === n ? 1 : i % 2 === 0 ? 2 : 4) * y);
  return (terms.reduce((x, y) => x + y, 0) * (to - from)) / n / 3;
};

describe.each(Object.entries(families))('%s', (_, { of, p, at }) => {
  const d = of(f64(p));
  const values = numbers(cdf(d, f64(at)));

  it('differences are integrals of the density', () => {
    const wanted = at.slice(1).map((x, i) => massBetween(d, at[i]!, x));
    close(
      values.slice(1).map((y, i) => y - values[i]!),
      wanted,
      1e-9,
    );
  });

  it('the derivative in x is the density', () => {
    const slope = grad((x: Tensor) => sum(cdf(d, x)) as Tensor)(f64(at)) as Tensor;
    close(slope, numbers(logProb(d, f64(at))).map(Math.exp), 1e-12);
  });

  it('the derivative in the parameter is the limit of differences', () => {
    const h = 1e-5;
    const moved = (by: number): readonly number[] => numbers(cdf(of(f64(p + by)), f64(at)));
    const [up, down] = [moved(h), moved(-h)];
    at.forEach((x, i) => {
      const slope = grad((q: Tensor) => sum(cdf(of(q), f64(x))) as Tensor)(f64(p)) as Tensor;
      close(slope, (up[i]! - down[i]!) / (2 * h), 1e-9);
    });
  });

  it('float32, and a batch by vmap', () => {
    const single = cdf(of(tensor(p) as Tensor), tensor([...at]) as Tensor);
    expect(single.dtype).toBe('float32');
    close(single, values, 2e-6);
    const rows = vmap((x: Tensor) => cdf(d, x))(f64(at)) as Tensor;
    close(rows, values, 1e-14);
  });
});

it('begins at 0 and ends at 1, where derivatives are 0 outside of the support', () => {
  const inf = Number.POSITIVE_INFINITY;
  const ends = [-inf, -1, inf, Number.NaN];
  const wanted = [0, 0, 1, Number.NaN];
  for (const d of [gamma({ concentration: f64(0.5), rate: 2 }), chi2({ df: f64(1) })]) {
    close(cdf(d, f64([...ends, 0])), [...wanted, 0]);
    close(grad((x: Tensor) => sum(cdf(d, x)) as Tensor)(f64([-inf, -1, inf])) as Tensor, [0, 0, 0]);
  }
  const b = beta({ concentration1: f64(0.5), concentration0: 0.5 });
  close(cdf(b, f64([...ends, 0, 1, 2])), [...wanted, 0, 1, 1]);
  close(grad((x: Tensor) => sum(cdf(b, x)) as Tensor)(f64([-1, 2])) as Tensor, [0, 0]);
  const rateOf = (x: number) => (rate: Tensor) => cdf(gamma({ concentration: 0.5, rate }), f64(x));
  close(grad(rateOf(0))(f64(2)) as Tensor, 0);
});

describe("Student's", () => {
  it('is the arc tangent for one degree of freedom, far out and near the middle too', () => {
    const places = [-1e30, -1e12, -50, -1, -1e-3, -1e-13, 0, 1e-13, 0.2, 1, 3];
    const t = studentT({ df: f64(1), loc: 0, scale: 1 });
    const got = numbers(cdf(t, f64(places)));
    got.forEach((y, i) => {
      const x = places[i]!;
      // In the lower tail the arc tangent of the inverse, so that nothing is subtracted.
      const wanted = x < -1 ? Math.atan(-1 / x) / Math.PI : 0.5 + Math.atan(x) / Math.PI;
      expect(Math.abs(y / wanted - 1)).toBeLessThan(1e-13);
    });
    const slope = grad((x: Tensor) => sum(cdf(t, x)) as Tensor)(f64(places)) as Tensor;
    close(
      slope,
      places.map(x => 1 / (Math.PI * (1 + x * x))),
      1e-13,
    );
  });

  it('has the ends 0 and 1, and ½ in the middle', () => {
    const t = studentT({ df: f64(0.3), loc: 2, scale: 3 });
    const places = [Number.NEGATIVE_INFINITY, 2, Number.POSITIVE_INFINITY, Number.NaN];
    close(cdf(t, f64(places)), [0, 0.5, 1, Number.NaN]);
    close(grad((x: Tensor) => sum(cdf(t, x)) as Tensor)(f64([-1e300, 1e300])) as Tensor, [0, 0]);
  });
});

it("Poisson's is the sum of the probabilities of the counts up to x", () => {
  const d = poisson({ rate: f64(3.5) });
  const counts = Array.from({ length: 25 }, (_, k) => k);
  let whole = 0;
  const sums = numbers(logProb(d, f64(counts))).map(y => {
    whole += Math.exp(y);
    return whole;
  });
  close(cdf(d, f64(counts)), sums, 1e-14);
  close(cdf(d, f64(counts.map(k => k + 0.75))), sums, 1e-14);
  close(cdf(d, f64([-1, -0.5, Number.POSITIVE_INFINITY, Number.NaN])), [0, 0, 1, Number.NaN]);
  // The derivative in the rate is minus the probability of the count.
  const slope = grad((rate: Tensor) => sum(cdf(poisson({ rate }), f64([4]))) as Tensor)(f64(3.5)) as Tensor;
  close(slope, -Math.exp(numbers(logProb(d, f64([4])))[0]!), 1e-14);
});
