/** Pseudoinverses, least squares, ranks and conditions: what defines them, derivatives. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  conditionNumber,
  type FloatDType,
  grad,
  inv,
  jit,
  jvp,
  lstsq,
  matmul,
  matrixNorm,
  matrixRank,
  mul,
  pinv,
  reshape,
  sin,
  solve,
  sub,
  sum,
  svd,
  svdvals,
  swapAxes,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const random = (seed: number, shape: readonly number[], dtype: FloatDType = 'float64'): Tensor =>
  normal(key(seed), shape, { dtype }) as Tensor;
const double = (values: unknown): Tensor => tensor(values as number[], { dtype: 'float64' }) as Tensor;
const flipped = (x: Tensor): Tensor => swapAxes(x, -1, -2) as Tensor;
const product = (x: Tensor, y: Tensor): Tensor => matmul(x, y) as Tensor;
const minus = (x: Tensor, y: Tensor): Tensor => sub(x, y) as Tensor;
const plain = (x: unknown): never => (x as Tensor).toArray() as never;

interface Solution {
  readonly solution: Tensor;
  readonly residuals: Tensor;
  readonly rank: Tensor;
  readonly singularValues: Tensor;
}

const fitted = (a: Tensor, y: Tensor, options: object = {}): Solution => lstsq(a, y, options) as Solution;

/** Shapes and ranks of matrices. */
const cases = [
  [4, 4, 4],
  [6, 3, 3],
  [3, 6, 3],
  [5, 5, 2],
  [6, 4, 2],
  [4, 6, 3],
  [3, 1, 1],
  [1, 3, 1],
] as const;

/** The product of matrices that have no more columns and rows than the rank. */
const ofRank = (seed: number, m: number, n: number, rank: number, front: readonly number[] = []): Tensor =>
  rank === Math.min(m, n)
    ? random(seed, [...front, m, n])
    : product(random(seed, [...front, m, rank]), random(seed + 50, [...front, rank, n]));

describe('pinv', () => {
  it.each(cases)('of %i by %i matrices of rank %i satisfies the conditions of Penrose', (m, n, rank) => {
    const a = ofRank(m + n, m, n, rank, [3]);
    const p = pinv(a) as Tensor;
    expect(p.shape).toEqual([3, n, m]);
    const [left, right] = [product(a, p), product(p, a)];
    close(product(left, a), plain(a), 1e-12);
    close(product(right, p), plain(p), 1e-12);
    close(left, plain(flipped(left)), 1e-12);
    close(right, plain(flipped(right)), 1e-12);
    close(vmap((x: Tensor) => pinv(x) as Tensor)(a) as Tensor, plain(p), 1e-13);
    close(jit((x: Tensor) => pinv(x) as Tensor)(a), plain(p), 1e-13);
  });

  it('is the inverse of regular matrices, and leaves out small values', () => {
    const a = random(1, [5, 5]);
    close(pinv(a) as Tensor, plain(inv(a)), 1e-12);
    close(
      pipe(
        double([
          [3, 0],
          [0, 1e-3],
        ]),
        pinv({ rcond: 1e-2 }),
      ) as Tensor,
      [
        [1 / 3, 0],
        [0, 0],
      ],
      1e-15,
    );
    close(
      pinv(
        double([
          [3, 0],
          [0, 1e-3],
        ]),
      ) as Tensor,
      [
        [1 / 3, 0],
        [0, 1000],
      ],
      1e-12,
    );
    close(
      pinv(zeros([2, 3])) as Tensor,
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      0,
    );
    const half = tensor([
      [1, 2],
      [3, 6.0000001],
    ]);
    expect([half.dtype, (pinv(half) as Tensor).dtype]).toEqual(['float32', 'float32']);
    close(
      pinv(half) as Tensor,
      [
        [0.02, 0.06],
        [0.04, 0.12],
      ],
      1e-6,
    );
  });

  it('of no elements, and of NaN', () => {
    expect((pinv(zeros([2, 3, 0])) as Tensor).shape).toEqual([2, 0, 3]);
    expect((pinv(zeros([0, 3])) as Tensor).toArray()).toEqual([[], [], []]);
    const [bad, good] = plain(pinv(double([[[1, Number.NaN]], [[0, 4]]]))) as number[][][];
    expect(bad!.flat().every(Number.isNaN)).toBe(true);
    close(good!, [[0], [0.25]], 1e-15);
  });
});

