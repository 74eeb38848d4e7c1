import { pipe } from 'fp-ts/lib/function.js';
import {
  bincount,
  type DType,
  grad,
  jit,
  mul,
  nonzero,
  type Shape,
  searchsorted,
  sum,
  type Tensor,
  tensor,
  type Unique,
  unique,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const int = <const A extends readonly number[]>(values: A) => tensor(values, { dtype: 'int32' });

describe('searchsorted', () => {
  const edges = tensor([-Infinity, 1, 3, 3, 3, 8, NaN, NaN]);
  const values = tensor([
    [-Infinity, 0, 1],
    [3, 3.5, 8],
    [9, Infinity, NaN],
  ]);

  // As np.searchsorted.
  test('both sides, infinities, NaN', () => {
    const left = searchsorted(edges, values);
    expectTypeOf(left).toEqualTypeOf<Tensor<readonly [3, 3], 'int32'>>();
    expect(left.toArray()).toEqual([
      [0, 1, 1],
      [2, 5, 5],
      [6, 6, 6],
    ]);
    expect(searchsorted(edges, values, { side: 'right' }).toArray()).toEqual([
      [1, 1, 2],
      [5, 5, 6],
      [6, 6, 8],
    ]);
  });

  test('sequences of every length', () => {
    for (let n = 0; n <= 9; n++) {
      const sorted = tensor(Array.from({ length: n }, (_, i) => 2 * i));
      const sought = Array.from({ length: 2 * n + 2 }, (_, i) => i - 1);
      const wanted = (before: (x: number, y: number) => boolean) =>
        sought.map(y => Array.from({ length: n }, (_, i) => 2 * i).filter(x => before(x, y)).length);
      expect(searchsorted(sorted, tensor(sought)).toArray()).toEqual(wanted((x, y) => x < y));
      expect(searchsorted(sorted, tensor(sought), { side: 'right' }).toArray()).toEqual(wanted((x, y) => x <= y));
    }
  });

  test('rows, dtypes, numbers, both orders, batches', () => {
    const rows = tensor([
      [1, 2, 3],
      [10, 20, 30],
    ]);
    expect(
      searchsorted(
        rows,
        tensor([
          [2, 9],
          [2, 20],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 3],
      [0, 1],
    ]);
    expect(searchsorted(int([1, 3]), tensor([2.5])).toArray()).toEqual([1]);
    expect(searchsorted(tensor([1, 3], { dtype: 'uint8' }), 3).item()).toBe(1);
    expect(pipe(edges, searchsorted(3, { side: 'right' })).item()).toBe(5);
    expect(pipe(edges, searchsorted(tensor([2]))).toArray()).toEqual([2]);
    expect(jit((x: Tensor, v: number) => searchsorted(x, v))(edges, 3).item()).toBe(2);
    const each = vmap((row: Tensor, v: Tensor) => searchsorted(row, v));
    expect((each(rows, tensor([3, 15])) as Tensor).toArray()).toEqual([2, 1]);
  });

  test('refuses', () => {
    expect(caught(() => searchsorted(tensor([[1, 2]]), tensor([1])))._tag).toBe('ShapeError');
    expect(caught(() => searchsorted(tensor(1), 1)).message).toContain(
      'searchsorted: got float32[] and values float32[]',
    );
    expect(caught(() => searchsorted(int([1]), 0.5))._tag).toBe('DTypeError');
    expect(caught(() => searchsorted(edges, 1, { side: 'up' as never })).message).toContain("the string 'up' as side");
  });
});

describe('nonzero', () => {
  const x = tensor([
    [0, NaN, 0],
    [-1, 0, 2],
  ]);

  test('as many as there are, or as many as are asked for', () => {
    const found = nonzero(x);
    expectTypeOf(found).toEqualTypeOf<Tensor<readonly [number, 2], 'int32'>>();
    expect(found.toArray()).toEqual([
      [0, 1],
      [1, 0],
      [1, 2],
    ]);
    expect(nonzero(x, { size: 2 }).toArray()).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(nonzero(x, { size: 4, fill: 9 }).toArray()).toEqual([
      [0, 1],
      [1, 0],
      [1, 2],
      [9, 9],
    ]);
    expect(nonzero(zeros([2, 0, 3])).shape).toEqual([0, 3]);
    expect(nonzero(zeros([2])).shape).toEqual([0, 1]);
    expect([nonzero(tensor(5)).shape, nonzero(tensor(0)).shape]).toEqual([
      [1, 0],
      [0, 0],
    ]);
    const cube = tensor(
      Uint8Array.from({ length: 24 }, (_, i) => (i % 7 === 0 ? 1 : 0)),
      [2, 3, 4],
      { dtype: 'bool' },
    );
    expect(nonzero(cube).toArray()).toEqual([
      [0, 0, 0],
      [0, 1, 3],
      [1, 0, 2],
      [1, 2, 1],
    ]);
    expect(pipe(x, nonzero({ size: 1 })).toArray()).toEqual([[0, 1]]);
    expect(pipe(x, nonzero()).shape).toEqual([3, 2]);
  });

  test('in traced functions with a size', () => {
    expect(jit((y: Tensor) => nonzero(y, { size: 2 }))(x).toArray()).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect((vmap((row: Tensor) => nonzero(row, { size: 2 }))(x) as Tensor).toArray()).toEqual([
      [[1], [-1]],
      [[0], [2]],
    ]);
    const error = caught(() => jit((y: Tensor) => nonzero(y))(x));
    expect(error._tag).toBe('TraceError');
    expect(error.message).toContain('nonzero: got float32[2, 3] inside a traced function');
  });

  test('refuses', () => {
    expect(caught(() => nonzero(x, { size: -1 })).message).toContain('nonzero: got the size -1');
    expect(caught(() => nonzero(x, { size: 1, fill: 0.5 }))._tag).toBe('DTypeError');
    expect(caught(() => nonzero(x, { count: 1 } as never))._tag).toBe('ArgumentError');
  });
});

describe('unique', () => {
  const x = tensor([
    [3, NaN, -0],
    [0, 3, NaN],
  ]);
  const plain = ({ values, inverse, counts }: Unique<Shape, DType>) =>
    [values, inverse, counts].map(each => each.toArray());

  test('values, where they are, how often they come', () => {
    const found = unique(x);
    expectTypeOf(found.inverse).toEqualTypeOf<Tensor<readonly [2, 3], 'int32'>>();
    expect(found.values.toArray().map(value => value + 0)).toEqual([0, 3, NaN]);
    expect([found.inverse.toArray(), found.counts.toArray()]).toEqual([
      [
        [1, 2, 0],
        [0, 1, 2],
      ],
      [2, 2, 2],
    ]);
    expect(plain(unique(int([5, 5])))).toEqual([[5], [0, 0], [2]]);
    expect(plain(unique(tensor([true, false, true])))).toEqual([
      [false, true],
      [1, 0, 1],
      [1, 2],
    ]);
    expect(plain(unique(tensor(7)))).toEqual([[7], 0, [1]]);
    expect(plain(unique(zeros([0, 2])))).toEqual([[], [], []]);
    expect(plain(pipe(int([2, 1, 2]), unique({ size: 3, fill: -1 })))).toEqual([
      [1, 2, -1],
      [1, 0, 1],
      [1, 2, 0],
    ]);
    expect(plain(unique(int([2, 1, 3, 3]), { size: 2 }))).toEqual([
      [1, 2],
      [1, 0, 2, 2],
      [1, 1],
    ]);
    expect(plain(unique(zeros([0]), { size: 2 }))).toEqual([[0, 0], [], [0, 0]]);
  });

  test('derivative and traced functions', () => {
    const f = (y: Tensor<readonly [4]>) => sum(mul(unique(y).values, tensor([1, 10, 100])));
    expect(grad(f)(tensor([7, 5, 7, 6])).toArray()).toEqual([100, 1, 0, 10]);
    expect(jit((y: Tensor) => unique(y, { size: 2 }).counts)(int([4, 4, 9])).toArray()).toEqual([2, 1]);
    expect(caught(() => jit((y: Tensor) => unique(y).counts)(int([4])))._tag).toBe('TraceError');
  });

  test('refuses', () => {
    expect(caught(() => unique(int([1]), { fill: 0.5 }))._tag).toBe('DTypeError');
    expect(caught(() => unique(x, { fill: 'no' as never })).message).toContain("unique: got the string 'no' as fill");
  });
});

describe('bincount', () => {
  test('counts', () => {
    const counts = bincount(int([1, 3, -1, 1]));
    expectTypeOf(counts).toEqualTypeOf<Tensor<readonly [number], 'int32'>>();
    expect([counts.dtype, counts.toArray()]).toEqual(['int32', [0, 2, 0, 1]]);
    expect(bincount(tensor([[2], [200]], { dtype: 'uint8' }), { length: 3 }).toArray()).toEqual([0, 0, 1]);
    expect(bincount(int([])).shape).toEqual([0]);
    expect(bincount(int([-5])).shape).toEqual([0]);
    expect(pipe(int([0]), bincount({ length: 2 })).toArray()).toEqual([1, 0]);
    const weighted = bincount(int([1, 1]), { weights: tensor([0.5, 0.25]) });
    expectTypeOf(weighted).toEqualTypeOf<Tensor<readonly [number], 'float32'>>();
    expect(weighted.toArray()).toEqual([0, 0.75]);
    const f = (weights: Tensor<readonly [3]>) => sum(mul(bincount(int([1, 0, 1]), { weights }), tensor([10, 1])));
    expect(grad(f)(zeros([3])).toArray()).toEqual([1, 10, 1]);
  });

  test('refuses', () => {
    expect(caught(() => bincount(tensor([1]) as never))._tag).toBe('DTypeError');
    expect(caught(() => bincount(int([1]), { weights: tensor([1, 2]) })).message).toContain(
      'bincount: got int32[1] and weights float32[2]',
    );
    expect(caught(() => bincount(int([1]), { length: 1.5 })).message).toContain('bincount: got the length 1.5');
    expect(caught(() => jit((x: Tensor) => bincount(x as Tensor<readonly [1], 'int32'>))(int([1])))._tag).toBe(
      'TraceError',
    );
  });
});
