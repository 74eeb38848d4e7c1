import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  arange,
  broadcastTo,
  concat,
  expandDims,
  flip,
  grad,
  moveAxis,
  mul,
  pad,
  permute,
  repeat,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  sum,
  swapAxes,
  type Tensor,
  tensor,
  tile,
  transpose,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

/** 0, 1, 2, … in a shape. */
const counted = <const S extends readonly number[]>(shape: S) =>
  reshape(arange(shape.reduce((size, n) => size * n, 1)), shape);

const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('reshape', () => {
  test('values and types', () => {
    const x = reshape(matrix, [3, 2]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expectTypeOf(reshape(matrix, [-1, 2])).toEqualTypeOf<Tensor<readonly [number, 2], 'float32'>>();
    expect(reshape(matrix, [-1]).shape).toEqual([6]);
    expect(reshape(tensor(3), [1, -1]).toArray()).toEqual([[3]]);
    expect(reshape(tensor([3]), []).item()).toBe(3);
    expect(reshape(zeros([0, 3]), [3, -1]).shape).toEqual([3, 0]);
    expect(reshape(tensor([true, false]), [2, 1]).toArray()).toEqual([[true], [false]]);
    const through = pipe(matrix, reshape([6, 1]));
    expectTypeOf(through).toEqualTypeOf<Tensor<readonly [6, 1], 'float32'>>();
    expect(through.shape).toEqual([6, 1]);
  });

  test('refuses', () => {
    const error = caught(() => reshape(matrix, [4, 2]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'reshape: got float32[2, 3] and the shape [4, 2]; the tensor has 6 elements, the shape 8',
    );
    expect(caught(() => reshape(matrix, [4, -1])).message).toContain(
      '[4, -1]; the tensor has 6 elements, which 4 does not',
    );
    expect(caught(() => reshape(matrix, [-1, -1])).message).toContain('reshape: got the shape [1, -1]');
    expect(caught(() => reshape(zeros([0]), [0, -1])).message).toContain('beside a length of 0 any length');
    expect(caught(() => reshape(matrix, 6 as unknown as [])).message).toContain('reshape: got number 6 as lengths');
  });
});

describe('orders of axes', () => {
  test('permute', () => {
    const x = permute(zeros([2, 3, 4]), [2, 0, 1]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [4, 2, 3], 'float32'>>();
    expect(x.shape).toEqual([4, 2, 3]);
    expectTypeOf(permute(zeros([2, 3]), [-1, 0])).toEqualTypeOf<Tensor<readonly [number, 2], 'float32'>>();
    expect(permute(matrix, [-1, 0]).toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(permute(counted([2, 2, 2]), [1, 2, 0]).toArray()).toEqual([
      [
        [0, 4],
        [1, 5],
      ],
      [
        [2, 6],
        [3, 7],
      ],
    ]);
    const through = pipe(zeros([2, 3]), permute([1, 0]));
    expectTypeOf(through).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
    expect(permute(tensor(1), []).item()).toBe(1);
    for (const axes of [[0], [0, 0], [0, -2]]) {
      const error = caught(() => permute(matrix, axes));
      expect(error._tag).toBe('AxisError');
      expect(error.message).toContain(`permute: got float32[2, 3] and the axes [${axes.join(', ')}]`);
    }
    expect(caught(() => permute(matrix, [0, 2])).message).toContain('permute: got axis 2 and the shape [2, 3]');
  });

  test('transpose', () => {
    const x = transpose(matrix);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
    expect(x.toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(transpose(zeros([2, 3, 4])).shape).toEqual([4, 3, 2]);
    expect(transpose(tensor([1, 2])).toArray()).toEqual([1, 2]);
    expect(transpose(tensor(1)).item()).toBe(1);
    expect(caught(() => transpose([[1]] as never)).message).toMatch(
      /^transpose: got an (?:array|object); a tensor belongs there/,
    );
  });

  test('swapAxes', () => {
    expect(swapAxes(zeros([2, 3, 4]), 0, -1).shape).toEqual([4, 3, 2]);
    expect(swapAxes(matrix, 1, 1).toArray()).toEqual(matrix.toArray());
    expect(pipe(matrix, swapAxes(0, 1)).toArray()).toEqual(transpose(matrix).toArray());
    expect(caught(() => swapAxes(matrix, 0, 2)).message).toContain('swapAxes: got axis 2 and the shape [2, 3]');
  });

  test('moveAxis', () => {
    expect(moveAxis(zeros([2, 3, 4]), 0, -1).shape).toEqual([3, 4, 2]);
    expect(moveAxis(zeros([2, 3, 4]), 2, 0).shape).toEqual([4, 2, 3]);
    expect(pipe(matrix, moveAxis(0, 1)).toArray()).toEqual(transpose(matrix).toArray());
    expect(caught(() => moveAxis(matrix, -3, 0)).message).toContain('moveAxis: got axis -3 and the shape [2, 3]');
  });
});

describe('broadcastTo', () => {
  test('values and types', () => {
    const x = broadcastTo(tensor([1, 2]), [3, 2]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
    expect(x.toArray()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(broadcastTo(tensor([[1], [2]]), [2, 2]).toArray()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(broadcastTo(tensor(true), [2]).toArray()).toEqual([true, true]);
    expect(broadcastTo(tensor([1]), [0]).toArray()).toEqual([]);
    expect(pipe(tensor(1), broadcastTo([1, 1])).toArray()).toEqual([[1]]);
  });

  test('refuses', () => {
    // @ts-expect-error the compiler sees it too
    const error = caught(() => broadcastTo(matrix, [3, 2]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('broadcastTo: got float32[2, 3] and the shape [3, 2]');
    expect(caught(() => broadcastTo(matrix, [3])).message).toContain('float32[2, 3] and the shape [3]');
    expect(caught(() => broadcastTo(matrix, [1, 3])).message).toContain('float32[2, 3] and the shape [1, 3]');
    expect(caught(() => broadcastTo(zeros([1]), [-1])).message).toContain('broadcastTo: got the shape [-1]');
  });
});

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
    expectTypeOf(slice(matrix, [0, 1], [2, 3])).toEqualTypeOf<Tensor<readonly [number, number], 'float32'>>();
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
    const error = caught(() => slice(matrix, [0, 0, 0]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('slice: got float32[2, 3] and start [0, 0, 0]; start has 3 entries for 2 axes');
    expect(caught(() => slice(matrix, [0.5])).message).toContain('slice: got float32[2, 3] and start 0.5 on axis 0');
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
    expectTypeOf(framed).toEqualTypeOf<Tensor<readonly [number, number], 'float32'>>();
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
    const error = caught(() => pad(matrix, [[1, 1]]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('pad: got float32[2, 3] and widths [[1,1]]; it takes one pair');
    expect(caught(() => pad(tensor([1]), [[-1, 0]])).message).toContain('pad: got float32[1] and the widths -1 and 0');
    expect(caught(() => pad(tensor([true]), [[1, 0]], { value: 2 })).message).toContain(
      'pad: got the number 2 for dtype bool',
    );
  });
});

describe('flip', () => {
  test('values', () => {
    expect(flip(matrix).toArray()).toEqual([
      [6, 5, 4],
      [3, 2, 1],
    ]);
    expect(flip(matrix, -1).toArray()).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
    expect(flip(matrix, []).toArray()).toEqual(matrix.toArray());
    expect(pipe(matrix, flip([0])).toArray()).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
    expect(flip(zeros([0, 2])).shape).toEqual([0, 2]);
    expect(flip(tensor(1)).item()).toBe(1);
    expect(caught(() => flip(matrix, 2)).message).toContain('flip: got axis 2 and the shape [2, 3]');
    expect(caught(() => flip(matrix, [0, -2])).message).toContain('flip: got the axes [0, -2] and the shape [2, 3]');
  });
});

describe('joining', () => {
  test('concat', () => {
    const x = concat([tensor([[1, 2]]), reshape(tensor([3, 4, 5, 6]), [2, 2])]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [number, number], 'float32'>>();
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
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [number], 'float32'>>();
    expect([x.dtype, x.toArray()]).toEqual(['float32', [1, 2, 0.5]]);
    const error = caught(() => concat([zeros([1], { dtype: 'int32' }), zeros([1], { dtype: 'uint32' })]));
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('concat: got int32[1] and uint32[1]; no integer dtype');
  });

  test('concat refuses', () => {
    const error = caught(() => concat([matrix, zeros([3, 2])], { axis: 1 }));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('concat: got float32[2, 3] and float32[3, 2]; apart from axis 1 the shapes must');
    expect(caught(() => concat([matrix, zeros([3])])).message).toContain('concat: got float32[2, 3] and float32[3]');
    expect(caught(() => concat([]))._tag).toBe('ArgumentError');
    expect(caught(() => concat([])).message).toContain('concat: got an empty list');
    expect(caught(() => concat([matrix], { axis: 2 })).message).toContain('concat: got axis 2 and the shape [2, 3]');
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
    expect(caught(() => stack([tensor([1, 2]), tensor([1])])).message).toContain(
      'stack: got float32[2] and float32[1]; the shapes must be equal',
    );
    expect(caught(() => stack([tensor([1])], { axis: 2 })).message).toContain('stack: got axis 2 and the shape [1]');
    expect(caught(() => stack([])).message).toContain('stack: got an empty list');
  });
});

describe('split', () => {
  test('values and types', () => {
    const [left, right] = split(matrix, [1, 2], { axis: 1 });
    expectTypeOf(left).toEqualTypeOf<Tensor<readonly [number, number], 'float32'>>();
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
    const error = caught(() => split(matrix, 2, { axis: 1 }));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'split: got float32[2, 3]; the length 3 of axis 1 does not divide into 2 equal parts',
    );
    expect(caught(() => split(matrix, [1, 2])).message).toContain(
      'the sizes [1, 2] do not add up to the length 2 of axis 0',
    );
    expect(caught(() => split(matrix, 0)).message).toContain('split: got the number of parts 0');
    expect(caught(() => split(matrix, [3, -1])).message).toContain('split: got the size -1');
    expect(caught(() => split(matrix, 1, { axis: 5 })).message).toContain('split: got axis 5 and the shape [2, 3]');
  });
});

describe('axes of length 1', () => {
  test('squeeze', () => {
    const x = zeros([1, 2, 1]);
    expect(squeeze(x).shape).toEqual([2]);
    expectTypeOf(squeeze(x, 0)).toEqualTypeOf<Tensor<readonly [2, 1], 'float32'>>();
    expect(squeeze(x, 0).shape).toEqual([2, 1]);
    expect(squeeze(x, [0, -1]).shape).toEqual([2]);
    const through = pipe(x, squeeze(-1));
    expectTypeOf(through).toEqualTypeOf<Tensor<readonly [1, 2], 'float32'>>();
    expect(through.shape).toEqual([1, 2]);
    expect(pipe(x, squeeze()).shape).toEqual([2]);
    expect(squeeze(tensor(1)).shape).toEqual([]);
    expect(caught(() => squeeze(x, 1)).message).toContain('squeeze: got float32[1, 2, 1]; axis 1 has length 2, not 1');
    expect(caught(() => squeeze(x, 3)).message).toContain('squeeze: got axis 3 and the shape [1, 2, 1]');
  });

  test('expandDims', () => {
    const x = zeros([2, 3]);
    expectTypeOf(expandDims(x, 0)).toEqualTypeOf<Tensor<readonly [1, 2, 3], 'float32'>>();
    expectTypeOf(expandDims(x, -1)).toEqualTypeOf<Tensor<readonly [2, 3, 1], 'float32'>>();
    expect(expandDims(x, 0).shape).toEqual([1, 2, 3]);
    expect(expandDims(x, 1).shape).toEqual([2, 1, 3]);
    expect(expandDims(x, 2).shape).toEqual([2, 3, 1]);
    expect(expandDims(x, -2).shape).toEqual([2, 1, 3]);
    expect(pipe(tensor(1), expandDims(0)).toArray()).toEqual([1]);
    expect(caught(() => expandDims(x, 3)).message).toContain(
      'expandDims: got axis 3 and the shape [2, 3]; the new axis is an integer from -3 to 2',
    );
  });
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
    expect(caught(() => repeat(matrix, -1)).message).toContain('repeat: got the count -1');
    expect(caught(() => repeat(matrix, 2, { axis: 2 })).message).toContain('repeat: got axis 2 and the shape [2, 3]');
  });
});

test('under vmap the axes are those of one row', () => {
  const rows = counted([3, 2, 2]);
  const each = vmap((x: Tensor) =>
    concat([
      slice(transpose(x), [], [], [-1]),
      pad(expandDims(squeeze(slice(x, [0], [1])), 0), [
        [0, 0],
        [0, 0],
      ]),
    ]),
  );
  const out = each(rows) as Tensor;
  expect(out.toArray()).toEqual(
    [0, 4, 8].map(i => [
      [i + 1, i + 3],
      [i, i + 2],
      [i, i + 1],
    ]),
  );
});
