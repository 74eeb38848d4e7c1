/** Factors, systems of equations and determinants beyond the goldens. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  checkedCholesky,
  checkedInv,
  checkedSolve,
  cholesky,
  choleskySolve,
  det,
  exp,
  eye,
  grad,
  hvp,
  inv,
  jit,
  lu,
  matmul,
  mul,
  reshape,
  sin,
  slogdet,
  solve,
  sub,
  sum,
  swapAxes,
  type Tensor,
  takeAlong,
  tensor,
  triangularSolve,
  vmap,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const dtype = 'float64';
const random = (seed: number, shape: readonly number[]): Tensor => normal(key(seed), shape, { dtype }) as Tensor;
const one = (n: number): Tensor => eye(n, { dtype }) as Tensor;
const turned = (x: Tensor): Tensor => swapAxes(x, -1, -2) as Tensor;
const product = (x: Tensor, y: Tensor): Tensor => matmul(x, y) as Tensor;
const double = (values: readonly (readonly number[])[]): Tensor => tensor(values, { dtype }) as Tensor;
/** Symmetric, with eigenvalues of at least 1. */
const definite = (x: Tensor): Tensor => add(product(x, turned(x)), one(x.shape.at(-1)!)) as Tensor;
const plain = (x: unknown): never => (x as Tensor).toArray() as never;

const sizes = [...Array.from({ length: 20 }, (_, i) => i + 1), 40];

describe('sizes', () => {
  for (const n of sizes) {
    it(`${n}`, () => {
      const a = random(n, [n, n]);
      const spd = definite(a);
      const l = cholesky(spd) as Tensor;
      close(product(l, turned(l)), plain(spd), 1e-12);
      const u = cholesky(spd, { upper: true }) as Tensor;
      close(u, plain(turned(l)), 1e-12);
      const y = random(n + 100, [n, 3]);
      close(product(spd, choleskySolve(l, y)), plain(y), 1e-10);
      close(choleskySolve(u, y, { upper: true }), plain(choleskySolve(l, y)), 1e-11);
      close(product(a, solve(a, y)), plain(y), 1e-9);
      close(product(a, inv(a) as Tensor), plain(one(n)), 1e-9);
      const { sign, logabsdet } = slogdet(spd);
      expect(sign.toArray()).toBe(1);
      const pivots = (l.toArray() as unknown as number[][]).map((row, i) => 2 * Math.log(row[i]!));
      close(
        logabsdet as Tensor,
        pivots.reduce((p, q) => p + q),
        1e-12,
      );
      const whole = slogdet(a);
      close(det(a) as Tensor, plain(mul(whole.sign as Tensor, exp(whole.logabsdet as Tensor))), 1e-10);
      for (const shape of [
        [n, n],
        [n, n + 3],
        [n + 3, n],
      ]) {
        const x = random(n + 200, shape);
        const { permutation, l, u } = lu(x);
        const order = permutation.toArray() as unknown as number[];
        expect(order.toSorted((p, q) => p - q)).toEqual(order.map((_, i) => i));
        const rows = x.toArray() as unknown as number[][];
        close(
          product(l, u),
          order.map(i => rows[i]!),
          1e-13 * n,
        );
        const [left, upper] = [l.toArray(), u.toArray()] as unknown as [number[][], number[][]];
        expect(
          left.every((row, i) => row.every((v, j) => (j > i ? v === 0 : j === i ? v === 1 : Math.abs(v) <= 1))),
        ).toBe(true);
        expect(upper.every((row, i) => row.every((v, j) => j >= i || v === 0))).toBe(true);
      }
    });
  }

  it('no elements', () => {
    expect(det(zeros([2, 0, 0])).toArray()).toEqual([1, 1]);
    expect(slogdet(zeros([2, 0, 0])).logabsdet.toArray()).toEqual([0, 0]);
    expect(inv(zeros([0, 0])).shape).toEqual([0, 0]);
    expect(cholesky(zeros([0, 0])).shape).toEqual([0, 0]);
    expect(solve(zeros([0, 0]), zeros([0])).shape).toEqual([0]);
  });
});

