/** Derivatives of singular values, their vectors and norms. */
import {
  add,
  grad,
  jit,
  jvp,
  matmul,
  matrixNorm,
  mul,
  sin,
  sum,
  svd,
  svdvals,
  swapAxes,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

type Matrix = readonly (readonly number[])[];

type Factors = { readonly u: Tensor; readonly s: Tensor; readonly vt: Tensor };

/** Numbers in (−1, 1), always the same ones. */
const noise = (count: number, seed = 1): number[] =>
  Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });

const random = (m: number, n: number, seed = 1): Matrix => {
  const values = noise(m * n, seed);
  return Array.from({ length: m }, (_, i) => values.slice(i * n, (i + 1) * n));
};

const filled = (m: number, n: number, value: number): Matrix => random(m, n).map(row => row.map(() => value));

const diagonal = (values: readonly number[]): Matrix => values.map((v, i) => values.map((_, j) => (i === j ? v : 0)));

const flipped = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map(row => row[j]!));

const minus = (a: Matrix, c: Matrix): Matrix => a.map((row, i) => row.map((x, j) => x - c[i]![j]!));

const double = (a: unknown): Tensor => tensor(a as Matrix, { dtype: 'float64' }) as Tensor;

const plain = (x: unknown): never => (x as Tensor).toArray() as never;

const factorsOf = (a: Tensor, fullMatrices = false): Factors => svd(a, { fullMatrices }) as Factors;

const product = (x: unknown, y: unknown): Tensor => mul(x as Tensor, y as Tensor) as Tensor;

const total = (x: unknown): Tensor => sum(x as Tensor) as Tensor;

const weighted = (x: Tensor, seed: number): Tensor =>
  total(sin(product(x, double(random(x.shape[0]!, x.shape[1]!, seed)))));

/** A function of matrices that depends on their values and vectors. */
const ofAll = (x: Tensor): Tensor => {
  const { u, s, vt } = factorsOf(x);
  const values = total(product(sin(s), double(noise(s.shape[0]!, 3))));
  return add(product(values, weighted(u, 4)), weighted(vt, 5)) as Tensor;
};

/** One that depends on the spaces that the additional vectors span, too. */
const ofSpaces = (x: Tensor): Tensor => {
  const { u, s, vt } = factorsOf(x, true);
  const k = s.shape[0]!;
  const rest = (rows: Tensor): Tensor => {
    const mask = Array.from({ length: rows.shape[0]! }, (_, i) => filled(1, rows.shape[0]!, i < k ? 0 : 1)[0]!);
    return matmul(swapAxes(product(rows, double(mask)), 0, 1) as Tensor, rows) as Tensor;
  };
  const spaces = add(weighted(rest(swapAxes(u, 0, 1) as Tensor), 6), weighted(rest(vt), 7));
  return add(product(spaces, total(sin(s))), weighted(factorsOf(x).vt, 5)) as Tensor;
};

const ofValues = (x: Tensor): Tensor => {
  const s = svdvals(x) as Tensor;
  return total(product(sin(s), double(noise(s.shape[0]!, 5))));
};

const slope = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => grad(f as never)(x as never) as Tensor;

/** The central difference of a function of one matrix in a direction. */
const difference = (f: (x: Tensor) => Tensor, a: Matrix, direction: Matrix): number => {
  const h = 1e-5;
  const [ahead, behind] = [h, -h].map(step =>
    (f(double(a.map((row, i) => row.map((x, j) => x + step * direction[i]![j]!)))) as Tensor<readonly []>).item(),
  ) as [number, number];
  return (ahead - behind) / (2 * h);
};

const along =
  (f: (x: Tensor) => Tensor, direction: Matrix) =>
  (x: Tensor): Tensor =>
    total(product(slope(f, x), double(direction)));