describe('lstsq', () => {
  it.each(cases)('of %i by %i matrices of rank %i is the shortest of the nearest', (m, n, rank) => {
    const [a, y] = [ofRank(m + n, m, n, rank, [2]), random(9, [2, m, 3])];
    const { solution, residuals, rank: ranks, singularValues } = fitted(a, y);
    const rest = minus(product(a, solution), y);
    // Nearest: what is left is orthogonal to all columns. Shortest: it has no part in the null space.
    close(product(flipped(a), rest), plain(zeros([2, n, 3])), 1e-12);
    close(product(product(pinv(a) as Tensor, a), solution), plain(solution), 1e-12);
    close(residuals, plain(sum(mul(rest, rest), { axis: 1 })), 1e-12);
    expect(ranks.dtype).toBe('int32');
    expect(plain(ranks)).toEqual([rank, rank]);
    close(singularValues, plain(svdvals(a)), 1e-13);
    close(
      vmap(((p: Tensor, q: Tensor) => fitted(p, q).solution) as never)(a as never, y as never) as Tensor,
      plain(solution),
      1e-13,
    );
    close(jit((p: Tensor) => fitted(p, y).solution)(a), plain(solution), 1e-13);
  });

  it('of full rank solves the normal equations', () => {
    const [a, y] = [random(1, [7, 3]), random(2, [7])];
    const { solution, residuals, rank } = fitted(a, y);
    expect([solution.shape, residuals.shape, rank.shape]).toEqual([[3], [], []]);
    close(solution, plain(solve(product(flipped(a), a), product(flipped(a), y))), 1e-12);
    const square = random(3, [4, 4]);
    close(fitted(square, random(4, [4])).solution, plain(solve(square, random(4, [4]))), 1e-11);
    const single = fitted(random(1, [7, 3], 'float32'), random(2, [7], 'float32'));
    expect([single.solution, single.residuals, single.singularValues].map(x => x.dtype)).toEqual([
      'float32',
      'float32',
      'float32',
    ]);
    close(single.solution, plain(solution), 1e-5);
  });

  it('loses no more digits than the condition has, where the right side fits', () => {
    const { u, vt } = svd(random(1, [6, 4])) as { u: Tensor; vt: Tensor };
    const a = product(mul(u, double([1, 1e-4, 1e-8, 1e-11])) as Tensor, vt);
    const x = double([1, -1, 2, 1]);
    const error = minus(fitted(a, product(a, x)).solution, x);
    // What is wrong is wrong in the directions of the small singular values, where it does not count.
    close(product(a, error), [0, 0, 0, 0, 0, 0], 1e-14);
  });

  it('broadcasts leading axes, and takes a as the last argument', () => {
    const [a, y] = [random(1, [2, 1, 4, 3]), random(2, [5, 4, 2])];
    const { solution, residuals, rank } = pipe(a, lstsq(y)) as unknown as Solution;
    expect([solution.shape, residuals.shape, rank.shape]).toEqual([
      [2, 5, 3, 2],
      [2, 5, 2],
      [2, 1],
    ]);
    const rows = plain(solution) as number[][][][];
    const [first, second] = [reshape(a, [2, 4, 3]), y].map(x => plain(x) as number[][][]);
    for (const [i, p] of first!.entries()) {
      for (const [j, q] of second!.entries()) close(fitted(double(p), double(q)).solution, rows[i]![j]!, 1e-13);
    }
    const vector = fitted(a, random(3, [4]));
    expect([vector.solution.shape, vector.residuals.shape]).toEqual([
      [2, 1, 3],
      [2, 1],
    ]);
  });

  it('of no elements, with small values left out, and with NaN', () => {
    expect(plain(fitted(zeros([0, 2]) as Tensor, zeros([0]) as Tensor).solution)).toEqual([0, 0]);
    const none = fitted(zeros([2, 0]) as Tensor, tensor([3, 4]) as Tensor);
    expect([plain(none.solution), plain(none.residuals), plain(none.rank)]).toEqual([[], 25, 0]);
    const cut = fitted(
      double([
        [3, 0],
        [0, 1e-3],
      ]),
      double([3, 1]),
      { rcond: 1e-2 },
    );
    close(cut.solution, [1, 0], 1e-15);
    close(cut.residuals, 1, 1e-15);
    expect(plain(cut.rank)).toBe(1);
    const bad = fitted(double([[[1, Number.NaN]], [[0, 4]]]), double([2]));
    close(bad.solution, [
      [Number.NaN, Number.NaN],
      [0, 0.5],
    ]);
  });
});

