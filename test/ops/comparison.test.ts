import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  AxisError,
  all,
  any,
  DTypeError,
  equal,
  greater,
  greaterEqual,
  // biome-ignore lint/suspicious/noShadowRestrictedNames: it is the function under test
  isFinite,
  isInf,
  // biome-ignore lint/suspicious/noShadowRestrictedNames: it is the function under test
  isNaN,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  ShapeError,
  type Tensor,
  tensor,
  where,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { type AnyBinary, caught } from '../helpers.js';

const [T, F] = [true, false];
const int = (values: readonly number[]) => tensor(values, { dtype: 'int32' });

describe.each<[string, AnyBinary, readonly boolean[]]>([
  ['equal', equal, [F, T, F, F, T, F, T]],
  ['notEqual', notEqual, [T, F, T, T, F, T, F]],
  ['less', less, [T, F, F, F, F, T, F]],
  ['lessEqual', lessEqual, [T, T, F, F, T, T, T]],
  ['greater', greater, [F, F, T, F, F, F, F]],
  ['greaterEqual', greaterEqual, [F, T, T, F, T, F, T]],
])('%s', (name, f, expected) => {
  const a = tensor([1, 2, 3, NaN, Infinity, -Infinity, -0]);
  const b = tensor([2, 2, 2, NaN, Infinity, 0, 0]);

  it('compares', () => {
    const result = f(a, b);
    expect(result.dtype).toBe('bool');
    expect(result.toArray()).toEqual(expected);
    expect(pipe(a, f(b)).toArray()).toEqual(expected);
  });

  it('takes numbers on either side and last', () => {
    const first = expected.slice(0, 3);
    expect(f(tensor([1, 2, 3]), 2).toArray()).toEqual(first);
    expect(pipe(tensor([1, 2, 3]), f(2)).toArray()).toEqual(first);
    expect(f(2, tensor([3, 2, 1])).toArray()).toEqual(first);
  });

  it.each(['float64', 'int32', 'uint32', 'uint8'] as const)('on %s', dtype => {
    expect(f(tensor([1, 200, 3], { dtype }), tensor([2, 200, 2], { dtype })).toArray()).toEqual(expected.slice(0, 3));
  });

  it('broadcasts and promotes', () => {
    expect(f(tensor([[1], [3]]), int([2])).toArray()).toEqual([[expected[0]], [expected[2]]]);
    expect(f(tensor([true]), tensor([true])).toArray()).toEqual([expected[1]]);
    expect(f(zeros([0, 2]), zeros([2])).shape).toEqual([0, 2]);
  });

  it('names itself in errors', () => {
    const error = caught(() => f(zeros([2, 3]) as Tensor, zeros([4])));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got the shapes \\[2, 3\\] and \\[4\\]; `));
    const dtypes = caught(() => f(int([1]), tensor([1], { dtype: 'uint32' })));
    expect(dtypes).toBeInstanceOf(DTypeError);
    expect(dtypes.message).toMatch(new RegExp(`^${name}: got int32\\[1\\] and uint32\\[1\\]; `));
    expect(caught(() => f(int([1]), 0.5)).message).toMatch(new RegExp(`^${name}: got the number 0.5 and a tensor of`));
  });
});

interface LogicalFunction {
  (a: Tensor, b: Tensor): Tensor;
  (b: Tensor): (a: Tensor) => Tensor;
}

describe.each<[string, LogicalFunction, readonly boolean[]]>([
  ['logicalAnd', logicalAnd, [T, F, F, F]],
  ['logicalOr', logicalOr, [T, T, T, F]],
  ['logicalXor', logicalXor, [F, T, T, F]],
])('%s', (name, f, expected) => {
  it('works on bool, and on other dtypes by what is not 0', () => {
    const [a, b] = [tensor([T, T, F, F]), tensor([T, F, T, F])];
    expect(f(a, b).toArray()).toEqual(expected);
    expect(pipe(a, f(b)).dtype).toBe('bool');
    expect(pipe(a, f(b)).toArray()).toEqual(expected);
    expect(f(tensor([0.5, NaN, -0, 0]), int([-7, 0, 2, 0])).toArray()).toEqual(expected);
    expect(f(tensor([200, 1, 0, 0], { dtype: 'uint8' }), b).toArray()).toEqual(expected);
    expect(f(tensor([[T], [F]]), tensor([T])).toArray()).toEqual([[expected[0]], [expected[2]]]);
  });

  it('names itself in errors', () => {
    const error = caught(() => f(tensor([T, F]) as Tensor, tensor([T, F, T])));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got the shapes \\[2\\] and \\[3\\]; `));
    const other = caught(() => f(tensor([T]), true as unknown as Tensor));
    expect(other).toBeInstanceOf(ArgumentError);
    expect(other.message).toMatch(new RegExp(`^${name}: got boolean true; `));
  });
});

describe.each([
  ['isNaN', isNaN, [F, T, F, F, F], F],
  ['isFinite', isFinite, [T, F, F, F, T], T],
  ['isInf', isInf, [F, F, T, T, F], F],
] as const)('%s', (name, f, expected, ofIntegers) => {
  it('asks of floats, and knows of integers', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const result = f(tensor([1, NaN, Infinity, -Infinity, -0], { dtype }));
      expect([result.dtype, result.toArray()]).toEqual(['bool', expected]);
    }
    for (const x of [int([1, 0]), tensor([1, 255], { dtype: 'uint8' }), tensor([T, F])]) {
      expect(f(x as Tensor).toArray()).toEqual([ofIntegers, ofIntegers]);
    }
    expect(f(zeros([0, 2])).shape).toEqual([0, 2]);
  });

  it('names itself in errors', () => {
    const error = caught(() => f(Number.NaN as unknown as Tensor));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(new RegExp(`^${name}: got number NaN; `));
  });
});

