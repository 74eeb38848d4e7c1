import { pipe } from 'fp-ts/lib/function.js';
import { cast, grad, mul, stopGradient, sum, type Tensor, tensor, zeros } from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

describe('cast', () => {
  const floats = tensor([1.7, -1.7, NaN, Infinity, -Infinity, 3e9, 300], { dtype: 'float64' });

  test('float to integer truncates and saturates', () => {
    const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
    expect(cast(floats, 'int32').toArray()).toEqual([1, -1, 0, high, low, high, 300]);
    expect(cast(floats, 'uint32').toArray()).toEqual([1, 0, 0, 2 ** 32 - 1, 0, 3e9, 300]);
    expect(cast(floats, 'uint8').toArray()).toEqual([1, 0, 0, 255, 0, 255, 255]);
  });

  test('to and from bool', () => {
    expect(cast(tensor([0, -0, 0.5, NaN]), 'bool').toArray()).toEqual([false, false, true, true]);
    expect(cast(tensor([0, 256], { dtype: 'int32' }), 'bool').toArray()).toEqual([false, true]);
    expect(cast(tensor([true, false]), 'float32').toArray()).toEqual([1, 0]);
  });

  test('between integers it wraps around', () => {
    expect(cast(tensor([-1], { dtype: 'int32' }), 'uint32').toArray()).toEqual([2 ** 32 - 1]);
    expect(cast(tensor([2 ** 32 - 1], { dtype: 'uint32' }), 'int32').toArray()).toEqual([-1]);
    expect(cast(tensor([257], { dtype: 'int32' }), 'uint8').toArray()).toEqual([1]);
  });

  test('between floats it rounds', () => {
    expect(cast(tensor([0.1], { dtype: 'float64' }), 'float32').toArray()).toEqual([Math.fround(0.1)]);
    expect(cast(tensor([0.1]), 'float64').toArray()).toEqual([Math.fround(0.1)]);
  });

  test('shapes, both orders, types', () => {
    expect(cast(tensor(2.5), 'int32').item()).toBe(2);
    expect(cast(zeros([0, 2]), 'bool').shape).toEqual([0, 2]);
    const x = zeros([2]);
    expectTypeOf(cast(x, 'int32')).toEqualTypeOf<Tensor<readonly [2], 'int32'>>();
    expectTypeOf(pipe(x, cast('int32'))).toEqualTypeOf<Tensor<readonly [2], 'int32'>>();
    expect(pipe(x, cast('int32')).dtype).toBe('int32');
  });

  test('refuses', () => {
    const error = caught(() => cast(zeros([2]), 'half' as 'float32'));
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('cast: got the dtype half; the dtypes are float32');
    expect(caught(() => cast([1] as never, 'int32')).message).toMatch(
      /^cast: got an (?:array|object); a tensor belongs there/,
    );
  });

  test('derivatives', () => {
    const slope = grad((x: Tensor<readonly [2]>) => sum(mul(cast(x, 'float64'), 3)))(tensor([1, 2]));
    expect([slope.dtype, slope.toArray()]).toEqual(['float32', [3, 3]]);
    expect(
      grad((x: Tensor<readonly [1]>) => sum(mul(x, cast(cast(x, 'int32'), 'float32'))))(tensor([2.5])).toArray(),
    ).toEqual([2]);
  });
});

describe('stopGradient', () => {
  test('is the identity, but constant to derivatives', () => {
    const x = tensor([1, 2]);
    expectTypeOf(stopGradient(x)).toEqualTypeOf<Tensor<readonly [2], 'float32'>>();
    expect(stopGradient(x).toArray()).toEqual([1, 2]);
    expect(stopGradient(tensor([true])).toArray()).toEqual([true]);
    expect(grad((y: Tensor<readonly [2]>) => sum(mul(y, stopGradient(y))))(x).toArray()).toEqual([1, 2]);
  });

  test('refuses', () => {
    expect(caught(() => stopGradient(3 as never)).message).toContain('stopGradient: got number 3; a tensor belongs');
  });
});
