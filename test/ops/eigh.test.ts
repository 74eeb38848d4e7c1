/** Eigenvalues and eigenvectors of symmetric matrices: what defines them, known spectra, derivatives. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  cast,
  eigh,
  eigvalsh,
  type FloatDType,
  grad,
  jit,
  jvp,
  mul,
  reshape,
  sin,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { close } from '../helpers.js';

type Matrix = readonly (readonly number[])[];

/** Numbers in (−1, 1), always the same ones. */
const noise = (count: number, seed = 1): number[] =>
  Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });

const square = (values: readonly number[], n: number): Matrix =>
  Array.from({ length: n }, (_, i) => values.slice(i * n, (i + 1) * n));

const symmetrised = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (x + a[j]![i]!) / 2));

const random = (n: number, seed = 1): Matrix => symmetrised(square(noise(n * n, seed), n));

const double = (a: unknown): Tensor => tensor(a as Matrix, { dtype: 'float64' }) as Tensor;

const times = (a: Matrix, c: Matrix): Matrix =>
  a.map(row => c[0]!.map((_, j) => row.reduce((s, x, k) => s + x * c[k]![j]!, 0)));

const flipped = (a: Matrix): Matrix => a.map((_, j) => a.map(row => row[j]!));

const largest = (a: Matrix): number => Math.max(...a.flat().map(Math.abs));

const minus = (a: Matrix, c: Matrix): Matrix => a.map((row, i) => row.map((x, j) => x - c[i]![j]!));

const diagonal = (values: readonly number[]): Matrix => values.map((v, i) => values.map((_, j) => (i === j ? v : 0)));

/** Expects orthonormal vectors and A V = V Λ up to rounding, and values in order. */
const checkEigen = (a: Matrix, values: readonly number[], vectors: Matrix, epsilon: number): void => {
  const n = a.length;
  const scale = largest(a) || 1;
  const unit = a.map(row => row.map(x => x / scale));
  const lambda = values.map(x => x / scale);
  const bound = 4 * epsilon * (n + 3);
  expect(largest(minus(times(flipped(vectors), vectors), diagonal(values.map(() => 1))))).toBeLessThan(bound);
  const residual = minus(times(unit, vectors), times(vectors, diagonal(lambda)));
  expect(largest(residual)).toBeLessThan(bound);
  expect(values).toEqual(values.toSorted((x, y) => x - y));
};

const epsilons = { float32: 2 ** -24, float64: 2 ** -53 } as const;

const check = (a: Matrix, dtype: FloatDType): void => {
  const x = tensor(a, { dtype }) as Tensor;
  const { values, vectors } = eigh(x);
  expect([values.dtype, vectors.dtype]).toEqual([dtype, dtype]);
  const [got, columns] = [values.toArray() as number[], vectors.toArray() as number[][]];
  checkEigen(x.toArray() as number[][], got, columns, epsilons[dtype]);
  expect((eigvalsh(x) as Tensor).toArray()).toEqual(got);
};

