import { pipe } from 'fp-ts/lib/function.js';
import {
  atan2,
  copysign,
  grad,
  heaviside,
  hypot,
  jit,
  logaddexp,
  pow,
  squaredDifference,
  sum,
  type Tensor,
  tensor,
  vmap,
  xlogy,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { type AnyBinary, close } from '../helpers.js';

type Pair = readonly [a: number, b: number];
type Slopes = readonly [inA: number, inB: number];

interface Row {
  readonly f: AnyBinary;
  readonly formula: (a: number, b: number) => number;
  /** Operands at which the value is another one than the formula's, or worth a look. */
  readonly values: readonly (readonly [...Pair, number])[];
  /** Derivatives where a formula for them would have trouble. */
  readonly slopes: readonly (readonly [...Pair, ...Slopes])[];
}

const { atan2: angle, exp, hypot: length, log, LN2, PI, abs, sign } = Math;

const table: Readonly<Record<string, Row>> = {
  atan2: {
    f: atan2,
    formula: angle,
    values: [
      [-0, -1, -PI],
      [0, -1, PI],
      [Infinity, Infinity, PI / 4],
      [NaN, 1, NaN],
    ],
    slopes: [
      [1, 0, 0, -1],
      [0, 0, 0, 0],
      [1e30, 1e30, 0, 0],
    ],
  },
  hypot: {
    f: hypot,
    formula: length,
    values: [
      [3e30, 4e30, 5e30],
      [3e-30, 4e-30, 5e-30],
      [-Infinity, 1, Infinity],
    ],
    slopes: [
      [0, 0, 0, 0],
      [3, -4, 0.6, -0.8],
      [3e30, 4e30, 0.6, 0.8],
    ],
  },
  logaddexp: {
    f: logaddexp,
    formula: (a, b) => log(exp(a) + exp(b)),
    values: [
      [1000, 1000, 1000 + LN2],
      [-1000, -Infinity, -1000],
      [-Infinity, -Infinity, -Infinity],
      [Infinity, Infinity, Infinity],
    ],
    slopes: [
      [1000, 1000, 0.5, 0.5],
      [1000, 0, 1, 0],
      [-Infinity, 2, 0, 1],
    ],
  },
  xlogy: {
    f: xlogy,
    formula: (a, b) => a * log(b),
    values: [
      [0, 0, 0],
      [0, -1, 0],
      [0, Infinity, 0],
      [0, NaN, NaN],
      [NaN, 1, NaN],
      [2, 0, -Infinity],
      [1, -1, NaN],
    ],
    slopes: [
      [0, 0, 0, 0],
      [0, 2, LN2, 0],
      [3, 2, LN2, 1.5],
    ],
  },
  squaredDifference: {
    f: squaredDifference,
    formula: (a, b) => (a - b) ** 2,
    values: [[Infinity, 1, Infinity]],
    slopes: [
      [1, 3, -4, 4],
      [2, 2, 0, 0],
    ],
  },
  copysign: {
    f: copysign,
    formula: (a, b) => abs(a) * sign(b),
    values: [
      [1, -0, -1],
      [1, 0, 1],
      [Infinity, -2, -Infinity],
      [-3, Infinity, 3],
      [-3, -Infinity, -3],
      [NaN, 1, NaN],
    ],
    slopes: [
      [2, -3, -1, 0],
      [-2, -3, 1, 0],
      [0, -3, 0, 0],
      [1, 0, 1, 0],
    ],
  },
  heaviside: {
    f: heaviside,
    formula: a => (a > 0 ? 1 : 0),
    values: [
      [0, 0.5, 0.5],
      [-0, 0.5, 0.5],
      [NaN, 0.5, NaN],
      [Infinity, 5, 1],
      [1, NaN, 1],
    ],
    slopes: [
      [0, 0.5, 0, 1],
      [2, 0.5, 0, 0],
    ],
  },
  pow: {
    f: pow,
    formula: (a, b) => a ** b,
    values: [
      [0, 0, 1],
      [NaN, 0, 1],
      [1, NaN, 1],
      [1, Infinity, 1],
      [-1, -Infinity, 1],
      [-1, NaN, NaN],
      [-8, 1 / 3, NaN],
      [-2, 3, -8],
      [0, -1, Infinity],
    ],
    slopes: [
      [0, 2, 0, 0],
      [0, 0, 0, 0],
      [0, 1, 1, 0],
      [1, 3, 3, 0],
    ],
  },
};

const operands = (rows: readonly (readonly number[])[], dtype: 'float32' | 'float64'): readonly [Tensor, Tensor] => {
  const column = (i: number) =>
    tensor(
      rows.map(row => row[i]!),
      { dtype },
    ) as Tensor;
  return [column(0), column(1)];
};

describe.each(Object.entries(table))('%s', (_, { f, formula, values, slopes }) => {
  const regular: readonly Pair[] = [
    [0.5, 1.5],
    [2, 0.25],
    [1.25, 3],
    [0.125, 2],
  ];

  it('has the values of its formula, and those at the edges', () => {
    const rows = [...regular.map(([a, b]) => [a, b, formula(a, b)] as const), ...values];
    for (const dtype of ['float32', 'float64'] as const) {
      const [a, b] = operands(rows, dtype);
      const y = f(a, b);
      close(
        y,
        rows.map(row => row[2]!),
        dtype === 'float32' ? 1e-6 : 1e-13,
      );
      expect(y.dtype).toBe(dtype);
    }
  });

  it('has the right slopes, at the edges too', () => {
    const h = 1e-6;
    const difference = ([a, b]: Pair): readonly [...Pair, ...Slopes] => [
      a,
      b,
      (formula(a + h, b) - formula(a - h, b)) / (2 * h),
      (formula(a, b + h) - formula(a, b - h)) / (2 * h),
    ];
    const rows = [...regular.map(difference), ...slopes];
    const [a, b] = operands(rows, 'float64');
    close(
      grad((x: Tensor) => sum(f(x, b)))(a) as Tensor,
      rows.map(row => row[2]!),
      1e-8,
    );
    close(
      grad((x: Tensor) => sum(f(a, x)))(b) as Tensor,
      rows.map(row => row[3]!),
      1e-8,
    );
  });

  it('broadcasts, and takes numbers on both sides, and the first operand last', () => {
    const [column, row] = [tensor([[0.5], [2]]), tensor([1.5, 0.25, 3])];
    const both = [0.5, 2].map(a => [1.5, 0.25, 3].map(b => formula(a, b)));
    close(f(column, row), both);
    close(pipe(column, f(row)), both);
    close(f(0.5, row), both[0]!);
    close(
      f(row, 2),
      [1.5, 0.25, 3].map(a => formula(a, 2)),
    );
    close(
      pipe(row, f(2)),
      [1.5, 0.25, 3].map(a => formula(a, 2)),
    );
    close(jit(f as (a: Tensor, b: Tensor) => Tensor)(column, row), both);
    close(vmap((a: Tensor) => f(a, row))(tensor([0.5, 2])), both);
    expect(f(tensor([]), 1).shape).toEqual([0]);
  });
});

it('whole operands', () => {
  const [a, b] = [tensor([3, 0], { dtype: 'int32' }), tensor([4, 7], { dtype: 'int32' })];
  close(hypot(a, b), [5, 7]);
  expect(hypot(a, b).dtype).toBe('float32');
  expect(squaredDifference(a, b).toArray()).toEqual([1, 49]);
  expect(squaredDifference(a, b).dtype).toBe('int32');
  expect(heaviside(a, b).toArray()).toEqual([1, 7]);
  expect(pow(a, b).toArray()).toEqual([81, 0]);
});
