import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  ceil,
  cos,
  DTypeError,
  erf,
  exp,
  exp2,
  expm1,
  floor,
  log,
  log1p,
  log2,
  log10,
  reciprocal,
  round,
  rsqrt,
  sigmoid,
  sin,
  sqrt,
  type Tensor,
  tan,
  tanh,
  tensor,
  trunc,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const { PI, E } = Math;

type Function = (x: Tensor) => Tensor;

/** Name, function, what it computes in JavaScript (null where given by the cases alone), special cases. */
const functions: readonly [string, Function, ((x: number) => number) | null, readonly (readonly [number, number])[]][] =
  [
    [
      'exp',
      exp,
      Math.exp,
      [
        [Infinity, Infinity],
        [-Infinity, 0],
        [NaN, NaN],
        [-0, 1],
        [1, E],
      ],
    ],
    [
      'exp2',
      exp2,
      x => 2 ** x,
      [
        [Infinity, Infinity],
        [-Infinity, 0],
        [NaN, NaN],
        [-0, 1],
        [0.5, Math.SQRT2],
      ],
    ],
    [
      'expm1',
      expm1,
      Math.expm1,
      [
        [Infinity, Infinity],
        [-Infinity, -1],
        [-0, -0],
        [1e-12, 1e-12],
      ],
    ],
    [
      'log',
      log,
      Math.log,
      [
        [Infinity, Infinity],
        [0, -Infinity],
        [-0, -Infinity],
        [-1, NaN],
        [E, 1],
      ],
    ],
    [
      'log1p',
      log1p,
      Math.log1p,
      [
        [Infinity, Infinity],
        [-1, -Infinity],
        [-2, NaN],
        [-0, -0],
        [1e-12, 1e-12],
      ],
    ],
    [
      'log2',
      log2,
      Math.log2,
      [
        [Infinity, Infinity],
        [0, -Infinity],
        [-1, NaN],
        [8, 3],
        [1, 0],
      ],
    ],
    [
      'log10',
      log10,
      Math.log10,
      [
        [Infinity, Infinity],
        [0, -Infinity],
        [-1, NaN],
        [1000, 3],
        [1, 0],
      ],
    ],
    [
      'sqrt',
      sqrt,
      Math.sqrt,
      [
        [Infinity, Infinity],
        [0, 0],
        [-0, -0],
        [-1, NaN],
        [9, 3],
      ],
    ],
    [
      'rsqrt',
      rsqrt,
      x => 1 / Math.sqrt(x),
      [
        [Infinity, 0],
        [0, Infinity],
        [-1, NaN],
        [16, 0.25],
      ],
    ],
    [
      'reciprocal',
      reciprocal,
      x => 1 / x,
      [
        [Infinity, 0],
        [-Infinity, -0],
        [0, Infinity],
        [-0, -Infinity],
        [NaN, NaN],
      ],
    ],
    [
      'sin',
      sin,
      Math.sin,
      [
        [Infinity, NaN],
        [0, 0],
        [-0, -0],
        [PI / 2, 1],
      ],
    ],
    [
      'cos',
      cos,
      Math.cos,
      [
        [Infinity, NaN],
        [0, 1],
        [PI, -1],
      ],
    ],
    [
      'tan',
      tan,
      Math.tan,
      [
        [Infinity, NaN],
        [-0, -0],
        [PI / 4, 1],
      ],
    ],
    [
      'tanh',
      tanh,
      Math.tanh,
      [
        [Infinity, 1],
        [-Infinity, -1],
        [-0, -0],
        [NaN, NaN],
      ],
    ],
    [
      'sigmoid',
      sigmoid,
      x => 1 / (1 + Math.exp(-x)),
      [
        [Infinity, 1],
        [-Infinity, 0],
        [-1000, 0],
        [0, 0.5],
        [NaN, NaN],
      ],
    ],
    [
      'erf',
      erf,
      null,
      [
        [0.5, 0.5204998778130465],
        [-2, -0.9953222650189527],
        [Infinity, 1],
        [-Infinity, -1],
        [-0, -0],
        [NaN, NaN],
      ],
    ],
  ];

