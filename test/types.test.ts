/**
 * What the compiler knows: shapes and dtypes of results, and calls that it refuses. The assertions are checked by
 * `tsc -p .`; running this file checks that the values have the shapes that their types say, and that what the
 * compiler refuses fails at run time as well.
 */
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  all,
  argmax,
  bitwiseAnd,
  bitwiseNot,
  broadcastTo,
  cast,
  div,
  equal,
  exp,
  floor,
  leftShift,
  logicalAnd,
  matmul,
  max,
  mean,
  relu,
  reshape,
  type Shape,
  softmax,
  std,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  variance,
  where,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught } from './helpers.js';

/** The value has the shape, and its type can be asked about. */
const typeOf = <Actual>(actual: Actual & Tensor, shape: Shape) => {
  expect(actual.shape).toEqual(shape);
  return expectTypeOf<Actual>(actual);
};

type T<S extends Shape, D extends Tensor['dtype'] = 'float32'> = Tensor<S, D>;

const vector = tensor([1, 2, 3]);
const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const whole = tensor([1, 2, 3], { dtype: 'int32' });
const flags = tensor([true, false, true]);
const unknown: Tensor = matrix;
const count: number = 3;
const rows = zeros([count, 3]);

describe('results', () => {
  it('of making tensors', () => {
    typeOf(vector, [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(matrix, [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(tensor(5), []).toEqualTypeOf<T<readonly []>>();
    typeOf(whole, [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
    typeOf(flags, [3]).toEqualTypeOf<T<readonly [3], 'bool'>>();
    typeOf(zeros([2, 4]), [2, 4]).toEqualTypeOf<T<readonly [2, 4]>>();
    typeOf(rows, [3, 3]).toEqualTypeOf<T<readonly [number, 3]>>();
    typeOf(tensor(new Float32Array(4)), [4]).toEqualTypeOf<T<readonly [number]>>();
    typeOf(cast(vector, 'float64'), [3]).toEqualTypeOf<T<readonly [3], 'float64'>>();
  });

  it('of arithmetic', () => {
    typeOf(add(matrix, vector), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(sub(tensor([[1], [2]]), vector), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(add(matrix, tensor(1)), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(add(whole, 1), [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
    typeOf(add(whole, vector), [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(add(flags, flags), [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
    typeOf(div(whole, whole), [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(add(cast(vector, 'float64'), vector), [3]).toEqualTypeOf<T<readonly [3], 'float64'>>();
    typeOf(pipe(matrix, add(vector)), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(add(rows, vector), [3, 3]).toEqualTypeOf<T<readonly [number, 3]>>();
    typeOf(add(unknown as T<Shape>, vector), [2, 3]).toEqualTypeOf<T<Shape>>();
  });

  it('of functions of one tensor', () => {
    typeOf(exp(matrix), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(exp(whole), [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(floor(whole), [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
    typeOf(relu(flags), [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
    typeOf(softmax(matrix, { axis: 0 }), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(pipe(matrix, exp, softmax({ axis: 0 }), relu), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(bitwiseNot(whole), [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
  });

  it('of comparisons and choices', () => {
    typeOf(equal(matrix, vector), [2, 3]).toEqualTypeOf<T<readonly [2, 3], 'bool'>>();
    typeOf(pipe(matrix, equal(1)), [2, 3]).toEqualTypeOf<T<readonly [2, 3], 'bool'>>();
    typeOf(logicalAnd(flags, whole), [3]).toEqualTypeOf<T<readonly [3], 'bool'>>();
    typeOf(where(flags, matrix, 0), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(where(flags, vector, tensor([[1], [2]])), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(where(flags, 0, whole), [3]).toEqualTypeOf<T<readonly [3], 'int32'>>();
    typeOf(where(flags, 1, 0), [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(pipe(flags, where(matrix, vector)), [2, 3]).toEqualTypeOf<T<readonly [2, 3]>>();
    typeOf(bitwiseAnd(zeros([2, 1], { dtype: 'int32' }), whole), [2, 3]).toEqualTypeOf<T<readonly [2, 3], 'int32'>>();
  });

  it('of reductions', () => {
    typeOf(sum(matrix), []).toEqualTypeOf<T<readonly []>>();
    typeOf(sum(matrix, { axis: 0 }), [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(sum(matrix, { axis: 1 }), [2]).toEqualTypeOf<T<readonly [2]>>();
    typeOf(pipe(matrix, sum({ axis: -1 })), [2]).toEqualTypeOf<T<readonly [2]>>();
    typeOf(pipe(matrix, sum()), []).toEqualTypeOf<T<readonly []>>();
    typeOf(mean(matrix, { keepDims: true }), [1, 1]).toEqualTypeOf<T<readonly [1, 1]>>();
    typeOf(mean(matrix, { axis: -1, keepDims: true }), [2, 1]).toEqualTypeOf<T<readonly [2, 1]>>();
    typeOf(mean(matrix, { axis: [0, 1] }), []).toEqualTypeOf<T<readonly []>>();
    typeOf(sum(flags), []).toEqualTypeOf<T<readonly [], 'int32'>>();
    typeOf(max(flags), []).toEqualTypeOf<T<readonly [], 'bool'>>();
    typeOf(mean(whole), []).toEqualTypeOf<T<readonly []>>();
    typeOf(variance(matrix, { axis: 0, ddof: 1 }), [3]).toEqualTypeOf<T<readonly [3]>>();
    typeOf(pipe(matrix, std({ ddof: 1 })), []).toEqualTypeOf<T<readonly []>>();
    typeOf(argmax(matrix, { axis: 1 }), [2]).toEqualTypeOf<T<readonly [2], 'int32'>>();
    typeOf(pipe(matrix, argmax()), []).toEqualTypeOf<T<readonly [], 'int32'>>();
    typeOf(all(matrix, { axis: 0 }), [3]).toEqualTypeOf<T<readonly [3], 'bool'>>();
    typeOf(sum(rows, { axis: -1 }), [3]).toEqualTypeOf<T<readonly [number]>>();
    typeOf(sum(unknown as T<Shape>, { axis: -1 }), [2]).toEqualTypeOf<T<Shape>>();
  });

  it('of functions with options, themselves arguments', () => {
    // Of several signatures the compiler takes the last, and leaves open what that is generic in.
    const total: Tensor<readonly []> = pipe(matrix, sum);
    const shares: Tensor = pipe(matrix, softmax);
    expect([total.shape, shares.shape]).toEqual([[], [2, 3]]);
  });

  it('of a tensor that is any', () => {
    const untyped: ReturnType<typeof JSON.parse> = matrix;
    const total: Tensor = sum(untyped);
    const shares: Tensor = softmax(untyped);
    expect([total.shape, shares.shape]).toEqual([[], [2, 3]]);
  });

  it('of moves and products', () => {
    typeOf(reshape(matrix, [3, 2]), [3, 2]).toEqualTypeOf<T<readonly [3, 2]>>();
    typeOf(pipe(matrix, reshape([6])), [6]).toEqualTypeOf<T<readonly [6]>>();
    typeOf(matmul(matrix, zeros([3, 2])), [2, 2]).toEqualTypeOf<T<readonly [2, 2]>>();
    typeOf(matmul(matrix, vector), [2]).toEqualTypeOf<T<readonly [2]>>();
    typeOf(matmul(vector, vector), []).toEqualTypeOf<T<readonly []>>();
    typeOf(pipe(matrix, matmul(zeros([3, 4]))), [2, 4]).toEqualTypeOf<T<readonly [2, 4]>>();
    typeOf(transpose(matrix), [3, 2]).toEqualTypeOf<T<readonly [3, 2]>>();
    typeOf(broadcastTo(vector, [4, 3]), [4, 3]).toEqualTypeOf<T<readonly [4, 3]>>();
  });

  it('as JavaScript values', () => {
    const nested: number[][] = matrix.toArray();
    const flag: boolean = all(flags).item();
    const single: number = sum(matrix).item();
    expect([nested[1]![2], flag, single]).toEqual([6, false, 21]);
  });
});

describe('refusals', () => {
  it('of shapes', () => {
    // @ts-expect-error lengths 3 and 2
    expect(caught(() => add(tensor([1, 2, 3]), tensor([1, 2])))._tag).toBe('ShapeError');
    // @ts-expect-error lengths 3 and 2, data-last
    expect(caught(() => pipe(tensor([1, 2, 3]), add(tensor([1, 2]))))._tag).toBe('ShapeError');
    // @ts-expect-error lengths 3 and 2
    expect(caught(() => equal(vector, zeros([2])))._tag).toBe('ShapeError');
    // @ts-expect-error the condition has length 2
    expect(caught(() => where(zeros([2]), vector, 0))._tag).toBe('ShapeError');
    // @ts-expect-error the choices have lengths 3 and 2
    expect(caught(() => where(flags, vector, zeros([2])))._tag).toBe('ShapeError');
    // @ts-expect-error inner dimensions 3 and 4
    expect(caught(() => matmul(zeros([2, 3]), zeros([4, 5])))._tag).toBe('ShapeError');
    // @ts-expect-error inner dimensions 3 and 4, data-last
    expect(caught(() => pipe(zeros([2, 3]), matmul(zeros([4, 5]))))._tag).toBe('ShapeError');
    // @ts-expect-error length 3 does not become 4
    expect(caught(() => broadcastTo(vector, [4]))._tag).toBe('ShapeError');
  });

  it('of dtypes', () => {
    // @ts-expect-error floats have no bits
    expect(caught(() => bitwiseAnd(vector, 1))._tag).toBe('DTypeError');
    // @ts-expect-error floats have no bits
    expect(caught(() => leftShift(whole, vector))._tag).toBe('DTypeError');
    // @ts-expect-error floats have no bits
    expect(caught(() => bitwiseNot(vector))._tag).toBe('DTypeError');
    // @ts-expect-error there is no such dtype
    expect(caught(() => cast(vector, 'float16'))._tag).toBe('DTypeError');
  });

  it('of arguments', () => {
    // @ts-expect-error an array is no tensor
    expect(caught(() => sum([1, 2]))._tag).toBe('ArgumentError');
    // @ts-expect-error the option is called keepDims
    expect(caught(() => sum(matrix, { axis: 0, keepdims: true }))._tag).toBe('ArgumentError');
    // @ts-expect-error the axis is an option
    expect(caught(() => sum(matrix, 0))._tag).toBe('ArgumentError');
    // @ts-expect-error positions are along one axis
    expect(caught(() => argmax(matrix, { axis: [0, 1] }))._tag).toBe('ArgumentError');
    // @ts-expect-error softmax goes along one axis
    expect(caught(() => softmax(matrix, { axis: [0] }))._tag).toBe('AxisError');
    // @ts-expect-error a scalar would be compared with true
    expect(caught(() => logicalAnd(flags, true))._tag).toBe('ArgumentError');
  });
});
