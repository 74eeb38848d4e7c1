/** The normal distribution of vectors, against sums written out, integrals and its draws. */
import {
  cast,
  grad,
  hessian,
  inv,
  jit,
  matmul,
  reshape,
  stack,
  sum,
  type Tensor,
  tensor,
  transpose,
  tril,
  vmap,
  zeros,
} from 'tenfold';
import {
  entropy,
  klDivergence,
  logProb,
  mean,
  multivariateNormal,
  normal,
  cdf as normalCdf,
  sample,
  variance,
} from 'tenfold/distributions';
import { key } from 'tenfold/random';
import { describe, expect, test } from 'vitest';
import { caught, close } from '../helpers.js';

const f64 = (x: unknown): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const numbers = (x: Tensor): readonly number[] => [...(x.dataSync() as Iterable<number>)];
const number = (x: Tensor): number => numbers(x)[0]!;
/** As `close`, element by element, whatever the shape. */
const alike = (actual: Tensor, expected: Tensor | readonly number[], tolerance: number): void =>
  close(numbers(actual), Array.isArray(expected) ? expected : numbers(expected as Tensor), tolerance);
const total = (x: Tensor): Tensor => sum(x) as Tensor;

const covariance = f64([
  [4, 1.2, 0.4],
  [1.2, 2, -0.6],
  [0.4, -0.6, 1.5],
]);
const loc = f64([1, -2, 0.5]);
const d = multivariateNormal({ loc, covariance });

const plane = multivariateNormal({
  loc: f64([0.3, -0.2]),
  covariance: f64([
    [1, 0.5],
    [0.5, 0.8],
  ]),
});
const otherPlane = multivariateNormal({
  loc: f64([-0.4, 0.1]),
  scaleTril: f64([
    [1.3, 0],
    [-0.2, 0.9],
  ]),
});

/** The integral of f over a square of the plane that has nearly all of the mass. */
const integral = (f: (logs: readonly number[], points: Tensor) => readonly number[]): number => {
  const n = 240;
  const [from, step] = [-8, 16 / n];
  const at = Array.from({ length: n + 1 }, (_, i) => from + i * step);
  const points = reshape(f64(at.flatMap(x => at.flatMap(y => [x, y]))), [at.length ** 2, 2]) as Tensor;
  return f(numbers(logProb(plane, points)), points).reduce((x, y) => x + y, 0) * step ** 2;
};

describe('the density', () => {
  test('is the exponential of a quadratic form', () => {
    const x = [0.2, 0.4, -1];
    const offset = x.map((value, i) => value - numbers(loc)[i]!);
    const inverse = numbers(inv(covariance) as Tensor);
    const form = offset.flatMap((a, i) => offset.map((b, j) => a * b * inverse[3 * i + j]!)).reduce((a, b) => a + b, 0);
    // The determinant along the first row.
    const determinant = 4 * (2 * 1.5 - 0.36) - 1.2 * (1.2 * 1.5 + 0.6 * 0.4) + 0.4 * (1.2 * -0.6 - 2 * 0.4);
    close(logProb(d, f64(x)), -0.5 * (form + Math.log(determinant) + 3 * Math.log(2 * Math.PI)), 1e-12);
    close(entropy(d), 0.5 * (Math.log(determinant) + 3 + 3 * Math.log(2 * Math.PI)), 1e-12);
  });

  test('integrates to 1, and its logarithm to the entropy', () => {
    expect(integral(logs => logs.map(Math.exp))).toBeCloseTo(1, 10);
    expect(-integral(logs => logs.map(l => Math.exp(l) * l))).toBeCloseTo(number(entropy(plane)), 9);
  });

  test('is the same for covariance, precision and factor', () => {
    const points = f64([
      [1, 2, 3],
      [0, -1, 0.5],
    ]);
    const byPrecision = multivariateNormal({ loc, precision: inv(covariance) as Tensor });
    close(logProb(byPrecision, points), numbers(logProb(d, points)), 1e-12);
    alike(byPrecision.parameters.scaleTril, d.parameters.scaleTril, 1e-12);
    const { scaleTril } = d.parameters;
    alike(matmul(scaleTril, transpose(scaleTril)) as Tensor, covariance, 1e-14);
    const byFactor = multivariateNormal({ loc, scaleTril });
    close(logProb(byFactor, points), numbers(logProb(d, points)), 1e-14);
  });

  test('of one element is that of the normal distribution', () => {
    const one = multivariateNormal({ loc: f64([2]), covariance: f64([[9]]) });
    const same = normal({ loc: f64(2), scale: 3 });
    close(logProb(one, f64([[0], [5]])), numbers(logProb(same, f64([0, 5]))), 1e-14);
    close(entropy(one), number(entropy(same)), 1e-14);
  });

  test('reads the lower triangle, and takes numbers for the mean', () => {
    const mangled = f64([
      [4, 9, 9],
      [1.2, 2, 9],
      [0.4, -0.6, 1.5],
    ]);
    const [x, { scaleTril }] = [f64([1, 2, 3]), d.parameters];
    const expected = { covariance, scaleTril: tril(covariance), precision: covariance };
    for (const form of ['covariance', 'scaleTril', 'precision'] as const) {
      const whole = multivariateNormal({ loc: 0.1, [form]: expected[form] } as never);
      const half = multivariateNormal({ loc: 0.1, [form]: mangled } as never);
      expect(half.dtype).toBe('float64');
      close(logProb(half, x), number(logProb(whole, x)), 1e-14);
    }
    close(logProb(multivariateNormal({ loc, scaleTril }), x), number(logProb(d, x)), 1e-14);
    close(mean(multivariateNormal({ loc: 0.1, covariance })), [0.1, 0.1, 0.1], 1e-15);
  });

  test('is NaN where the covariance is not positive definite', () => {
    const bad = multivariateNormal({
      loc: 0,
      covariance: tensor([
        [1, 2],
        [2, 1],
      ]) as Tensor,
    });
    close(logProb(bad, zeros([2])), Number.NaN);
    close(entropy(bad), Number.NaN);
  });
});

