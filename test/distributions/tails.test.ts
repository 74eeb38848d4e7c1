/** Distributions far out and at the ends of their supports, against SciPy 1.17, and the parameters that none has. */
import { grad, sum, type Tensor, tensor } from 'tenfold';
import {
  categorical,
  cauchy,
  cdf,
  type Distribution,
  gamma,
  geometric,
  gumbel,
  halfCauchy,
  icdf,
  logNormal,
  logProb,
  multinomial,
  normal,
  poisson,
  studentT,
  truncatedNormal,
  uniform,
  weibull,
} from 'tenfold/distributions';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const infinity = Number.POSITIVE_INFINITY;
const f64 = (x: readonly number[]): Tensor => tensor(Float64Array.from(x)) as Tensor;
const f32 = (x: readonly number[]): Tensor => tensor([...x]) as Tensor;
const slopes = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => grad((y: Tensor) => sum(f(y)) as Tensor)(x) as Tensor;

/** Quotients of what came out and what should have, near 1. */
const near = (got: Tensor, wanted: readonly number[], tolerance: number): void =>
  close(
    (got.toArray() as number[]).map((x, i) => (x === wanted[i] ? 1 : x / wanted[i]!)),
    wanted.map(() => 1),
    tolerance,
  );

describe('the quantiles of the normal distribution', () => {
  const standard = normal({ loc: 0, scale: 1 });
  /** p and Φ⁻¹(p). */
  const rows = [
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798409],
    [1e-9, -5.9978070150076865],
    [0.01, -2.3263478740408408],
    [0.074, -1.4466320671589785],
    [0.076, -1.4325027208258116],
    [0.5, 0],
    [0.99, 2.3263478740408408],
    [1 - 2 ** -53, 8.209536151601386],
  ] as const;

  it('are right in the tails', () => {
    near(
      icdf(standard, f64(rows.map(([p]) => p))),
      rows.map(([, x]) => x),
      1e-15,
    );
    near(
      icdf(standard, f32([2 ** -149, 1e-38, 1e-9, 3e-8])),
      [-14.121426613350497, -12.962359334796862, -5.9978070150076865, -5.418801],
      3e-7,
    );
  });

  it('are infinite at 0 and 1, and 0 and ∞ for their exponentials', () => {
    for (const x of [f32([0, 1]), f64([0, 1])]) {
      expect(icdf(standard, x).toArray()).toEqual([-infinity, infinity]);
      expect(icdf(logNormal({ loc: 1, scale: 2 }), x).toArray()).toEqual([0, infinity]);
    }
    near(icdf(logNormal({ loc: 0, scale: 1 }), f64([1e-20])), [Math.exp(-9.262340089798409)], 1e-14);
  });

  it('have the reciprocal of the density for derivative, and that has one', () => {
    const p = f64(rows.slice(0, 8).map(([x]) => x));
    const wanted = rows.slice(0, 8).map(([, x]) => Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2));
    near(
      slopes(x => icdf(standard, x), p),
      wanted,
      1e-12,
    );
    near(
      slopes(y => slopes(x => icdf(standard, x), y), p),
      rows.slice(0, 8).map(([, x]) => 2 * Math.PI * x * Math.exp(x * x)),
      1e-11,
    );
  });
});

describe('the quantiles of Cauchy', () => {
  it('come from the nearer end', () => {
    const p = [1e-300, 1e-9, 0.25, 0.3, 0.5, 0.75, 1 - 2 ** -30];
    const wanted = [-3.183098861837907e299, -318309886.1837907, -1, -0.7265425280053608, 0, 1, 2 ** 30 / Math.PI];
    near(icdf(cauchy({ loc: 0, scale: 1 }), f64(p)), wanted, 1e-15);
    near(icdf(cauchy({ loc: 0, scale: 1 }), f32([1e-9, 3e-8, 1 - 2 ** -24])), [-318309886, -10610330, 5340353.7], 3e-7);
    near(icdf(halfCauchy({ scale: 2 }), f64([1e-9, 0.5, 1 - 2 ** -30])), [Math.PI * 1e-9, 2, 2 ** 32 / Math.PI], 1e-15);
  });

  it('are infinite at the ends', () => {
    for (const x of [f32([0, 1]), f64([0, 1])]) {
      expect(icdf(cauchy({ loc: 1, scale: 2 }), x).toArray()).toEqual([-infinity, infinity]);
      expect(icdf(halfCauchy({ scale: 2 }), x).toArray()).toEqual([0, infinity]);
    }
  });

  it('have derivatives everywhere between', () => {
    const p = [0.01, 0.25, 0.4, 0.5, 0.9];
    near(
      slopes(x => icdf(cauchy({ loc: 0, scale: 1 }), x), f64(p)),
      p.map(x => Math.PI / Math.sin(Math.PI * x) ** 2),
      1e-14,
    );
    near(
      slopes(x => icdf(halfCauchy({ scale: 1 }), x), f64(p)),
      p.map(x => Math.PI / 2 / Math.cos((Math.PI * x) / 2) ** 2),
      1e-14,
    );
  });
});

