import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import { arange, grad, mul, pad, slice, sum, type Tensor, tensor, zeros } from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

/** Python's x[start:stop:step] said plainly: the places visited. */
const visited = (start: number | null, stop: number | null, step: number, length: number): number[] => {
  const counted = (at: number): number => (at < 0 ? at + length : at);
  const places: number[] = [];
  if (step > 0) {
    const from = Math.max(0, start === null ? 0 : counted(start));
    const to = Math.min(length, stop === null ? length : counted(stop));
    for (let i = from; i < to; i += step) places.push(i);
  } else {
    const from = Math.min(length - 1, start === null ? length - 1 : counted(start));
    const to = Math.max(-1, stop === null ? -1 : counted(stop));
    for (let i = from; i > to; i += step) places.push(i);
  }
  return places;
};

describe('slice', () => {
  test('values and types', () => {
    expectTypeOf(slice(matrix, [0, 1], [2, 3])).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(slice(matrix, [0, 1], [2, 3]).toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
    expect(slice(matrix, [-1]).toArray()).toEqual([[4, 5, 6]]);
    expect(slice(matrix, [null, -2], [null, null]).toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
    expect(slice(matrix, [], [], [-1, -2]).toArray()).toEqual([
      [6, 4],
      [3, 1],
    ]);
    expect(slice(matrix, [5], [9]).shape).toEqual([0, 3]);
    expect(slice(matrix, [1], [0]).shape).toEqual([0, 3]);
    expect(slice(tensor(1), []).item()).toBe(1);
    expect(slice(zeros([0, 2]), [0], [5], [-1]).shape).toEqual([0, 2]);
    expect(slice(tensor([true, false, true]), [1]).toArray()).toEqual([false, true]);
    expect(pipe(matrix, slice([1])).toArray()).toEqual([[4, 5, 6]]);
    expect(pipe(matrix, slice([0, 0], [1, 2])).toArray()).toEqual([[1, 2]]);
  });

  test('as Python does, for any bounds and steps', () => {
    const bound = fc.option(fc.integer({ min: -8, max: 8 }));
    const step = fc.constantFrom(-3, -2, -1, 1, 2, 3);
    fc.assert(
      fc.property(fc.nat(6), bound, bound, step, (length, start, stop, by) => {
        expect(slice(arange(length), [start], [stop], [by]).toArray()).toEqual(visited(start, stop, by, length));
      }),
    );
  });

  test('derivative', () => {
    const f = (x: Tensor<readonly [5]>) => sum(mul(slice(x, [null], [null], [-2]), tensor([1, 2, 3])));
    expect(grad(f)(zeros([5])).toArray()).toEqual([3, 0, 2, 0, 1]);
  });

  test('refuses', () => {
    // @ts-expect-error slice: start has 3 entries for 2 axes
    const error = caught(() => slice(matrix, [0, 0, 0]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('slice: got float32[2, 3] and start [0, 0, 0]; start has 3 entries for 2 axes');
    expect(caught(() => slice(matrix, [0.5])).message).toContain('slice: got float32[2, 3] and start 0.5 on axis 0');
    // @ts-expect-error slice: the step of axis 1 is 0
    expect(caught(() => slice(matrix, [], [], [1, 0])).message).toContain('step 0 on axis 1; steps are integers other');
    expect(caught(() => slice(matrix, 1 as never)).message).toContain('slice: got number 1 as the bounds in start');
  });
});

describe('pad', () => {
  test('values', () => {
    expect(pad(tensor([1, 2]), [[1, 2]]).toArray()).toEqual([0, 1, 2, 0, 0]);
    const framed = pad(
      tensor([[1]]),
      [
        [0, 1],
        [1, 0],
      ],
      { value: 9 },
    );
    expectTypeOf(framed).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(framed.toArray()).toEqual([
      [9, 1],
      [9, 9],
    ]);
    expect(pad(tensor([NaN, 1]), [[1, 0]], { value: -Infinity }).toArray()).toEqual([-Infinity, NaN, 1]);
    expect(pad(tensor([false]), [[1, 0]], { value: true }).toArray()).toEqual([true, false]);
    expect(pad(tensor([7], { dtype: 'uint8' }), [[0, 1]], { value: 255 }).toArray()).toEqual([7, 255]);
    expect(pad(zeros([0]), [[1, 1]], { value: 2 }).toArray()).toEqual([2, 2]);
    expect(pad(tensor(1), []).item()).toBe(1);
    expect(pipe(tensor([1]), pad([[0, 1]], { value: 2 })).toArray()).toEqual([1, 2]);
    expect(
      grad((x: Tensor<readonly [2]>) => sum(mul(pad(x, [[1, 0]], { value: 5 }), tensor([1, 2, 3]))))(
        zeros([2]),
      ).toArray(),
    ).toEqual([2, 3]);
  });

  test('refuses', () => {
    // @ts-expect-error pad: 1 pairs of widths are given for 2 axes
    const error = caught(() => pad(matrix, [[1, 1]]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('pad: got float32[2, 3] and widths [[1,1]]; it takes one pair');
    expect(caught(() => pad(tensor([1]), [[-1, 0]])).message).toContain('pad: got float32[1] and the widths -1 and 0');
    expect(caught(() => pad(tensor([true]), [[1, 0]], { value: 2 })).message).toContain(
      'pad: got the number 2 for dtype bool',
    );
  });
});
