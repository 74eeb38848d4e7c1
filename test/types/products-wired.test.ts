/**
 * Products, windows and matrices: what the compiler knows of the results of calls, and which calls it refuses. The
 * assertions are checked by `tsc -p .`; running this file checks that values have the shapes that their types say, and that
 * what the compiler refuses fails at run time as well.
 */
import { pipe } from 'fp-ts/lib/function.js';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  attention,
  avgPool1d,
  avgPool2d,
  type ConvOptions,
  checkedCholesky,
  checkedInv,
  checkedSolve,
  cholesky,
  choleskySolve,
  conditionNumber,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  det,
  dot,
  dotGeneral,
  eigh,
  eigvalsh,
  einsum,
  expm,
  eye,
  grad,
  interpolate,
  inv,
  jit,
  kron,
  lstsq,
  lu,
  matmul,
  matrixNorm,
  matrixPower,
  matrixRank,
  maxPool2d,
  maxPool3d,
  multiDot,
  ones,
  outer,
  pinv,
  qr,
  type Shape,
  slogdet,
  solve,
  sum,
  svd,
  svdvals,
  type Tensor,
  tensordot,
  triangularSolve,
  unfold,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Mismatch } from '../../src/tensor/shape-types.js';
import type { ChainShape, DotGeneralShape } from '../../src/tensor/types/contraction.js';
import type {
  AttentionShape,
  ColumnsOf,
  Eigenvalues,
  PerMatrix,
  PerRow,
  Residuals,
  RowsOf,
  SingularValues,
  Solutions,
  Turned,
} from '../../src/tensor/types/matrices.js';
import { caught } from '../helpers.js';

/** The value has the shape, and its type can be asked about. */
const typeOf = <Actual>(actual: Actual & Tensor, shape: Shape) => {
  expect(actual.shape).toEqual(shape);
  return expectTypeOf<Actual>(actual);
};

const is = <R>() => expectTypeOf<R>();

type T<S extends Shape, D extends Tensor['dtype'] = 'float32'> = Tensor<S, D>;

type S<L extends readonly number[]> = Readonly<L>;

type S2<L extends readonly number[], R extends readonly number[]> = readonly [Readonly<L>, Readonly<R>];

const length: number = 3;
const whole = ones([2, 3], { dtype: 'int32' });
const double = ones([3, 2], { dtype: 'float64' });
const unknown: T<Shape> = ones([3, 3]);
const untyped: ReturnType<typeof JSON.parse> = ones([3, 3]);
const square = eye(3) as T<S<[3, 3]>>;
const tall = ones([5, 3]);
const wide = ones([4, 3, 5]);
const either: T<S<[2, 3]>> | T<S<[4, 3]>> = ones([2, 3]);
const image = ones([8, 3, 6, 6]);
const kernel = ones([4, 3, 3, 3]);

