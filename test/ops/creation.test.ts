import { pipe } from 'fp-ts/lib/function.js';
import { arange, eye, full, fullLike, linspace, ones, onesLike, type Tensor, tensor, zeros, zerosLike } from 'tenfold';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { caught } from '../helpers.js';

describe('tensor of nested arrays', () => {
  test('shape, dtype and elements', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expectTypeOf(x).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect([x.shape, x.dtype]).toEqual([[2, 3], 'float32']);
    expect(x.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(tensor([0.1]).toArray()).toEqual([Math.fround(0.1)]);
    expect(tensor([[[[7]]]]).shape).toEqual([1, 1, 1, 1]);
  });

  test('scalars', () => {
    expectTypeOf(tensor(2)).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    expect([tensor(2).shape, tensor(2).item()]).toEqual([[], 2]);
    expect([tensor(true).dtype, tensor(true).item()]).toEqual(['bool', true]);
  });

  test('no elements', () => {
    expectTypeOf(tensor([])).toEqualTypeOf<Tensor<readonly [0], 'float32'>>();
    expect([tensor([]).shape, tensor([]).dtype, tensor([]).toArray()]).toEqual([[0], 'float32', []]);
    expect([tensor([[], []]).shape, tensor([[], []]).toArray()]).toEqual([
      [2, 0],
      [[], []],
    ]);
  });

  test('dtypes', () => {
    expectTypeOf(tensor([true, false])).toEqualTypeOf<Tensor<readonly [2], 'bool'>>();
    expectTypeOf(tensor([1], { dtype: 'int32' })).toEqualTypeOf<Tensor<readonly [1], 'int32'>>();
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor([0.1], { dtype: 'float64' }).toArray()).toEqual([0.1]);
    expect(tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: 'int32' }).toArray()).toEqual([-2147483648, 2147483647]);
    expect(tensor([0, 2 ** 32 - 1], { dtype: 'uint32' }).toArray()).toEqual([0, 4294967295]);
    expect(tensor([0, 255], { dtype: 'uint8' }).toArray()).toEqual([0, 255]);
    expect(tensor([0, 1], { dtype: 'bool' }).toArray()).toEqual([false, true]);
    expect(tensor([true, false], { dtype: 'float32' }).toArray()).toEqual([1, 0]);
    expect(tensor([NaN, Infinity, -0]).toArray()).toEqual([NaN, Infinity, -0]);
  });

  test('types of what is only known at run time', () => {
    const rows: number[][] = [[1, 2]];
    expectTypeOf(tensor(rows)).toEqualTypeOf<Tensor<readonly [number, number], 'float32'>>();
    const shape: readonly number[] = [2];
    expectTypeOf(zeros(shape)).toEqualTypeOf<Tensor<readonly number[], 'float32'>>();
  });

  test('what is changed afterwards stays outside', () => {
    const values = [1, 2];
    const x = tensor(values);
    values[0] = 9;
    expect(x.toArray()).toEqual([1, 2]);
  });

  test('ragged arrays', () => {
    const error = caught(() =>
      tensor([
        [1, 2, 3],
        [4, 5],
      ]),
    );
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toBe(
      'tensor: got an array of length 2 at [1], but an array of length 3 at [0]; nested arrays must be rectangular: ' +
        'those of one depth have one length. Pad the shorter rows, or make a tensor of each.',
    );
    expect(caught(() => tensor([1, [2]])).message).toContain('an array of length 1 at [1], but an element at [0]');
    expect(
      caught(() =>
        tensor([
          [[1], [2]],
          [[3], 4],
        ]),
      ).message,
    ).toContain('the number 4 at [1][1], but an array of length 1 at [0][0]');
  });

  test('booleans among numbers', () => {
    const error = caught(() =>
      tensor([
        [true, false],
        [true, 2],
      ]),
    );
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('tensor: got the boolean true at [0][0] and the number 2 at [1][1]');
  });

  test('numbers that an integer dtype does not hold', () => {
    const error = caught(() => tensor([[1], [0.5]], { dtype: 'int32' }));
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('tensor: got the number 0.5 at [1][0] for dtype int32');
    expect(caught(() => tensor(-1, { dtype: 'uint32' })).message).toContain('the number -1 for dtype uint32');
    expect(caught(() => tensor([256], { dtype: 'uint8' })).message).toContain('from 0 to 255');
    expect(caught(() => tensor([2], { dtype: 'bool' })).message).toContain('bool holds true and false');
    expect(caught(() => tensor([NaN], { dtype: 'int32' }))._tag).toBe('DTypeError');
  });

  test('what is no number', () => {
    const bad = (values: unknown): string => caught(() => tensor(values as number)).message;
    expect(bad(['1'])).toContain("tensor: got the string '1' at [0]; elements are numbers or booleans");
    expect(bad([1, null])).toContain('null at [1]');
    expect(bad(undefined)).toContain('tensor: got undefined;');
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    expect(bad([1, , 3])).toContain('undefined at [1]');
    expect(bad([tensor([1])])).toContain('a tensor at [0]');
    expect(bad([tensor([1])])).toContain('Join tensors with stack or concat');
    expect(bad([10n])).toContain('the bigint 10 at [0]');
    expect(bad(new BigInt64Array(1))).toContain('a BigInt64Array; of the typed arrays it takes Float32Array');
    expect(caught(() => (tensor as (...args: unknown[]) => unknown)([1, 2], [2])).message).toContain(
      'an array of length 2 and a shape',
    );
    expect(caught(() => tensor([1], { dtype: 'float16' as 'float32' })).message).toContain(
      'tensor: got the dtype float16; the dtypes are float32, float64, int32, uint32, uint8, bool',
    );
  });
});

