import { pipe } from 'fp-ts/lib/function.js';
import {
  grad,
  jit,
  mul,
  scatterAdd,
  scatterAddAlong,
  scatterAlong,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const int = <const A extends readonly number[]>(values: A) => tensor(values, { dtype: 'int32' });

const rows = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);

describe('scatterAdd', () => {
  test('values', () => {
    const x = tensor([1, 1, 1, 1]);
    const sums = scatterAdd(x, int([0, 2, 2]), tensor([1, 2, 3]));
    expectTypeOf(sums).toEqualTypeOf<Tensor<readonly [4], 'float32'>>();
    expect(sums.toArray()).toEqual([2, 1, 6, 1]);
    expect(x.toArray()).toEqual([1, 1, 1, 1]);
    expect(scatterAdd(x, int([-1, 4, -5]), 1).toArray()).toEqual([1, 1, 1, 2]);
    expect(scatterAdd(x, 1, 5).toArray()).toEqual([1, 6, 1, 1]);
    expect(scatterAdd(rows, int([0]), tensor([10, 20])).toArray()).toEqual([
      [11, 22],
      [3, 4],
      [5, 6],
    ]);
    expect(
      scatterAdd(
        rows,
        int([1, 1]),
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        { axis: 1 },
      ).toArray(),
    ).toEqual([
      [1, 5],
      [3, 11],
      [5, 17],
    ]);
    expect(scatterAdd(x, tensor([], { dtype: 'int32' }), 1).toArray()).toEqual([1, 1, 1, 1]);
    expect(scatterAdd(zeros([0]), int([0]), 1).toArray()).toEqual([]);
  });

  test('dtypes', () => {
    const counts = scatterAdd(tensor([true, false]), int([0, 0]), 1);
    expect([counts.dtype, counts.toArray()]).toEqual(['int32', [3, 0]]);
    const promoted = scatterAdd(int([1, 2]), int([0]), tensor([0.5]));
    expectTypeOf(promoted).toEqualTypeOf<Tensor<readonly [2], 'float32'>>();
    expect(promoted.toArray()).toEqual([1.5, 2]);
  });

  test('both orders', () => {
    expect(pipe(zeros([2]), scatterAdd(int([1]), tensor([5]))).toArray()).toEqual([0, 5]);
    expect(pipe(zeros([1, 2]), scatterAdd(int([1]), 5, { axis: 1 })).toArray()).toEqual([[0, 5]]);
    expect(pipe(zeros([2]), scatterAdd(1, 5)).toArray()).toEqual([0, 5]);
  });

  test('derivatives', () => {
    const f = (updates: Tensor<readonly [3]>) =>
      sum(mul(scatterAdd(zeros([3]), int([2, 0, 5]), updates), tensor([1, 2, 3])));
    expect(grad(f)(zeros([3])).toArray()).toEqual([3, 1, 0]);
    expect(grad((x: Tensor<readonly [2]>) => sum(scatterAdd(x, int([0]), 1)))(zeros([2])).toArray()).toEqual([1, 1]);
  });

  test('refuses', () => {
    const error = caught(() => scatterAdd(rows, int([0, 1]), zeros([3, 2])));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'scatterAdd: got float32[3, 2], indices [2] and updates [3, 2]; the updates must broadcast to [2, 2]',
    );
    expect(caught(() => scatterAdd(rows, 3, 1)).message).toContain('scatterAdd: got index 3 and float32[3, 2]');
    expect(caught(() => scatterAdd(rows, rows as never, 1)).message).toContain('scatterAdd: got indices float32[3, 2]');
    expect(caught(() => scatterAdd(int([1]), int([0]), 0.5)).message).toContain('scatterAdd: got the number 0.5 and a');
    expect(caught(() => scatterAdd(int([1]), int([0]), zeros([1], { dtype: 'uint32' }))).message).toContain(
      'scatterAdd: got int32[1] and uint32[1]',
    );
    expect(caught(() => scatterAdd(tensor([1], { dtype: 'uint8' }), int([0]), 1)).message).toContain(
      'scatterAdd: got a tensor of uint8',
    );
  });
});

const picks = tensor(
  [
    [2, 0, 2],
    [1, 5, -1],
  ],
  { dtype: 'int32' },
);