describe('batches', () => {
  const wide = stack([
    covariance,
    f64([
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 3],
    ]),
  ]) as Tensor;
  const locs = reshape(f64(Array.from({ length: 12 }, (_, i) => i / 10)), [2, 2, 3]) as Tensor;
  const many = multivariateNormal({ loc: locs, covariance: wide });

  test('of means and covariances broadcast', () => {
    expect([many.batchShape, many.eventShape]).toEqual([[2, 2], [3]]);
    const x = f64([0.5, 1, -1]);
    const values = numbers(logProb(many, x));
    for (const [i, value] of values.entries()) {
      const own = multivariateNormal({
        loc: f64(numbers(locs).slice(3 * i, 3 * i + 3)),
        covariance: reshape(f64(numbers(wide).slice(9 * (i % 2), 9 * (i % 2) + 9)), [3, 3]) as Tensor,
      });
      close(logProb(own, x), value, 1e-12);
      close(entropy(own), numbers(entropy(many))[i]!, 1e-12);
      close(klDivergence(own, d), numbers(klDivergence(many, d))[i]!, 1e-12);
      close(klDivergence(d, own), numbers(klDivergence(d, many))[i]!, 1e-12);
    }
    expect(variance(many).shape).toEqual([2, 2, 3]);
    alike(
      variance(multivariateNormal({ loc: locs, covariance })),
      numbers(locs).map((_, i) => [4, 2, 1.5][i % 3]!),
      1e-12,
    );
    expect(sample(many, key(0), { shape: [5] }).shape).toEqual([5, 2, 2, 3]);
    expect(klDivergence(many, d).shape).toEqual([2, 2]);
    expect(mean(multivariateNormal({ loc: 0, covariance: wide })).shape).toEqual([2, 3]);
  });

  test('by vmap, and compiled', () => {
    const f = (center: Tensor): Tensor => logProb(multivariateNormal({ loc: center, covariance }), f64([1, 2, 3]));
    const rows = reshape(locs, [4, 3]) as Tensor;
    const expected = numbers(f(rows));
    close((vmap(f as never) as typeof f)(rows), expected, 1e-12);
    close((jit(f as never) as typeof f)(rows), expected, 1e-12);
    const g = (matrix: Tensor): Tensor => logProb(multivariateNormal({ loc: 0, covariance: matrix }), f64([1, 2, 3]));
    close((vmap(g as never) as typeof g)(wide), numbers(g(wide)), 1e-12);
    const draw = (center: Tensor): Tensor => sample(multivariateNormal({ loc: center, covariance }), key(1));
    close((jit(draw as never) as typeof draw)(loc), numbers(draw(loc)), 1e-12);
  });

  test('in float32', () => {
    const single = multivariateNormal({ loc: cast(loc, 'float32'), covariance: cast(covariance, 'float32') } as never);
    expect(logProb(single, zeros([4, 3])).dtype).toBe('float32');
    close(logProb(single, zeros([3])), number(logProb(d, zeros([3]))), 1e-5);
    expect(sample(single, key(0)).dtype).toBe('float32');
  });
});

