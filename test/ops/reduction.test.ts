import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  AxisError,
  argmax,
  argmin,
  countNonzero,
  grad,
  logsumexp,
  max,
  mean,
  median,
  min,
  norm,
  prod,
  ShapeError,
  std,
  sum,
  type Tensor,
  tensor,
  variance,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { type AnyWithOptions, caught, close } from '../helpers.js';

const x = tensor([
  [1, 2, 6],
  [7, 3, 5],
]);
const { log, sqrt, exp } = Math;

/** Name, function, over everything, over axis 0, over axis 1. */
type Row = readonly [string, AnyWithOptions, number, readonly number[], readonly number[]];

const functions: readonly Row[] = [
  ['sum', sum, 24, [8, 5, 11], [9, 15]],
  ['mean', mean, 4, [4, 2.5, 5.5], [3, 5]],
  ['prod', prod, 1260, [7, 6, 30], [12, 105]],
  ['countNonzero', countNonzero, 6, [2, 2, 2], [3, 3]],
  ['norm', norm, sqrt(124), [sqrt(50), sqrt(13), sqrt(61)], [sqrt(41), sqrt(83)]],
  ['median', median, 4, [4, 2.5, 5.5], [2, 5]],
  ['max', max, 7, [7, 3, 6], [6, 7]],
  ['min', min, 1, [1, 2, 5], [1, 3]],
  ['variance', variance, 28 / 6, [9, 0.25, 0.25], [14 / 3, 8 / 3]],
  ['std', std, sqrt(28 / 6), [3, 0.5, 0.5], [sqrt(14 / 3), sqrt(8 / 3)]],
  [
    'logsumexp',
    logsumexp,
    log(exp(1) + exp(2) + exp(3) + exp(5) + exp(6) + exp(7)),
    [log(exp(1) + exp(7)), log(exp(2) + exp(3)), log(exp(5) + exp(6))],
    [log(exp(1) + exp(2) + exp(6)), log(exp(7) + exp(3) + exp(5))],
  ],
];

const positions: readonly Row[] = [
  ['argmax', argmax, 3, [1, 1, 0], [2, 0]],
  ['argmin', argmin, 0, [0, 0, 1], [0, 1]],
];

describe.each([...functions, ...positions])('%s', (name, f, whole, along0, along1) => {
  it('reduces all axes, one, or one from the end', () => {
    close(f(x), whole);
    expect(f(x).shape).toEqual([]);
    close(f(x, {}), whole);
    close(f(x, { axis: 0 }), along0);
    close(f(x, { axis: 1 }), along1);
    close(f(x, { axis: -1 }), along1);
    close(f(x, { axis: -2 }), along0);
  });

  it('keeps axes', () => {
    close(f(x, { keepDims: true }), [[whole]]);
    close(f(x, { axis: 0, keepDims: true }), [along0]);
    close(
      f(x, { axis: -1, keepDims: true }),
      along1.map(value => [value]),
    );
    close(f(x, { axis: 0, keepDims: false }), along0);
  });

  it('takes the tensor last', () => {
    close(pipe(x, f()), whole);
    close(pipe(x, f({ axis: 0 })), along0);
    close(
      pipe(x, f({ axis: 1, keepDims: true })),
      along1.map(value => [value]),
    );
  });

  it('reduces scalars and single elements', () => {
    const single = f(tensor([5]), { axis: 0 });
    expect(single.shape).toEqual([]);
    expect(single.item()).toBe(f(tensor(5)).item());
  });

  it('works in float64', () => {
    const y = f(tensor(x.toArray(), { dtype: 'float64' }));
    if (/^arg|^count/.test(name)) expect(y.dtype).toBe('int32');
    else expect(y.dtype).toBe('float64');
    close(y, whole, 1e-14);
  });

  it('leaves nothing of nothing', () => {
    const y = f(zeros([0, 3]), { axis: 1 });
    expect([y.shape, y.toArray()]).toEqual([[0], []]);
  });

  it('names itself in errors', () => {
    const error = caught(() => f(x as Tensor, { axis: 2 }));
    expect(error).toBeInstanceOf(AxisError);
    expect(error.message).toMatch(new RegExp(`^${name}: got axis 2 and the shape \\[2, 3\\]; `));
    expect(caught(() => f(tensor(1), { axis: 0 }))).toBeInstanceOf(AxisError);
    expect(caught(() => f(x, { axis: 'rows' as unknown as number })).message).toMatch(
      new RegExp(`^${name}: got axis rows and the shape \\[2, 3\\]; `),
    );
    const argument = caught(() => f([1, 2] as unknown as Tensor));
    expect(argument).toBeInstanceOf(ArgumentError);
    expect(argument.message).toMatch(
      new RegExp(`^${name}: got an array of length 2 in the place of the options; it takes a tensor`),
    );
    expect(caught(() => f(x, 0 as never)).message).toMatch(
      new RegExp(`^${name}: got the number 0 in the place of the options; `),
    );
    expect(caught(() => f(x, { keepdims: true } as object)).message).toMatch(
      new RegExp(`^${name}: got the option keepdims; `),
    );
    expect(caught(() => f(x, x as never)).message).toMatch(
      new RegExp(`^${name}: got a tensor float32\\[2, 3\\] in the`),
    );
    expect(caught(() => f({ axis: 0 })({} as Tensor)).message).toMatch(new RegExp(`^${name}: got an object; `));
  });
});

