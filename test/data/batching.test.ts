import { pipe } from 'fp-ts/lib/function.js';
import { stack, type Tensor, take, tensor, vmap, zeros } from 'tenfold';
import { shuffledIndices, toUnitRange } from 'tenfold/data';
import { foldIn, type Key, key, permutation, splitStack } from 'tenfold/random';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

const stepsOf = (batch: (step: number) => Tensor, steps: readonly number[]): readonly number[][] =>
  steps.map(step => [...batch(step).dataSync()]);

describe('shuffledIndices', () => {
  test('an epoch is a permutation, cut into batches', () => {
    const batch = shuffledIndices(key(1), 7, 3);
    for (const epoch of [0, 1, 5]) {
      const order = [...permutation(foldIn(key(1), epoch), 7).dataSync()];
      expect(stepsOf(batch, [2 * epoch, 2 * epoch + 1])).toEqual([order.slice(0, 3), order.slice(3, 6)]);
    }
  });

  test('every element once an epoch where batches fill it', () => {
    const seen = stepsOf(shuffledIndices(key(0), 12, 4), [3, 4, 5]).flat();
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  test('a step is the same whatever was asked before', () => {
    const steps = Array.from({ length: 9 }, (_, i) => i);
    const forth = stepsOf(shuffledIndices(key(2), 10, 3), steps);
    expect(stepsOf(shuffledIndices(key(2), 10, 3), steps.toReversed()).toReversed()).toEqual(forth);
    expect(stepsOf(shuffledIndices(key(2), 10, 3), [7])).toEqual([forth[7]]);
    expect(stepsOf(shuffledIndices(key(3), 10, 3), steps)).not.toEqual(forth);
  });

  test('epochs differ, and so do their batches', () => {
    const [a, b] = stepsOf(shuffledIndices(key(0), 100, 100), [0, 1]);
    expect(a).not.toEqual(b);
  });

  test('shape, dtype and their types', () => {
    const x = shuffledIndices(key(0), 5, 5)(0);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [5], 'int32'>>();
    expect([x.shape, x.dtype]).toEqual([[5], 'int32']);
    expect(take(zeros([5, 2]), x).shape).toEqual([5, 2]);
    expect(shuffledIndices(key(0), 1, 1)(2 ** 32 - 1).toArray()).toEqual([0]);
  });

  test('under vmap each key has its own order', () => {
    const keys = splitStack(key(4), 3);
    const rows = vmap(k => shuffledIndices(k as Key, 6, 2)(4))(keys);
    const apart = [0, 1, 2].map(i => shuffledIndices(foldIn(key(4), i), 6, 2)(4));
    expect(rows.toArray()).toEqual(stack(apart).toArray());
  });

  test.each<[string, () => unknown, string]>([
    ['no key', () => shuffledIndices(3 as never, 4, 2), 'got number 3 as the key'],
    ['no elements', () => shuffledIndices(key(0), 0, 1), 'got the count 0'],
    ['part of an element', () => shuffledIndices(key(0), 2.5, 1), 'got the count 2.5'],
    ['too large a batch', () => shuffledIndices(key(0), 4, 5), 'got the batch size 5; it is an integer from 1 to 4'],
    ['an empty batch', () => shuffledIndices(key(0), 4, 0), 'got the batch size 0'],
    ['a negative step', () => shuffledIndices(key(0), 4, 2)(-1), 'got the step -1'],
    ['half a step', () => shuffledIndices(key(0), 4, 2)(0.5), 'got the step 0.5'],
    ['more epochs than there are keys', () => shuffledIndices(key(0), 1, 1)(2 ** 32), 'got the step 4294967296'],
  ])('refuses %s', (_, call, message) => {
    expect(caught(call).message).toContain(`shuffledIndices: ${message}`);
  });
});

describe('toUnitRange', () => {
  const bytes = tensor(new Uint8Array([0, 8, 16, 4]), [2, 2]);

  test('0 becomes −1 and the maximum exactly 1', () => {
    expect(toUnitRange(bytes, 16).toArray()).toEqual([
      [-1, 0],
      [1, -0.5],
    ]);
    for (let max = 1; max < 256; max++) {
      expect(toUnitRange(tensor(new Uint8Array([0, max])), max).toArray()).toEqual([-1, 1]);
    }
  });

  test('both orders, and types', () => {
    expectTypeOf(pipe(bytes, toUnitRange(16))).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expect(pipe(bytes, toUnitRange(16)).toArray()).toEqual(toUnitRange(bytes, 16).toArray());
    expect(toUnitRange(bytes, 16).dtype).toBe('float32');
  });

  test.each<[string, () => unknown, string, string]>([
    ['floats', () => toUnitRange(zeros([2]) as never, 16), 'DTypeError', 'got float32[2]; it takes images of uint8'],
    ['no tensor', () => toUnitRange([1] as never, 16), 'ArgumentError', 'got an'],
    ['a maximum of 0', () => toUnitRange(bytes, 0), 'ArgumentError', 'got the maximum 0'],
    ['no maximum', () => toUnitRange(bytes, undefined as never), 'ArgumentError', 'got the maximum undefined'],
    ['an infinite maximum', () => pipe(bytes, toUnitRange(Infinity)), 'ArgumentError', 'got the maximum Infinity'],
  ])('refuses %s', (_, call, tag, message) => {
    const error = caught(call);
    expect(error._tag).toBe(tag);
    expect(error.message).toContain(`toUnitRange: ${message}`);
  });
});
