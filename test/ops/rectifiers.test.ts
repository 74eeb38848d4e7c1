import { pipe } from 'fp-ts/lib/function.js';
import {
  celu,
  elu,
  grad,
  hardSigmoid,
  hardSwish,
  hardshrink,
  hardTanh,
  jit,
  leakyRelu,
  mul,
  ones,
  prelu,
  relu,
  relu6,
  ShapeError,
  selu,
  softshrink,
  sum,
  type Tensor,
  TraceError,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

type Function = (x: Tensor) => Tensor;

const { expm1, max, min } = Math;
const double = (values: readonly number[]) => tensor(values, { dtype: 'float64' }) as Tensor;
const slopes = (f: Function, at: readonly number[]): Tensor => grad((x: Tensor) => sum(f(x)))(double(at)) as Tensor;
const [alpha, scale] = [1.6732632423543772, 1.0507009873554805];

/** The formula, and by points the slope there: at the bends, at infinity, far out. */
const table: Readonly<Record<string, [Function, (x: number) => number, Readonly<Record<string, number>>]>> = {
  relu6: [relu6, x => min(max(x, 0), 6), { '-1': 0, 0: 0, 5: 1, 6: 0, 7: 0, Infinity: 0, '-Infinity': 0 }],
  leakyRelu: [x => leakyRelu(x), x => (x > 0 ? x : 0.01 * x), { 0: 0.01, Infinity: 1, '-Infinity': 0.01 }],
  'leakyRelu of a slope': [leakyRelu({ negativeSlope: -2 }), x => (x > 0 ? x : -2 * x), { 0: -2, 1: 1 }],
  'prelu of a number': [prelu(0.25), x => (x > 0 ? x : 0.25 * x), { 0: 0.25, Infinity: 1 }],
  elu: [x => elu(x), x => (x > 0 ? x : expm1(x)), { 0: 1, 1e4: 1, '-1e4': 0, Infinity: 1, '-Infinity': 0 }],
  'elu of an alpha': [elu({ alpha: 0.5 }), x => (x > 0 ? x : expm1(x) / 2), { 0: 0.5, 1e4: 1 }],
  celu: [x => celu(x), x => (x > 0 ? x : expm1(x)), { 0: 1, 1e4: 1, '-1e4': 0, Infinity: 1, '-Infinity': 0 }],
  'celu of an alpha': [celu({ alpha: 4 }), x => (x > 0 ? x : 4 * expm1(x / 4)), { 0: 1 }],
  selu: [selu, x => scale * (x > 0 ? x : alpha * expm1(x)), { 0: scale * alpha, 1e4: scale, '-Infinity': 0 }],
  hardSigmoid: [hardSigmoid, x => min(max(x + 3, 0), 6) / 6, { '-3': 0, 0: 1 / 6, 3: 0, Infinity: 0, '-Infinity': 0 }],
  hardSwish: [
    hardSwish,
    x => (x <= -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6),
    { '-3': -0.5, 0: 0.5, 3: 1.5, 4: 1, Infinity: 1, '-Infinity': 0 },
  ],
  hardTanh: [x => hardTanh(x), x => min(max(x, -1), 1), { '-1': 0, 0: 1, 1: 0, Infinity: 0 }],
  'hardTanh of bounds': [hardTanh({ low: -2, high: 0.5 }), x => min(max(x, -2), 0.5), { '-2': 0, 0: 1, 0.5: 0 }],
  softshrink: [
    x => softshrink(x),
    x => x - min(max(x, -0.5), 0.5),
    { 0.5: 0, '-0.5': 0, 0: 0, 1: 1, Infinity: 1, '-Infinity': 1 },
  ],
  hardshrink: [hardshrink({ lambda: 1 }), x => (x >= -1 && x <= 1 ? 0 : x), { 1: 0, '-1': 0, 0: 0, 2: 1, Infinity: 1 }],
};

describe.each(Object.entries(table))('%s', (_, [f, formula, at]) => {
  const points = [-20, -4, -3, -1.25, -0.5, -1e-12, 0, 1e-12, 0.25, 0.5, 2, 3, 5, 20, Infinity, -Infinity, NaN];

  it('has the values of its formula', () => {
    close(f(double(points)), points.map(formula), 1e-14);
    close(f(tensor(points)), points.map(formula));
  });

  it('has the right slope at its bends', () => {
    close(slopes(f, Object.keys(at).map(Number)), Object.values(at), 1e-14);
  });

  it('has the slope of its formula between them', () => {
    const smooth = [-2.5, -1.5, -0.2, 0.1, 0.7, 2.5, 4];
    const differences = smooth.map(x => (formula(x + 1e-6) - formula(x - 1e-6)) / 2e-6);
    close(slopes(f, smooth), differences, 1e-8);
  });

  it('does the same under jit and vmap', () => {
    const x = tensor([
      [-4, -0.25, 0],
      [0.25, 1, 7],
    ]);
    expect(jit(f)(x).toArray()).toEqual(f(x).toArray());
    expect(vmap(f)(x).toArray()).toEqual(f(x).toArray());
  });

  it('takes scalars, integers and no elements', () => {
    close(f(tensor(-2)), formula(-2));
    expect(f(zeros([0, 3])).shape).toEqual([0, 3]);
    close(f(tensor([-2, 2], { dtype: 'int32' })), [formula(-2), formula(2)]);
  });
});

it('keeps integers where the result is one', () => {
  expect(relu6(tensor([-3, 9], { dtype: 'int32' })).dtype).toBe('int32');
  expect(relu6(tensor([3, 9], { dtype: 'uint32' })).toArray()).toEqual([3, 6]);
  expect(leakyRelu(tensor([true])).dtype).toBe('float32');
});

describe('prelu', () => {
  const x = tensor([
    [-1, -2, 3],
    [4, -5, -6],
  ]);

  it('has a slope for each channel, or one for all', () => {
    expect(prelu(x, tensor([2, 3, 4])).toArray()).toEqual([
      [-2, -6, 3],
      [4, -15, -24],
    ]);
    const single = [
      [-2, -4, 3],
      [4, -10, -12],
    ];
    for (const weight of [2, tensor(2), tensor([2])]) expect(prelu(x, weight as Tensor).toArray()).toEqual(single);
    expect(prelu(tensor(-3), tensor([2])).toArray()).toBe(-6);
    const image = mul(ones([2, 3, 1, 2]), -1);
    expect(pipe(image, prelu(tensor([1, 2, 3]))).toArray()[1]).toEqual([[[-1, -1]], [[-2, -2]], [[-3, -3]]]);
    expect(prelu(x, tensor([2], { dtype: 'float64' })).dtype).toBe('float64');
  });

  it('hands a slope what its negative elements get', () => {
    const weights = grad((w: Tensor) => sum(prelu(tensor([[-1, Infinity, -3]]), w)))(tensor([2, 2, 2])) as Tensor;
    expect(weights.toArray()).toEqual([-1, 0, -3]);
  });

  it('refuses slopes that are not for its channels', () => {
    for (const [y, weight] of [
      [x, tensor([1, 2])],
      [x, ones([1, 3])],
      [tensor([1, 2]), tensor([1, 2])],
      [tensor(1), tensor([1, 2])],
    ] as const) {
      expect(caught(() => prelu(y as Tensor, weight))).toBeInstanceOf(ShapeError);
    }
  });
});

it('wants options that are known', () => {
  const f = jit((x: Tensor, negativeSlope: number) => leakyRelu(x, { negativeSlope }));
  expect(caught(() => f(ones([2]), 0.5))).toBeInstanceOf(TraceError);
});

it('relu of what is infinite or no number', () => {
  close(slopes(relu, [-Infinity, 0, Infinity]), [0, 0, 1]);
});
