import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  DTypeError,
  leftShift,
  rightShift,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { type AnyBinary, caught } from '../helpers.js';

const int = (values: readonly number[]) => tensor(values, { dtype: 'int32' });
const uint = (values: readonly number[]) => tensor(values, { dtype: 'uint32' });
const [T, F] = [true, false];

const functions: readonly [string, AnyBinary][] = [
  ['bitwiseAnd', bitwiseAnd],
  ['bitwiseOr', bitwiseOr],
  ['bitwiseXor', bitwiseXor],
  ['leftShift', leftShift],
  ['rightShift', rightShift],
];

describe('values', () => {
  it('int32', () => {
    const [a, b] = [int([0b1100, -1]), int([0b1010, 0xff])];
    expect(bitwiseAnd(a, b).toArray()).toEqual([0b1000, 0xff]);
    expect(bitwiseOr(a, b).toArray()).toEqual([0b1110, -1]);
    expect(bitwiseXor(a, b).toArray()).toEqual([0b0110, -256]);
    expect(bitwiseNot(a).toArray()).toEqual([-13, 0]);
    expect(bitwiseAnd(a, b).dtype).toBe('int32');
  });

  it('uint32 and uint8', () => {
    const [a, b] = [uint([2 ** 31, 2 ** 32 - 1]), uint([2 ** 31 + 1, 5])];
    expect(bitwiseAnd(a, b).toArray()).toEqual([2 ** 31, 5]);
    expect(bitwiseOr(a, b).toArray()).toEqual([2 ** 31 + 1, 2 ** 32 - 1]);
    expect(bitwiseXor(a, b).toArray()).toEqual([1, 2 ** 32 - 6]);
    expect(bitwiseNot(a).toArray()).toEqual([2 ** 31 - 1, 0]);
    const bytes = bitwiseXor(tensor([200, 1], { dtype: 'uint8' }), 255);
    expect([bytes.dtype, bytes.toArray()]).toEqual(['uint8', [55, 254]]);
    expect(bitwiseNot(tensor([200], { dtype: 'uint8' })).toArray()).toEqual([55]);
  });

  it('bool is logical', () => {
    const [a, b] = [tensor([T, T, F]), tensor([T, F, F])];
    expect(bitwiseAnd(a, b).toArray()).toEqual([T, F, F]);
    expect(bitwiseOr(a, b).toArray()).toEqual([T, T, F]);
    expect(bitwiseXor(a, b).toArray()).toEqual([F, T, F]);
    expect(bitwiseNot(a).toArray()).toEqual([F, F, T]);
    expect(bitwiseAnd(a, 1).toArray()).toEqual([1, 1, 0]);
  });

  it('shifts', () => {
    expect(leftShift(int([1, -1, 3]), int([4, 31, 30])).toArray()).toEqual([16, -(2 ** 31), -(2 ** 30)]);
    expect(leftShift(uint([1, 3]), 31).toArray()).toEqual([2 ** 31, 2 ** 31]);
    expect(rightShift(int([-16, 16, -1]), 2).toArray()).toEqual([-4, 4, -1]);
    expect(rightShift(uint([2 ** 32 - 1]), 28).toArray()).toEqual([15]);
    expect(leftShift(tensor([T]), 3).toArray()).toEqual([8]);
  });

  it('shifts by 32 or more, and by a negative number', () => {
    expect(leftShift(int([-5]), int([32])).toArray()).toEqual([0]);
    expect(leftShift(int([-5, 5]), -1).toArray()).toEqual([0, 0]);
    expect(rightShift(int([-5, 5]), 32).toArray()).toEqual([-1, 0]);
    expect(rightShift(int([-5, 5]), -1).toArray()).toEqual([-1, 0]);
    expect(rightShift(uint([2 ** 32 - 1]), 32).toArray()).toEqual([0]);
  });

  it('broadcasts, and takes no elements', () => {
    expect(bitwiseOr(tensor([[1], [2]], { dtype: 'int32' }), int([4, 8])).toArray()).toEqual([
      [5, 9],
      [6, 10],
    ]);
    expect(bitwiseAnd(zeros([0, 2], { dtype: 'int32' }), int([1, 2])).shape).toEqual([0, 2]);
    expect(bitwiseNot(zeros([0], { dtype: 'int32' })).toArray()).toEqual([]);
  });
});

it('either argument order', () => {
  expect(pipe(int([6]), bitwiseAnd(int([3]))).toArray()).toEqual([2]);
  expect(pipe(int([6]), leftShift(2)).toArray()).toEqual([24]);
  expect(leftShift(1, int([0, 1, 2])).toArray()).toEqual([1, 2, 4]);
  expect(pipe(int([6]), rightShift(int([1])), bitwiseNot).toArray()).toEqual([-4]);
});

describe.each(functions)('errors of %s', (name, f) => {
  it('floats and fractions', () => {
    const error = caught(() => f(tensor([1, 2]) as Tensor, int([1])));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got float32\\[2\\] and int32\\[1\\]; `));
    expect(caught(() => f(tensor([1]) as Tensor, 3)).message).toMatch(
      new RegExp(`^${name}: got float32\\[1\\] and the number 3; `),
    );
    expect(caught(() => f(int([1]), 0.5)).message).toMatch(
      new RegExp(`^${name}: got the number 0.5 and a tensor of int32; `),
    );
    expect(caught(() => f(tensor([true]), 0.5))).toBeInstanceOf(DTypeError);
  });

  it('shapes', () => {
    const error = caught(() => f(int([1, 2]) as Tensor, zeros([2, 3], { dtype: 'int32' })));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got the shapes \\[2\\] and \\[2, 3\\]; `));
  });

  it('int32 with uint32', () => {
    const error = caught(() => f(int([1]), uint([1])));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got int32\\[1\\] and uint32\\[1\\]; `));
  });
});

it('errors of bitwiseNot, and of shifted bytes', () => {
  const error = caught(() => bitwiseNot(tensor([[1]], { dtype: 'float64' }) as Tensor));
  expect(error).toBeInstanceOf(DTypeError);
  expect(error.message).toMatch(/^bitwiseNot: got float64\[1, 1\]; /);
  const other = caught(() => bitwiseNot(5 as unknown as Tensor));
  expect(other).toBeInstanceOf(ArgumentError);
  expect(other.message).toMatch(/^bitwiseNot: got number 5; /);
  expect(caught(() => leftShift(tensor([1], { dtype: 'uint8' }), 1)).message).toMatch(
    /^leftShift: got a tensor of uint8/,
  );
});
