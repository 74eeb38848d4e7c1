import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  addAt,
  arange,
  at,
  grad,
  greater,
  type IndexItem,
  jit,
  less,
  mul,
  newAxis,
  reshape,
  setAt,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const int = <const A extends readonly (number | readonly number[])[]>(values: A) =>
  tensor(values as readonly number[], { dtype: 'int32' }) as unknown as Tensor<readonly number[], 'int32'>;

const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

const all: IndexItem = [null, null];

describe('at', () => {
  test('integers, ranges, new axes, all that is left', () => {
    const x = at(matrix, 1);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
    expect(x.toArray()).toEqual([4, 5, 6]);
    expect(at(matrix).toArray()).toEqual(matrix.toArray());
    expect(at(matrix, -1, -3).item()).toBe(4);
    expect(at(matrix, all, [-2, 99]).toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
    expect(at(matrix, [null, null, -1], [null, null, -2]).toArray()).toEqual([
      [6, 4],
      [3, 1],
    ]);
    expect(at(matrix, '...', 0).toArray()).toEqual([1, 4]);
    expect(at(matrix, 0, '...', [2, 0]).toArray()).toEqual([]);
    expect(at(matrix, newAxis, 0, newAxis, newAxis).shape).toEqual([1, 1, 1, 3]);
    expect(at(tensor(5), '...', newAxis).toArray()).toEqual([5]);
    expect(at(tensor(5)).item()).toBe(5);
    expect(at(zeros([0, 3]), all, 1).shape).toEqual([0]);
    expect(at(tensor([true, false]), 0).item()).toBe(true);
  });

  test('the tensor last', () => {
    expect(pipe(matrix, at(0)).toArray()).toEqual([1, 2, 3]);
    expect(pipe(matrix, at([1, 2], int([0, 0]))).toArray()).toEqual([[4, 4]]);
    expect(pipe(matrix, at('...')).shape).toEqual([2, 3]);
  });

  // Shapes as NumPy 2.4 gives them.
  const [i, j, m] = [int([0, 1, 0, 1, 0, 1]), int([0, 1, 2, 0, 1, 2]), tensor([true, false, true])];
  const x = zeros([7, 2, 3, 9]);
  for (const [title, index, shape] of [
    ['one tensor', [all, i], [7, 6, 3, 9]],
    ['neighbours', [all, i, j], [7, 6, 9]],
    ['broadcast', [all, reshape(i, [6, 1]), int([0, 1])], [7, 6, 2, 9]],
    ['a range between', [i, all, j], [6, 2, 9]],
    ['an empty rest between', [all, i, '...', j, 0], [6, 7]],
    ['a new axis between', [all, i, newAxis, j], [6, 7, 1, 9]],
    ['an integer beside', [all, 0, j], [7, 6, 9]],
    ['an integer apart', [0, all, j], [6, 2, 9]],
    ['a scalar apart', [tensor(1, { dtype: 'int32' }), all, 0], [2, 9]],
    ['a mask', [all, all, m], [7, 2, 2, 9]],
    ['a mask and an integer', [all, 1, m, -1], [7, 2]],
    ['a mask of two axes', [all, greater(zeros([2, 3]), 0)], [7, 0, 9]],
    ['a new axis in front', [newAxis, '...', int([[0], [1]])], [1, 7, 2, 3, 2, 1]],
  ] as readonly (readonly [string, readonly IndexItem[], readonly number[]])[]) {
    test(`where tensors put their axes: ${title}`, () => {
      expect(at(x, ...index).shape).toEqual(shape);
    });
  }

  test('tensors of positions', () => {
    expect(at(matrix, int([1, 0]), int([2, -3])).toArray()).toEqual([6, 1]);
    expect(at(matrix, tensor([[1], [0]], { dtype: 'uint8' }), int([0, 2])).toArray()).toEqual([
      [4, 6],
      [1, 3],
    ]);
    expect(at(matrix, int([1, 2, 0]), int([0, 0, 3])).toArray()).toEqual([4, NaN, NaN]);
    expect(at(matrix, greater(matrix, 2)).toArray()).toEqual([3, 4, 5, 6]);
    expect(at(matrix, all, tensor([true, false, true])).toArray()).toEqual([
      [1, 3],
      [4, 6],
    ]);
  });

  test('derivatives, also through a mask', () => {
    const f = (y: Tensor<readonly [2, 3]>) => sum(square(at(y, greater(y, 2))));
    expect(grad(f)(matrix).toArray()).toEqual([
      [0, 0, 6],
      [8, 10, 12],
    ]);
    const g = (y: Tensor<readonly [2, 3]>) => sum(mul(at(y, [null, null, -1], int([0, 0, 2])), tensor([1, 10, 100])));
    expect(grad(g)(matrix).toArray()).toEqual([
      [11, 0, 100],
      [11, 0, 100],
    ]);
    expect(jit((y: Tensor) => at(y, 1, int([0, 0])))(matrix).toArray()).toEqual([4, 4]);
    const each = vmap((row: Tensor, k: Tensor) => at(row, k as Tensor<readonly number[], 'int32'>));
    expect((each(matrix, int([2, 0])) as Tensor).toArray()).toEqual([3, 4]);
  });

  test('refuses', () => {
    // @ts-expect-error at: index 2 is outside of an axis of length 2
    expect(caught(() => at(matrix, 2)).message).toContain('at: got index 2 and float32[2, 3]; along axis 0');
    // @ts-expect-error at: there are more entries than 2 axes
    expect(caught(() => at(matrix, 0, 0, 0)).message).toContain(
      'at: got float32[2, 3] and an index with entries for 3',
    );
    // @ts-expect-error at: '...' stands more than once
    expect(caught(() => at(matrix, '...', '...'))._tag).toBe('IndexError');
    expect(caught(() => at(matrix, [1] as never)).message).toContain('an array of length 1 for axis 0; an array is');
    expect(caught(() => at(matrix, [0.5, 1]))._tag).toBe('IndexError');
    expect(caught(() => at(matrix, null as never))._tag).toBe('ArgumentError');
    expect(caught(() => at(matrix, matrix as never))._tag).toBe('DTypeError');
    expect(caught(() => at(matrix, int([0, 1]), int([0, 1, 2])))._tag).toBe('ShapeError');
    expect(caught(() => at(matrix, tensor([true, false, true]))).message).toContain('a mask [3] for it from axis 0 on');
    expect(caught(() => vmap((y: Tensor) => at(y, greater(y, 2)))(matrix))._tag).toBe('TraceError');
    const traced = caught(() => jit((y: Tensor) => at(y, greater(y, 2)))(matrix));
    expect(traced._tag).toBe('TraceError');
    expect(traced.message).toContain('at: got the mask bool[2, 3] inside a traced function');
    expect(traced.message).toContain('nonzero(mask, { size })');
  });
});

describe('setAt and addAt', () => {
  test('values', () => {
    const y = setAt(matrix, [0], 9);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect(y.toArray()).toEqual([
      [9, 9, 9],
      [4, 5, 6],
    ]);
    expect(
      setAt(
        matrix,
        [all, [null, null, -2]],
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).toArray(),
    ).toEqual([
      [2, 2, 1],
      [4, 5, 3],
    ]);
    expect(setAt(matrix, [], 0).toArray()).toEqual(zeros([2, 3]).toArray());
    expect(setAt(matrix, [[2, null]], 0).toArray()).toEqual(matrix.toArray());
    expect(setAt(zeros([3]), [int([1, 0, 1, 5])], tensor([1, 2, 3, 4])).toArray()).toEqual([2, 3, 0]);
    expect(addAt(zeros([3]), [int([1, 0, 1, 5])], tensor([1, 2, 3, 4])).toArray()).toEqual([2, 4, 0]);
    expect(addAt(matrix, [1, [0, 2]], tensor([[10], [20]][1]!)).toArray()).toEqual([
      [1, 2, 3],
      [24, 25, 6],
    ]);
    expect(pipe(matrix, setAt([1, 1], 0), addAt([0], 1)).toArray()).toEqual([
      [2, 3, 4],
      [4, 0, 6],
    ]);
  });

  test('masks', () => {
    const mask = less(matrix, 3);
    expect(setAt(matrix, [mask], 0).toArray()).toEqual([
      [0, 0, 3],
      [4, 5, 6],
    ]);
    expect(setAt(matrix, [mask], tensor([8, 9])).toArray()).toEqual([
      [8, 9, 3],
      [4, 5, 6],
    ]);
    expect(setAt(matrix, [tensor([false, true])], tensor([7, 8, 9])).toArray()).toEqual([
      [1, 2, 3],
      [7, 8, 9],
    ]);
    expect(addAt(matrix, [mask], tensor([10])).toArray()).toEqual([
      [11, 12, 3],
      [4, 5, 6],
    ]);
    const clear = jit((x: Tensor) => setAt(x, [less(x, 3)], 0));
    expect(clear(matrix).toArray()).toEqual(setAt(matrix, [mask], 0).toArray());
    expect(caught(() => jit((x: Tensor) => setAt(x, [less(x, 3)], tensor([8, 9])))(matrix))._tag).toBe('TraceError');
  });

  test('the dtype stays where values are set, and is promoted where they are added', () => {
    expect(setAt(tensor(new Uint8Array([1, 2])), [0], 255).toArray()).toEqual([255, 2]);
    expect(setAt(tensor([true, true]), [1], false).toArray()).toEqual([true, false]);
    expect(setAt(tensor([1, 2]), [1], tensor(3, { dtype: 'int32' })).dtype).toBe('float32');
    const sums = addAt(int([1, 2]), [1], tensor(0.5));
    expectTypeOf(sums).toEqualTypeOf<Tensor<readonly number[], 'float32'>>();
    expect(sums.toArray()).toEqual([1, 2.5]);
    expect(addAt(tensor([true, true]), [1], 1).toArray()).toEqual([1, 2]);
    expect(caught(() => setAt(int([1]), [0], 0.5))._tag).toBe('DTypeError');
    expect(caught(() => setAt(int([1]), [0], tensor(0.5))).message).toContain(
      'setAt: got int32[1] and a value of float',
    );
    expect(caught(() => setAt(tensor([1]), [0], tensor([1, 2]))).message).toContain(
      'setAt: got float32[1], places [] and updates [2]; the updates must broadcast to []',
    );
  });

  test('derivatives in both', () => {
    const weights = tensor([1, 10, 100]);
    const slopes = (index: readonly IndexItem[], value: Tensor) => {
      const f = ({ x, v }: { readonly x: Tensor; readonly v: Tensor }) => sum(mul(setAt(x, index, v), weights));
      const given = { x: zeros([3]), v: value };
      const { x, v } = grad(f as never)(given as never) as unknown as typeof given;
      return [x.toArray(), v.toArray()];
    };
    expect(slopes([[null, null, -2]], tensor([5, 6]))).toEqual([
      [0, 10, 0],
      [100, 1],
    ]);
    expect(slopes([int([1, 1, 2])], tensor([5, 6, 7]))).toEqual([
      [1, 0, 0],
      [0, 10, 100],
    ]);
    expect(slopes([int([0, 2])], tensor(5))).toEqual([[0, 10, 0], 101]);
    expect(slopes([tensor([true, false, true])], tensor(5))).toEqual([[0, 10, 0], 101]);
  });

  const bound = fc.option(fc.integer({ min: -5, max: 5 }));
  const ranges = fc.tuple(bound, bound, fc.constantFrom(-2, -1, 1, 2));
  const places = fc.array(fc.integer({ min: -3, max: 2 }), { minLength: 1, maxLength: 4 });
  const entry = fc.oneof(
    ranges,
    fc.integer({ min: -3, max: 2 }),
    places.map(list => int(list)),
  );

  test('what is put where it was taken changes nothing, and adding is the transpose of taking', () => {
    const x = reshape(arange(27, { dtype: 'float64' }), [3, 3, 3]) as Tensor<readonly [3, 3, 3], 'float64'>;
    const sameLength = (index: readonly unknown[]): boolean =>
      new Set(
        index.filter(item => typeof item === 'object' && !Array.isArray(item)).map(item => (item as Tensor).shape[0]),
      ).size <= 1;
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3 }).filter(sameLength), given => {
        const index = given as unknown as readonly IndexItem[];
        const taken = at(x, ...index);
        expect(setAt(x, index, taken).toArray()).toEqual(x.toArray());
        const v = reshape(
          arange(
            taken.shape.reduce((p, q) => p * q, 1),
            { dtype: 'float64' },
          ),
          taken.shape,
        );
        expect(sum(mul(addAt(mul(x, 0), index, v), x)).item()).toBe(sum(mul(v, taken)).item());
      }),
      { numRuns: 60 },
    );
  });
});
