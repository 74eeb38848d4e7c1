import { pipe } from 'fp-ts/lib/function.js';
import {
  chunk,
  concat,
  grad,
  jit,
  meshgrid,
  mul,
  repeat,
  reshape,
  split,
  stack,
  sum,
  type Tensor,
  tensor,
  tile,
  unstack,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('joining', () => {
  test('concat', () => {
    const x = concat([tensor([[1, 2]]), reshape(tensor([3, 4, 5, 6]), [2, 2])]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(concat([matrix, tensor([[7], [8]])], { axis: -1 }).toArray()).toEqual([
      [1, 2, 3, 7],
      [4, 5, 6, 8],
    ]);
    expect(concat([zeros([0]), tensor([1])]).toArray()).toEqual([1]);
    expect(concat([matrix]).toArray()).toEqual(matrix.toArray());
    expect(concat([tensor([true]), tensor([false])]).toArray()).toEqual([true, false]);
  });

  test('dtypes promote', () => {
    const x = concat([tensor([true]), tensor([2], { dtype: 'int32' }), tensor([0.5])]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
    expect([x.dtype, x.toArray()]).toEqual(['float32', [1, 2, 0.5]]);
    const error = caught(() => concat([zeros([1], { dtype: 'int32' }), zeros([1], { dtype: 'uint32' })]));
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('concat: got int32[1] and uint32[1]; no integer dtype');
  });

  test('concat refuses', () => {
    // @ts-expect-error concat: lengths 2 and 3 of axis 0 differ
    const error = caught(() => concat([matrix, zeros([3, 2])], { axis: 1 }));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('concat: got float32[2, 3] and float32[3, 2]; apart from axis 1 the shapes must');
    // @ts-expect-error concat: [2, 3] and [3] have ranks 2 and 1
    expect(caught(() => concat([matrix, zeros([3])])).message).toContain('concat: got float32[2, 3] and float32[3]');
    // @ts-expect-error concat: the list is empty
    expect(caught(() => concat([]))._tag).toBe('ArgumentError');
    // @ts-expect-error concat: the list is empty
    expect(caught(() => concat([])).message).toContain('concat: got an empty list');
    // @ts-expect-error concat: axis 2 is out of range for rank 2
    expect(caught(() => concat([matrix], { axis: 2 })).message).toContain('concat: got axis 2 and the shape [2, 3]');
    // @ts-expect-error concat: axis 0 is out of range for rank 0
    expect(caught(() => concat([tensor(1), tensor(2)])).message).toContain('concat: got axis 0 and the shape []');
    expect(caught(() => concat(matrix as never)).message).toContain('concat: got float32[2, 3] and no list');
  });

  test('stack', () => {
    const x = stack([tensor([1, 2]), tensor([3, 4]), tensor([5, 6])]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(stack([tensor([1, 2]), tensor([3, 4])], { axis: -1 }).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(stack([tensor(1), tensor(2)]).toArray()).toEqual([1, 2]);
    expect(stack([tensor(true), tensor(2.5)]).toArray()).toEqual([1, 2.5]);
    // @ts-expect-error stack: the shapes [2] and [1] differ
    expect(caught(() => stack([tensor([1, 2]), tensor([1])])).message).toContain(
      'stack: got float32[2] and float32[1]; the shapes must be equal',
    );
    // @ts-expect-error stack: axis 2 is out of range for the result's rank 2
    expect(caught(() => stack([tensor([1])], { axis: 2 })).message).toContain('stack: got axis 2 and the shape [1]');
    // @ts-expect-error stack: the list is empty
    expect(caught(() => stack([])).message).toContain('stack: got an empty list');
  });
});

describe('split', () => {
  test('values and types', () => {
    const [left, right] = split(matrix, [1, 2], { axis: 1 });
    expectTypeOf(left).toEqualTypeOf<Tensor<readonly [2, 1], 'float32'>>();
    expect(left.toArray()).toEqual([[1], [4]]);
    expect(right.toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
    const [, second] = split(tensor([1, 2, 3, 4]), 2);
    expect(second.toArray()).toEqual([3, 4]);
    const count: number = 4;
    expectTypeOf(split(tensor([1, 2, 3, 4]), count)).toEqualTypeOf<readonly Tensor<readonly [number], 'float32'>[]>();
    expect(split(tensor([1, 2]), [0, 2]).map(x => x.toArray())).toEqual([[], [1, 2]]);
    expect(split(zeros([0]), 2).map(x => x.toArray())).toEqual([[], []]);
    expect(pipe(matrix, split(3, { axis: -1 })).map(x => x.toArray())).toEqual([
      [[1], [4]],
      [[2], [5]],
      [[3], [6]],
    ]);
  });

  test('refuses', () => {
    // @ts-expect-error split: length 3 of axis 1 does not divide into 2 equal parts
    const error = caught(() => split(matrix, 2, { axis: 1 }));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'split: got float32[2, 3]; the length 3 of axis 1 does not divide into 2 equal parts',
    );
    // @ts-expect-error split: the sizes [1, 2] add up to 3, axis 0 has length 2
    expect(caught(() => split(matrix, [1, 2])).message).toContain(
      'the sizes [1, 2] do not add up to the length 2 of axis 0',
    );
    expect(caught(() => split(matrix, 0)).message).toContain('split: got the number of parts 0');
    expect(caught(() => split(matrix, [3, -1])).message).toContain('split: got the size -1');
    // @ts-expect-error split: axis 5 is out of range for rank 2
    expect(caught(() => split(matrix, 1, { axis: 5 })).message).toContain('split: got axis 5 and the shape [2, 3]');
  });
});

test('chunk', () => {
  const sizes = (length: number, chunks: number): readonly number[] =>
    chunk(zeros([length]), chunks).map(part => part.shape[0]!);
  expect(sizes(7, 3)).toEqual([3, 3, 1]);
  expect(sizes(5, 4)).toEqual([2, 2, 1]);
  expect(sizes(2, 5)).toEqual([1, 1]);
  expect(sizes(0, 3)).toEqual([0, 0, 0]);
  expect(pipe(matrix, chunk(2, { axis: -1 })).map(x => x.toArray())).toEqual([
    [
      [1, 2],
      [4, 5],
    ],
    [[3], [6]],
  ]);
  expect(caught(() => chunk(matrix, 0)).message).toContain('chunk: got the number of chunks 0');
});

test('unstack', () => {
  const [top, bottom] = unstack(matrix);
  expectTypeOf(top).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
  expect([top.toArray(), bottom.toArray()]).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const columns = pipe(matrix, unstack({ axis: -1 }));
  type Column = Tensor<readonly [2], 'float32'>;
  expectTypeOf(columns).toEqualTypeOf<readonly [Column, Column, Column]>();
  expect(stack(columns, { axis: 1 }).toArray()).toEqual(matrix.toArray());
  expect(unstack(zeros([0, 2]))).toEqual([]);
  // @ts-expect-error unstack: axis 0 is out of range for rank 0
  expect(caught(() => unstack(tensor(1))).message).toContain('unstack: got axis 0 and the shape []');
  // What a part is used for comes back at its place.
  const g = grad((x: Tensor) => sum(mul(unstack(x)[1]!, tensor([1, 2, 3]))))(matrix) as Tensor;
  expect(g.toArray()).toEqual([
    [0, 0, 0],
    [1, 2, 3],
  ]);
});

test('meshgrid', () => {
  const grids = meshgrid(tensor([1, 2, 3]), tensor([true, false]), tensor(7), { indexing: 'ij' });
  expectTypeOf(grids[1].dtype).toEqualTypeOf<'bool'>();
  expect(grids.map(x => [x.shape, x.dtype])).toEqual([
    [[3, 2, 1], 'float32'],
    [[3, 2, 1], 'bool'],
    [[3, 2, 1], 'float32'],
  ]);
  expect(meshgrid(tensor([1, 2, 3]), zeros([2]), zeros([4])).map(x => x.shape)).toEqual([
    [2, 3, 4],
    [2, 3, 4],
    [2, 3, 4],
  ]);
  expect(meshgrid(tensor([1, 2]))[0].toArray()).toEqual([1, 2]);
  // @ts-expect-error meshgrid: a grid has one vector or more
  expect(caught(() => meshgrid()).message).toContain('meshgrid: got no tensor');
  // @ts-expect-error meshgrid: coordinates along an axis are a vector, not a tensor of rank 2
  expect(caught(() => meshgrid(matrix)).message).toContain('meshgrid: got float32[2, 3]; coordinates along an axis');
  expect(caught(() => meshgrid(tensor([1]), { indexing: 'yx' as 'xy' })).message).toContain("the string 'yx' as index");
});

test('options of other names are refused', () => {
  const wrong = { axes: 0 } as never;
  for (const [name, call] of Object.entries({
    concat: () => concat([matrix], wrong),
    stack: () => stack([matrix], wrong),
    split: () => split(matrix, 2, wrong),
    chunk: () => chunk(matrix, 2, wrong),
    repeat: () => repeat(matrix, 2, wrong),
    unstack: () => unstack(matrix, wrong),
    meshgrid: () => meshgrid(tensor([1]), wrong),
  })) {
    expect(caught(call).message).toContain(`${name}: got the option axes; `);
  }
});

describe('repeating', () => {
  test('tile', () => {
    expect(tile(tensor([1, 2]), [2]).toArray()).toEqual([1, 2, 1, 2]);
    expect(tile(matrix, [2]).toArray()).toEqual([
      [1, 2, 3, 1, 2, 3],
      [4, 5, 6, 4, 5, 6],
    ]);
    expect(pipe(tensor([1, 2]), tile([2, 1])).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(tile(tensor(1), [3]).toArray()).toEqual([1, 1, 1]);
    expect(tile(tensor([1]), [0]).toArray()).toEqual([]);
    expect(caught(() => tile(matrix, [1.5])).message).toContain('tile: got the count 1.5');
    expect(caught(() => tile(matrix, 2 as never)).message).toContain('tile: got number 2 as counts');
  });

  test('repeat', () => {
    expect(repeat(tensor([1, 2]), 2).toArray()).toEqual([1, 1, 2, 2]);
    expect(pipe(matrix, repeat(2, { axis: 1 })).toArray()).toEqual([
      [1, 1, 2, 2, 3, 3],
      [4, 4, 5, 5, 6, 6],
    ]);
    expect(repeat(matrix, 0).shape).toEqual([0, 3]);
    expect(repeat(matrix, [0, 2]).toArray()).toEqual([
      [4, 5, 6],
      [4, 5, 6],
    ]);
    expect(pipe(matrix, repeat([2, 0, 1], { axis: -1 })).toArray()).toEqual([
      [1, 1, 3],
      [4, 4, 6],
    ]);
    expect(repeat(zeros([0]), []).shape).toEqual([0]);
    expect(repeat(tensor(new Uint8Array([7, 9])), [1, 2]).toArray()).toEqual([7, 9, 9]);
    const each = (x: Tensor): Tensor => repeat(x, [2, 0, 1]);
    expect((vmap(jit(each) as typeof each)(matrix) as Tensor).toArray()).toEqual([
      [1, 1, 3],
      [4, 4, 6],
    ]);
    const g = grad((x: Tensor) => sum(mul(each(x), tensor([1, 2, 4]))))(tensor([0, 0, 0])) as Tensor;
    expect(g.toArray()).toEqual([3, 0, 4]);
    // @ts-expect-error repeat: 1 counts are given for the length 2 of axis 0
    expect(caught(() => repeat(matrix, [1])).message).toContain('repeat: got float32[2, 3] and 1 counts; axis 0 has');
    expect(caught(() => repeat(matrix, [1, -1])).message).toContain('repeat: got the count -1');
    expect(caught(() => repeat(matrix, [1e15, 0])).message).toContain('repeat: got the sum of the counts');
    expect(caught(() => repeat(matrix, -1)).message).toContain('repeat: got the count -1');
    // @ts-expect-error repeat: axis 2 is out of range for rank 2
    expect(caught(() => repeat(matrix, 2, { axis: 2 })).message).toContain('repeat: got axis 2 and the shape [2, 3]');
  });
});
