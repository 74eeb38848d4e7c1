/** Distances, angles and cross products beyond the goldens. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  cdist,
  cosineSimilarity,
  cross,
  explain,
  grad,
  jit,
  mul,
  normalize,
  pairwiseDistance,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { close } from '../helpers.js';

type Rows = readonly (readonly number[])[];

const double = (values: readonly number[] | Rows): Tensor => tensor(values, { dtype: 'float64' }) as Tensor;

const slope = (f: (x: Tensor) => unknown, x: Tensor): Tensor =>
  grad((y: Tensor) => sum(f(y) as Tensor) as never)(x) as Tensor;

const norm = (v: readonly number[], p: number): number => {
  const sizes = v.map(Math.abs);
  if (p === 0) return sizes.filter(a => a !== 0).length;
  return p === Number.POSITIVE_INFINITY ? Math.max(...sizes) : sizes.reduce((s, a) => s + a ** p, 0) ** (1 / p);
};

const minus = (a: readonly number[], b: readonly number[]): number[] => a.map((v, i) => v - b[i]!);

const a: Rows = [
  [1, -2, 0.5],
  [0, 3, -1],
];
const c: Rows = [
  [1, 1, 1],
  [0, 3, -4],
];
const exponents = [0, 0.5, 1, 1.5, 2, 3, Number.POSITIVE_INFINITY];

describe('norms of differences', () => {
  for (const p of exponents) {
    it(`p = ${p}`, () => {
      const pairs = a.map((row, i) => norm(minus(row, c[i]!), p));
      close(pairwiseDistance(double(a), double(c), { p, epsilon: 0 }), pairs, 1e-13);
      const all = a.map(row => c.map(other => norm(minus(row, other), p)));
      close(cdist(double(a), double(c), { p }), all, 1e-13);
      close(pipe(double(a), cdist(double(c), { p })), all, 1e-13);
      const units = a.map(row => row.map(v => v / norm(row, p)));
      close(normalize(double(a), { p }), units, 1e-13);
      close(pipe(double(a), normalize({ p })), units, 1e-13);
      const one = (x: Tensor, y: Tensor): Tensor => pairwiseDistance(x, y, { p, epsilon: 0 }) as Tensor;
      close(vmap(one)(double(a), double(c)) as Tensor, pairs, 1e-13);
      close(jit(one)(double(a), double(c)) as Tensor, pairs, 1e-13);
    });

    it(`nothing flows where the distance is 0, p = ${p}`, () => {
      const x = double([[1, 2]]);
      close(
        slope(y => cdist(y, x, { p }), x),
        [[0, 0]],
      );
      close(
        slope(y => normalize(y, { p }), double([0, 0])),
        [1e12, 1e12],
      );
      // Nor where one of the differences is, except that all of them count in the largest.
      const at = slope(y => cdist(y, x, { p }), double([[1, 3]]));
      close(at, [[0, p === 0 ? 0 : 1]]);
    });
  }

  it('the derivative is that of the norm', () => {
    for (const p of exponents) {
      const f = (y: Tensor): Tensor => cdist(y, double(c), { p }) as Tensor;
      const at = slope(f, double(a)).toArray() as number[][];
      const h = 2 ** -20;
      const moved = (by: number): number => sum(f(double([[1 + by, -2, 0.5], a[1]!]))).item() as number;
      close(at[0]![0]!, (moved(h) - moved(-h)) / (2 * h), 1e-8);
    }
    close(
      slope(y => cdist(y, double([[0, 0]])), double([[3, 4]])),
      [[0.6, 0.8]],
      1e-15,
    );
  });

  it('stacks broadcast, and there may be nothing', () => {
    const stack = cdist(zeros([4, 1, 2, 3]), zeros([5, 6, 3]));
    expect(stack.shape).toEqual([4, 5, 2, 6]);
    expect(cdist(zeros([0, 3]), zeros([2, 3])).shape).toEqual([0, 2]);
    expect(cdist(zeros([1, 0]), zeros([2, 0])).toArray()).toEqual([[0, 0]]);
    expect(pairwiseDistance(zeros([0]), zeros([0]), { p: Number.POSITIVE_INFINITY }).item()).toBe(0);
    expectTypeOf(cdist(zeros([4, 3]), zeros([2, 3]))).toEqualTypeOf<Tensor<readonly [4, 2], 'float32'>>();
    const far = cdist(tensor([[1e4, 1e-3]]), tensor([[1e4, 0]])).item();
    close(far, 1e-3, 1e-9);
  });

  it('one kernel, without the differences in memory', () => {
    const { report } = explain((x: Tensor) => cdist(x, x) as Tensor)(zeros([64, 8]) as Tensor);
    expect(report!.steps).toHaveLength(1);
    expect(report!.memory.arena).toBeLessThan(64 * 64 * 8);
  });
});

describe('cosineSimilarity', () => {
  const cosine = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((s, v, i) => s + v * y[i]!, 0) / (norm(x, 2) * norm(y, 2));

  it('along any axis, broadcasting, in both orders', () => {
    const expected = a.map((row, i) => cosine(row, c[i]!));
    close(cosineSimilarity(double(a), double(c)), expected, 1e-15);
    const columns = [0, 1, 2].map(j => cosine([a[0]![j]!, a[1]![j]!], [c[0]![j]!, c[1]![j]!]));
    close(pipe(double(a), cosineSimilarity(double(c), { axis: 0 })), columns, 1e-15);
    close(
      cosineSimilarity(double(a), double(c[0]!)),
      a.map(row => cosine(row, c[0]!)),
      1e-15,
    );
    expectTypeOf(cosineSimilarity(zeros([4, 3]), zeros([3]))).toEqualTypeOf<Tensor<readonly [4], 'float32'>>();
    expect(cosineSimilarity(tensor([1, 0], { dtype: 'int32' }), tensor([1, 0])).dtype).toBe('float32');
  });

  it('vectors of 0 are similar to nothing, and small ones do not underflow', () => {
    close(cosineSimilarity(double([0, 0]), double([1, 2])), 0);
    close(cosineSimilarity(tensor([1e-15, 0]), tensor([1e15, 0]), { epsilon: 1e-20 }), 1);
    const at = slope(y => cosineSimilarity(y, double([3, 4]), { epsilon: 0.1 }), double([0, 0]));
    close(at, [6, 8], 1e-14);
  });
});

describe('cross', () => {
  it('is perpendicular to both, along any axis', () => {
    const both = cross(double(a), double(c));
    close(both, [
      [-2.5, -0.5, 3],
      [-9, 0, 0],
    ]);
    for (const x of [a, c]) close(sum(mul(both, double(x) as never), { axis: 1 }), [0, 0], 1e-14);
    const turned = double([0, 1, 2].map(j => [a[0]![j]!, a[1]![j]!]));
    close(pipe(turned, cross(double([[1], [0], [0]]), { axis: 0 })), [
      [0, 0],
      [0.5, -1],
      [2, -3],
    ]);
    const ints = cross(tensor([1, 2, 3], { dtype: 'int32' }), tensor([true, false, false]));
    expect([ints.dtype, ints.toArray()]).toEqual(['int32', [0, 3, -2]]);
  });

  it('derivative, batch, one kernel', () => {
    close(
      slope(x => cross(x, double([1, 2, 3])), double([5, 6, 7])),
      [-1 * 3 + 2, 3 - 1, 1 - 2],
    );
    const stack = vmap((x: Tensor, y: Tensor) => cross(x, y) as Tensor)(double(a), double(c)) as Tensor;
    close(stack, cross(double(a), double(c)).toArray() as number[][]);
    const { report } = explain((x: Tensor, y: Tensor) => cross(x, y) as Tensor)(
      zeros([9, 3]) as Tensor,
      zeros([9, 3]) as Tensor,
    );
    expect(report!.steps).toHaveLength(1);
  });
});