const updates = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('scatterAlong', () => {
  test('the last one stays, and what is outside changes nothing', () => {
    const x = zeros([2, 3]);
    const y = scatterAlong(x, picks, updates);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect(y.toArray()).toEqual([
      [2, 0, 3],
      [0, 4, 6],
    ]);
    expect(scatterAlong(x, picks, 7).toArray()).toEqual([
      [7, 0, 7],
      [0, 7, 7],
    ]);
  });

  test('fewer rows, another axis, any dtype', () => {
    const x = zeros([2, 3], { dtype: 'bool' });
    expect(scatterAlong(x, tensor([[1, 1]], { dtype: 'uint8' }), true).toArray()).toEqual([
      [false, true, false],
      [false, false, false],
    ]);
    const bytes = tensor(new Uint8Array([1, 2, 3, 4]), [2, 2]);
    expect(scatterAlong(bytes, tensor([[1]], { dtype: 'int32' }), 255, { axis: 0 }).toArray()).toEqual([
      [1, 2],
      [255, 4],
    ]);
    expect(scatterAlong(zeros([2]), int([0]), tensor([-0])).dataSync()[0]).toBe(-0);
    expect(scatterAlong(zeros([2]), zeros([0], { dtype: 'int32' }), 1).toArray()).toEqual([0, 0]);
    expect(scatterAlong(zeros([0, 2]), zeros([0, 1], { dtype: 'int32' }), 1).shape).toEqual([0, 2]);
    expect(pipe(zeros([2]), scatterAlong(int([1]), 5, { axis: 0 })).toArray()).toEqual([0, 5]);
  });

  test('derivatives go to what is there, and batches are rows', () => {
    const weights = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const f = ({ x, u }: { readonly x: Tensor; readonly u: Tensor }) => sum(mul(scatterAlong(x, picks, u), weights));
    const slopes = grad(f as never)({ x: zeros([2, 3]), u: updates } as never) as unknown as {
      readonly [name: string]: Tensor;
    };
    expect([slopes.x!.toArray(), slopes.u!.toArray()]).toEqual([
      [
        [0, 2, 0],
        [4, 0, 0],
      ],
      [
        [0, 1, 3],
        [5, 0, 6],
      ],
    ]);
    const one = (x: Tensor, i: Tensor, u: Tensor) => scatterAlong(x, i as Tensor<readonly [3], 'int32'>, u);
    const wanted = scatterAlong(zeros([2, 3]), picks, updates).toArray();
    expect((vmap(one)(zeros([2, 3]), picks, updates) as Tensor).toArray()).toEqual(wanted);
    expect(jit((x: Tensor) => scatterAlong(x, picks, updates))(zeros([2, 3])).toArray()).toEqual(wanted);
  });

  test('refuses', () => {
    expect(caught(() => scatterAlong(int([1]), int([0]), tensor([0.5]))).message).toContain(
      'scatterAlong: got int32[1] and a value of float32; the dtype stays',
    );
    expect(caught(() => scatterAlong(int([1]), int([0]), 0.5)).message).toContain('scatterAlong: got the number 0.5');
    expect(caught(() => scatterAlong(zeros([2, 3]), picks, zeros([3, 3]))).message).toContain(
      'scatterAlong: got float32[2, 3], indices [2, 3] and updates [3, 3]; the updates must broadcast to [2, 3]',
    );
  });
});

describe('scatterAddAlong', () => {
  test('values', () => {
    const y = scatterAddAlong(tensor([[1], [2]]), tensor([[0, 0, 1]], { dtype: 'int32' }), tensor([[1, 2, 4]]));
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [2, 1], 'float32'>>();
    expect(y.toArray()).toEqual([[4], [2]]);
    expect(scatterAddAlong(zeros([2, 3]), picks, updates).toArray()).toEqual([
      [2, 0, 4],
      [0, 4, 6],
    ]);
    const counts = scatterAddAlong(zeros([3], { dtype: 'bool' }), int([1, 1]), 1);
    expect([counts.dtype, counts.toArray()]).toEqual(['int32', [0, 2, 0]]);
    expect(pipe(zeros([1, 2]), scatterAddAlong(tensor([[1, 1]], { dtype: 'int32' }), 5)).toArray()).toEqual([[0, 10]]);
  });

  test('derivative', () => {
    const f = (u: Tensor<readonly [2, 3]>) => sum(mul(scatterAddAlong(zeros([2, 3]), picks, u), updates));
    expect(grad(f)(updates).toArray()).toEqual([
      [3, 1, 3],
      [5, 0, 6],
    ]);
  });
});
