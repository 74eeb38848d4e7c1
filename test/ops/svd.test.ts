/** Singular values and vectors: what defines them, known spectra, derivatives. */
import { pipe } from 'fp-ts/lib/function.js';
import { cast, eigvalsh, type FloatDType, jit, reshape, svd, svdvals, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { close } from '../helpers.js';

type Matrix = readonly (readonly number[])[];

type Factors = { readonly u: Tensor; readonly s: Tensor; readonly vt: Tensor };

const epsilons = { float32: 2 ** -24, float64: 2 ** -53 } as const;

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

const times = (a: Matrix, c: Matrix): Matrix =>
  a.map(row => c[0]!.map((_, j) => row.reduce((s, x, k) => s + x * c[k]![j]!, 0)));

const flipped = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map(row => row[j]!));

const largest = (a: Matrix): number => Math.max(0, ...a.flat().map(Math.abs));

const minus = (a: Matrix, c: Matrix): Matrix => a.map((row, i) => row.map((x, j) => x - c[i]![j]!));

const double = (a: unknown): Tensor => tensor(a as Matrix, { dtype: 'float64' }) as Tensor;

const plain = (x: unknown): never => (x as Tensor).toArray() as never;

const factorsOf = (a: Tensor, fullMatrices = false): Factors => svd(a, { fullMatrices }) as Factors;

/** Expects orthonormal vectors, values in order, and their product to be the matrix, all up to rounding. */
const checkFactors = (
  a: Matrix,
  { u, s, vt }: { u: Matrix; s: readonly number[]; vt: Matrix },
  epsilon: number,
): void => {
  const scale = largest(a) || 1;
  const bound = 4 * epsilon * (Math.max(a.length, a[0]!.length) + 3);
  const identity = (n: number): Matrix => diagonal(new Array<number>(n).fill(1));
  expect(largest(minus(times(flipped(u), u), identity(u[0]!.length)))).toBeLessThan(bound);
  expect(largest(minus(times(vt, flipped(vt)), identity(vt.length)))).toBeLessThan(bound);
  const scaled = u.map(row => s.map((x, k) => (row[k]! * x) / scale));
  const unit = a.map(row => row.map(x => x / scale));
  expect(largest(minus(times(scaled, vt.slice(0, s.length)), unit))).toBeLessThan(bound);
  expect(s).toEqual(s.toSorted((x, y) => y - x));
  expect(s[s.length - 1]).toBeGreaterThanOrEqual(0);
};

const check = (a: Matrix, dtype: FloatDType): void => {
  const x = tensor(a, { dtype }) as Tensor;
  const [m, n] = [a.length, a[0]!.length];
  const k = Math.min(m, n);
  for (const fullMatrices of [false, true]) {
    const { u, s, vt } = factorsOf(x, fullMatrices);
    expect([u.dtype, s.dtype, vt.dtype]).toEqual([dtype, dtype, dtype]);
    expect([u.shape, s.shape, vt.shape]).toEqual(fullMatrices ? [[m, m], [k], [n, n]] : [[m, k], [k], [k, n]]);
    checkFactors(plain(x), { u: plain(u), s: plain(s), vt: plain(vt) }, epsilons[dtype]);
    close(svdvals(x), plain(s), 8 * epsilons[dtype] * (plain(s) as number[])[0]!);
  }
};

describe.each(['float32', 'float64'] as const)('svd in %s', dtype => {
  it.each([...Array.from({ length: 12 }, (_, i) => i + 1), 33])('of size %i', n => check(random(n, n), dtype));

  it.each([
    [1, 4],
    [4, 1],
    [2, 3],
    [5, 3],
    [3, 5],
    [20, 7],
    [6, 21],
    [9, 8],
  ] as const)('of shape %i by %i', (m, n) => check(random(m, n), dtype));

  it('with equal values, without off-diagonal elements, of nothing but zeros or ones', () => {
    const { u, vt } = factorsOf(double(random(6, 6)));
    check(times(times(plain(u), diagonal([2, 2, 2, 1, 1, 0.5])), plain(vt)), dtype);
    check(diagonal([3, -1, 2, -1, 0]), dtype);
    for (const [m, n] of [
      [5, 5],
      [4, 7],
      [7, 4],
    ] as const) {
      check(filled(m, n, 0), dtype);
      check(filled(m, n, 1), dtype);
    }
    close(svdvals(tensor(diagonal([3, -1, 2]), { dtype })), [3, 2, 1], 0);
  });

  it('of less than full rank', () => {
    for (const [m, n] of [
      [6, 6],
      [9, 5],
      [5, 9],
    ] as const) {
      const a = times(random(m, 2), random(2, n, 2));
      check(a, dtype);
      const values = plain(svdvals(tensor(a, { dtype }))) as number[];
      expect(values[1]).toBeGreaterThan(0.1);
      expect(values[2]).toBeLessThan(8 * epsilons[dtype] * values[0]!);
    }
  });

  it.each([1e30, 1e-30, 1e-36])('at the scale %f', scale => {
    for (const [m, n] of [
      [7, 7],
      [8, 5],
    ] as const) {
      check(
        random(m, n).map(row => row.map(x => x * scale)),
        dtype,
      );
    }
  });

  it('is the same on both backends', () => {
    for (const [m, n] of [
      [5, 5],
      [4, 6],
      [6, 3],
    ] as const) {
      const [first, second] = [wasmBackend, referenceBackend].map(backend => {
        const { u, s, vt } = factorsOf(tensor([random(m, n), random(m, n, 2)], { dtype }) as Tensor);
        evaluate([nodeOf(u), nodeOf(s), nodeOf(vt)], backend);
        return [s, u, vt].map(plain);
      });
      close(first![0]!, second![0]!, 8 * epsilons[dtype]);
      close(first![1]!, second![1]!, 64 * epsilons[dtype]);
      close(first![2]!, second![2]!, 64 * epsilons[dtype]);
    }
  });
});

