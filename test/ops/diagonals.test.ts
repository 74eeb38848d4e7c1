import { pipe } from 'fp-ts/lib/function.js';
import {
  arange,
  diag,
  diagEmbed,
  diagonal,
  grad,
  jit,
  mul,
  ones,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
  trace,
  tril,
  triu,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, test } from 'vitest';
import { caught } from '../helpers.js';

const counted = (rows: number, columns: number) => reshape(arange(rows * columns), [rows, columns]);

const cells = (rows: number, columns: number, f: (i: number, j: number) => number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => f(i, j)));

const sizes = [
  [3, 3],
  [2, 4],
  [4, 2],
  [1, 3],
  [3, 1],
] as const;
const offsets = [0, 1, 2, -1, -3, 9, -9];

describe.each(sizes)('%i × %i', (m, n) => {
  test.each(offsets)('diagonal %i', k => {
    const x = counted(m, n);
    expect(tril(x, { k }).toArray()).toEqual(cells(m, n, (i, j) => (j - i <= k ? i * n + j : 0)));
    expect(triu(x, { k }).toArray()).toEqual(cells(m, n, (i, j) => (j - i >= k ? i * n + j : 0)));
    const on = cells(m, n, (i, j) => (j - i === k ? i * n + j : -1))
      .flat()
      .filter(value => value >= 0);
    expect(diagonal(x, { offset: k }).toArray()).toEqual(on);
    expect(diag(x, { k }).toArray()).toEqual(on);
    expect(diagonal(x, { offset: -k, axis1: 1, axis2: 0 }).toArray()).toEqual(on);
    expect(trace(x, { offset: k }).item()).toBe(on.reduce((total, value) => total + value, 0));
    // The gradient puts every element back where it came from.
    const g = grad((y: Tensor) => sum(mul(diagonal(y, { offset: k }), diagonal(y, { offset: k }))))(x) as Tensor;
    expect(g.toArray()).toEqual(cells(m, n, (i, j) => (j - i === k ? 2 * (i * n + j) : 0)));
  });
});

test.each(offsets)('a vector on the diagonal %i', k => {
  const size = 3 + Math.abs(k);
  const wanted = cells(size, size, (i, j) => (j - i === k ? 1 + i - Math.max(0, -k) : 0));
  expect(diag(tensor([1, 2, 3]), { k }).toArray()).toEqual(wanted);
  expect(diagEmbed(tensor([[1, 2, 3]]), { offset: k }).toArray()).toEqual([wanted]);
  expect(diagonal(diag(tensor([1, 2, 3]), { k }), { offset: k }).toArray()).toEqual([1, 2, 3]);
  const weights = counted(size, size);
  const g = grad((x: Tensor) => sum(mul(square(diagEmbed(x, { offset: k })), weights)))(tensor([1, 2, 3])) as Tensor;
  const on = diagonal(weights, { offset: k }).toArray() as number[];
  expect(g.toArray()).toEqual(on.map((weight, i) => 2 * weight * (i + 1)));
});

test('batches, axes, data last', () => {
  const x = reshape(arange(24), [2, 3, 4]);
  expect(diagonal(x).shape).toEqual([4, 2]);
  expect(pipe(x, diagonal({ axis1: -2, axis2: -1 })).toArray()).toEqual([
    [0, 5, 10],
    [12, 17, 22],
  ]);
  expect(pipe(x, trace({ axis1: 1, axis2: 2 })).toArray()).toEqual([15, 51]);
  expect(pipe(x, triu({ k: 3 })).toArray()).toEqual(
    [0, 12].map(at => [
      [0, 0, 0, at + 3],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]),
  );
  expect(pipe(tensor([1, 2]), diag).shape).toEqual([2, 2]);
  expect(diagEmbed(zeros([2, 0, 3])).shape).toEqual([2, 0, 3, 3]);
  expect(diagEmbed(zeros([0])).shape).toEqual([0, 0]);
  expect(diagonal(zeros([0, 3])).shape).toEqual([0]);
  expect(trace(zeros([0, 3])).item()).toBe(0);
});

test('dtypes', () => {
  const bools = ones([2, 2], { dtype: 'bool' });
  expect(tril(bools).toArray()).toEqual([
    [true, false],
    [true, true],
  ]);
  expect([trace(bools).dtype, trace(bools).item()]).toEqual(['int32', 2]);
  const bytes = diag(tensor(new Uint8Array([200, 100])));
  expect([bytes.dtype, bytes.toArray()]).toEqual([
    'uint8',
    [
      [200, 0],
      [0, 100],
    ],
  ]);
  expect(trace(bytes).item()).toBe(300);
});

test('what a triangle leaves out does not count, NaN and infinities neither', () => {
  const x = tensor([
    [1, NaN],
    [2, Infinity],
  ]);
  expect(tril(x, { k: -1 }).toArray()).toEqual([
    [0, 0],
    [2, 0],
  ]);
  const g = grad((y: Tensor) => sum(square(tril(y, { k: -1 }))))(x) as Tensor;
  expect(g.toArray()).toEqual([
    [0, 0],
    [4, 0],
  ]);
});

test('under vmap and jit the axes are those of one matrix', () => {
  const x = reshape(arange(18), [2, 3, 3]);
  const f = (y: Tensor): Tensor => mul(diagEmbed(diagonal(y, { offset: 1 }), { offset: 1 }), triu(y));
  const wanted = [0, 9].map(at => cells(3, 3, (i, j) => (j === i + 1 ? (at + 3 * i + j) ** 2 : 0)));
  expect((vmap(f)(x) as Tensor).toArray()).toEqual(wanted);
  expect((vmap(jit(f) as typeof f)(x) as Tensor).toArray()).toEqual(wanted);
});

test('refuse', () => {
  const matrix = zeros([2, 3]);
  // @ts-expect-error tril: a matrix has two axes or more
  expect(caught(() => tril(tensor([1]))).message).toContain('tril: got float32[1]; a matrix has two axes or more');
  expect(caught(() => triu(matrix, { k: 0.5 })).message).toContain('triu: got k 0.5');
  expect(caught(() => tril(matrix, { offset: 1 } as never)).message).toContain('tril: got the option offset');
  // @ts-expect-error diagonal: rows and columns are two axes
  expect(caught(() => diagonal(matrix, { axis1: 0, axis2: -2 })).message).toContain(
    'diagonal: got float32[2, 3], axis1 0 and axis2 -2; rows and columns are two axes',
  );
  // @ts-expect-error trace: axis 2 is out of range for rank 2
  expect(caught(() => trace(matrix, { axis2: 2 })).message).toContain('trace: got axis 2 and the shape [2, 3]');
  // @ts-expect-error diagEmbed: a scalar is no diagonal
  expect(caught(() => diagEmbed(tensor(1))).message).toContain('diagEmbed: got float32[]; a scalar is no diagonal');
  // @ts-expect-error diag: it takes a vector or a matrix, not a tensor of rank 3
  expect(caught(() => diag(zeros([1, 1, 1]))).message).toContain('diag: got float32[1, 1, 1]; it takes a vector or a');
});