describe('densities', () => {
  const half = [
    ['gamma', gamma({ concentration: 2, rate: 1.5 })],
    ['weibull', weibull({ scale: 2, concentration: 1.5 })],
    ['poisson', poisson({ rate: 3 })],
    ['geometric', geometric({ probs: 0.25 })],
    ['logNormal', logNormal({ loc: 0.5, scale: 2 })],
    ['halfCauchy', halfCauchy({ scale: 2 })],
  ] as const;

  it.each<readonly [string, Distribution]>(half)('of %s is 0 at the infinities, with the derivative 0', (_, d) => {
    const x = f64([-infinity, infinity]);
    expect(logProb(d, x).toArray()).toEqual([-infinity, -infinity]);
    expect(slopes(y => logProb(d, y), x).toArray()).toEqual([0, 0]);
  });

  it('of heavy tails do not end where a square is too large', () => {
    near(logProb(cauchy({ loc: 0, scale: 1 }), f64([1e20, -1e300])), [-93.24813361, -1382.695785649], 1e-9);
    near(
      logProb(cauchy({ loc: 0, scale: 1 }), f32([1e20, 3e38])),
      [-93.24813361, -2 * Math.log(3e38) - Math.log(Math.PI)],
      1e-6,
    );
    near(logProb(halfCauchy({ scale: 1 }), f32([1e20])), [-92.554986], 1e-6);
    near(logProb(studentT({ df: 3, loc: 0.5, scale: 2 }), f32([1e20])), [-180.93103017], 1e-6);
    near(
      logProb(cauchy({ loc: f64([0]), scale: 1 }), f64([1e9, 1.0000001e9, 3])),
      [1e9, 1.0000001e9, 3].map(x => -Math.log(Math.PI * (1 + x * x))),
      1e-15,
    );
  });

  it("of Gumbel's lower tail is 0, not NaN, and so is the derivative of its distribution function", () => {
    const d = gumbel({ loc: 0.5, scale: 2 });
    expect(logProb(d, f64([-infinity, -1e20])).toArray()).toEqual([-infinity, -infinity]);
    const x = f64([-infinity, -1e300, -1e3, -25]);
    expect(slopes(y => cdf(d, y), x).toArray()).toEqual([0, 0, 0, 0]);
    expect(cdf(d, x).toArray()).toEqual([0, 0, 0, 0]);
  });

  it('of counts are NaN of NaN, and 0 of what cannot be', () => {
    const d = categorical({ probs: tensor([1, 3]) });
    expect(logProb(d, f32([Number.NaN])).toArray()).toEqual([Number.NaN]);
    const impossible = multinomial({ totalCount: 2, probs: tensor([0, 1]) });
    expect(logProb(impossible, tensor([-1, 3])).item()).toBe(-infinity);
  });
});

it('bounds with nothing between them, and a success that never comes, are refused', () => {
  for (const [low, high] of [
    [2, 1],
    [1, 1],
  ] as const) {
    expect(caught(() => uniform({ low, high })).message).toMatch(/uniform: got low \d and high 1; low is below high/);
    expect(caught(() => truncatedNormal({ loc: 0, scale: 1, low, high })).message).toMatch(/low is below high/);
  }
  expect(caught(() => geometric({ probs: 0 })).message).toMatch(/probs is a number above 0, up to 1/);
});
