import { pipe } from 'fp-ts/lib/function.js';
import { allClose, isClose, jit, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { expect, it } from 'vitest';

const [T, F] = [true, false];

it.each<[a: readonly number[], b: readonly number[], options: object, close: readonly boolean[]]>([
  [[1, 1, 1, 0, 0], [1.000009, 1.00002, 0.999, 1e-9, 1e-7], {}, [T, F, F, T, F]],
  [[1, -1, 100], [1.4, -1.4, 101], { atol: 0.5 }, [T, T, F]],
  // By the magnitude of the second.
  [[10, 11], [11, 10], { rtol: 0.095, atol: 0 }, [T, F]],
  [[Infinity, Infinity, 1, -Infinity], [Infinity, -Infinity, Infinity, 3], { rtol: 1, atol: 1e9 }, [T, F, F, F]],
  [[NaN, NaN, 1], [NaN, 1, NaN], {}, [F, F, F]],
  [[NaN, NaN, 1, 2], [NaN, 1, NaN, 2], { equalNaN: true }, [T, F, F, T]],
  [[1, 2], [1, 2.0000001], { rtol: 0, atol: 0 }, [T, F]],
])('%o and %o with %o', (a, b, options, close) => {
  const double = (values: readonly number[]) => tensor(values, { dtype: 'float64' }) as Tensor;
  const [x, y] = [double(a), double(b)];
  expect(isClose(x, y, options).toArray()).toEqual(close);
  expect(pipe(x, isClose(y, options)).toArray()).toEqual(close);
  expect(allClose(x, y, options).item()).toBe(close.every(Boolean));
  expect(pipe(x, allClose(y, options)).item()).toBe(close.every(Boolean));
  expect(jit((p: Tensor, q: Tensor) => isClose(p, q, options))(x, y).toArray()).toEqual(close);
  expect(vmap((p: Tensor, q: Tensor) => isClose(p, q, options))(x, y).toArray()).toEqual(close);
});

it('numbers, integers, bytes, bool, shapes', () => {
  expect(isClose(tensor([1, 2]), 1).toArray()).toEqual([T, F]);
  expect(isClose(1, tensor([1, 2])).toArray()).toEqual([T, F]);
  const large = tensor([2147483647, 16777217], { dtype: 'int32' });
  expect(isClose(large, tensor([2147483646, 16777216], { dtype: 'int32' }), { rtol: 0 }).toArray()).toEqual([F, F]);
  expect(isClose(tensor([0, 255], { dtype: 'uint8' }), tensor([1, 255], { dtype: 'uint8' })).toArray()).toEqual([F, T]);
  expect(isClose(tensor([T, F]), tensor([T, T])).toArray()).toEqual([T, F]);
  expect(isClose(tensor([[1], [2]]), tensor([1, 2])).toArray()).toEqual([
    [T, F],
    [F, T],
  ]);
  expect(allClose(zeros([0]), 1).item()).toBe(true);
  expect(allClose(tensor([[1], [2]]), tensor([1, 2]), { atol: 1 }).shape).toEqual([]);
});
