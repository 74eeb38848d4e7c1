import { jit, type Tensor, vmap } from 'tenfold';
import {
  checkerboard,
  eightGaussians,
  type LabelledPoints,
  type Points,
  type RolledPoints,
  spirals,
  swissRoll,
  twoMoons,
} from 'tenfold/data';
import { type Key, key, splitStack } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, expectTypeOf, test } from 'vitest';

type Point = readonly [x: number, y: number];

const pointsOf = ({ points }: Points): readonly Point[] => points.toArray() as unknown as readonly Point[];
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map(x => (x - middle) ** 2)));
};
const countsOf = (values: readonly number[], n: number): readonly number[] => {
  const counts = new Array<number>(n).fill(0);
  for (const value of values) counts[value]!++;
  return counts;
};
const sorted = (points: readonly Point[]): readonly Point[] => points.toSorted(([a, b], [c, d]) => a - c || b - d);

const toys: readonly (readonly [string, (key: Key, count: number) => Points])[] = [
  ['twoMoons', twoMoons],
  ['swissRoll', swissRoll],
  ['checkerboard', checkerboard],
  ['eightGaussians', eightGaussians],
  ['spirals', spirals],
];

describe.each(toys)('%s', (_, toy) => {
  test('is a function of its key', () => {
    const values = (seed: number, count: number): unknown => leaves(toy(key(seed), count)).map(x => x.toArray());
    expect(values(1, 50)).toEqual(values(1, 50));
    expect(values(2, 50)).not.toEqual(values(1, 50));
  });

  test('gives [count, 2] of float32, of one point and an odd number as well', () => {
    for (const count of [1, 2, 7]) {
      const { points } = toy(key(0), count);
      expect([points.shape, points.dtype]).toEqual([[count, 2], 'float32']);
      expect(points.dataSync().every(Number.isFinite)).toBe(true);
      for (const leaf of leaves(toy(key(0), count))) expect(leaf.shape[0]).toBe(count);
    }
  });

  test('of keys in a function that is compiled or batched', () => {
    const whole = toy(key(5), 6).points.toArray();
    expect(jit((k: Tensor) => toy(k as Key, 6).points)(key(5)).toArray()).toEqual(whole);
    const keys = splitStack(key(3), 2);
    const both = vmap(k => toy(k as Key, 6).points as Tensor)(keys);
    expect(both.shape).toEqual([2, 6, 2]);
  });
});

describe('twoMoons', () => {
  test('without noise has the points of make_moons(7), in random order', () => {
    const { points, labels } = twoMoons(key(0), 7);
    // NumPy: outer = linspace(0, π, 3), inner = linspace(0, π, 4).
    const expected: readonly Point[] = [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, 0.5],
      [0.5, 0.5 - Math.sqrt(3) / 2],
      [1.5, 0.5 - Math.sqrt(3) / 2],
      [2, 0.5],
    ];
    const rounded = pointsOf({ points }).map(
      ([x, y]): Point => [Math.round(x * 1e5) / 1e5 + 0, Math.round(y * 1e5) / 1e5 + 0],
    );
    const exact = expected.map(([x, y]): Point => [Math.round(x * 1e5) / 1e5, Math.round(y * 1e5) / 1e5]);
    expect(sorted(rounded)).toEqual(sorted(exact));
    expect(countsOf([...labels.dataSync()], 2)).toEqual([3, 4]);
    expect([...labels.dataSync()]).not.toEqual([0, 0, 0, 1, 1, 1, 1]);
  });

  test('labels tell the moons apart, noise has its deviation', () => {
    const { points, labels } = twoMoons(key(1), 4000, { noise: 0.05 });
    const kinds = labels.dataSync();
    const distances = pointsOf({ points }).map(([x, y], i) =>
      kinds[i] === 0 ? Math.hypot(x, y) - 1 : Math.hypot(x - 1, y - 0.5) - 1,
    );
    expect(mean(distances)).toBeCloseTo(0, 2);
    expect(deviation(distances)).toBeGreaterThan(0.047);
    expect(deviation(distances)).toBeLessThan(0.053);
  });
});

describe('swissRoll', () => {
  test('is a spiral of t, which is uniform', () => {
    const { points, t } = swissRoll(key(0), 4000);
    const places = [...t.dataSync()];
    for (const [i, [x, y]] of pointsOf({ points }).entries()) {
      expect(Math.abs(x - places[i]! * Math.cos(places[i]!))).toBeLessThan(2e-5);
      expect(Math.abs(y - places[i]! * Math.sin(places[i]!))).toBeLessThan(2e-5);
    }
    expect(Math.min(...places)).toBeGreaterThanOrEqual(Math.fround(1.5 * Math.PI));
    expect(Math.max(...places)).toBeLessThanOrEqual(Math.fround(4.5 * Math.PI));
    expect(mean(places) / Math.PI).toBeCloseTo(3, 1);
    expect(deviation(places)).toBeCloseTo((3 * Math.PI) / Math.sqrt(12), 1);
  });

  test('noise has its deviation', () => {
    const exact = pointsOf(swissRoll(key(0), 4000)).flat();
    const noisy = pointsOf(swissRoll(key(0), 4000, { noise: 1 })).flat();
    expect(deviation(noisy.map((x, i) => x - exact[i]!))).toBeCloseTo(1, 1);
  });
});