describe('tensor of a typed array', () => {
  test.each([
    [new Float32Array([1, 2]), 'float32'],
    [new Float64Array([1, 2]), 'float64'],
    [new Int32Array([1, 2]), 'int32'],
    [new Uint32Array([1, 2]), 'uint32'],
    [new Uint8Array([1, 2]), 'uint8'],
    [Buffer.from([1, 2]), 'uint8'],
  ] as const)('%o', (values, dtype) => {
    const x = tensor(values, [1, 2]);
    expect([x.dtype, x.toArray()]).toEqual([dtype, [[1, 2]]]);
    values[0] = 9;
    expect(x.toArray()).toEqual([[1, 2]]);
    expect(tensor(values).shape).toEqual([2]);
  });

  test('types', () => {
    expectTypeOf(tensor(new Float64Array(4), [2, 2])).toEqualTypeOf<Tensor<readonly [2, 2], 'float64'>>();
    expectTypeOf(tensor(new Uint8Array(2), [2], { dtype: 'bool' })).toEqualTypeOf<Tensor<readonly [2], 'bool'>>();
    expectTypeOf(tensor(new Int32Array(2))).toEqualTypeOf<Tensor<readonly [number], 'int32'>>();
  });

  test('another dtype', () => {
    expect(tensor(new Uint8Array([0, 1]), [2], { dtype: 'bool' }).toArray()).toEqual([false, true]);
    expect(tensor(new Uint8Array([0, 255]), { dtype: 'float32' }).toArray()).toEqual([0, 255]);
    expect(tensor(new Float64Array([0.1]), { dtype: 'float32' }).toArray()).toEqual([Math.fround(0.1)]);
    expect(caught(() => tensor(new Float32Array([1, 1.5]), [2], { dtype: 'int32' })).message).toContain('1.5 at [1]');
  });

  test('scalars and no elements', () => {
    expect(tensor(new Float32Array([3]), []).item()).toBe(3);
    expect(tensor(new Float32Array(0), [2, 0]).toArray()).toEqual([[], []]);
  });

  test('a shape that does not fit', () => {
    const error = caught(() => tensor(new Float32Array(5), [2, 3]));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain('tensor: got a Float32Array of length 5 and the shape [2, 3]; that shape has 6');
    expect(caught(() => tensor(new Float32Array(5), [2.5, 2])).message).toContain('tensor: got the shape [2.5, 2]');
  });
});