describe('logicalNot', () => {
  it('turns truth values over', () => {
    expect(logicalNot(tensor([T, F])).toArray()).toEqual([F, T]);
    expect(pipe(tensor([[0, -0, 2, NaN]]), logicalNot).toArray()).toEqual([[T, T, F, F]]);
    expect(caught(() => logicalNot(null as unknown as Tensor)).message).toMatch(/^logicalNot: got null; /);
  });
});

describe('where', () => {
  const condition = tensor([T, F, T]);

  it('chooses', () => {
    const x = where(condition, tensor([1, 2, 3]), tensor([-1, -2, -3]));
    expect([x.dtype, x.toArray()]).toEqual(['float32', [1, -2, 3]]);
    expect(where(condition, tensor([1, 2, 3]), NaN).toArray()).toEqual([1, NaN, 3]);
    expect(where(condition, -0, int([1, 2, 3])).dtype).toBe('int32');
    expect(where(condition, 1, 0.5).toArray()).toEqual([1, 0.5, 1]);
    expect(where(condition, 1, 0.5).dtype).toBe('float32');
    expect(where(tensor([0, NaN, 2]), 1, 0).toArray()).toEqual([0, 1, 1]);
  });

  it('broadcasts all three', () => {
    expect(where(tensor([[T], [F]]), tensor([1, 2]), tensor([[[9]]])).toArray()).toEqual([
      [
        [1, 2],
        [9, 9],
      ],
    ]);
    expect(where(tensor(F), tensor([1, 2]), 0).toArray()).toEqual([0, 0]);
    expect(where(zeros([0, 1]), tensor([1, 2]), 0).shape).toEqual([0, 2]);
  });

  it('promotes, and keeps storage and bool', () => {
    expect(where(condition, int([1, 2, 3]), tensor([0.5, 0.5, 0.5])).toArray()).toEqual([1, 0.5, 3]);
    const bytes = where(condition, tensor([1, 2, 3], { dtype: 'uint8' }), 255);
    expect([bytes.dtype, bytes.toArray()]).toEqual(['uint8', [1, 255, 3]]);
    expect(where(condition, tensor([T, T, T]), tensor([F, F, F])).toArray()).toEqual([T, F, T]);
  });

  it('takes the condition last', () => {
    expect(pipe(condition, where(1, 0)).toArray()).toEqual([1, 0, 1]);
    expect(pipe(condition, where(tensor([1, 2, 3]), 0)).toArray()).toEqual([1, 0, 3]);
    expect(pipe(condition, where(0, tensor([1, 2, 3]))).toArray()).toEqual([0, 2, 0]);
    expect(pipe(condition, where(tensor([1, 2, 3]), tensor([4]))).toArray()).toEqual([1, 4, 3]);
  });

  it('names itself in errors', () => {
    const error = caught(() => where(condition as Tensor, zeros([2]), zeros([4, 1])));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toMatch(/^where: got the shapes \[3\] and \[2\] and \[4, 1\]; /);
    expect(caught(() => where(condition, int([1]), 0.5)).message).toMatch(/^where: got the number 0.5 and a tensor of/);
    expect(caught(() => where(true as unknown as Tensor, 1, 2)).message).toMatch(/^where: got boolean true; /);
    expect(caught(() => where(condition, 'a' as unknown as Tensor, 2)).message).toMatch(/^where: got string a; /);
  });
});

describe('all and any', () => {
  const x = tensor([
    [T, T, F],
    [T, F, F],
  ]);

  it('reduces', () => {
    expect(all(x).item()).toBe(F);
    expect(any(x).item()).toBe(T);
    expect(all(x, { axis: 0 }).toArray()).toEqual([T, F, F]);
    expect(any(x, { axis: 0 }).toArray()).toEqual([T, T, F]);
    expect(all(x, { axis: -1, keepDims: true }).toArray()).toEqual([[F], [F]]);
    expect(pipe(x, any({ axis: [1, 0] })).item()).toBe(T);
    expect(pipe(x, any({ keepDims: true })).toArray()).toEqual([[T]]);
    expect(pipe(x, all()).dtype).toBe('bool');
    expect(all(tensor(T)).item()).toBe(T);
  });

  it('takes other dtypes by what is not 0', () => {
    expect(all(tensor([1, NaN, -3])).item()).toBe(T);
    expect(any(tensor([0, -0])).item()).toBe(F);
    expect(any(tensor([0, 200], { dtype: 'uint8' })).item()).toBe(T);
    expect(all(tensor([2 ** 31], { dtype: 'uint32' })).item()).toBe(T);
  });

  it('about no elements', () => {
    expect(all(zeros([0])).item()).toBe(T);
    expect(any(zeros([0])).item()).toBe(F);
    expect(all(zeros([2, 0]), { axis: 1 }).toArray()).toEqual([T, T]);
    expect(any(zeros([2, 0]), { axis: 1, keepDims: true }).toArray()).toEqual([[F], [F]]);
    expect(any(zeros([2, 0]), { axis: 0 }).toArray()).toEqual([]);
  });

  it.each([
    ['all', all],
    ['any', any as typeof all],
  ] as const)('%s names itself in errors', (name, f) => {
    // @ts-expect-error all: axis 2 is out of range for rank 2
    const error = caught(() => f(x, { axis: 2 }));
    expect(error).toBeInstanceOf(AxisError);
    expect(error.message).toMatch(new RegExp(`^${name}: got axis 2 and the shape \\[2, 3\\]; `));
    const other = caught(() => f([T, F] as unknown as Tensor));
    expect(other).toBeInstanceOf(ArgumentError);
    expect(other.message).toMatch(new RegExp(`^${name}: got an array of length 2 in the place of the options; `));
  });
});
