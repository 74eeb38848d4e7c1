import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  abs,
  add,
  clamp,
  DTypeError,
  div,
  fmod,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  remainder,
  ShapeError,
  sign,
  square,
  sub,
  type Tensor,
  tensor,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { type AnyBinary, caught, close } from '../helpers.js';

const int = (values: readonly number[]) => tensor(values, { dtype: 'int32' });

describe('values', () => {
  it.each<[string, Tensor, unknown]>([
    ['add', add(tensor([1, 2]), tensor([10, 20])), [11, 22]],
    ['sub', sub(tensor([1, 2]), tensor([10, 20])), [-9, -18]],
    ['mul', mul(tensor([1, 2]), tensor([10, 20])), [10, 40]],
    ['div', div(tensor([1, -1, 0]), 0), [Infinity, -Infinity, NaN]],
    ['pow', pow(tensor([2, 4, 0, -8]), tensor([3, 0.5, 0, 1 / 3])), [8, 2, 1, NaN]],
    ['remainder', remainder(tensor([5, -5, 5, -5]), tensor([3, 3, -3, -3])), [2, 1, -1, -2]],
    ['fmod', fmod(tensor([5, -5, 5, -5]), tensor([3, 3, -3, -3])), [2, -2, 2, -2]],
    ['maximum', maximum(tensor([1, NaN, -Infinity]), tensor([2, 0, -1])), [2, NaN, -1]],
    ['minimum', minimum(tensor([1, NaN, -Infinity]), tensor([2, 0, -1])), [1, NaN, -Infinity]],
    ['neg', neg(tensor([1, 0, -Infinity])), [-1, -0, Infinity]],
    ['abs', abs(tensor([-1.5, -0, -Infinity, NaN])), [1.5, 0, Infinity, NaN]],
    ['sign', sign(tensor([-1.5, -0, 0, Infinity, NaN])), [-1, -0, 0, 1, NaN]],
    ['square', square(tensor([-3, 0.5])), [9, 0.25]],
    ['clamp', clamp(tensor([-2, 0.5, 2, NaN]), -1, 1), [-1, 0.5, 1, NaN]],
  ])('%s', (_, actual, expected) => {
    expect(actual.dtype).toBe('float32');
    expect(actual.toArray()).toEqual(expected);
  });

  it('integers wrap, and a remainder by 0 is 0', () => {
    expect(add(int([2 ** 31 - 1]), 1).toArray()).toEqual([-(2 ** 31)]);
    expect(mul(int([123456789]), 1000).toArray()).toEqual([Math.imul(123456789, 1000)]);
    expect(remainder(int([7, -7]), 0).toArray()).toEqual([0, 0]);
    expect(fmod(int([-7]), 4).toArray()).toEqual([-3]);
    expect(remainder(int([-7]), 4).toArray()).toEqual([1]);
    expect(pow(int([2, -1, 3]), int([31, -3, -1])).toArray()).toEqual([-(2 ** 31), -1, 0]);
    expect(sub(tensor([0], { dtype: 'uint32' }), 1).toArray()).toEqual([2 ** 32 - 1]);
    expect(clamp(int([-5, 5]), -1, 1).toArray()).toEqual([-1, 1]);
  });

  it('float64 keeps its digits', () => {
    const x = add(tensor([0.1], { dtype: 'float64' }), 0.2);
    expect(x.dtype).toBe('float64');
    expect(x.toArray()).toEqual([0.1 + 0.2]);
    close(add(tensor([0.1]), 0.2), [0.3], 1e-7);
  });
});

describe('dtypes', () => {
  it('promotes', () => {
    expect(add(tensor([true, true]), tensor([true, false])).dtype).toBe('int32');
    expect(add(tensor([true, true]), tensor([true, false])).toArray()).toEqual([2, 1]);
    expect(add(int([1]), tensor([0.5])).dtype).toBe('float32');
    expect(add(tensor([1], { dtype: 'float64' }), tensor([0.5])).dtype).toBe('float64');
    expect(div(int([1]), int([2])).dtype).toBe('float32');
    expect(add(tensor([true]), 0.5).dtype).toBe('float32');
    expect(neg(tensor([true])).toArray()).toEqual([-1]);
  });
});

describe('shapes', () => {
  it('broadcasts both ways', () => {
    expect(add(tensor([[1], [2]]), tensor([10, 20, 30])).toArray()).toEqual([
      [11, 21, 31],
      [12, 22, 32],
    ]);
    expect(add(tensor(1), tensor([[1, 2]])).toArray()).toEqual([[2, 3]]);
    expect(add(zeros([0, 3]), tensor([1, 2, 3])).shape).toEqual([0, 3]);
    expect(add(zeros([0, 3]), tensor([1, 2, 3])).toArray()).toEqual([]);
    expect(mul(tensor(3), tensor(4)).item()).toBe(12);
  });
});

describe('argument order', () => {
  it('a tensor or a number on either side, and last', () => {
    expect(sub(1, tensor([1, 2])).toArray()).toEqual([0, -1]);
    expect(sub(tensor([1, 2]), 1).toArray()).toEqual([0, 1]);
    expect(pipe(tensor([1, 2]), sub(tensor([3, 3]))).toArray()).toEqual([-2, -1]);
    expect(pipe(tensor([1, 2]), sub(1)).toArray()).toEqual([0, 1]);
    expect(pipe(tensor([1, 2]), div(2)).toArray()).toEqual([0.5, 1]);
    expect(pipe(tensor([3, 2]), pow(2), clamp(0, 5), neg).toArray()).toEqual([-5, -4]);
  });
});

describe('errors', () => {
  const [a, b] = [tensor([[1, 2, 3]]) as Tensor, tensor([1, 2]) as Tensor];
  it.each<[string, AnyBinary]>([
    ['add', add],
    ['sub', sub],
    ['mul', mul],
    ['div', div],
    ['pow', pow],
    ['remainder', remainder],
    ['fmod', fmod],
    ['maximum', maximum],
    ['minimum', minimum],
  ])('%s of shapes that do not fit', (name, f) => {
    const error = caught(() => f(a, b));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got the shapes \\[1, 3\\] and \\[2\\]; `));
    expect(caught(() => pipe(a, f(b))).message).toBe(error.message);
  });

  it.each([
    ['neg', neg],
    ['abs', abs],
    ['sign', sign],
    ['square', square],
    ['clamp', (x: Tensor) => clamp(x, 0, 1)],
  ] as const)('%s of uint8 and of no tensor', (name, f) => {
    const error = caught(() => f(tensor([1], { dtype: 'uint8' })));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got a tensor of uint8; `));
    const other = caught(() => f('5' as unknown as Tensor));
    expect(other).toBeInstanceOf(ArgumentError);
    expect(other.message).toMatch(new RegExp(`^${name}: got string 5; `));
  });

  it('dtypes that do not meet', () => {
    const error = caught(() => add(tensor([1], { dtype: 'uint32' }), int([1])));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toMatch(/^add: got uint32\[1\] and int32\[1\]; /);
    expect(caught(() => add(int([1]), 0.5)).message).toMatch(/^add: got the number 0.5 and a tensor of int32; /);
    expect(caught(() => clamp(int([1]), 0, 1.5)).message).toMatch(/^clamp: got the number 1.5 and a tensor of int32; /);
    expect(caught(() => add(1 as unknown as Tensor, 2)).message).toMatch(/^add: got only numbers \(1, 2\); /);
  });
});