describe('filled', () => {
  test('zeros and ones', () => {
    expectTypeOf(zeros([2, 3])).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expectTypeOf(ones([2], { dtype: 'bool' })).toEqualTypeOf<Tensor<readonly [2], 'bool'>>();
    expect(zeros([2, 1]).toArray()).toEqual([[0], [0]]);
    expect(zeros([2], { dtype: 'bool' }).toArray()).toEqual([false, false]);
    expect(ones([], { dtype: 'float64' }).item()).toBe(1);
    expect(ones([2], { dtype: 'uint8' }).toArray()).toEqual([1, 1]);
    expect(ones([0, 3]).toArray()).toEqual([]);
    expect(caught(() => zeros([2, -1])).message).toContain('zeros: got the shape [2, -1]');
    expect(caught(() => ones(3 as unknown as [])).message).toContain('ones: got 3 as a shape');
    expect(caught(() => ones([3], { dtype: 'int64' as 'int32' })).message).toContain('ones: got the dtype int64');
  });

  test('a shape changed afterwards stays outside', () => {
    const shape = [1, 2];
    const x = zeros(shape);
    shape[0] = 5;
    expect(x.toArray()).toEqual([[0, 0]]);
  });

  test('full', () => {
    expectTypeOf(full([2], true)).toEqualTypeOf<Tensor<readonly [2], 'bool'>>();
    expectTypeOf(full([2], 3)).toEqualTypeOf<Tensor<readonly [2], 'float32'>>();
    expect(full([2], true).toArray()).toEqual([true, true]);
    expect(full([2], 0.1).toArray()).toEqual([Math.fround(0.1), Math.fround(0.1)]);
    expect(full([1], 0.1, { dtype: 'float64' }).toArray()).toEqual([0.1]);
    expect(full([2], 7, { dtype: 'int32' }).toArray()).toEqual([7, 7]);
    expect(full([], NaN).item()).toBeNaN();
    expect(caught(() => full([2], 0.5, { dtype: 'int32' })).message).toContain(
      'full: got the number 0.5 for dtype int32',
    );
    expect(caught(() => full([2.5], 1)).message).toContain('full: got the shape [2.5]');
    expect(caught(() => full([2], tensor(1) as unknown as number)).message).toContain(
      'full: got a tensor as the value',
    );
  });

  test('like another', () => {
    const x = tensor([[1, 2]], { dtype: 'int32' });
    expectTypeOf(zerosLike(x)).toEqualTypeOf<Tensor<readonly [1, 2], 'int32'>>();
    expectTypeOf(onesLike(x, { dtype: 'float64' })).toEqualTypeOf<Tensor<readonly [1, 2], 'float64'>>();
    expect([zerosLike(x).dtype, zerosLike(x).toArray()]).toEqual(['int32', [[0, 0]]]);
    expect(onesLike(x, { dtype: 'bool' }).toArray()).toEqual([[true, true]]);
    expect(fullLike(x, 5).toArray()).toEqual([[5, 5]]);
    const through = pipe(x, fullLike(5));
    expectTypeOf(through).toEqualTypeOf<Tensor<readonly [1, 2], 'int32'>>();
    expect(through.toArray()).toEqual([[5, 5]]);
    expect(pipe(x, fullLike(0.5, { dtype: 'float32' })).toArray()).toEqual([[0.5, 0.5]]);
    expect(caught(() => fullLike(x, 0.5)).message).toContain('fullLike: got the number 0.5 for dtype int32');
    expect(caught(() => zerosLike([1] as never)).message).toMatch(
      /^zerosLike: got an (?:array|object); a tensor belongs there/,
    );
    expect(caught(() => onesLike(3 as never)).message).toContain('onesLike: got number 3');
  });
});

