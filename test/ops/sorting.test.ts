import { pipe } from 'fp-ts/lib/function.js';
import { argsort, grad, jit, mul, sort, sum, type Tensor, tensor, topK, vmap, zeros } from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const int = <const A extends readonly number[]>(values: A) => tensor(values, { dtype: 'int32' });

const rows = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);

describe('sorting', () => {
  const messy = tensor([3, NaN, -1, Infinity, 3, -Infinity]);

  test('argsort', () => {
    const order = argsort(messy);
    expectTypeOf(order).toEqualTypeOf<Tensor<readonly [6], 'int32'>>();
    expect(order.toArray()).toEqual([5, 2, 0, 4, 3, 1]);
    expect(argsort(messy, { descending: true }).toArray()).toEqual([3, 0, 4, 2, 5, 1]);
    expect(
      argsort(
        tensor([
          [2, 1],
          [1, 2],
        ]),
        { axis: 0 },
      ).toArray(),
    ).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(pipe(int([2, 1]), argsort()).toArray()).toEqual([1, 0]);
    expect(pipe(int([1, 2]), argsort({ descending: true })).toArray()).toEqual([1, 0]);
  });

  test('sort', () => {
    expect(sort(messy).toArray()).toEqual([-Infinity, -1, 3, 3, Infinity, NaN]);
    expect(sort(messy, { descending: true }).toArray()).toEqual([Infinity, 3, 3, -1, -Infinity, NaN]);
    expect(
      sort(
        tensor([
          [3, 1],
          [2, 4],
        ]),
        { axis: 0 },
      ).toArray(),
    ).toEqual([
      [2, 1],
      [3, 4],
    ]);
    expect(
      pipe(
        tensor([
          [3, 1],
          [2, 4],
        ]),
        sort(),
      ).toArray(),
    ).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(sort(zeros([2, 0])).toArray()).toEqual([[], []]);
    expect(sort(tensor([2, 1], { dtype: 'float64' })).dtype).toBe('float64');
  });

  test('descending integers at the ends of their range', () => {
    const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
    const down = { descending: true };
    expect(sort(int([low, 0, high, low]), down).toArray()).toEqual([high, 0, low, low]);
    expect(sort(tensor([0, 2 ** 32 - 1, 5], { dtype: 'uint32' }), down).toArray()).toEqual([2 ** 32 - 1, 5, 0]);
    expect(sort(tensor([0, 255, 5], { dtype: 'uint8' }), down).toArray()).toEqual([255, 5, 0]);
    expect(sort(tensor([false, true, false]), down).toArray()).toEqual([true, false, false]);
  });

  test('derivative and batches', () => {
    const f = (x: Tensor<readonly [3]>) => sum(mul(sort(x), tensor([1, 10, 100])));
    expect(grad(f)(tensor([3, 1, 2])).toArray()).toEqual([100, 1, 10]);
    const each = vmap((x: Tensor) => sort(x, { descending: true }));
    expect(
      (
        each(
          tensor([
            [1, 3, 2],
            [6, 5, 4],
          ]),
        ) as Tensor
      ).toArray(),
    ).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
  });

  test('refuse', () => {
    // @ts-expect-error sort: axis 2 is out of range for rank 2
    expect(caught(() => sort(rows, { axis: 2 })).message).toContain('sort: got axis 2 and the shape [3, 2]');
    expect(caught(() => argsort(tensor(1)))._tag).toBe('AxisError');
    expect(caught(() => argsort(tensor(1))).message).toContain(
      'argsort: got axis -1 and the shape []; a scalar has no',
    );
  });
});

describe('topK', () => {
  const x = tensor([
    [3, NaN, 9, 3],
    [1, 2, -Infinity, 0],
  ]);

  test('values and positions', () => {
    const { values, indices } = topK(x, 3);
    expectTypeOf(values).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect(values.toArray()).toEqual([
      [9, 3, 3],
      [2, 1, 0],
    ]);
    expect(indices.toArray()).toEqual([
      [2, 0, 3],
      [1, 0, 3],
    ]);
    const smallest = topK(x, 1, { axis: 0, largest: false });
    expect([smallest.values.toArray(), smallest.indices.toArray()]).toEqual([[[1, 2, -Infinity, 0]], [[1, 1, 1, 1]]]);
    expect(topK(x, 0).values.shape).toEqual([2, 0]);
    expect(pipe(int([5, -7, 6]), topK(2)).values.toArray()).toEqual([6, 5]);
    expect(topK(zeros([2, 0]), 0).indices.shape).toEqual([2, 0]);
  });

  test('derivative, batches, jit', () => {
    const f = (y: Tensor<readonly [4]>) => sum(mul(topK(y, 2).values, tensor([1, 10])));
    expect(grad(f)(tensor([1, 4, 2, 3])).toArray()).toEqual([0, 1, 0, 10]);
    const wanted = topK(x, 2).values.toArray();
    expect((vmap((row: Tensor) => topK(row, 2).values)(x) as Tensor).toArray()).toEqual(wanted);
    expect(jit((y: Tensor) => topK(y, 2).values)(x).toArray()).toEqual(wanted);
  });

  test('refuses', () => {
    // @ts-expect-error topK: k is an integer from 0 to 4, not 5
    expect(caught(() => topK(x, 5)).message).toContain('topK: got k 5; it is an integer from 0 to 4');
    // @ts-expect-error topK: axis -1 is out of range for rank 0
    expect(caught(() => topK(tensor(1), 1))._tag).toBe('AxisError');
    expect(caught(() => topK(x, 1, { largest: 1 as never })).message).toContain('topK: got the number 1 as largest');
  });
});