describe('divergences', () => {
  test('are integrals', () => {
    const direct = integral((logs, points) => {
      const others = numbers(logProb(otherPlane, points));
      return logs.map((l, i) => Math.exp(l) * (l - others[i]!));
    });
    expect(number(klDivergence(plane, otherPlane))).toBeCloseTo(direct, 9);
    expect(number(klDivergence(otherPlane, plane))).toBeGreaterThan(0);
    close(klDivergence(plane, plane), 0, 1e-14);
  });

  test('of vectors of different lengths are refused', () => {
    const error = caught(() => klDivergence(plane, d));
    expect(error.name).toBe('ShapeError');
    expect(error.message).toContain('multivariateNormal distributions of [2] and of [3]');
  });
});

describe('draws', () => {
  const n = 4000;

  test('without their mean and factor are independent and normal', () => {
    const draws = sample(d, key(5), { shape: [n] });
    const lower = inv(d.parameters.scaleTril) as Tensor;
    const rows = numbers(matmul(draws, transpose(lower)) as Tensor);
    const centre = numbers(matmul(lower, loc) as Tensor);
    const standard = normal({ loc: f64(0), scale: 1 });
    const white = [0, 1, 2].map(at => rows.filter((_, i) => i % 3 === at).map(x => x - centre[at]!));
    for (const column of white) {
      const sorted = numbers(normalCdf(standard, f64(column))).toSorted((x, y) => x - y);
      const distance = Math.max(...sorted.map((p, at) => Math.max(p - at / n, (at + 1) / n - p)));
      expect(distance).toBeLessThan(1.95 / Math.sqrt(n));
    }
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const product = white[i]!.reduce((s, x, at) => s + x * white[j]![at]!, 0) / n;
      expect(Math.abs(product)).toBeLessThan(3.5 / Math.sqrt(n));
    }
  });

  test('are differentiable in mean and factor', () => {
    const drawn = (factor: Tensor): Tensor => total(sample(multivariateNormal({ loc, scaleTril: factor }), key(2)));
    const slope = numbers((grad(drawn as never) as typeof drawn)(d.parameters.scaleTril));
    const white = numbers(matmul(inv(d.parameters.scaleTril), sample(d, key(2))) as Tensor);
    const mine = numbers(matmul(inv(d.parameters.scaleTril), loc) as Tensor).map((x, i) => white[i]! - x);
    close(slope, [mine[0]!, 0, 0, mine[0]!, mine[1]!, 0, mine[0]!, mine[1]!, mine[2]!], 1e-10);
  });
});

describe('derivatives', () => {
  const x = f64([0.3, 0.7, -0.4]);
  const ofLoc = (value: Tensor): Tensor => logProb(multivariateNormal({ loc: value, covariance }), x);
  const ofValue = (value: Tensor): Tensor => logProb(d, value);
  const ofFactor = (value: Tensor): Tensor => logProb(multivariateNormal({ loc, scaleTril: value }), x);
  const ofDivergence = (value: Tensor): Tensor => klDivergence(d, multivariateNormal({ loc: 0, scaleTril: value }));

  for (const [name, f, at] of [
    ['loc', ofLoc, loc],
    ['value', ofValue, x],
    ['factor', ofFactor, d.parameters.scaleTril],
    ['factor of the divergence', ofDivergence, d.parameters.scaleTril],
  ] as const) {
    test(`with respect to ${name} are those of differences`, () => {
      const values = numbers(at);
      const shift = (i: number, by: number): number =>
        number(f(reshape(f64(values.map((value, j) => (i === j ? value + by : value))), [...at.shape]) as Tensor));
      const expected = values.map((_, i) => (shift(i, 1e-5) - shift(i, -1e-5)) / 2e-5);
      alike((grad(f as never) as typeof f)(at), expected, 1e-7);
    });
  }

  test('of second order are the precision', () => {
    alike(
      (hessian(ofValue as never) as typeof ofValue)(x),
      numbers(inv(covariance) as Tensor).map(value => -value),
      1e-12,
    );
  });
});