it('triangular systems in all forms', () => {
  const a = random(1, [2, 5, 5]);
  const y = random(2, [5, 2]);
  for (const upper of [false, true]) {
    for (const transpose of [false, true]) {
      for (const unitDiagonal of [false, true]) {
        const read = plain(a) as unknown as number[][][];
        const dense = read.map(rows =>
          rows.map((row, i) => row.map((v, j) => (i === j ? (unitDiagonal ? 1 : v) : (upper ? j > i : j < i) ? v : 0))),
        );
        const matrix = tensor(dense, { dtype }) as Tensor;
        const x = triangularSolve(a, y, { upper, transpose, unitDiagonal }) as Tensor;
        expect(x.shape).toEqual([2, 5, 2]);
        const wanted = [y, y].map(each => each.toArray() as unknown as number[][]);
        close(product(transpose ? turned(matrix) : matrix, x), wanted, 1e-9);
      }
    }
  }
});

it('leading axes broadcast, and a vector is one only by its rank', () => {
  const a = random(3, [3, 1, 4, 4]);
  const y = random(4, [2, 4, 2]);
  const x = solve(a, y) as Tensor;
  expect(x.shape).toEqual([3, 2, 4, 2]);
  const repeated = add(zeros([3, 1, 1, 1], { dtype }), y) as Tensor;
  close(product(a, x), plain(repeated), 1e-10);
  const v = random(5, [4]);
  expect(solve(a, v).shape).toEqual([3, 1, 4]);
  expect(() => solve(random(3, [3, 4, 4]), random(4, [3, 4]))).toThrow(/columns of a matrix/);
  close(pipe(a, solve(y)), plain(x), 0);
  close(pipe(a, triangularSolve(y, { upper: true })), plain(triangularSolve(a, y, { upper: true })), 0);
  close(pipe(definite(a), cholesky({ upper: true })), plain(cholesky(definite(a), { upper: true })), 0);
  expect(choleskySolve(a, y).shape).toEqual([3, 2, 4, 2]);
});

it('each matrix of a batch gets its own order of rows', () => {
  const x = random(6, [3, 4, 4]);
  const { permutation, l, u } = lu(x);
  const indices = add(zeros([3, 4, 4], { dtype: 'int32' }), reshape(permutation, [3, 4, 1])) as Tensor<
    readonly number[],
    'int32'
  >;
  close(product(l, u), plain(takeAlong(x, indices, { axis: 1 })), 1e-13);
});

const singular = double([
  [1, 2, 3],
  [2, 4, 6],
  [1, 0, 1],
]);
const indefinite = double([
  [4, 2, 0],
  [2, 1, 0],
  [0, 0, 1],
]);

