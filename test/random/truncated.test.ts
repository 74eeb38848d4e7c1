/** Normal numbers between bounds: Kolmogorov and Smirnov's test, far tails, bounds, derivatives, transformations. */
import { grad, jit, mul, sin, sum, type Tensor, tensor, vmap } from 'tenfold';
import { type Key, key, split, splitStack, truncatedNormal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const list = (x: Tensor): number[] => Array.from(x.dataSync() as Float64Array);
const f64 = (x: number | readonly number[]): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const dtypes = ['float32', 'float64'] as const;
const n = 4000;

/** The distribution function of a density on an interval, by Simpson's rule over cells between which it is a line. */
const cdfOf = (density: (x: number) => number, from: number, to: number): ((x: number) => number) => {
  const cells = 20_000;
  const h = (to - from) / cells;
  const sums = [0];
  for (let i = 0; i < cells; i++) {
    const x = from + i * h;
    sums.push(sums[i]! + density(x) + 4 * density(x + h / 2) + density(x + h));
  }
  return x => {
    const place = Math.min(cells, Math.max(0, (x - from) / h));
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

const intervals: readonly (readonly [number, number])[] = [
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [-2, 2],
  [-3, 0.5],
  [0, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, -1],
  [0.25, 0.375],
  [-0.5, 7],
  [6, Number.POSITIVE_INFINITY],
  [-6.5, -6],
  [-9, -8],
  [29, 32],
  [40, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, -1000],
];

describe('draws follow the normal distribution between the bounds', () => {
  for (const [i, [lower, upper]] of intervals.entries()) {
    for (const dtype of dtypes) {
      it(`${lower} and ${upper}: ${dtype}`, () => {
        const drawn = list(truncatedNormal(key(i), lower, upper, { shape: [n], dtype }));
        expect(drawn.every(x => x >= lower && x <= upper)).toBe(true);
        // Of float32 so far out, the steps are as long as the tail.
        if (dtype === 'float32' && Math.abs(upper) === 1000) return;
        const nearest = lower > 0 ? lower : upper < 0 ? upper : 0;
        const width = nearest === 0 ? 9 : 40 / Math.abs(nearest);
        const [from, to] = [Math.max(lower, nearest - width), Math.min(upper, nearest + width)];
        follows(
          drawn,
          cdfOf(x => Math.exp((nearest - x) * (nearest + x) * 0.5), from, to),
        );
      });
    }
  }

  it('and depend on bounds of their own', () => {
    const lower = tensor([-1, 6, Number.NEGATIVE_INFINITY]);
    const upper = tensor([[1], [7]]);
    const drawn = truncatedNormal(key(1), lower, upper, { shape: [50, 2, 3] });
    expect([drawn.shape, drawn.dtype]).toEqual([[50, 2, 3], 'float32']);
    for (const [top, middle] of drawn.toArray() as number[][][]) {
      expect(top![0]! >= -1 && top![0]! <= 1 && top![2]! <= 1).toBe(true);
      expect(middle![0]! >= -1 && middle![1]! >= 6 && middle![1]! <= 7).toBe(true);
      // Of the bounds 6 and 1 the lower is above the upper.
      expect(top![1]).toBeNaN();
    }
  });
});

it('edges: equal bounds, bounds in the wrong order or of NaN, tails of which nothing is left in the floats', () => {
  const lower = tensor([2, 1, Number.NaN, 0, 1e30, Number.NEGATIVE_INFINITY]);
  const upper = tensor([2, 0, 0, Number.NaN, Number.POSITIVE_INFINITY, -1e30]);
  const drawn = list(truncatedNormal(key(0), lower, upper));
  expect(drawn).toEqual([2, Number.NaN, Number.NaN, Number.NaN, Math.fround(1e30), Math.fround(-1e30)]);
  const huge = list(truncatedNormal(key(0), 1e200, Number.POSITIVE_INFINITY, { shape: [5], dtype: 'float64' }));
  expect(huge).toEqual([1e200, 1e200, 1e200, 1e200, 1e200]);
  // The next float is the only other one.
  const next = 1 + 2 ** -23;
  expect(list(truncatedNormal(key(0), 1, next, { shape: [50] })).every(x => x === 1 || x === next)).toBe(true);
});

describe('an element', () => {
  const draw = (k: Key, shape: readonly number[]): Tensor => truncatedNormal(k, -1, 3, { shape });
  it('depends on its key and place alone', () => {
    const whole = list(draw(key(3), [60]));
    expect(list(draw(key(4), [60]))).not.toEqual(whole);
    expect(list(draw(key(3), [3, 5]))).toEqual(whole.slice(0, 15));
    expect(list(draw(key(3), []))).toEqual(whole.slice(0, 1));
    expect(list(draw(key(3), [0]))).toEqual([]);
    const others = list(truncatedNormal(key(3), tensor([-1, Number.NaN, -1, 50]), 3, { dtype: 'float32' }));
    expect([others[0], others[2]]).toEqual([whole[0], whole[2]]);
  });
  it('is the same bits under jit and vmap', () => {
    const plain = split(key(5), 3).map(k => draw(k, [7]).toArray());
    const f = (k: Tensor): Tensor => draw(k as Key, [7]);
    expect(vmap(f)(splitStack(key(5), 3)).toArray()).toEqual(plain);
    expect(jit(f)(split(key(5), 3)[1]! as Tensor).toArray()).toEqual(plain[1]);
  });
});

describe('derivatives are those of the quantiles', () => {
  const lowers = [-1, -1, 0.5, 6, -9, -8, -0.3];
  const uppers = [2, 0.5, 0.75, 7, -8.5, 1, 12];
  const at = (lower: Tensor, upper: Tensor): Tensor => truncatedNormal(key(2), lower, upper);
  const slope =
    (f: (x: Tensor) => Tensor) =>
    (x: Tensor): Tensor =>
      (grad((y: Tensor) => sum(f(y)) as never) as unknown as (x: Tensor) => Tensor)(x);
  const differences = (f: (x: Tensor) => Tensor, xs: readonly number[], h: number): number[] => {
    const [above, below] = [1, -1].map(sign => list(f(f64(xs.map(x => x + sign * h)))));
    return above!.map((x, i) => (x - below![i]!) / (2 * h));
  };
  const alike = (actual: readonly number[], expected: readonly number[], tolerance: number): void => {
    for (const [i, x] of expected.entries()) {
      expect(Math.abs(actual[i]! - x), `${actual[i]} and ${x}, ${i}`).toBeLessThan(
        tolerance * Math.max(1, Math.abs(x)),
      );
    }
  };
  const ofLower = (x: Tensor): Tensor => at(x, f64(uppers));
  const ofUpper = (x: Tensor): Tensor => at(f64(lowers), x);

  it('of both bounds, in float64', () => {
    const [down, up] = [list(slope(ofLower)(f64(lowers))), list(slope(ofUpper)(f64(uppers)))];
    alike(down, differences(ofLower, lowers, 1e-4), 1e-6);
    alike(up, differences(ofUpper, uppers, 1e-4), 1e-6);
    expect([...down, ...up].every(x => x >= 0)).toBe(true);
    expect(down.some(x => x > 0.1) && up.some(x => x > 0.1)).toBe(true);
  });

  it('a second time', () => {
    alike(list(slope(slope(ofLower))(f64(lowers))), differences(slope(ofLower), lowers, 1e-4), 1e-5);
    alike(list(slope(slope(ofUpper))(f64(uppers))), differences(slope(ofUpper), uppers, 1e-4), 1e-5);
    const mixed = (x: Tensor): Tensor => slope(y => at(y, x))(f64(lowers));
    alike(list(slope(mixed)(f64(uppers))), differences(mixed, uppers, 1e-4), 1e-5);
  });

  it('of a tail whose other bound is infinite, also a second time', () => {
    const tail = (x: Tensor): Tensor => truncatedNormal(key(2), x, Number.POSITIVE_INFINITY);
    const given = [-3, 0, 2, 8, 40];
    alike(list(slope(tail)(f64(given))), differences(tail, given, 1e-4), 1e-6);
    alike(list(slope(slope(tail))(f64(given))), differences(slope(tail), given, 1e-4), 1e-5);
    const none = (x: Tensor): Tensor =>
      truncatedNormal(key(2), f64([Number.NEGATIVE_INFINITY, -1]), mul(x, x) as Tensor);
    expect(list(slope(slope(none))(f64([1, 2]))).every(Number.isFinite)).toBe(true);
    const infinite = f64([Number.POSITIVE_INFINITY, 1]);
    expect(list(slope(slope(x => sin(truncatedNormal(key(2), 0, x)) as Tensor))(infinite))[0]).toBe(0);
  });

  it('in float32 they are those of float64, rounded', () => {
    const single = slope(x => truncatedNormal(key(2), x, tensor(uppers)))(tensor(lowers));
    expect(single.dtype).toBe('float32');
    alike(list(single), list(slope(ofLower)(f64(lowers))), 1e-4);
  });
});
