import { pipe } from 'fp-ts/lib/function.js';
import { arange, gather, grad, mul, oneHot, reshape, sum, type Tensor, take, takeAlong, tensor, zeros } from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const int = <const A extends readonly number[]>(values: A) => tensor(values, { dtype: 'int32' });

const rows = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);

describe('take', () => {
  test('by a tensor of indices', () => {
    const x = take(rows, int([2, 0]));
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(x.toArray()).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect(take(rows, int([1, 1, 0]), { axis: 1 }).toArray()).toEqual([
      [2, 2, 1],
      [4, 4, 3],
      [6, 6, 5],
    ]);
    const grid = tensor(
      [
        [0, 1],
        [2, -1],
      ],
      { dtype: 'int32' },
    );
    const taken = take(tensor([7, 8, 9]), grid);
    expectTypeOf(taken).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(taken.toArray()).toEqual([
      [7, 8],
      [9, 9],
    ]);
    expect(take(rows, tensor(1, { dtype: 'int32' })).toArray()).toEqual([3, 4]);
    expect(take(rows, tensor([], { dtype: 'int32' })).shape).toEqual([0, 2]);
    expect(take(tensor([true, false]), tensor([1, 0], { dtype: 'uint8' })).toArray()).toEqual([false, true]);
    expect(take(tensor([0.1], { dtype: 'float64' }), tensor([0], { dtype: 'uint32' })).toArray()).toEqual([0.1]);
  });

  test('by a number', () => {
    const x = take(rows, -1);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [2], 'float32'>>();
    expect(x.toArray()).toEqual([5, 6]);
    const column = take(rows, 0, { axis: 1 });
    expectTypeOf(column).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
    expect(column.toArray()).toEqual([1, 3, 5]);
    expect(take(tensor([4]), 0).item()).toBe(4);
  });

  test('both orders', () => {
    const x = pipe(rows, take(int([2])));
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [1, 2], 'float32'>>();
    expect(x.toArray()).toEqual([[5, 6]]);
    expect(pipe(rows, take(int([1]), { axis: 1 })).toArray()).toEqual([[2], [4], [6]]);
    expect(pipe(rows, take(1)).toArray()).toEqual([3, 4]);
    expect(pipe(rows, take(1, { axis: -1 })).toArray()).toEqual([2, 4, 6]);
  });

  test('outside it is NaN, or 0', () => {
    expect(take(tensor([1, 2]), int([2, -3, -2])).toArray()).toEqual([NaN, NaN, 1]);
    expect(take(int([1, 2]), int([2, -3, -2])).toArray()).toEqual([0, 0, 1]);
    expect(take(tensor([1, 2]), tensor([2 ** 32 - 1], { dtype: 'uint32' })).toArray()).toEqual([NaN]);
    expect(take(zeros([0]), int([0])).toArray()).toEqual([NaN]);
  });

  test('derivative', () => {
    const f = (x: Tensor<readonly [3]>) => sum(mul(take(x, int([2, 0, 2, -1])), tensor([1, 10, 100, 1000])));
    expect(grad(f)(zeros([3])).toArray()).toEqual([10, 0, 1101]);
    expect(grad((x: Tensor<readonly [3]>) => take(x, 1))(zeros([3])).toArray()).toEqual([0, 1, 0]);
  });

  test('refuses', () => {
    // @ts-expect-error take: index 3 is outside of an axis of length 3
    const error = caught(() => take(rows, 3));
    expect(error._tag).toBe('IndexError');
    expect(error.message).toContain('take: got index 3 and float32[3, 2]; along axis 0 it is an integer from -3 to 2');
    expect(caught(() => take(rows, 0.5)).message).toContain('take: got index 0.5');
    // @ts-expect-error take: index 0 is outside of an axis of length 0
    expect(caught(() => take(zeros([0]), 0)).message).toContain('axis 0 has no elements');
    expect(caught(() => take(rows, tensor([0]) as never)).message).toContain(
      'take: got indices float32[1]; indices are of int32, uint32 or uint8',
    );
    // @ts-expect-error take: axis 2 is out of range for rank 2
    expect(caught(() => take(rows, int([0]), { axis: 2 })).message).toContain('take: got axis 2 and the shape [3, 2]');
    expect(caught(() => take(rows, [0] as never)).message).toMatch(
      /^take: got an (?:array|object); a tensor belongs there/,
    );
    // @ts-expect-error take: axis 0 is out of range for rank 0
    expect(caught(() => take(tensor(1), 0)).message).toContain('take: got axis 0 and the shape []');
  });
});

