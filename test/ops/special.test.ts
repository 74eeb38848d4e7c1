import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  DTypeError,
  digamma,
  erfc,
  erfinv,
  grad,
  jit,
  lgamma,
  polygamma,
  sinc,
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
const euler = 0.5772156649015329;
const zeta3 = 1.2020569031595942;

/** Name, function, values (to 17 digits from mpmath 1.2), derivatives, second derivatives. */
const functions: readonly [string, Function, Table, Table, Table][] = [
  [
    'erfc',
    erfc,
    [
      [0.5, 0.4795001221869535],
      [5, 1.5374597944280349e-12],
      [20, 5.3958656116079005e-176],
      [-2, 1.9953222650189526],
      [Infinity, 0],
      [-Infinity, 2],
      [-0, 1],
    ],
    [
      [0, -2 / Math.sqrt(PI)],
      [Infinity, 0],
      [40, 0],
    ],
    [[1, (4 / Math.sqrt(PI)) * Math.exp(-1)]],
  ],
  [
    'erfinv',
    erfinv,
    [
      [0.5, 0.4769362762044699],
      [-0.999, -2.326753765513525],
      [1e-12, 8.86226925452758e-13],
      [1, Infinity],
      [-1, -Infinity],
      [2, NaN],
      [-0, -0],
    ],
    [
      [0, Math.sqrt(PI) / 2],
      [1, Infinity],
      [-1, Infinity],
    ],
    [[0, 0]],
  ],
  [
    'lgamma',
    lgamma,
    [
      [0.5, 0.5723649429247001],
      [1, 0],
      [2, 0],
      [1.5, -0.12078223763524522],
      [11, 15.104412573075516],
      [-1.5, 0.860047015376481],
      [1e-300, 690.7755278982137],
      [1e10, 220258509288.8113],
      [0, Infinity],
      [-0, Infinity],
      [-3, Infinity],
      [Infinity, Infinity],
      [-Infinity, Infinity],
    ],
    [
      [1, -euler],
      [0.5, -euler - 2 * Math.LN2],
    ],
    [[1, (PI * PI) / 6]],
  ],
  [
    'digamma',
    digamma,
    [
      [1, -euler],
      [10, 2.251752589066721],
      [-0.5, 0.03648997397857652],
      [0, -Infinity],
      [-0, Infinity],
      [-2, NaN],
      [Infinity, Infinity],
    ],
    [[1, (PI * PI) / 6]],
    [[1, -2 * zeta3]],
  ],
  [
    'trigamma',
    polygamma({ order: 1 }),
    [
      [1, (PI * PI) / 6],
      [0.5, (PI * PI) / 2],
      [-0.5, 8.934802200544679],
      [0, Infinity],
      [-2, Infinity],
      [Infinity, 0],
    ],
    [[1, -2 * zeta3]],
    [[1, PI ** 4 / 15]],
  ],
  [
    'the fifth derivative of digamma',
    polygamma({ order: 5 }),
    [
      [1, (8 * PI ** 6) / 63],
      [-0.5, 8 * PI ** 6 + 2 ** 6 * 120],
      [-1, Infinity],
    ],
    [],
    [],
  ],
  [
    'sinc',
    sinc,
    [
      [0, 1],
      [-0, 1],
      [1, 0],
      [-7, 0],
      [0.5, 2 / PI],
      [-1.5, -2 / (3 * PI)],
      [0.2, 0.9354892837886393],
      [1e6 + 0.5, 1 / (PI * (1e6 + 0.5))],
    ],
    [
      [0, 0],
      [1e-9, (-PI * PI * 1e-9) / 3],
      [1, -1],
      [2, 0.5],
    ],
    [
      [0, (-PI * PI) / 3],
      [1e-9, (-PI * PI) / 3],
      [1, 2],
    ],
  ],
];

describe.each(functions)('%s', (_, f, values, slopes, curvatures) => {
  const derivative = (g: Function): Function => grad(x => sum(g(x)));

  it('computes and differentiates', () => {
    const at = (table: Table, g: Function): void => {
      for (const [x, y] of table) {
        const got = Number(g(tensor(x, { dtype: 'float64' })).item());
        if (Number.isFinite(y) && y !== 0) close(got / y, 1, 2e-14);
        else expect(got + 0, `at ${x}`).toBe(y + 0);
      }
    };
    at(values, f);
    at(slopes, derivative(f));
    at(curvatures, derivative(derivative(f)));
  });

  it('in float32, under jit and vmap', () => {
    const table = values.filter(([x, y]) => Number.isFinite(x) && Math.abs(y) < 1e6 && Math.fround(x) === x);
    const [x, y] = [tensor([table.map(([x]) => x)]), [table.map(([, y]) => y)]];
    for (const g of [f, jit(f), vmap(f)]) close(g(x), y, 1e-6);
  });

  it('keeps shapes and floats, and makes float32 of the others', () => {
    expect(f(zeros([2, 0])).shape).toEqual([2, 0]);
    expect(f(tensor([1], { dtype: 'float64' })).dtype).toBe('float64');
    const y = f(tensor([[1, 3]], { dtype: 'int32' }));
    expect([y.dtype, y.toArray()]).toEqual(['float32', f(tensor([[1, 3]])).toArray()]);
    expect(caught(() => f(tensor([1], { dtype: 'uint8' })))).toBeInstanceOf(DTypeError);
  });
});

it('polygamma takes its tensor last as well, and no order but an integer', () => {
  const x = tensor([1, 2.5]);
  expect(pipe(x, polygamma({ order: 2 })).toArray()).toEqual(polygamma(x, { order: 2 }).toArray());
  expect(polygamma(x, { order: 0 }).toArray()).toEqual(digamma(x).toArray());
  const error = caught(() => polygamma(x, { order: 1.5 }));
  expect(error).toBeInstanceOf(ArgumentError);
  expect(error.message).toMatch(/^polygamma: got the number 1.5 as the order; /);
});

it('orders of one kernel are told apart', () => {
  const f = jit((x: Tensor) => [0, 1, 2].map(order => polygamma(x, { order })));
  close(
    f(tensor([1], { dtype: 'float64' })).map(y => y.item()),
    [-euler, (PI * PI) / 6, -2 * zeta3],
    1e-14,
  );
});