describe('checkerboard', () => {
  test('fills every other square, each alike', () => {
    const cells = pointsOf(checkerboard(key(0), 8000)).map(([x, y]) => [
      Math.floor((x + 4) / 2),
      Math.floor((y + 4) / 2),
    ]);
    const counts = countsOf(
      cells.map(([i, j]) => 4 * i! + j!),
      16,
    );
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const count = counts[4 * i + j]!;
        if ((i + j) % 2 === 1) expect(count).toBe(0);
        // Six standard deviations of a binomial count of 8000 and 1/8.
        else expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(8000 * (1 / 8) * (7 / 8)));
      }
    }
    expect(counts.length).toBe(16);
  });

  test('evenly inside of a square', () => {
    const inside = pointsOf(checkerboard(key(1), 8000)).map(([x, y]) => [(x + 4) % 2, (y + 4) % 2] as const);
    for (const axis of [0, 1] as const) {
      expect(mean(inside.map(point => point[axis]))).toBeCloseTo(1, 1);
      expect(deviation(inside.map(point => point[axis]))).toBeCloseTo(2 / Math.sqrt(12), 1);
    }
  });
});

describe('eightGaussians', () => {
  test.each([
    [undefined, undefined, 4, 0.5],
    [5, 0.1, 5, 0.1],
  ])('scale %s, noise %s', (scale, noise, wantScale, wantNoise) => {
    const options = { ...(scale !== undefined && { scale }), ...(noise !== undefined && { noise }) };
    const { points, labels } = eightGaussians(key(0), 8000, options);
    const all = pointsOf({ points });
    const kinds = [...labels.dataSync()];
    for (const count of countsOf(kinds, 8))
      expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(8000 * (1 / 8) * (7 / 8)));
    for (let k = 0; k < 8; k++) {
      const own = all.filter((_, i) => kinds[i] === k);
      const bound = (6 * wantNoise) / Math.SQRT2 / Math.sqrt(own.length);
      const centre = (wantScale / Math.SQRT2) * Math.cos((k * Math.PI) / 4);
      const height = (wantScale / Math.SQRT2) * Math.sin((k * Math.PI) / 4);
      expect(Math.abs(mean(own.map(([x]) => x)) - centre)).toBeLessThan(bound);
      expect(Math.abs(mean(own.map(([, y]) => y)) - height)).toBeLessThan(bound);
      expect(deviation(own.map(([x]) => x)) / (wantNoise / Math.SQRT2)).toBeCloseTo(1, 0);
    }
    const radial = all.map(([x], i) => x - (wantScale / Math.SQRT2) * Math.cos((kinds[i]! * Math.PI) / 4));
    expect(Math.abs(deviation(radial) / (wantNoise / Math.SQRT2) - 1)).toBeLessThan(0.05);
  });
});

describe('spirals', () => {
  test('without noise lie beside r(−cos r, sin r) / 3, one turned around against the other', () => {
    const { points, labels } = spirals(key(0), 2000, { noise: 0 });
    const kinds = labels.dataSync();
    const radii: number[] = [];
    for (const [i, [x, y]] of pointsOf({ points }).entries()) {
      const [u, v] = kinds[i] === 0 ? [3 * x, 3 * y] : [-3 * x, -3 * y];
      // Some r in steps has both offsets within [0, ½].
      let nearest = Number.POSITIVE_INFINITY;
      let best = 0;
      for (let r = 0; r <= 3 * Math.PI; r += 0.01) {
        const far = Math.hypot(u - 0.25 + r * Math.cos(r), v - 0.25 - r * Math.sin(r));
        if (far < nearest) [nearest, best] = [far, r];
      }
      expect(nearest).toBeLessThan(0.25 * Math.SQRT2 + 0.1);
      radii.push(best);
    }
    // √u has the mean 2/3.
    expect(Math.abs(mean(radii) / (3 * Math.PI) - 2 / 3)).toBeLessThan(0.03);
    expect(countsOf([...kinds], 2)).toEqual([1000, 1000]);
  });

  test('a shorter set is the beginning of a longer one', () => {
    expect(pointsOf(spirals(key(4), 5))).toEqual(pointsOf(spirals(key(4), 9)).slice(0, 5));
  });

  test('noise has its deviation', () => {
    const exact = pointsOf(spirals(key(0), 4000, { noise: 0 })).flat();
    const noisy = pointsOf(spirals(key(0), 4000)).flat();
    expect(Math.abs(deviation(noisy.map((x, i) => x - exact[i]!)) - 0.1)).toBeLessThan(0.005);
  });
});

test('types', () => {
  expectTypeOf(twoMoons(key(0), 5)).toEqualTypeOf<LabelledPoints<5>>();
  expectTypeOf(eightGaussians(key(0), 5)).toEqualTypeOf<LabelledPoints<5>>();
  expectTypeOf(spirals(key(0), 5)).toEqualTypeOf<LabelledPoints<5>>();
  expectTypeOf(swissRoll(key(0), 5)).toEqualTypeOf<RolledPoints<5>>();
  expectTypeOf(checkerboard(key(0), 5).points).toEqualTypeOf<Tensor<readonly [5, 2], 'float32'>>();
  const count: number = 3;
  expect(twoMoons(key(0), count).points.shape).toEqual([3, 2]);
});
