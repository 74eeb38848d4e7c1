import { pipe } from 'fp-ts/lib/function.js';
import { grad, jit, mul, pixelShuffle, pixelUnshuffle, roll, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { describe, expect, test } from 'vitest';
import { caught } from '../helpers.js';

const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

describe('roll', () => {
  test.each([0, 1, 2, 3, 7, -1, -5, 300000000000001])('by %i', shift => {
    const row = [1, 2, 3];
    const wanted = row.map((_, i) => row[(((i - shift) % 3) + 3) % 3]!);
    expect(roll(tensor(row), shift).toArray()).toEqual(wanted);
    expect(roll(matrix, shift, { axis: -1 }).toArray()).toEqual([wanted, wanted.map(x => x + 3)]);
  });

  test('axes, and none', () => {
    expect(roll(matrix, 1).toArray()).toEqual([
      [6, 1, 2],
      [3, 4, 5],
    ]);
    expect(roll(matrix, 1, { axis: null }).toArray()).toEqual(roll(matrix, 1).toArray());
    expect(roll(matrix, [1, 1], { axis: [1, 1] }).toArray()).toEqual(roll(matrix, 2, { axis: 1 }).toArray());
    expect(roll(matrix, 1, { axis: [0, 1] }).toArray()).toEqual([
      [6, 4, 5],
      [3, 1, 2],
    ]);
    expect(roll(matrix, [], { axis: [] }).toArray()).toEqual(matrix.toArray());
    expect(roll(tensor(5), 3).item()).toBe(5);
    expect(roll(zeros([0, 2]), 1, { axis: 0 }).shape).toEqual([0, 2]);
    expect(roll(tensor([true, false]), 1).toArray()).toEqual([false, true]);
  });

  test('data last, vmap, jit, derivative', () => {
    expect(pipe(matrix, roll(1, { axis: 0 })).toArray()).toEqual(roll(matrix, -1, { axis: 0 }).toArray());
    const wanted = roll(matrix, 1, { axis: 1 }).toArray();
    expect((vmap((x: Tensor) => roll(x, 1))(matrix) as Tensor).toArray()).toEqual(wanted);
    expect(jit((x: Tensor) => roll(x, 1, { axis: 1 }))(matrix).toArray()).toEqual(wanted);
    const g = grad((x: Tensor) => sum(mul(roll(x, 1), tensor([1, 2, 3]))))(tensor([0, 0, 0])) as Tensor;
    expect(g.toArray()).toEqual([2, 3, 1]);
  });

  test('refuses', () => {
    expect(caught(() => roll(matrix, 0.5)).message).toContain('roll: got the shift 0.5');
    // @ts-expect-error roll: 2 shifts are given for 1 axes
    expect(caught(() => roll(matrix, [1, 2], { axis: 0 })).message).toContain(
      'roll: got float32[2, 3], 2 shifts and 1 axes',
    );
    // @ts-expect-error roll: axis 2 is out of range for rank 2
    expect(caught(() => roll(matrix, 1, { axis: 2 })).message).toContain('roll: got axis 2 and the shape [2, 3]');
    expect(caught(() => roll(matrix, 1, 0 as never)).message).toContain('roll: got the number 0 in the place of the');
  });
});

describe('pixels', () => {
  test('there and back', () => {
    const x = zeros([5, 8, 2, 3]);
    expect(pixelShuffle(x, 2).shape).toEqual([5, 2, 4, 6]);
    expect(pipe(x, pixelShuffle(2), pixelUnshuffle(2)).shape).toEqual([5, 8, 2, 3]);
    const image = tensor([
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
    ]);
    const apart = pixelUnshuffle(image, 2);
    expect(apart.toArray()).toEqual([[[1, 3]], [[2, 4]], [[5, 7]], [[6, 8]]]);
    expect(pixelShuffle(apart, 2).toArray()).toEqual(image.toArray());
    expect(pixelShuffle(image, 1).toArray()).toEqual(image.toArray());
  });

  test('refuse', () => {
    // @ts-expect-error pixelShuffle: 4 does not divide the 3 channels
    expect(caught(() => pixelShuffle(zeros([3, 2, 2]), 2)).message).toContain(
      'pixelShuffle: got float32[3, 2, 2] and the factor 2; 4 must divide the channels',
    );
    // @ts-expect-error pixelUnshuffle: 2 does not divide height and width, 2 and 3
    expect(caught(() => pixelUnshuffle(zeros([3, 2, 3]), 2)).message).toContain('2 must divide height and width');
    expect(caught(() => pixelShuffle(matrix as never, 2)).message).toContain('an image has the axes');
    expect(caught(() => pixelUnshuffle(zeros([1, 2, 2]), 0)).message).toContain('pixelUnshuffle: got the factor 0');
  });
});