const slope = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => grad(f as never)(x as never) as Tensor;

const total = (x: unknown): Tensor => sum(x as Tensor) as Tensor;

const along =
  (f: (x: Tensor) => Tensor, direction: Tensor) =>
  (x: Tensor): Tensor =>
    total(mul(slope(f, x), direction));

/** The central difference of a function of one matrix along a path through it. */
const difference = (f: (x: Tensor) => Tensor, path: (step: number) => Tensor): number => {
  const [ahead, behind] = [1e-5, -1e-5].map(step => (f(path(step)) as Tensor<readonly []>).item()) as [number, number];
  return (ahead - behind) / 2e-5;
};

/** Paths of matrices of one rank, and where they go to at their start. */
const pathOf = (seed: number, m: number, n: number, rank: number) => {
  const [left, right] = [random(seed, [m, rank]), random(seed + 1, [rank, n])];
  const [p, q] = [random(seed + 2, [m, rank]), random(seed + 3, [rank, n])];
  const moved = (x: Tensor, y: Tensor, step: number): Tensor => minus(x, mul(y, -step) as Tensor);
  return {
    path: (step: number) => product(moved(left, p, step), moved(right, q, step)),
    at: product(left, right),
    direction: minus(product(p, right), mul(product(left, q), -1) as Tensor),
  };
};

const ofInverse = (x: Tensor): Tensor => total(mul(sin(pinv(x)), random(7, [x.shape[1]!, x.shape[0]!])));

const ofSolution = (x: Tensor): Tensor => {
  const { solution, residuals } = fitted(x, random(8, [x.shape[0]!, 2]));
  return minus(total(mul(sin(solution), random(9, [x.shape[1]!, 2]))), total(sin(residuals)));
};

describe.each([
  ['pinv', ofInverse],
  ['lstsq', ofSolution],
] as const)('derivatives of %s', (_, f) => {
  it.each(cases)('of %i by %i matrices of rank %i agree with differences, the second too', (m, n, rank) => {
    const { path, at, direction } = pathOf(20, m, n, rank);
    const first = difference(f, path);
    close(along(f, direction)(at), first, 1e-6 * Math.max(1, Math.abs(first)));
    const [, tangent] = jvp(f as never, [at] as never, [direction] as never) as unknown as [Tensor, Tensor];
    close(tangent, first, 1e-6 * Math.max(1, Math.abs(first)));
    const g = along(f, random(30, [m, n]));
    const second = difference(g, path);
    close(along(g, direction)(at), second, 1e-5 * Math.max(1, Math.abs(second)));
  });

  it('of equal singular values', () => {
    const at = double([
      [2, 0],
      [0, 2],
      [0, 0],
    ]);
    const direction = random(1, [3, 2]);
    close(
      along(f, direction)(at),
      difference(f, step => minus(at, mul(direction, -step) as Tensor)),
      1e-8,
    );
  });
});