describe('several axes', () => {
  const y = tensor([
    [
      [1, 2],
      [3, 4],
    ],
    [
      [5, 6],
      [7, 8],
    ],
  ]);

  it.each<[string, AnyWithOptions, readonly number[]]>([
    ['sum', sum, [14, 22]],
    ['mean', mean, [3.5, 5.5]],
    ['max', max, [6, 8]],
    ['min', min, [1, 3]],
    ['variance', variance, [4.25, 4.25]],
    ['std', std, [sqrt(4.25), sqrt(4.25)]],
    ['logsumexp', logsumexp, [log(exp(1) + exp(2) + exp(5) + exp(6)), log(exp(3) + exp(4) + exp(7) + exp(8))]],
  ])('%s', (name, f, expected) => {
    close(f(y, { axis: [0, 2] }), expected);
    close(f(y, { axis: [-1, 0] }), expected);
    close(f(y, { axis: [2, 0], keepDims: true }), [expected.map(value => [value])]);
    expect(f(y, { axis: [] }).shape).toEqual([2, 2, 2]);
    const error = caught(() => f(y, { axis: [0, -3] }));
    expect(error).toBeInstanceOf(AxisError);
    expect(error.message).toMatch(new RegExp(`^${name}: got the axes \\[0, -3\\] and the shape \\[2, 2, 2\\]; `));
  });

  it('positions are along one axis', () => {
    for (const [name, f] of positions) {
      const error = caught(() => f(y, { axis: [0, 1] as unknown as number }));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(new RegExp(`^${name}: got the axes \\[0, 1\\]; `));
    }
  });
});

describe('no elements', () => {
  const empty = zeros([2, 0]);

  it('have a sum, no mean, and the logarithm of 0', () => {
    expect(sum(empty).item()).toBe(0);
    expect(sum(empty, { axis: 1 }).toArray()).toEqual([0, 0]);
    expect(mean(empty, { axis: 1 }).toArray()).toEqual([NaN, NaN]);
    expect(variance(empty, { axis: 1 }).toArray()).toEqual([NaN, NaN]);
    expect(std(empty).item()).toBeNaN();
    expect(logsumexp(empty, { axis: 1 }).toArray()).toEqual([-Infinity, -Infinity]);
    expect(sum(empty, { axis: 0 }).toArray()).toEqual([]);
    expect(max(empty, { axis: 0 }).toArray()).toEqual([]);
  });

  it.each<[string, AnyWithOptions]>([
    ['max', max],
    ['min', min],
    ['argmax', argmax],
    ['argmin', argmin],
  ])('have no %s', (name, f) => {
    for (const error of [caught(() => f(empty, { axis: 1 })), caught(() => f(empty))]) {
      expect(error).toBeInstanceOf(ShapeError);
      expect(error.message).toMatch(new RegExp(`^${name}: got float32\\[2, 0\\] along axis 1; `));
    }
    expect(caught(() => f(zeros([0], { dtype: 'uint8' }))).message).toMatch(/ uint8\[0\] along axis 0; /);
  });
});

describe('dtypes', () => {
  const bytes = tensor([200, 100, 250], { dtype: 'uint8' });
  const bits = tensor([true, false, true]);
  const whole = tensor([5, -7, 1], { dtype: 'int32' });
  const words = tensor([2 ** 32 - 1, 3], { dtype: 'uint32' });

  it('sum counts bool and uint8 in int32, and wraps', () => {
    expect([sum(bytes).dtype, sum(bytes).item()]).toEqual(['int32', 550]);
    expect([sum(bits).dtype, sum(bits).item()]).toEqual(['int32', 2]);
    expect([sum(whole).dtype, sum(whole).item()]).toEqual(['int32', -1]);
    expect([sum(words).dtype, sum(words).item()]).toEqual(['uint32', 2]);
  });

  it('mean and the like give float32', () => {
    for (const f of [mean, variance, std, logsumexp] as readonly AnyWithOptions[]) {
      for (const y of [bytes, bits, whole, words] as readonly Tensor[]) expect(f(y).dtype).toBe('float32');
    }
    close(mean(bytes), 550 / 3);
    close(mean(bits), 2 / 3);
    close(mean(words), 2 ** 31);
    close(variance(bits), 2 / 9);
  });

  it('max and min keep the dtype, positions are int32', () => {
    expect([max(bytes).dtype, max(bytes).item()]).toEqual(['uint8', 250]);
    expect([min(bits).dtype, min(bits).item()]).toEqual(['bool', false]);
    expect([max(whole).dtype, max(whole).item()]).toEqual(['int32', 5]);
    expect([max(words).dtype, max(words).item()]).toEqual(['uint32', 2 ** 32 - 1]);
    expect([argmax(bytes).dtype, argmax(bytes).item()]).toEqual(['int32', 2]);
    expect([argmax(bits).item(), argmin(bits).item()]).toEqual([0, 1]);
    expect(argmin(whole).item()).toBe(1);
  });
});