describe('takeAlong', () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  test('values', () => {
    expect(takeAlong(x, tensor([[2], [0]], { dtype: 'int32' })).toArray()).toEqual([[3], [4]]);
    expect(takeAlong(x, tensor([[1, 0, -1]], { dtype: 'int32' }), { axis: 0 }).toArray()).toEqual([[4, 2, 6]]);
    expect(takeAlong(x, tensor([[0, 0]], { dtype: 'uint8' })).toArray()).toEqual([
      [1, 1],
      [4, 4],
    ]);
    expect(takeAlong(tensor([[7, 8]]), tensor([[1], [0]], { dtype: 'int32' })).toArray()).toEqual([[8], [7]]);
    expect(takeAlong(x, zeros([2, 0], { dtype: 'int32' })).toArray()).toEqual([[], []]);
    expect(pipe(x, takeAlong(tensor([[0], [1]], { dtype: 'int32' }), { axis: 1 })).toArray()).toEqual([[1], [5]]);
    expect(pipe(x, takeAlong(tensor([[-1], [1]], { dtype: 'int32' }))).toArray()).toEqual([[3], [5]]);
  });

  test('an index outside its row does not reach the next', () => {
    expect(takeAlong(x, tensor([[3], [-4]], { dtype: 'int32' })).toArray()).toEqual([[NaN], [NaN]]);
    const ints = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'int32' },
    );
    expect(takeAlong(ints, tensor([[2], [1]], { dtype: 'int32' })).toArray()).toEqual([[0], [4]]);
  });

  test('a middle axis', () => {
    const cube = reshape(arange(12), [2, 3, 2]);
    const picks = tensor([[[2, 0]], [[1, 2]]], { dtype: 'int32' });
    expect(takeAlong(cube, picks, { axis: 1 }).toArray()).toEqual([[[4, 1]], [[8, 11]]]);
  });

  test('derivative', () => {
    const picks = tensor(
      [
        [2, 2],
        [0, 1],
      ],
      { dtype: 'int32' },
    );
    const slope = grad((y: Tensor<readonly [2, 3]>) => sum(takeAlong(y, picks)))(x);
    expect(slope.toArray()).toEqual([
      [0, 0, 2],
      [1, 1, 0],
    ]);
  });

  test('refuses', () => {
    // @ts-expect-error takeAlong: lengths 2 and 3 differ and neither is 1
    const error = caught(() => takeAlong(x, zeros([3, 1], { dtype: 'int32' })));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('takeAlong: got float32[2, 3] and indices [3, 1]; the ranks must be equal');
    // @ts-expect-error takeAlong: the ranks must be equal, but are 2 and 1
    expect(caught(() => takeAlong(x, int([0]))).message).toContain('float32[2, 3] and indices [1]');
    expect(caught(() => takeAlong(x, x as never)).message).toContain(
      'takeAlong: got indices float32[2, 3]; indices are',
    );
    // @ts-expect-error takeAlong: axis 2 is out of range for rank 2
    expect(caught(() => takeAlong(x, zeros([2, 1], { dtype: 'int32' }), { axis: 2 })).message).toContain(
      'takeAlong: got axis 2 and the shape [2, 3]',
    );
  });
});

describe('gather', () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  test('indices for the first rows, more or fewer than a row has', () => {
    const taken = gather(x, tensor([[2, 2, -3, 1]], { dtype: 'int32' }));
    expectTypeOf(taken).toEqualTypeOf<Tensor<readonly [1, 4], 'float32'>>();
    expect(taken.toArray()).toEqual([[3, 3, 1, 2]]);
    expect(gather(x, tensor([[1, 0]], { dtype: 'uint8' }), { axis: 0 }).toArray()).toEqual([[4, 2]]);
    expect(gather(x, tensor([[3], [-4]], { dtype: 'int32' })).toArray()).toEqual([[NaN], [NaN]]);
    expect(gather(x, zeros([0, 3], { dtype: 'int32' })).shape).toEqual([0, 3]);
    expect(pipe(x, gather(tensor([[0], [1]], { dtype: 'int32' }), { axis: 1 })).toArray()).toEqual([[1], [5]]);
  });

  test('derivative', () => {
    const f = (y: Tensor<readonly [2, 3]>) => sum(gather(y, tensor([[2, 2, 0]], { dtype: 'int32' })));
    expect(grad(f)(x).toArray()).toEqual([
      [1, 0, 2],
      [0, 0, 0],
    ]);
  });

  test('refuses', () => {
    // @ts-expect-error gather: apart from the axis the indices are no longer than the tensor, but 3 is more than 2
    const error = caught(() => gather(x, zeros([3, 1], { dtype: 'int32' })));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('gather: got float32[2, 3] and indices [3, 1]; the ranks must be equal');
    // @ts-expect-error gather: the ranks must be equal, but are 2 and 1
    expect(caught(() => gather(x, int([0])))._tag).toBe('ShapeError');
  });
});

describe('oneHot', () => {
  test('values', () => {
    const x = oneHot(int([0, 2]), 3);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect(x.toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(oneHot(int([3, -1]), 3).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(oneHot(tensor(1, { dtype: 'uint8' }), 2, { dtype: 'bool' }).toArray()).toEqual([false, true]);
    expect(oneHot(tensor([[1]], { dtype: 'uint32' }), 2, { dtype: 'int32' }).toArray()).toEqual([[[0, 1]]]);
    expect(oneHot(int([]), 2).shape).toEqual([0, 2]);
    expect(oneHot(int([0]), 0).toArray()).toEqual([[]]);
    const through = pipe(int([1]), oneHot(2, { dtype: 'float64' }));
    expectTypeOf(through).toEqualTypeOf<Tensor<readonly [1, 2], 'float64'>>();
    expect(through.toArray()).toEqual([[0, 1]]);
  });

  test('refuses', () => {
    const error = caught(() => oneHot(tensor([0]) as never, 3));
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('oneHot: got indices float32[1]; indices are of int32');
    expect(caught(() => oneHot(int([0]), -1)).message).toContain('oneHot: got the depth -1');
  });
});
