import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cosh,
  DTypeError,
  grad,
  jit,
  sinh,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

type Function = (x: Tensor) => Tensor;
type Table = readonly (readonly [x: number, y: number])[];

const { PI } = Math;

/** Name, function, special values, derivatives at odd places, second derivatives. */
const functions: readonly [string, Function, (x: number) => number, Table, Table, Table][] = [
  [
    'asin',
    asin,
    Math.asin,
    [
      [1, PI / 2],
      [-0, -0],
      [1.5, NaN],
    ],
    [
      [1, Infinity],
      [-1, Infinity],
      [0, 1],
    ],
    [
      [0, 0],
      [0.6, 0.6 / 0.512],
    ],
  ],
  [
    'acos',
    acos,
    Math.acos,
    [
      [1, 0],
      [-1, PI],
      [-2, NaN],
    ],
    [
      [1, -Infinity],
      [-1, -Infinity],
      [0, -1],
    ],
    [
      [0, 0],
      [0.6, -0.6 / 0.512],
    ],
  ],
  [
    'atan',
    atan,
    Math.atan,
    [
      [Infinity, PI / 2],
      [-Infinity, -PI / 2],
      [-0, -0],
    ],
    [
      [Infinity, 0],
      [1e200, 0],
      [0, 1],
    ],
    [[1, -0.5]],
  ],
  [
    'sinh',
    sinh,
    Math.sinh,
    [
      [Infinity, Infinity],
      [-0, -0],
      [1e-12, 1e-12],
    ],
    [
      [0, 1],
      [-Infinity, Infinity],
    ],
    [[0, 0]],
  ],
  [
    'cosh',
    cosh,
    Math.cosh,
    [
      [-Infinity, Infinity],
      [-0, 1],
    ],
    [
      [0, 0],
      [-Infinity, -Infinity],
    ],
    [[0, 1]],
  ],
  [
    'asinh',
    asinh,
    Math.asinh,
    [
      [-Infinity, -Infinity],
      [-0, -0],
      [1e-12, 1e-12],
      [1e300, Math.asinh(1e300)],
    ],
    [
      [0, 1],
      [1e200, 1e-200],
      [-Infinity, 0],
    ],
    [
      [0, 0],
      [0.75, -0.384],
    ],
  ],
  [
    'acosh',
    acosh,
    Math.acosh,
    [
      [1, 0],
      [0.5, NaN],
      [-3, NaN],
      [Infinity, Infinity],
    ],
    [
      [1, Infinity],
      [1e200, 1e-200],
      [Infinity, 0],
      [-3, NaN],
    ],
    [[1.25, -1.25 / 0.421875]],
  ],
  [
    'atanh',
    atanh,
    Math.atanh,
    [
      [1, Infinity],
      [-1, -Infinity],
      [-0, -0],
      [2, NaN],
    ],
    [
      [0, 1],
      [1, Infinity],
      [-1, Infinity],
    ],
    [[0.5, 1 / 0.5625]],
  ],
];

describe.each(functions)('%s', (name, f, reference, values, slopes, curvatures) => {
  const places = [0.1, 0.25, 0.5, 0.9, 1, 1.25, 3].filter(x => !Number.isNaN(reference(x)));
  const derivative = (g: Function): Function => grad(x => sum(g(x)));

  it('computes, under jit and vmap as well', () => {
    for (const [x, y] of values) {
      const got = Number(f(tensor(x, { dtype: 'float64' })).item());
      if (!Object.is(y, got)) close(got / y, 1, 1e-15);
    }
    const x = tensor([places, places], { dtype: 'float64' });
    const y = [places.map(reference), places.map(reference)];
    close(f(x), y, 1e-15);
    close(jit(f)(x), y, 1e-15);
    close(vmap(f)(x), y, 1e-15);
    close(f(tensor([places, places])), y, 3e-7);
  });

  it('differentiates', () => {
    const at = (table: Table, g: Function): void => {
      for (const [x, slope] of table) {
        const got = Number(g(tensor(x, { dtype: 'float64' })).item());
        if (Number.isFinite(slope) && slope !== 0) close(got / slope, 1, 1e-14);
        else expect(got + 0).toBe(slope);
      }
    };
    at(slopes, derivative(f));
    at(curvatures, derivative(derivative(f)));
  });

  it('keeps shapes and floats, and makes float32 of the others', () => {
    expect(f(zeros([2, 0])).shape).toEqual([2, 0]);
    expect(f(tensor([1], { dtype: 'float64' })).dtype).toBe('float64');
    expect(f(tensor([1], { dtype: 'int32' })).dtype).toBe('float32');
    expect(f(tensor([true])).toArray()).toEqual(f(tensor([1])).toArray());
    const error = caught(() => f(tensor([1], { dtype: 'uint8' })));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.operation).toBe(name);
  });
});