describe.each(['float32', 'float64'] as const)('eigh in %s', dtype => {
  it.each([...Array.from({ length: 20 }, (_, i) => i + 1), 33, 64])('of size %i', n => check(random(n), dtype));

  it('with equal eigenvalues, without off-diagonal elements, of nothing but zeros or ones', () => {
    const q = (eigh(double(random(6))).vectors as Tensor).toArray() as number[][];
    check(symmetrised(times(times(q, diagonal([2, 2, 2, -1, -1, 5])), flipped(q))), dtype);
    check(diagonal([3, -1, 2, -1, 0]), dtype);
    check(square(new Array<number>(25).fill(0), 5), dtype);
    check(square(new Array<number>(49).fill(1), 7), dtype);
    close(eigvalsh(tensor(diagonal([3, -1, 2]), { dtype })) as Tensor, [-1, 2, 3], 0);
  });

  it.each([1e30, 1e-30, 1e-36])('at the scale %f', scale => {
    check(
      random(9).map(row => row.map(x => x * scale)),
      dtype,
    );
  });

  it('of the Laplacian of a path', () => {
    for (const n of [5, 12]) {
      const rows = Array.from({ length: n }, (_, i) =>
        Array.from({ length: n }, (_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
      );
      const known = Array.from({ length: n }, (_, i) => 2 - 2 * Math.cos(((i + 1) * Math.PI) / (n + 1)));
      // Symmetric eigenvalues are as well determined as the matrix, whose norm is below 4.
      close(eigvalsh(tensor(rows, { dtype })) as Tensor, known, 2 * n * 4 * epsilons[dtype]);
    }
  });

  it('is the same on both backends', () => {
    const results = [wasmBackend, referenceBackend].map(backend => {
      const { values, vectors } = eigh(tensor([random(5), random(5, 2)], { dtype }) as Tensor);
      evaluate([nodeOf(values as Tensor), nodeOf(vectors as Tensor)], backend);
      return [(values as Tensor).toArray(), (vectors as Tensor).toArray()] as const;
    });
    close(results[0]![0] as never, results[1]![0] as never, 8 * epsilons[dtype]);
    close(results[0]![1] as never, results[1]![1] as never, 64 * epsilons[dtype]);
  });
});

describe('eigh', () => {
  it('of scales whose squares no float64 holds', () => {
    for (const scale of [2 ** 1000, 2 ** -1000, 2 ** -450, 2 ** 450]) {
      const values = eigvalsh(double(random(4).map(row => row.map(x => x * scale)))) as Tensor;
      const scaled = (values.toArray() as number[]).map(x => x / scale);
      close(eigvalsh(double(random(4))) as Tensor, scaled, 1e-15);
    }
  });

  it('of batches, each as if it were alone', () => {
    const all = [1, 2, 3, 4, 5, 6].map(seed => random(4, seed));
    const { values, vectors } = eigh(reshape(double(all), [2, 3, 4, 4]) as Tensor);
    expect([values.shape, vectors.shape]).toEqual([
      [2, 3, 4],
      [2, 3, 4, 4],
    ]);
    all.forEach((a, i) => {
      const one = (vectors.toArray() as number[][][][])[Math.floor(i / 3)]![i % 3]!;
      checkEigen(a, (values.toArray() as number[][][])[Math.floor(i / 3)]![i % 3]!, one, 2 ** -53);
    });
    const several = vmap((x: Tensor) => eigh(x) as never)(double(all)) as unknown as {
      values: Tensor;
      vectors: Tensor;
    };
    close(several.values, (reshape(values as Tensor, [6, 4]) as Tensor).toArray() as never, 1e-14);
    close(several.vectors, (reshape(vectors as Tensor, [6, 4, 4]) as Tensor).toArray() as never, 1e-13);
    close(jit((x: Tensor) => eigvalsh(x) as Tensor)(double(all)), several.values.toArray() as never, 1e-14);
  });

  it('of matrices of no or one row, and of none', () => {
    expect((eigvalsh(zeros([0, 0])) as Tensor).shape).toEqual([0]);
    expect((eigh(zeros([3, 0, 0])).vectors as Tensor).shape).toEqual([3, 0, 0]);
    expect((eigh(zeros([0, 3, 3])).values as Tensor).shape).toEqual([0, 3]);
    close(eigh(tensor([[-7]])).values as Tensor, [-7], 0);
    close(eigh(tensor([[-7]])).vectors as Tensor, [[1]], 0);
  });

  it('reads one triangle', () => {
    const a = random(5);
    const other = (below: boolean): Matrix =>
      a.map((row, i) => row.map((x, j) => ((below ? j > i : j < i) ? Number.NaN : x)));
    const expected = eigh(double(a)).vectors as Tensor;
    close(eigh(double(other(true))).vectors as Tensor, expected.toArray() as never, 1e-15);
    close(eigh(double(other(false)), { upper: true }).vectors as Tensor, expected.toArray() as never, 1e-15);
    close(
      pipe(double(other(false)), eigvalsh({ upper: true })) as Tensor,
      eigvalsh(double(a)).toArray() as never,
      1e-15,
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('gives NaN for a matrix with %f, and for no other', wrong => {
    for (const n of [1, 2, 5]) {
      const bad = random(n).map((row, i) => row.map((x, j) => (i === n - 1 && j === 0 ? wrong : x)));
      const { values, vectors } = eigh(double([bad, random(n)]));
      const [first, second] = values.toArray() as number[][];
      expect(first!.every(Number.isNaN)).toBe(true);
      expect((vectors.toArray() as number[][][])[0]!.flat().every(Number.isNaN)).toBe(true);
      close(second!, (eigvalsh(double(random(n))) as Tensor).toArray() as never, 1e-15);
    }
  });

  it('makes the first of the components that are nearly the largest positive', () => {
    for (const column of flipped((eigh(double(random(8))).vectors as Tensor).toArray() as number[][])) {
      const most = Math.max(...column.map(Math.abs));
      expect(column.find(x => Math.abs(x) >= 0.99 * most)).toBeGreaterThan(0);
    }
  });

  it('of integers is float32', () => {
    const values = eigvalsh(cast(tensor(diagonal([2, 1])), 'int32')) as Tensor;
    expect([values.dtype, values.toArray()]).toEqual(['float32', [1, 2]]);
  });
});

const product = (x: unknown, y: unknown): Tensor => mul(x as Tensor, y as Tensor) as Tensor;

const total = (x: unknown): Tensor => sum(x as Tensor) as Tensor;

/** A function of matrices that depends on their values and vectors. */
const weighted = (x: Tensor): Tensor => {
  const n = x.shape[0]!;
  const { values, vectors } = eigh(x);
  const lambda = total(product(sin(values as Tensor), double(noise(n, 3))));
  return product(lambda, total(sin(product(vectors, double(square(noise(n * n, 4), n))))));
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

const ofValues = (x: Tensor): Tensor => total(product(sin(eigvalsh(x) as Tensor), double(noise(x.shape[0]!, 5))));

describe.each([
  ['values and vectors', weighted],
  ['values alone', ofValues],
] as const)('derivatives of functions of %s', (_, f) => {
  it.each([1, 2, 3, 6])('of size %i agree with differences, the second too', n => {
    // Of a direction that is not symmetric the triangle that is not read has no effect.
    const [a, u, v] = [random(n), square(noise(n * n, 8), n), square(noise(n * n, 9), n)];
    const first = difference(f, a, u);
    close(along(f, u)(double(a)), first, 1e-7);
    const [, tangent] = jvp(f as never, [double(a)] as never, [double(u)] as never) as unknown as [Tensor, Tensor];
    close(tangent, first, 1e-7);
    const second = difference(along(f, u), a, v);
    close(along(along(f, u), v)(double(a)), second, 1e-6);
    close(jit(along(along(f, u), v))(double(a)), second, 1e-6);
  });

  it('of a batch are those of each', () => {
    const all = [random(4, 1), random(4, 2)];
    const each = all.map(a => slope(f, double(a)).toArray() as number[][]);
    close(vmap((x: Tensor) => slope(f, x))(double(all)) as Tensor, each, 1e-12);
    const summed = (x: Tensor): Tensor => total(vmap(f)(x));
    close(slope(summed, double(all)), each, 1e-12);
  });
});

describe('derivatives at equal eigenvalues', () => {
  it('of the values are those of the matrix', () => {
    const f = (x: Tensor): Tensor => total(product(eigh(x).values, eigh(x).values));
    // The sum of squares of the eigenvalues is that of the elements, of which the lower ones count twice.
    close(slope(f, double(diagonal([2, 2, 2]))), diagonal([4, 4, 4]), 1e-14);
    close(
      slope(x => total(eigvalsh(x)), double(square(new Array<number>(16).fill(1), 4))),
      diagonal([1, 1, 1, 1]),
      1e-14,
    );
  });

  it('of the vectors are finite', () => {
    const [u, at] = [double(square(noise(9, 2), 3)), double(diagonal([1, 1, 1]))];
    close(
      slope(x => total(product(eigh(x).vectors, u)), at),
      square(new Array<number>(9).fill(0), 3),
      0,
    );
  });
});