describe('svd', () => {
  it('of scales whose squares no float64 holds', () => {
    for (const scale of [2 ** 1000, 2 ** -1000, 2 ** -450, 2 ** 450]) {
      const a = random(5, 4);
      const values = plain(svdvals(double(a.map(row => row.map(x => x * scale))))) as number[];
      close(
        svdvals(double(a)),
        values.map(x => x / scale),
        1e-15,
      );
    }
  });

  it('finds small values to the last digits where columns, or rows of a wide matrix, are small', () => {
    const scales = Array.from({ length: 12 }, (_, i) => 10 ** (-5 * ((5 * i) % 12)));
    const orthogonal = plain(factorsOf(double(random(8, 8))).u) as Matrix;
    const upper = orthogonal.map((row, i) => row.map((x, j) => x + (i === j ? 3 : 0)));
    for (const a of [upper, times(random(12, 8, 3), upper), random(8, 12, 3)]) {
      const columns = a.map(row => row.map((x, j) => x * scales[j]!));
      // With scales so far apart the singular values of B D are the diagonal of the triangle of B times them, nearly.
      const own = scales.slice(0, a[0]!.length);
      const order = own.map((_, j) => j).toSorted((p, q) => own[q]! - own[p]!);
      const lengths = gramSchmidt(order.slice(0, 8).map(j => a.map(row => row[j]!)));
      const known = lengths.map((x, i) => x * own[order[i]!]!);
      for (const x of [columns, flipped(columns)]) {
        const { u, s, vt } = factorsOf(double(x));
        (plain(s) as number[]).forEach((value, i) => {
          expect(Math.abs(value / known[i]! - 1)).toBeLessThan(1e-8);
        });
        checkFactors(x, { u: plain(u), s: plain(s), vt: plain(vt) }, 2 ** -53);
      }
    }
    const hilbert = diagonal(new Array<number>(6).fill(1)).map((row, i) => row.map((_, j) => 1 / (i + j + 1)));
    close(svdvals(double(hilbert)), (plain(eigvalsh(double(hilbert))) as number[]).toReversed(), 1e-15);
  });

  it('converges whatever the condition is', () => {
    const n = 64;
    const scaled = (of: (i: number, j: number) => number): Matrix =>
      random(n, n).map((row, i) => row.map((x, j) => x * of(i, j)));
    const angle = 0.9;
    for (const a of [
      scaled(i => 10 ** -i),
      scaled(i => 10 ** (3 * i - 90)),
      scaled((_, j) => 10 ** (-2 * j)),
      scaled((i, j) => 10 ** (-i - j)),
      filled(n, n, 1).map((row, i) => row.map((x, j) => (i === j ? x : j > i ? -0.43 * x : 0) * angle ** i)),
      filled(n, n, 1).map((row, i) => row.map((x, j) => x / (i + j + 1))),
      filled(n, n, 0).map((row, i) => row.map((_, j) => (i === j || j === i + 1 ? 1 : 0))),
    ]) {
      const { u, s, vt } = factorsOf(double(a));
      checkFactors(a, { u: plain(u), s: plain(s), vt: plain(vt) }, 2 ** -53);
    }
  });

  it('of batches, each as if it were alone', () => {
    for (const [m, n] of [
      [4, 4],
      [3, 5],
      [5, 3],
    ] as const) {
      const all = [1, 2, 3, 4, 5, 6].map(seed => random(m, n, seed));
      all[2] = times(random(m, 1), random(1, n));
      all[4] = diagonal([1, 0, 0, 0, 0])
        .slice(0, m)
        .map(row => row.slice(0, n));
      all[5] = filled(m, n, 0);
      const { u, s, vt } = factorsOf(reshape(double(all), [2, 3, m, n]) as Tensor);
      const k = Math.min(m, n);
      expect([u.shape, s.shape, vt.shape]).toEqual([
        [2, 3, m, k],
        [2, 3, k],
        [2, 3, k, n],
      ]);
      const [lefts, values, rights] = [u, s, vt].map(plain) as unknown as [Matrix[][], number[][][], Matrix[][]];
      all.forEach((a, i) => {
        const [p, q] = [Math.floor(i / 3), i % 3];
        checkFactors(a, { u: lefts[p]![q]!, s: values[p]![q]!, vt: rights[p]![q]! }, 2 ** -53);
      });
      const several = vmap((x: Tensor) => svd(x) as never)(double(all)) as unknown as Factors;
      const mapped = [several.u, several.s, several.vt].map(plain) as unknown as [Matrix[], number[][], Matrix[]];
      all.forEach((a, i) => {
        checkFactors(a, { u: mapped[0][i]!, s: mapped[1][i]!, vt: mapped[2][i]! }, 2 ** -53);
      });
      close(several.s, plain(reshape(s, [6, k])), 1e-14);
      close(jit((x: Tensor) => svdvals(x) as Tensor)(double(all)), plain(several.s), 1e-14);
    }
  });

  it('of no rows or columns, and of no matrices', () => {
    expect(svdvals(zeros([0, 0])).shape).toEqual([0]);
    expect(svdvals(zeros([2, 3, 0])).shape).toEqual([2, 0]);
    expect(svdvals(zeros([0, 3, 2])).shape).toEqual([0, 2]);
    for (const [shape, thin, whole] of [
      [
        [3, 0],
        [[3, 0], [0], [0, 0]],
        [[3, 3], [0], [0, 0]],
      ],
      [
        [0, 2],
        [[0, 0], [0], [0, 2]],
        [[0, 0], [0], [2, 2]],
      ],
      [
        [0, 3, 2],
        [
          [0, 3, 2],
          [0, 2],
          [0, 2, 2],
        ],
        [
          [0, 3, 3],
          [0, 2],
          [0, 2, 2],
        ],
      ],
    ] as const) {
      for (const fullMatrices of [false, true]) {
        const { u, s, vt } = factorsOf(zeros(shape) as Tensor, fullMatrices);
        expect([u.shape, s.shape, vt.shape]).toEqual(fullMatrices ? whole : thin);
      }
    }
    expect(plain(factorsOf(zeros([2, 0]) as Tensor, true).u)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('gives NaN for a matrix with %f, and for no other', wrong => {
    for (const [m, n] of [
      [1, 1],
      [5, 5],
      [4, 2],
      [2, 4],
    ] as const) {
      const bad = random(m, n).map((row, i) => row.map((x, j) => (i === m - 1 && j === 0 ? wrong : x)));
      const { u, s, vt } = factorsOf(double([bad, random(m, n)]), true);
      const [lefts, values, rights] = [u, s, vt].map(plain) as unknown as [Matrix[], number[][], Matrix[]];
      expect([...values[0]!, ...lefts[0]!.flat(), ...rights[0]!.flat()].every(Number.isNaN)).toBe(true);
      checkFactors(random(m, n), { u: lefts[1]!, s: values[1]!, vt: rights[1]! }, 2 ** -53);
    }
  });

  it('makes the first of the components of rows of vt that are nearly the largest positive', () => {
    for (const [m, n] of [
      [8, 8],
      [4, 7],
      [7, 4],
    ] as const) {
      for (const row of plain(factorsOf(double(random(m, n))).vt) as Matrix) {
        expect(row.find(x => Math.abs(x) >= 0.99 * largest([row]))).toBeGreaterThan(0);
      }
    }
  });

  it('of integers is float32, and takes options first', () => {
    const a = cast(tensor([[2], [0], [0]]), 'int32');
    const { u, s } = pipe(a, svd({ fullMatrices: true })) as unknown as Factors;
    expect([s.dtype, plain(s), u.shape]).toEqual(['float32', [2], [3, 3]]);
  });
});

/** The diagonal of the triangular factor of columns. */
const gramSchmidt = (columns: Matrix): number[] => {
  const units: number[][] = [];
  return columns.map(column => {
    let rest = [...column];
    for (const unit of [...units, ...units]) {
      const inner = rest.reduce((s, x, i) => s + x * unit[i]!, 0);
      rest = rest.map((x, i) => x - inner * unit[i]!);
    }
    const length = Math.hypot(...rest);
    units.push(rest.map(x => x / length));
    return length;
  });
};