describe('matrices without a result', () => {
  it('are not finite', () => {
    const l = cholesky(indefinite).toArray() as unknown as number[][];
    expect(l[0]).toEqual([2, 0, 0]);
    expect([l[1]![1], l[2]![1], l[2]![2]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const finite = (x: Tensor): boolean => (x.toArray() as unknown as number[]).flat().every(Number.isFinite);
    expect(finite(inv(singular) as Tensor)).toBe(false);
    expect(finite(solve(singular, tensor([1, 2, 4], { dtype })) as Tensor)).toBe(false);
    expect(Math.abs(det(singular).toArray() as number)).toBe(0);
    expect(Math.abs(slogdet(singular).sign.toArray() as number)).toBe(0);
    expect(slogdet(singular).logabsdet.toArray()).toBe(Number.NEGATIVE_INFINITY);
  });

  it('are named by the checked forms', () => {
    const both = tensor([one(3).toArray(), singular.toArray()] as never, { dtype }) as Tensor;
    expect(checkedInv(both)).toMatchObject({
      _tag: 'Left',
      left: { given: expect.stringMatching(/pivot 2 .*matrix \[1\]/) },
    });
    expect(checkedSolve(singular, one(3))).toMatchObject({ left: { given: expect.stringMatching(/pivot 2 is 0/) } });
    expect(checkedCholesky(indefinite)).toMatchObject({ left: { given: expect.stringMatching(/pivot 1 is not/) } });
    const good = definite(random(7, [2, 3, 3]));
    const right = (either: unknown): Tensor => (either as { right: Tensor }).right;
    close(right(checkedCholesky(good)), plain(cholesky(good)), 0);
    close(right(checkedInv(good)), plain(inv(good)), 0);
    close(right(pipe(good, checkedSolve(one(3)))), plain(solve(good, one(3))), 0);
    expect(() => jit((x: Tensor) => right(checkedInv(x)))(good)).toThrow(/read/);
  });

  it('have cofactors', () => {
    const cofactors = (x: Tensor): never => plain(grad((y: Tensor) => det(y) as never)(x));
    const minors = (rows: number[][]): number[][] =>
      rows.map((row, i) =>
        row.map((_, j) => {
          const [[p, q], [r, s]] = rows.filter((_, k) => k !== i).map(each => each.filter((_, k) => k !== j)) as [
            [number, number],
            [number, number],
          ];
          return (-1) ** (i + j) * (p * s - q * r);
        }),
      );
    const cases = [
      singular.toArray() as unknown as number[][],
      [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 0],
      ],
      [
        [0, 1, 2],
        [0, 3, 4],
        [0, 5, 7],
      ],
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
      [
        [1, 2, 3],
        [2, 4, 6],
        [3, 6, 9],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
    ];
    for (const rows of cases) close(cofactors(double(rows)), minors(rows), 1e-13);
  });
});

describe('second derivatives against differences of the first', () => {
  const weights = random(8, [4, 4]);
  const side = random(9, [4, 2]);
  const scalar = (x: unknown): Tensor => sum(mul(sin(x as Tensor) as Tensor, 2) as Tensor) as Tensor;
  const weighted = (x: unknown): Tensor => sum(mul(x as Tensor, weights)) as Tensor;
  const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    cholesky: x => weighted(cholesky(definite(x))),
    'cholesky, upper': x => weighted(sin(cholesky(definite(x), { upper: true }) as Tensor)),
    choleskySolve: x => scalar(choleskySolve(cholesky(definite(x)) as Tensor, side)),
    triangularSolve: x => scalar(triangularSolve(definite(x), side, { upper: true, transpose: true })),
    solve: x => scalar(solve(x, product(x, product(x, side)))),
    'solve of a vector': x => scalar(solve(definite(x), tensor([1, 2, 3, 4], { dtype }))),
    inv: x => weighted(inv(definite(x))),
    det: x => det(x) as Tensor,
    logabsdet: x => slogdet(x).logabsdet as Tensor,
    lu: x => weighted(sin(add(lu(x).l, lu(x).u) as Tensor)),
  };
  const step = 1e-5;
  const x = random(10, [4, 4]);
  const v = random(11, [4, 4]);
  for (const [name, f] of Object.entries(functions)) {
    it(name, () => {
      const at = (t: number): Tensor => add(x, mul(v, t)) as Tensor;
      const slope = grad(f as never) as unknown as (x: Tensor) => Tensor;
      const first = sum(mul(slope(x), v)) as Tensor;
      const difference = mul(sub(f(at(step)), f(at(-step))) as Tensor, 1 / (2 * step)) as Tensor;
      close(first, plain(difference), 1e-6);
      const wanted = mul(sub(slope(at(step)), slope(at(-step))) as Tensor, 1 / (2 * step)) as Tensor;
      close((hvp(f as never) as unknown as (x: Tensor, v: Tensor) => Tensor)(x, v), plain(wanted), 1e-5);
    });

    it(`${name}, by vmap and jit`, () => {
      const xs = random(12, [3, 4, 4]);
      const slope = grad(f as never) as unknown as (x: Tensor) => Tensor;
      const each = [0, 1, 2].map(i =>
        plain(slope(tensor((xs.toArray() as unknown as number[][][])[i]! as never, { dtype }) as Tensor)),
      );
      close(vmap(slope)(xs) as Tensor, each as never, 1e-9);
      close(jit(slope)(x) as Tensor, plain(slope(x)), 1e-9);
    });
  }
});