describe('counted', () => {
  test('arange', () => {
    expectTypeOf(arange(3, { dtype: 'int32' })).toEqualTypeOf<Tensor<readonly [3], 'int32'>>();
    expect([arange(3).dtype, arange(3).toArray()]).toEqual(['float32', [0, 1, 2]]);
    expect(arange(2.5).toArray()).toEqual([0, 1, 2]);
    expect(arange(2, 5).toArray()).toEqual([2, 3, 4]);
    expect(arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(arange(5, 0, -2, { dtype: 'int32' }).toArray()).toEqual([5, 3, 1]);
    expect(arange(5, 0).toArray()).toEqual([]);
    expect(arange(0).toArray()).toEqual([]);
    expect(arange(3, { dtype: 'uint8' }).toArray()).toEqual([0, 1, 2]);
    // NumPy's length, though 1.3 is not meant to be reached.
    expect(arange(1, 1.3, 0.1, { dtype: 'float64' }).toArray()).toEqual([1, 1.1, 1.2, 1 + 3 * 0.1]);
  });

  test('arange refuses', () => {
    expect(caught(() => arange(0, 5, 0)).message).toContain('arange: got start 0, stop 5, step 0');
    expect(caught(() => arange(NaN)).message).toContain('arange: got the number NaN as stop');
    expect(caught(() => arange(0, 2, 0.5, { dtype: 'int32' })).message).toContain(
      'arange: got the number 0.5 for dtype int32',
    );
    expect(caught(() => arange(257, { dtype: 'uint8' })).message).toContain(
      'arange: got the number 256 for dtype uint8',
    );
  });

  test('linspace', () => {
    expectTypeOf(linspace(0, 1, 5)).toEqualTypeOf<Tensor<readonly [5], 'float32'>>();
    expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(2, 3, 1).toArray()).toEqual([2]);
    expect(linspace(2, 3, 0).toArray()).toEqual([]);
    expect(linspace(4, 0, 3, { dtype: 'int32' }).toArray()).toEqual([4, 2, 0]);
    const betas = linspace(1e-4, 0.02, 1000, { dtype: 'float64' }).dataSync();
    expect([betas[0], betas[999]]).toEqual([1e-4, 0.02]);
    expect(caught(() => linspace(0, 1, 2.5)).message).toContain('linspace: got count 2.5');
    expect(caught(() => linspace(0, Infinity, 2)).message).toContain('linspace: got the number Infinity as stop');
    expect(caught(() => linspace(0, 1, 3, { dtype: 'int32' })).message).toContain('linspace: got the number 0.5');
  });

  test('eye', () => {
    expectTypeOf(eye(2)).toEqualTypeOf<Tensor<readonly [2, 2], 'float32'>>();
    expectTypeOf(eye(2, { m: 3, dtype: 'int32' })).toEqualTypeOf<Tensor<readonly [2, 3], 'int32'>>();
    expect(eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(eye(3, { m: 2, dtype: 'int32' }).toArray()).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(eye(1, { m: 2, dtype: 'bool' }).toArray()).toEqual([[true, false]]);
    expect(eye(0).toArray()).toEqual([]);
    expect(caught(() => eye(-1)).message).toContain('eye: got the shape [-1, -1]');
  });
});

test('options of other names are refused', () => {
  const wrong = { type: 'int32' } as never;
  const x = zeros([2]);
  for (const [name, call] of Object.entries({
    tensor: () => tensor([1], wrong),
    zeros: () => zeros([1], wrong),
    ones: () => ones([1], wrong),
    full: () => full([1], 2, wrong),
    zerosLike: () => zerosLike(x, wrong),
    onesLike: () => onesLike(x, wrong),
    fullLike: () => fullLike(x, 1, wrong),
    arange: () => arange(3, wrong),
    linspace: () => linspace(0, 1, 3, wrong),
    eye: () => eye(2, wrong),
  })) {
    expect(caught(call).message).toContain(`${name}: got the option type; `);
  }
  expect(caught(() => zeros([1], 'int32' as never)).message).toContain(
    "the string 'int32' in the place of the options",
  );
  expect(caught(() => (arange as (...args: number[]) => unknown)(1, 2, 3, 4)).message).toContain('got 4 arguments');
});