describe.each(functions)('%s', (name, f, reference, cases) => {
  const ordinary = [0.1, 0.5, 1, 2.5, 7];

  it('computes', () => {
    for (const [x, y] of cases) close(f(tensor(x, { dtype: 'float64' })), y, 1e-14);
    close(
      f(tensor(cases.map(([x]) => x))),
      cases.map(([, y]) => y),
    );
    const zero = cases.find(([x]) => Object.is(x, -0));
    if (zero !== undefined) expect(f(tensor(-0)).item()).toBe(Math.fround(zero[1]));
    if (reference === null) return;
    close(f(tensor(ordinary, { dtype: 'float64' })), ordinary.map(reference), 1e-14);
    close(f(tensor(ordinary)), ordinary.map(reference), 1e-6);
  });

  it('keeps shapes and floats, and makes float32 of the others', () => {
    expect(f(zeros([2, 0])).shape).toEqual([2, 0]);
    expect(f(zeros([2, 0])).toArray()).toEqual([[], []]);
    const x = [[1, 2]];
    expect(f(tensor(x, { dtype: 'float64' })).dtype).toBe('float64');
    for (const dtype of ['int32', 'uint32'] as const) {
      const y = f(tensor(x, { dtype }));
      expect([y.dtype, y.shape]).toEqual(['float32', [1, 2]]);
      expect(y.toArray()).toEqual(f(tensor(x)).toArray());
    }
    expect(f(tensor([true])).toArray()).toEqual(f(tensor([1])).toArray());
  });

  it('names itself in errors', () => {
    const error = caught(() => f(tensor([1], { dtype: 'uint8' })));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got a tensor of uint8; `));
    const other = caught(() => f(3 as unknown as Tensor));
    expect(other).toBeInstanceOf(ArgumentError);
    expect(other.message).toMatch(new RegExp(`^${name}: got number 3; `));
  });
});

describe('rounding', () => {
  const x = [-2.5, -1.5, -0.5, -0, 0, 0.5, 1.5, 2.5, 2.4999, -Infinity, NaN];
  it.each<[string, Function, number[]]>([
    ['floor', floor, [-3, -2, -1, -0, 0, 0, 1, 2, 2, -Infinity, NaN]],
    ['ceil', ceil, [-2, -1, -0, -0, 0, 1, 2, 3, 3, -Infinity, NaN]],
    ['round', round, [-2, -2, -0, -0, 0, 0, 2, 2, 2, -Infinity, NaN]],
    ['trunc', trunc, [-2, -1, -0, -0, 0, 0, 1, 2, 2, -Infinity, NaN]],
  ])('%s', (name, f, expected) => {
    expect(f(tensor(x)).toArray()).toEqual(expected);
    expect(f(tensor(x, { dtype: 'float64' })).toArray()).toEqual(expected);
    for (const dtype of ['int32', 'uint32', 'uint8'] as const) {
      const y = f(tensor([1, 200], { dtype }));
      expect([y.dtype, y.toArray()]).toEqual([dtype, [1, 200]]);
    }
    expect(f(tensor([true, false])).toArray()).toEqual([true, false]);
    expect(f(zeros([0])).toArray()).toEqual([]);
    const error = caught(() => f([1.5] as unknown as Tensor));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(new RegExp(`^${name}: got a`));
  });
});

it('functions of one tensor go into a pipe as they are', () => {
  const y = pipe(tensor([[1, 4]]), sqrt, log2, floor);
  expect(y.toArray()).toEqual([[0, 1]]);
});

it('powers of 2 are exact', () => {
  for (const [dtype, low, high] of [
    ['float32', -149, 127],
    ['float64', -1074, 1023],
  ] as const) {
    const exponents = Array.from({ length: high - low + 1 }, (_, i) => low + i);
    expect(exp2(tensor(exponents, { dtype })).toArray()).toEqual(exponents.map(n => 2 ** n));
  }
});