describe.each([
  ['values and vectors', ofAll],
  ['values and all vectors', ofSpaces],
  ['values alone', ofValues],
] as const)('derivatives of functions of %s', (_, f) => {
  it.each([
    [1, 1],
    [3, 3],
    [5, 5],
    [4, 2],
    [2, 4],
    [1, 3],
    [3, 1],
  ] as const)('of shape %i by %i agree with differences, the second too', (m, n) => {
    const [a, p, q] = [random(m, n), random(m, n, 8), random(m, n, 9)];
    const first = difference(f, a, p);
    close(along(f, p)(double(a)), first, 1e-7);
    const [, tangent] = jvp(f as never, [double(a)] as never, [double(p)] as never) as unknown as [Tensor, Tensor];
    close(tangent, first, 1e-7);
    const second = difference(along(f, p), a, q);
    close(along(along(f, p), q)(double(a)), second, 1e-6);
    close(jit(along(along(f, p), q))(double(a)), second, 1e-6);
  });

  it('of a batch are those of each', () => {
    const all = [random(4, 3, 1), random(4, 3, 2)];
    const each = all.map(a => plain(slope(f, double(a))) as Matrix);
    close(vmap((x: Tensor) => slope(f, x))(double(all)) as Tensor, each, 1e-12);
    close(
      slope(x => total(vmap(f)(x)), double(all)),
      each,
      1e-12,
    );
  });
});

describe('derivatives at equal values', () => {
  it('of what does not depend on the choice of the vectors are right', () => {
    const squares = (x: Tensor): Tensor => total(product(svdvals(x), svdvals(x)));
    close(slope(squares, double(diagonal([2, 2, 2]))), diagonal([4, 4, 4]), 1e-14);
    close(slope(squares, double(filled(3, 4, 1))), filled(3, 4, 2), 1e-14);
    // The nearest orthogonal matrix, u vt, turns with half of what is antisymmetric, and the product is the matrix.
    const at = double(diagonal([2, 2, 2]));
    const nearest = (x: Tensor): Tensor => matmul(factorsOf(x).u, factorsOf(x).vt) as Tensor;
    const direction = random(3, 3, 2);
    const [, turn] = jvp(nearest as never, [at] as never, [double(direction)] as never) as unknown as [Tensor, Tensor];
    const skew = minus(direction, flipped(direction)).map(row => row.map(x => x / 4));
    close(turn, skew, 1e-14);
  });

  it('of the vectors are finite', () => {
    for (const a of [diagonal([1, 1, 1]), filled(3, 3, 0), filled(4, 3, 1)]) {
      const sums = (x: Tensor): Tensor => {
        const { u, vt } = factorsOf(x);
        return add(weighted(u, 4), weighted(vt, 5)) as Tensor;
      };
      expect((plain(slope(sums, double(a))) as Matrix).flat().every(Number.isFinite)).toBe(true);
    }
  });
});

describe('norms of singular values', () => {
  it('are known', () => {
    for (const [m, n] of [
      [4, 4],
      [3, 5],
    ] as const) {
      const a = double([random(m, n), random(m, n, 2)]);
      const values = plain(svdvals(a)) as Matrix;
      for (const [ord, of] of [
        ['nuc', (s: readonly number[]) => s.reduce((x, y) => x + y)],
        [2, (s: readonly number[]) => s[0]!],
        [-2, (s: readonly number[]) => s[s.length - 1]!],
      ] as const) {
        close(matrixNorm(a, { ord }), values.map(of), 1e-14);
        close(
          matrixNorm(a, { ord, keepDims: true }),
          values.map(s => [[of(s)]]),
          1e-14,
        );
        const f = (x: Tensor): Tensor => sin(matrixNorm(x, { ord }) as Tensor) as Tensor;
        const [at, p, q] = [random(m, n), random(m, n, 8), random(m, n, 9)];
        close(along(f, p)(double(at)), difference(f, at, p), 1e-7);
        close(along(along(f, p), q)(double(at)), difference(along(f, p), at, q), 1e-6);
      }
    }
    expect(matrixNorm(zeros([2, 0, 3]), { ord: 'nuc' }).toArray()).toEqual([0, 0]);
    expect(matrixNorm(tensor([[3, Number.NaN]]), { ord: 2 }).item()).toBeNaN();
  });
});
