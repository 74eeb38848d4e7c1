import { pipe } from 'fp-ts/lib/function.js';
import {
  arange,
  broadcastTo,
  concat,
  expandDims,
  flatten,
  flip,
  moveAxis,
  pad,
  permute,
  reshape,
  slice,
  squeeze,
  swapAxes,
  type Tensor,
  tensor,
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
    expectTypeOf(reshape(matrix, [-1, 2])).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
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
    // @ts-expect-error reshape: [2, 3] has 6 elements, [4, 2] has 8
    const error = caught(() => reshape(matrix, [4, 2]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'reshape: got float32[2, 3] and the shape [4, 2]; the tensor has 6 elements, the shape 8',
    );
    // @ts-expect-error reshape: [2, 3] has 6 elements, which 4 does not divide
    expect(caught(() => reshape(matrix, [4, -1])).message).toContain(
      '[4, -1]; the tensor has 6 elements, which 4 does not',
    );
    // @ts-expect-error reshape: more than one length of [-1, -1] is -1
    expect(caught(() => reshape(matrix, [-1, -1])).message).toContain('reshape: got the shape [1, -1]');
    // @ts-expect-error reshape: beside a length of 0 in [0, -1], any length could stand for -1
    expect(caught(() => reshape(zeros([0]), [0, -1])).message).toContain('beside a length of 0 any length');
    // @ts-expect-error reshape: [2, 3] has 6 elements, [] has 1
    expect(caught(() => reshape(matrix, 6 as unknown as [])).message).toContain('reshape: got number 6 as lengths');
  });
});

describe('orders of axes', () => {
  test('permute', () => {
    const x = permute(zeros([2, 3, 4]), [2, 0, 1]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [4, 2, 3], 'float32'>>();
    expect(x.shape).toEqual([4, 2, 3]);
    expectTypeOf(permute(zeros([2, 3]), [-1, 0])).toEqualTypeOf<Tensor<readonly [3, 2], 'float32'>>();
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
    // @ts-expect-error permute: axis 2 is out of range for rank 2
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
    // @ts-expect-error swapAxes: axis 2 is out of range for rank 2
    expect(caught(() => swapAxes(matrix, 0, 2)).message).toContain('swapAxes: got axis 2 and the shape [2, 3]');
  });

  test('moveAxis', () => {
    expect(moveAxis(zeros([2, 3, 4]), 0, -1).shape).toEqual([3, 4, 2]);
    expect(moveAxis(zeros([2, 3, 4]), 2, 0).shape).toEqual([4, 2, 3]);
    expect(pipe(matrix, moveAxis(0, 1)).toArray()).toEqual(transpose(matrix).toArray());
    expect(moveAxis(zeros([2, 3, 4, 5]), [0, 1], [-1, 0]).shape).toEqual([3, 4, 5, 2]);
    expect(moveAxis(zeros([2, 3, 4]), [2, 0, 1], [0, 1, 2]).shape).toEqual([4, 2, 3]);
    expect(moveAxis(matrix, [], []).toArray()).toEqual(matrix.toArray());
    // @ts-expect-error moveAxis: axis -3 is out of range for rank 2
    expect(caught(() => moveAxis(matrix, -3, 0)).message).toContain('moveAxis: got axis -3 and the shape [2, 3]');
    // @ts-expect-error moveAxis: 2 axes go to 1 places
    expect(caught(() => moveAxis(matrix, [0, 1], [0])).message).toContain(
      'moveAxis: got float32[2, 3], from [0, 1] and to [0]; each axis taken out needs one place',
    );
    // @ts-expect-error moveAxis: axis 0 is named twice
    expect(caught(() => moveAxis(matrix, [0, 1], [0, -2])).message).toContain('an axis may be named once only');
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
    // @ts-expect-error broadcastTo: [2, 3] has more axes than [3]
    expect(caught(() => broadcastTo(matrix, [3])).message).toContain('float32[2, 3] and the shape [3]');
    // @ts-expect-error broadcastTo: length 2 does not become 1
    expect(caught(() => broadcastTo(matrix, [1, 3])).message).toContain('float32[2, 3] and the shape [1, 3]');
    expect(caught(() => broadcastTo(zeros([1]), [-1])).message).toContain('broadcastTo: got the shape [-1]');
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
    // @ts-expect-error flip: axis 2 is out of range for rank 2
    expect(caught(() => flip(matrix, 2)).message).toContain('flip: got axis 2 and the shape [2, 3]');
    // @ts-expect-error flip: axis 0 is named twice
    expect(caught(() => flip(matrix, [0, -2])).message).toContain('flip: got the axes [0, -2] and the shape [2, 3]');
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
    // @ts-expect-error squeeze: axis 1 has length 2, not 1
    expect(caught(() => squeeze(x, 1)).message).toContain('squeeze: got float32[1, 2, 1]; axis 1 has length 2, not 1');
    // @ts-expect-error squeeze: axis 3 is out of range for rank 3
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
    expect(expandDims(x, [0, 2, -1]).shape).toEqual([1, 2, 1, 3, 1]);
    expect(pipe(x, expandDims([])).shape).toEqual([2, 3]);
    // @ts-expect-error expandDims: axis 0 is named twice
    expect(caught(() => expandDims(x, [0, -4])).message).toContain('an axis may be named once only');
    // @ts-expect-error expandDims: axis 4 is out of range for the result's rank 4
    expect(caught(() => expandDims(x, [0, 4]))._tag).toBe('AxisError');
    // @ts-expect-error expandDims: axis 3 is out of range for the result's rank 3
    expect(caught(() => expandDims(x, 3)).message).toContain(
      'expandDims: got axis 3 and the shape [2, 3]; the new axis is an integer from -3 to 2',
    );
  });
});

test('flatten', () => {
  const x = counted([2, 3, 2]);
  expect(flatten(x).toArray()).toEqual(Array.from({ length: 12 }, (_, i) => i));
  expectTypeOf(flatten(x)).toEqualTypeOf<Tensor<readonly [12], 'float32'>>();
  expect(pipe(x, flatten).shape).toEqual([12]);
  expect(pipe(x, flatten({ start: 1 })).shape).toEqual([2, 6]);
  expect(flatten(x, { end: 1 }).shape).toEqual([6, 2]);
  expect(flatten(x, { start: -2, end: -2 }).shape).toEqual([2, 3, 2]);
  expect(flatten(tensor(3)).toArray()).toEqual([3]);
  expect(flatten(zeros([2, 0, 3]), { start: 1 }).shape).toEqual([2, 0]);
  // @ts-expect-error flatten: axis 1, the last, comes before axis 2, the first
  expect(caught(() => flatten(x, { start: 2, end: 1 })).message).toContain(
    'flatten: got float32[2, 3, 2] from axis 2 to axis 1',
  );
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