describe('products', () => {
  it('of matrices and vectors', () => {
    typeOf(matmul(whole, double), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'float64'>>();
    typeOf(matmul(ones([7, 1, 2, 3]), ones([4, 3, 5])), [7, 4, 2, 5]).toEqualTypeOf<T<S<[7, 4, 2, 5]>>>();
    typeOf(pipe(ones([7, 2, 3]), matmul(ones([3]))), [7, 2]).toEqualTypeOf<T<S<[7, 2]>>>();
    typeOf(dot(ones([3], { dtype: 'bool' }), ones([3], { dtype: 'bool' })), []).toEqualTypeOf<T<S<[]>, 'int32'>>();
    typeOf(outer(ones([2]), ones([3])), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(pipe(ones([2]), outer(ones([3], { dtype: 'int32' }))), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(kron(ones([2, 3]), ones([4])), [2, 12]).toEqualTypeOf<T<S<[2, 12]>>>();
    typeOf(pipe(ones([4]), kron(whole)), [2, 12]).toEqualTypeOf<T<S<[2, 12]>>>();
    typeOf(tensordot(ones([2, 3, 4]), ones([3, 4, 5])), [2, 5]).toEqualTypeOf<T<S<[2, 5]>>>();
    typeOf(tensordot(ones([2, 3, 4]), ones([4, 5]), 1), [2, 3, 5]).toEqualTypeOf<T<S<[2, 3, 5]>>>();
    typeOf(pipe(ones([2]), tensordot(ones([3]), 0)), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(
      tensordot(ones([2, 3, 4]), ones([4, 2, 5]), [
        [0, -1],
        [1, 0],
      ]),
      [3, 5],
    ).toEqualTypeOf<T<S<[3, 5]>>>();
    typeOf(pipe(whole, tensordot(double, [1, 0])), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'float64'>>();
    typeOf(dotGeneral(wide, wide, { contract: [[2], [2]], batch: [[0], [0]] }), [4, 3, 3]).toEqualTypeOf<
      T<S<[4, 3, 3]>>
    >();
    typeOf(pipe(whole, dotGeneral(double, { contract: [[1], [0]] })), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'float64'>>();
    typeOf(multiDot([whole, square, double]), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'float64'>>();
    typeOf(multiDot([ones([2]), whole, square, ones([3])]), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(multiDot([square]), [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
  });

  it('of equations', () => {
    typeOf(einsum('ij,jk->ik', whole, double), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'float64'>>();
    typeOf(einsum('bhqd, bhkd -> bhqk', ones([2, 4, 5, 8]), ones([2, 4, 7, 8])), [2, 4, 5, 7]).toEqualTypeOf<
      T<S<[2, 4, 5, 7]>>
    >();
    typeOf(einsum('ii', square), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(einsum('...ij->...ji', wide), [4, 5, 3]).toEqualTypeOf<T<S<[4, 5, 3]>>>();
    typeOf(pipe(ones([2, 3, 4]), einsum('bij->j')), [4]).toEqualTypeOf<T<S<[4]>>>();
    typeOf(einsum('i,ij,j->')(ones([2]), whole, ones([3])), []).toEqualTypeOf<T<S<[]>>>();
  });

  it('of attention', () => {
    const [q, k, v] = [ones([2, 4, 5, 8]), ones([4, 7, 8]), ones([7, 3], { dtype: 'float64' })] as const;
    typeOf(attention(q, k, v), [2, 4, 5, 3]).toEqualTypeOf<T<S<[2, 4, 5, 3]>, 'float64'>>();
    typeOf(attention(q, q, q, { causal: true }), [2, 4, 5, 8]).toEqualTypeOf<T<S<[2, 4, 5, 8]>>>();
    typeOf(pipe(q, attention(k, v, { scale: 1 })), [2, 4, 5, 3]).toEqualTypeOf<T<S<[2, 4, 5, 3]>, 'float64'>>();
    typeOf(pipe(q, attention(k, v)), [2, 4, 5, 3]).toEqualTypeOf<T<S<[2, 4, 5, 3]>, 'float64'>>();
  });
});

describe('windows', () => {
  it('of convolutions', () => {
    typeOf(conv2d(image, kernel), [8, 4, 4, 4]).toEqualTypeOf<T<S<[8, 4, 4, 4]>>>();
    typeOf(conv2d(image, kernel, { stride: 2, padding: 1 }), [8, 4, 3, 3]).toEqualTypeOf<T<S<[8, 4, 3, 3]>>>();
    typeOf(conv2d(image, kernel, { padding: 'same' }), [8, 4, 6, 6]).toEqualTypeOf<T<S<[8, 4, 6, 6]>>>();
    typeOf(conv2d(image, ones([6, 1, 3, 3]), { groups: 3, dilation: [1, 2] }), [8, 6, 4, 2]).toEqualTypeOf<
      T<S<[8, 6, 4, 2]>>
    >();
    typeOf(pipe(image, conv2d(kernel, { padding: [[0, 1], 2] })), [8, 4, 5, 8]).toEqualTypeOf<T<S<[8, 4, 5, 8]>>>();
    typeOf(pipe(image, conv2d(kernel)), [8, 4, 4, 4]).toEqualTypeOf<T<S<[8, 4, 4, 4]>>>();
    typeOf(conv1d(ones([3, 9], { dtype: 'int32' }), ones([4, 3, 2], { dtype: 'float64' })), [4, 8]).toEqualTypeOf<
      T<S<[4, 8]>, 'float64'>
    >();
    typeOf(conv3d(ones([1, 4, 4, 4]), ones([2, 1, 2, 3, 4])), [2, 3, 2, 1]).toEqualTypeOf<T<S<[2, 3, 2, 1]>>>();
    typeOf(convTranspose2d(image, ones([3, 4, 2, 2]), { stride: 2 }), [8, 4, 12, 12]).toEqualTypeOf<
      T<S<[8, 4, 12, 12]>>
    >();
    typeOf(pipe(ones([3, 4]), convTranspose1d(ones([3, 2, 3]))), [2, 6]).toEqualTypeOf<T<S<[2, 6]>>>();
  });

  it('of pooling, patches and other resolutions', () => {
    typeOf(maxPool2d(image, 2), [8, 3, 3, 3]).toEqualTypeOf<T<S<[8, 3, 3, 3]>>>();
    typeOf(maxPool2d(image, [4, 1], { stride: 1, padding: [1, 0] }), [8, 3, 5, 6]).toEqualTypeOf<T<S<[8, 3, 5, 6]>>>();
    typeOf(maxPool2d(image, 4, { ceilMode: true }), [8, 3, 2, 2]).toEqualTypeOf<T<S<[8, 3, 2, 2]>>>();
    typeOf(pipe(image, avgPool2d(3, { stride: 2 })), [8, 3, 2, 2]).toEqualTypeOf<T<S<[8, 3, 2, 2]>>>();
    typeOf(avgPool1d(whole, 3), [2, 1]).toEqualTypeOf<T<S<[2, 1]>>>();
    typeOf(maxPool3d(ones([1, 2, 4, 6], { dtype: 'bool' }), [1, 2, 3]), [1, 2, 2, 2]).toEqualTypeOf<
      T<S<[1, 2, 2, 2]>, 'bool'>
    >();
    typeOf(adaptiveAvgPool2d(image, [1, 2]), [8, 3, 1, 2]).toEqualTypeOf<T<S<[8, 3, 1, 2]>>>();
    typeOf(pipe(whole, adaptiveMaxPool1d(2)), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'int32'>>();
    typeOf(unfold(image, [3, 3], { padding: 1 }), [8, 27, 36]).toEqualTypeOf<T<S<[8, 27, 36]>>>();
    typeOf(pipe(whole, unfold([2])), [4, 2]).toEqualTypeOf<T<S<[4, 2]>, 'int32'>>();
    typeOf(interpolate(image, { scale: 2 }), [8, 3, 12, 12]).toEqualTypeOf<T<S<[8, 3, 12, 12]>>>();
    typeOf(interpolate(ones([1, 2, 2], { dtype: 'int32' }), { size: [3, 4], mode: 'linear' }), [1, 3, 4]).toEqualTypeOf<
      T<S<[1, 3, 4]>>
    >();
    typeOf(pipe(ones([1, 2, 2], { dtype: 'int32' }), interpolate({ size: [3, 4] })), [1, 3, 4]).toEqualTypeOf<
      T<S<[1, 3, 4]>, 'int32'>
    >();
  });
});

describe('matrices', () => {
  it('of square ones', () => {
    typeOf(inv(square), [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(pipe(eye(3, { dtype: 'int32' }) as T<S<[3, 3]>, 'int32'>, inv), [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(cholesky(square), [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(pipe(square, cholesky({ upper: true })), [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(det(zeros([7, 3, 3])), [7]).toEqualTypeOf<T<S<[7]>>>();
    typeOf(slogdet(square).sign, []).toEqualTypeOf<T<S<[]>>>();
    typeOf(eigh(zeros([2, 3, 3])).values, [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(eigh(square, { upper: true }).vectors, [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(pipe(square, eigvalsh()), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(matrixPower(ones([2, 2], { dtype: 'bool' }), 3), [2, 2]).toEqualTypeOf<T<S<[2, 2]>, 'int32'>>();
    typeOf(pipe(square, matrixPower(2)), [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(expm(zeros([4, 2, 2], { dtype: 'float64' })), [4, 2, 2]).toEqualTypeOf<T<S<[4, 2, 2]>, 'float64'>>();
  });

  it('of systems', () => {
    typeOf(solve(square, ones([3])), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(solve(square, ones([7, 3, 2], { dtype: 'float64' })), [7, 3, 2]).toEqualTypeOf<T<S<[7, 3, 2]>, 'float64'>>();
    typeOf(pipe(square, solve(ones([3, 2]))), [3, 2]).toEqualTypeOf<T<S<[3, 2]>>>();
    typeOf(triangularSolve(square, ones([3, 1]), { upper: true }), [3, 1]).toEqualTypeOf<T<S<[3, 1]>>>();
    typeOf(pipe(square, triangularSolve(ones([3, 1]))), [3, 1]).toEqualTypeOf<T<S<[3, 1]>>>();
    typeOf(choleskySolve(square, ones([3])), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(lstsq(tall, ones([5])).solution, [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(lstsq(tall, ones([5])).residuals, []).toEqualTypeOf<T<S<[]>>>();
    typeOf(lstsq(wide, ones([3, 2])).solution, [4, 5, 2]).toEqualTypeOf<T<S<[4, 5, 2]>>>();
    typeOf(pipe(wide, lstsq(ones([3, 2]))).residuals, [4, 2]).toEqualTypeOf<T<S<[4, 2]>>>();
    typeOf(lstsq(wide, ones([3, 2]), { rcond: 0 }).rank, [4]).toEqualTypeOf<T<S<[4]>, 'int32'>>();
    typeOf(lstsq(wide, ones([3, 2])).singularValues, [4, 3]).toEqualTypeOf<T<S<[4, 3]>>>();
  });

  it('of factors', () => {
    typeOf(lu(wide).permutation, [4, 3]).toEqualTypeOf<T<S<[4, 3]>, 'int32'>>();
    typeOf(lu(wide).l, [4, 3, 3]).toEqualTypeOf<T<S<[4, 3, 3]>>>();
    typeOf(lu(wide).u, [4, 3, 5]).toEqualTypeOf<T<S<[4, 3, 5]>>>();
    typeOf(qr(tall).q, [5, 3]).toEqualTypeOf<T<S<[5, 3]>>>();
    typeOf(qr(tall, { mode: 'complete' }).r, [5, 3]).toEqualTypeOf<T<S<[5, 3]>>>();
    typeOf(qr(wide, { mode: 'r' }), [4, 3, 5]).toEqualTypeOf<T<S<[4, 3, 5]>>>();
    typeOf(pipe(tall, qr({ mode: 'complete' })).q, [5, 5]).toEqualTypeOf<T<S<[5, 5]>>>();
    typeOf(pipe(tall, qr()).r, [3, 3]).toEqualTypeOf<T<S<[3, 3]>>>();
    typeOf(svd(wide).u, [4, 3, 3]).toEqualTypeOf<T<S<[4, 3, 3]>>>();
    typeOf(svd(wide).vt, [4, 3, 5]).toEqualTypeOf<T<S<[4, 3, 5]>>>();
    typeOf(svd(wide, { fullMatrices: true }).vt, [4, 5, 5]).toEqualTypeOf<T<S<[4, 5, 5]>>>();
    typeOf(svd(tall, { fullMatrices: length > 2 }).u, [5, 5]).toEqualTypeOf<T<S<[5, number]>>>();
    typeOf(pipe(tall, svd({ fullMatrices: false })).s, [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(svdvals(whole), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(pinv(wide), [4, 5, 3]).toEqualTypeOf<T<S<[4, 5, 3]>>>();
    typeOf(pipe(tall, pinv({ rcond: 0 })), [3, 5]).toEqualTypeOf<T<S<[3, 5]>>>();
  });

  it('of numbers', () => {
    typeOf(matrixNorm(wide), [4]).toEqualTypeOf<T<S<[4]>>>();
    typeOf(matrixNorm(wide, { ord: 2, keepDims: true }), [4, 1, 1]).toEqualTypeOf<T<S<[4, 1, 1]>>>();
    typeOf(pipe(wide, matrixNorm({ ord: 'nuc' })), [4]).toEqualTypeOf<T<S<[4]>>>();
    typeOf(conditionNumber(wide), [4]).toEqualTypeOf<T<S<[4]>>>();
    typeOf(pipe(square, conditionNumber({ ord: 1 })), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(matrixRank(wide), [4]).toEqualTypeOf<T<S<[4]>, 'int32'>>();
    typeOf(pipe(tall, matrixRank({ tol: 1 })), []).toEqualTypeOf<T<S<[]>, 'int32'>>();
  });

  it('that were checked', () => {
    const solution = checkedSolve(square, ones([3, 2]));
    expectTypeOf(solution).extract<{ _tag: 'Right' }>().toHaveProperty('right').toEqualTypeOf<T<S<[3, 2]>>>();
    const inverse = pipe(square, checkedInv);
    expectTypeOf(inverse).extract<{ _tag: 'Right' }>().toHaveProperty('right').toEqualTypeOf<T<S<[3, 3]>>>();
    const factor = checkedCholesky(ones([1, 1], { dtype: 'int32' }));
    expectTypeOf(factor).extract<{ _tag: 'Right' }>().toHaveProperty('right').toEqualTypeOf<T<S<[1, 1]>>>();
    expect([solution, inverse, factor].map(({ _tag }) => _tag)).toEqual(['Right', 'Right', 'Right']);
    expectTypeOf(pipe(square, checkedSolve(ones([3]))))
      .extract<{ _tag: 'Right' }>()
      .toHaveProperty('right')
      .toEqualTypeOf<T<S<[3]>>>();
  });
});

describe('what is not known', () => {
  const open = zeros([length, 3]);
  const options: ConvOptions = { stride: 2 };
  const one = { stride: 1 } as { readonly stride: 1 } | { readonly stride: 2; readonly padding: 1 };

  it('a length', () => {
    typeOf(matmul(open, square), [3, 3]).toEqualTypeOf<T<S<[number, 3]>>>();
    typeOf(inv(open), [3, 3]).toEqualTypeOf<T<S<[number, 3]>>>();
    typeOf(solve(open, ones([3])), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(svd(open).u, [3, 3]).toEqualTypeOf<T<S<[number, number]>>>();
    typeOf(einsum('ij->ji', open), [3, 3]).toEqualTypeOf<T<S<[3, number]>>>();
    typeOf(conv2d(zeros([3, length, 6]), kernel), [4, 1, 4]).toEqualTypeOf<T<S<[4, number, 4]>>>();
    typeOf(maxPool2d(image, length), [8, 3, 2, 2]).toEqualTypeOf<T<S<[8, 3, number, number]>>>();
    typeOf(tensordot(open, square, length - 2), [3, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(tensordot(open, square, [[length - 2], [0]]), [3, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(multiDot([open, open]), [3, 3]).toEqualTypeOf<T<S<[number, 3]>>>();
    typeOf(multiDot([square, square] as readonly T<Shape>[]), [3, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(adaptiveAvgPool2d(image, length), [8, 3, 3, 3]).toEqualTypeOf<T<S<[8, 3, number, number]>>>();
  });

  it('a rank', () => {
    typeOf(matmul(unknown, ones([3, 2])), [3, 2]).toEqualTypeOf<T<Shape>>();
    typeOf(inv(unknown), [3, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(solve(unknown, ones([3])), [3]).toEqualTypeOf<T<Shape>>();
    typeOf(einsum('ij->i', unknown), [3]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(svd(unknown).s, [3]).toEqualTypeOf<T<Shape>>();
    typeOf(det(unknown), []).toEqualTypeOf<T<Shape>>();
    typeOf(kron(unknown, square), [9, 9]).toEqualTypeOf<T<Shape>>();
    typeOf(conv1d(unknown, ones([4, 3, 2])), [4, 2]).toEqualTypeOf<T<Shape>>();
  });

  it('options', () => {
    typeOf(conv2d(image, kernel, options), [8, 4, 2, 2]).toEqualTypeOf<T<S<[8, 4, number, number]>>>();
    typeOf(conv2d(image, kernel, one), [8, 4, 4, 4]).toEqualTypeOf<T<S<[8, 4, number, number]>>>();
    typeOf(maxPool2d(image, 3, { stride: length }), [8, 3, 2, 2]).toEqualTypeOf<T<S<[8, 3, number, number]>>>();
  });

  it('anything', () => {
    const results: readonly Tensor[] = [
      matmul(untyped, square),
      matmul(square, untyped),
      tensordot(square, untyped, 1),
      tensordot(square, untyped),
      einsum('ij,jk->ik', untyped, square),
      attention(square, square, untyped),
      attention(untyped, square, square),
      conv2d(image, kernel, untyped.none),
      solve(square, untyped),
      solve(untyped, square),
      triangularSolve(square, untyped),
      inv(untyped),
      cholesky(untyped),
      svd(untyped).u,
      qr(untyped).q,
      matrixNorm(untyped),
      conditionNumber(untyped),
      lstsq(square, untyped).solution,
      adaptiveMaxPool1d(untyped, 1),
    ];
    expect(results).toHaveLength(19);
  });

  it('one of several', () => {
    typeOf(matmul(either, ones([3, 2])), [2, 2]).toExtend<Tensor>();
    typeOf(svdvals(either), [2]).toExtend<Tensor>();
    typeOf(pinv(either), [3, 2]).toExtend<Tensor>();
    typeOf(einsum('ij->ji', either), [3, 2]).toExtend<Tensor>();
  });
});

describe('generic functions', () => {
  const o = (x: Tensor): number => x.shape.length;

  it('of any shapes', () => {
    const ranks = <A extends Shape, B extends Shape>(a: Tensor<A>, b: Tensor<B>): readonly number[] => [
      o(matmul(a, b)),
      o(outer(pipe(a, einsum('ij->i')), einsum('ij->i', b))),
      o(kron(a, b)),
      o(tensordot(a, b, 1)),
      o(tensordot(a, b, [[1], [0]])),
      o(dotGeneral(a, b, { contract: [[1], [0]] })),
      o(multiDot([a, b])),
      o(einsum('ij,jk->ik', a, b)),
      o(attention(a, a, b)),
      o(pipe(a, matmul(b))),
      o(inv(a)),
      o(cholesky(a)),
      o(det(a)),
      o(solve(a, b)),
      o(solve(a, a)),
      o(triangularSolve(a, b, { upper: true })),
      o(lstsq(a, b).solution),
      o(svd(a).u),
      o(svd(a, { fullMatrices: true }).vt),
      o(qr(a).q),
      o(qr(a, { mode: 'r' })),
      o(lu(a).l),
      o(eigh(a).values),
      o(pinv(a)),
      o(expm(a)),
      o(matrixPower(a, 2)),
      o(matrixNorm(a, { keepDims: true })),
      o(conditionNumber(a, { ord: 1 })),
      o(matrixRank(a)),
      o(pipe(a, inv)),
      o(pipe(a, solve(b))),
    ];
    expect(ranks(square, square)).toEqual([
      2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 0, 0, 2, 2,
    ]);
    const windows = <A extends Shape, B extends Shape>(a: Tensor<A>, b: Tensor<B>): readonly number[] => [
      o(conv2d(a, b)),
      o(conv2d(a, kernel, { stride: 2, padding: 1 })),
      o(conv2d(image, b, { padding: 'same' })),
      o(convTranspose2d(conv2d(a, b), b)),
      o(maxPool2d(a, 2)),
      o(avgPool2d(a, [2, 1], { stride: 1, ceilMode: true })),
      o(adaptiveAvgPool2d(a, 1)),
      o(unfold(a, [2, 2])),
      o(interpolate(a, { scale: 2 })),
      o(interpolate(a, { size: 2, mode: 'bilinear' })),
      o(pipe(a, conv2d(b))),
      o(pipe(a, maxPool2d(2))),
    ];
    expect(windows(image, kernel)).toEqual([4, 4, 4, 4, 4, 4, 4, 3, 4, 4, 4, 4]);
  });

  it('of any lengths', () => {
    const ranks = <M extends number, N extends number>(
      a: Tensor<readonly [3, M, N]>,
      b: Tensor<readonly [N, N]>,
      c: Tensor<readonly [N, M]>,
    ): readonly number[] => [
      o(matmul(a, c)),
      o(einsum('ij,jk->ik', b, c)),
      o(attention(b, b, c)),
      o(inv(b)),
      o(solve(b, c)),
      o(svd(a).u),
      o(lstsq(c, b).solution),
      o(conv2d(a, kernel)),
      o(conv2d(a, kernel, { stride: 2, padding: 1 })),
      o(conv2d(a, kernel, { padding: 'same' })),
      o(convTranspose2d(a, ones([3, 4, 2, 2]), { stride: 2 })),
      o(maxPool2d(a, 2)),
      o(maxPool2d(a, 2, { ceilMode: true })),
      o(adaptiveAvgPool2d(a, 2)),
      o(unfold(a, [2, 2])),
      o(interpolate(a, { size: [2, 2] })),
      o(interpolate(a, { scale: 2, mode: 'bilinear' })),
    ];
    const three = ones([3, 3, 3]) as T<S<[3, 3, 3]>>;
    expect(ranks(three, square, square)).toEqual([3, 2, 2, 2, 2, 3, 2, 3, 3, 3, 3, 3, 3, 3, 2, 3, 3]);
  });

  it('in one list, which the compiler makes a union of', () => {
    const norms = <A extends Shape>(a: Tensor<A>): readonly Tensor[] => [
      matrixNorm(a),
      matrixNorm(a, { keepDims: true }),
    ];
    expect(norms(square).map(({ shape }) => shape)).toEqual([[], [1, 1]]);
  });

  it('and functions of functions', () => {
    typeOf(jit(inv)(square), [3, 3]).toExtend<Tensor>();
    typeOf(vmap(cholesky)(ones([1, 1, 1])), [1, 1, 1]).toExtend<Tensor>();
    typeOf(vmap((x: T<S<[3]>>) => dot(x, x))(ones([2, 3])), [2]).toExtend<Tensor>();
    typeOf(pipe(square, cholesky), [3, 3]).toExtend<Tensor>();
    typeOf(pipe(square, svdvals), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(pipe(tall, matrixNorm), []).toExtend<Tensor>();
    typeOf(grad((x: T<S<[3, 3]>>) => sum(inv(x)))(square), [3, 3]).toExtend<Tensor>();
  });
});

describe('refusals', () => {
  /** What is thrown where shapes do not fit. */
  const refused = (f: () => unknown): void => expect(caught(f)._tag).toMatch(/^(Shape|Argument|Axis|Index)Error$/);

  it('of products', () => {
    // @ts-expect-error matmul: inner dimensions 3 and 4 differ
    refused(() => matmul(ones([2, 3]), ones([4, 5])));
    // @ts-expect-error matmul: lengths 5 and 4 differ and neither is 1
    refused(() => pipe(ones([5, 2, 3]), matmul(ones([4, 3, 2]))));
    // @ts-expect-error dot: it takes two vectors of one length, not of 3 and 1
    refused(() => dot(ones([3]), ones([1])));
    // @ts-expect-error dot: it takes two vectors, not a tensor of rank 2
    refused(() => pipe(ones([3, 3]), dot(ones([3]))));
    // @ts-expect-error outer: it takes two vectors, not a tensor of rank 0
    refused(() => outer(ones([]), ones([3])));
    // @ts-expect-error tensordot: axes that meet have the lengths 3 and 4
    refused(() => tensordot(ones([2, 3]), ones([4]), 1));
    // @ts-expect-error tensordot: 2 axes cannot meet, the first operand has 1
    refused(() => pipe(ones([3]), tensordot(ones([3, 3]))));
    // @ts-expect-error tensordot: axis 0 of the first and axis 0 of the second are paired, but their lengths 2 and 3 differ
    refused(() => tensordot(whole, double, [[0], [0]]));
    // @ts-expect-error dotGeneral: axis 2 is out of range for rank 2
    refused(() => dotGeneral(whole, double, { contract: [[2], [0]] }));
    // @ts-expect-error dotGeneral: axis 0 is named twice
    refused(() => pipe(square, dotGeneral(square, { contract: [[1], [0]], batch: [[0], [0]] })));
    // @ts-expect-error multiDot: operand 1 has 3 columns and operand 2 has 2 rows
    refused(() => multiDot([whole, square, whole]));
    // @ts-expect-error multiDot: operand 1 is no matrix
    refused(() => multiDot([whole, ones([3]), ones([3])]));
    // @ts-expect-error einsum: j is 3 in the first operand and 4 in the second
    refused(() => einsum('ij,jk->ik', ones([2, 3]), ones([4, 5])));
    // @ts-expect-error einsum: the first term names 3 axes, the first operand has 2
    refused(() => pipe(whole, einsum('ijk->i')));
    // @ts-expect-error einsum: the letter l of the result is in no operand
    refused(() => einsum('ij->il', whole));
    // @ts-expect-error einsum: the equation has 2 terms, and there is 1 operand
    refused(() => einsum('ij,jk->ik')(whole));
    // @ts-expect-error attention: queries have 8 features, keys have 9
    refused(() => attention(ones([5, 8]), ones([7, 9]), ones([7, 2])));
    // @ts-expect-error attention: there are 7 keys and 6 values
    refused(() => pipe(ones([5, 8]), attention(ones([7, 8]), ones([6, 2]))));
    // @ts-expect-error attention: they are […, queries, features], […, keys, features] and […, keys, channels]
    refused(() => attention(ones([8]), ones([7, 8]), ones([7, 2])));
  });

  it('of windows', () => {
    // @ts-expect-error conv2d: the input has 3 channels, the kernel takes 1
    refused(() => conv2d(image, ones([4, 1, 3, 3])));
    // @ts-expect-error conv2d: the kernel reaches over 9, and the input with its padding has 8 only
    refused(() => pipe(image, conv2d(kernel, { dilation: 4, padding: 1 })));
    // @ts-expect-error conv1d: an input is [n, c, w] or [c, w]
    refused(() => conv1d(image, ones([4, 3, 3])));
    // @ts-expect-error conv2d: a result is as long as its input only if the stride is 1, not 2
    refused(() => conv2d(image, kernel, { stride: 2, padding: 'same' }));
    // @ts-expect-error convTranspose2d: the input has 3 channels, the kernel takes 4
    refused(() => convTranspose2d(image, kernel));
    // @ts-expect-error maxPool2d: windows reach over 7, and the input with its padding has 6 only
    refused(() => maxPool2d(image, 7));
    // @ts-expect-error avgPool2d: an input is [n, c, h, w] or [c, h, w]
    refused(() => pipe(whole, avgPool2d(2)));
    // @ts-expect-error adaptiveAvgPool2d: spatial axes have a length of at least 1
    refused(() => adaptiveAvgPool2d(zeros([3, 0, 2]), 1));
    // @ts-expect-error unfold: windows reach over 3, and the input with its padding has 2 only
    refused(() => unfold(ones([1, 2]), [3]));
    // @ts-expect-error interpolate: an axis of 1 would become one of 0
    refused(() => interpolate(ones([1, 1, 1]), { scale: 0.5 }));
    // @ts-expect-error there is no option strides
    refused(() => conv2d(image, kernel, { padding: 1, strides: 2 }));
    // @ts-expect-error the option is called ceilMode
    refused(() => pipe(image, maxPool2d(2, { stride: 1, ceil: true })));
    // @ts-expect-error there is no such mode
    refused(() => interpolate(image, { scale: 2, mode: 'area2' }));
  });

  it('of matrices', () => {
    // @ts-expect-error inv: the last two axes are 2 and 3, not square
    refused(() => inv(whole));
    // @ts-expect-error inv: the last two axes are rows and columns of matrices
    refused(() => pipe(ones([3]), inv));
    // @ts-expect-error cholesky: the last two axes are 5 and 3, not square
    refused(() => cholesky(tall));
    // @ts-expect-error det: the last two axes are 5 and 3, not square
    refused(() => det(tall));
    // @ts-expect-error eigh: the last two axes are 5 and 3, not square
    refused(() => eigh(tall, { upper: true }));
    // @ts-expect-error solve: the matrices have 3 rows, the right side has 4
    refused(() => solve(square, ones([4])));
    // @ts-expect-error solve: the last two axes are 5 and 3, not square
    refused(() => pipe(tall, solve(ones([5]))));
    // @ts-expect-error triangularSolve: the matrices have 3 rows, the right side has 5
    refused(() => triangularSolve(square, tall, { upper: true }));
    // @ts-expect-error lstsq: the matrices have 5 rows, the right side has 3
    refused(() => lstsq(tall, ones([3])));
    // @ts-expect-error svd: the last two axes are rows and columns of matrices
    refused(() => svd(ones([3])));
    // @ts-expect-error qr: the last two axes are rows and columns of matrices
    refused(() => qr(ones([]), { mode: 'r' }));
    // @ts-expect-error lu: the last two axes are rows and columns of matrices
    refused(() => lu(ones([3])));
    // @ts-expect-error conditionNumber: the last two axes are 5 and 3, not square
    refused(() => conditionNumber(tall, { ord: 1 }));
    // @ts-expect-error matrixNorm: the last two axes are rows and columns of matrices
    refused(() => matrixNorm(ones([3])));
    // @ts-expect-error matrixPower: the last two axes are 5 and 3, not square
    refused(() => pipe(tall, matrixPower(2)));
    // @ts-expect-error checkedInv: the last two axes are 5 and 3, not square
    refused(() => checkedInv(tall));
    // @ts-expect-error checkedSolve: the matrices have 3 rows, the right side has 4
    refused(() => checkedSolve(square, ones([4])));
    // @ts-expect-error the option is called upper
    refused(() => cholesky(square, { uper: true }));
    // @ts-expect-error there is no option keepdims
    refused(() => matrixNorm(square, { ord: 1, keepdims: true }));
  });

  it('as they are told', () => {
    is<AttentionShape<S<[5, 8]>, S<[7, 9]>, S<[7, 2]>>>().toEqualTypeOf<
      Mismatch<'attention: queries have 8 features, keys have 9'>
    >();
    is<AttentionShape<S<[5, 8]>, S<[7, 8]>, S<[6, 2]>>>().toEqualTypeOf<
      Mismatch<'attention: there are 7 keys and 6 values'>
    >();
    is<AttentionShape<S<[8]>, S<[7, 8]>, S<[6, 2]>>>().toEqualTypeOf<
      Mismatch<'attention: they are […, queries, features], […, keys, features] and […, keys, channels]'>
    >();
    is<AttentionShape<S<[2, 5, 8]>, S<[3, 7, 8]>, S<[7, 2]>>>().toEqualTypeOf<
      Mismatch<'attention: lengths 2 and 3 differ and neither is 1'>
    >();
    is<Solutions<S<[5, 3]>, S<[3]>>>().toEqualTypeOf<
      Mismatch<'lstsq: the matrices have 5 rows, the right side has 3'>
    >();
    is<Residuals<S<[5]>, S<[3]>>>().toEqualTypeOf<
      Mismatch<'lstsq: the last two axes are rows and columns of matrices'>
    >();
    type Apart<Sentence extends string> = Mismatch<`dotGeneral: ${Sentence}`>;
    is<DotGeneralShape<'dotGeneral', S<[2, 3]>, S<[3, 3]>, S2<[0], [1]>>>().toEqualTypeOf<
      Apart<'axis 0 of the first and axis 1 of the second are paired, but their lengths 2 and 3 differ'>
    >();
    is<DotGeneralShape<'dotGeneral', S<[2, 3]>, S<[3, 3]>, S2<[0], [2]>>>().toEqualTypeOf<
      Apart<'axis 2 is out of range for rank 2'>
    >();
    is<DotGeneralShape<'dotGeneral', S<[2, 2]>, S<[2, 2]>, S2<[0], [1]>, S2<[0], [0]>>>().toEqualTypeOf<
      Apart<'axis 0 is named twice'>
    >();
    is<DotGeneralShape<'dotGeneral', S<[2, 2]>, S<[2, 2]>, S2<[0], [1]> | S2<[1], [1]>>>().toEqualTypeOf<Shape>();
    is<DotGeneralShape<'dotGeneral', S<[2, 2]>, S<[2, 2]>, unknown, unknown>>().toEqualTypeOf<Shape>();
    is<ChainShape<[S<[2, 3]>, S<[2, 3]>]>>().toEqualTypeOf<
      Mismatch<'multiDot: operand 0 has 3 columns and operand 1 has 2 rows'>
    >();
    is<ChainShape<[S<[2]>]>>().toEqualTypeOf<Mismatch<'multiDot: operand 0 is no matrix'>>();
    is<ChainShape<[S<[2, 3]>, S<[3]>, S<[3]>]>>().toEqualTypeOf<Mismatch<'multiDot: operand 1 is no matrix'>>();
    is<Eigenvalues<'eigh', S<[5, 3]>>>().toEqualTypeOf<Mismatch<'eigh: the last two axes are 5 and 3, not square'>>();
    type NoMatrix = Mismatch<'f: the last two axes are rows and columns of matrices'>;
    is<PerMatrix<'f', S<[3]>>>().toEqualTypeOf<NoMatrix>();
    is<PerRow<'f', S<[]>>>().toEqualTypeOf<NoMatrix>();
    is<Turned<'f', S<[3]>>>().toEqualTypeOf<NoMatrix>();
    is<ColumnsOf<'f', S<[3]>, true>>().toEqualTypeOf<NoMatrix>();
    is<RowsOf<'f', S<[3]>>>().toEqualTypeOf<NoMatrix>();
    is<SingularValues<'f', S<[3]>>>().toEqualTypeOf<NoMatrix>();
  });
});