describe('the right side', () => {
  it('has the transposed pseudoinverse as derivative', () => {
    for (const [m, n, rank] of cases) {
      const a = ofRank(m + n, m, n, rank);
      const weights = random(1, [n]);
      const slopes = slope(y => total(mul(fitted(a, y).solution, weights)), random(2, [m]));
      close(slopes, plain(product(weights, pinv(a) as Tensor)), 1e-12);
    }
    const [a, weights] = [random(1, [2, 4, 3]), random(3, [2, 3, 1])];
    const f = (p: Tensor): Tensor => total(mul(fitted(p, random(2, [4, 1])).solution, weights));
    const each = [0, 1].map(i => {
      const [p, w] = [a, weights].map(x => double((plain(x) as unknown[])[i])) as [Tensor, Tensor];
      return plain(slope(x => total(mul(fitted(x, random(2, [4, 1])).solution, w)), p)) as number[][];
    });
    close(slope(f, a), each, 1e-12);
  });
});

describe('matrixRank', () => {
  it.each(cases)('of %i by %i matrices of rank %i', (m, n, rank) => {
    for (const dtype of ['float32', 'float64'] as const) {
      // @ts-expect-error matrixRank: the last two axes are rows and columns of matrices
      const ranks = matrixRank(tensor(plain(ofRank(3, m, n, rank, [2])) as number[], { dtype }));
      expect([ranks.dtype, plain(ranks)]).toEqual(['int32', [rank, rank]]);
    }
  });

  it('with a tolerance, and of nothing', () => {
    const a = double([
      [2, 0],
      [0, 0.5],
    ]);
    const ranks = [{ tol: 0.4 }, { tol: 0.5 }, { tol: 2 }, { rtol: 0.2 }, { rtol: 0.25 }, {}].map(options =>
      plain(pipe(a, matrixRank(options))),
    );
    expect(ranks).toEqual([2, 1, 0, 2, 1, 2]);
    expect(plain(matrixRank(zeros([2, 3, 3])))).toEqual([0, 0]);
    expect(plain(matrixRank(zeros([2, 0, 3])))).toEqual([0, 0]);
    expect(plain(matrixRank(zeros([0, 3]), { tol: 1 }))).toBe(0);
    expect(
      plain(
        matrixRank(
          tensor([
            [Number.NaN, 1],
            [0, 1],
          ]),
        ),
      ),
    ).toBe(0);
  });
});

describe('conditionNumber', () => {
  it('is the product of the norms of a matrix and its inverse', () => {
    const a = random(1, [3, 4, 4]);
    for (const ord of ['fro', 'nuc', 1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const) {
      const known = mul(matrixNorm(a, { ord }), matrixNorm(inv(a), { ord }));
      close(conditionNumber(a, { ord }) as Tensor, plain(known), 1e-12);
    }
    close(conditionNumber(a) as Tensor, plain(pipe(a, conditionNumber({ ord: 2 }))), 0);
    close(
      conditionNumber(
        double([
          [3, 0, 0],
          [0, -4, 0],
        ]),
      ) as Tensor,
      4 / 3,
      1e-15,
    );
  });

  it('of singular matrices is infinite, of NaN it is NaN', () => {
    const orders = ['fro', 'nuc', 1, -1, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const;
    for (const ord of orders) {
      const all = double([
        [
          [1, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 0],
        ],
        [
          [Number.NaN, 0],
          [0, 1],
        ],
      ]);
      const infinite = Number.POSITIVE_INFINITY;
      expect(plain(conditionNumber(all, { ord }))).toEqual([infinite, infinite, Number.NaN]);
    }
  });

  it('has the derivatives that differences have', () => {
    for (const ord of [2, 'fro', 1] as const) {
      const f = (x: Tensor): Tensor => conditionNumber(x, { ord }) as Tensor;
      const [at, direction] = [random(5, [3, 3]), random(6, [3, 3])];
      const wanted = difference(f, step => minus(at, mul(direction, -step) as Tensor));
      close(along(f, direction)(at), wanted, 1e-6);
    }
  });
});