describe('NaN and ∞', () => {
  it('NaN comes through, and is where the positions point', () => {
    const y = tensor([1, NaN, 3, NaN]);
    for (const f of [sum, mean, max, min, variance, std, logsumexp] as readonly AnyWithOptions[]) {
      expect(f(y).item()).toBeNaN();
    }
    expect([argmax(y).item(), argmin(y).item()]).toEqual([1, 1]);
  });

  it('the first of equals is the position', () => {
    expect(argmax(tensor([1, 3, 3])).item()).toBe(1);
    expect(argmin(tensor([1, -Infinity, -Infinity])).item()).toBe(1);
  });

  it('logsumexp', () => {
    close(logsumexp(tensor([1e4, 1e4])), 1e4 + log(2));
    close(logsumexp(tensor([-1e4, -1e4])), -1e4 + log(2));
    const rows = tensor([
      [-Infinity, -Infinity],
      [0, -Infinity],
      [Infinity, 1e4],
    ]);
    close(logsumexp(rows, { axis: 1 }), [-Infinity, 0, Infinity]);
  });
});

describe('variance', () => {
  it('ddof', () => {
    const y = tensor([1, 2, 3, 4]);
    close(variance(y, { ddof: 1 }), 5 / 3);
    close(pipe(y, std({ ddof: 1 })), sqrt(5 / 3));
    expect(variance(tensor([1]), { ddof: 1 }).item()).toBeNaN();
    expect(variance(tensor([1, 2]), { ddof: 3 }).item()).toBe(Infinity);
    expect(variance(tensor([5])).item()).toBe(0);
    for (const [name, f] of [
      ['variance', variance],
      ['std', std as typeof variance],
    ] as const) {
      const error = caught(() => f(y, { ddof: NaN }));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(new RegExp(`^${name}: got ddof NaN; `));
    }
  });

  it('keeps its digits far from 0', () => {
    close(variance(tensor([1e4, 1e4 + 1, 1e4 + 2])), 2 / 3);
    close(variance(tensor([1e9, 1e9 + 1, 1e9 + 2], { dtype: 'float64' })), 2 / 3, 1e-14);
  });
});

describe('precision', () => {
  it('a long sum of float32', () => {
    const n = 100_000;
    close(sum(tensor(new Float32Array(n).fill(0.1))), n * Math.fround(0.1), 1e-6);
    close(mean(tensor(new Float32Array(n).fill(0.1))), 0.1, 1e-6);
  });
});

describe('derivatives', () => {
  const gradient = (f: (x: Tensor) => Tensor, at: readonly number[] | readonly (readonly number[])[]): Tensor =>
    grad((v: Tensor) => sum(f(v)))(tensor(at, { dtype: 'float64' }) as Tensor);

  it('of each reduction', () => {
    close(
      gradient(v => sum(v), [1, 2]),
      [1, 1],
    );
    close(
      gradient(
        v => mean(v, { axis: 0 }),
        [
          [1, 2],
          [3, 4],
        ],
      ),
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    );
    close(
      gradient(v => max(v), [1, 3, 3]),
      [0, 0.5, 0.5],
    );
    close(
      gradient(
        v => min(v, { axis: 1, keepDims: true }),
        [
          [1, 2],
          [4, 3],
        ],
      ),
      [
        [1, 0],
        [0, 1],
      ],
    );
    close(
      gradient(v => variance(v), [1, 2, 3, 6]),
      [-1, -0.5, 0, 1.5],
    );
    close(
      gradient(v => std(v), [1, 3]),
      [-0.5, 0.5],
    );
    close(
      gradient(v => logsumexp(v), [0, log(3)]),
      [0.25, 0.75],
      1e-14,
    );
  });

  it('of logsumexp beside −∞', () => {
    close(
      gradient(v => logsumexp(v), [0, -Infinity, 0]),
      [0.5, 0, 0.5],
    );
    close(
      gradient(
        v => logsumexp(v, { axis: 1 }),
        [
          [-Infinity, -Infinity],
          [2, 2],
        ],
      ),
      [
        [0, 0],
        [0.5, 0.5],
      ],
    );
  });
});
