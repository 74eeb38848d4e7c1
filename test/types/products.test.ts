/**
 * What the compiler makes of indices, diagonals and products. The assertions are checked by `tsc -p .`; the sentences are
 * those that it shows where shapes do not fit.
 */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Shape } from '../../src/tensor/shape.js';
import type { Fit, Mismatch } from '../../src/tensor/shape-types.js';
import type {
  DiagEmbedShape,
  DiagonalShape,
  DiagShape,
  GatherShape,
  OneHotShape,
  TakeAlongShape,
  TakeOneShape,
  TakeShape,
  TopKShape,
  TraceShape,
} from '../../src/tensor/types/indexing.js';
import type {
  DotShape,
  KronShape,
  Matmul,
  OuterShape,
  PerSquare,
  Solve,
  Square,
  TensordotShape,
} from '../../src/tensor/types/products.js';

const is = <T>() => expectTypeOf<T>();

// biome-ignore lint/suspicious/noExplicitAny: what came from untyped code
type Any = any;

/** A shape as it is written, read only. */
type S<T extends readonly number[]> = Readonly<T>;

describe('indices', () => {
  it('of what is taken', () => {
    is<TakeShape<S<[2, 3, 4]>, S<[7, 8]>, 1>>().toEqualTypeOf<S<[2, 7, 8, 4]>>();
    is<TakeShape<S<[2, 3, 4]>, S<[7]>, -1>>().toEqualTypeOf<S<[2, 3, 7]>>();
    is<TakeShape<S<[2, 3, 4]>, S<[]>>>().toEqualTypeOf<S<[3, 4]>>();
    is<TakeShape<S<[2]>, S<[7]>, 1>>().toEqualTypeOf<Mismatch<'take: axis 1 is out of range for rank 1'>>();
    is<TakeOneShape<S<[2, 3, 4]>, -4, 2>>().toEqualTypeOf<S<[2, 3]>>();
    is<TakeOneShape<S<[2, 3, 4]>, 4, 2>>().toEqualTypeOf<Mismatch<'take: index 4 is outside of an axis of length 4'>>();
    is<TakeOneShape<S<[2]>, -3>>().toEqualTypeOf<Mismatch<'take: index -3 is outside of an axis of length 2'>>();
    is<TakeAlongShape<S<[2, 3]>, S<[1, 7]>>>().toEqualTypeOf<S<[2, 7]>>();
    is<TakeAlongShape<S<[2, 3]>, S<[3, 7]>>>().toEqualTypeOf<
      Mismatch<'takeAlong: lengths 2 and 3 differ and neither is 1'>
    >();
    is<TakeAlongShape<S<[2, 3]>, S<[7]>>>().toEqualTypeOf<
      Mismatch<'takeAlong: the ranks must be equal, but are 2 and 1'>
    >();
    is<GatherShape<S<[2, 3]>, S<[1, 7]>>>().toEqualTypeOf<S<[1, 7]>>();
    is<GatherShape<S<[2, 3]>, S<[3, 7]>>>().toEqualTypeOf<
      Mismatch<'gather: apart from the axis the indices are no longer than the tensor, but 3 is more than 2'>
    >();
    is<OneHotShape<S<[8, 9]>, 10>>().toEqualTypeOf<S<[8, 9, 10]>>();
    is<TopKShape<S<[2, 3]>, 2>>().toEqualTypeOf<S<[2, 2]>>();
    is<TopKShape<S<[2, 3]>, 4>>().toEqualTypeOf<Mismatch<'topK: k is an integer from 0 to 3, not 4'>>();
  });

  it('of diagonals', () => {
    is<DiagonalShape<S<[2, 3]>>>().toEqualTypeOf<S<[2]>>();
    is<DiagonalShape<S<[8, 3, 4]>, -1, -2, -1>>().toEqualTypeOf<S<[8, 2]>>();
    is<DiagonalShape<S<[2, 3]>, 5>>().toEqualTypeOf<S<[0]>>();
    is<DiagonalShape<S<[2, 3]>, 0, 1, -1>>().toEqualTypeOf<Mismatch<'diagonal: rows and columns are two axes'>>();
    is<TraceShape<S<[8, 3, 4]>>>().toEqualTypeOf<S<[4]>>();
    is<TraceShape<S<[8]>>>().toEqualTypeOf<Mismatch<'trace: a matrix has two axes or more'>>();
    is<DiagShape<S<[8]>, -2>>().toEqualTypeOf<S<[10, 10]>>();
    is<DiagShape<S<[8, 9]>, -2>>().toEqualTypeOf<S<[6]>>();
    is<DiagShape<S<[]>>>().toEqualTypeOf<Mismatch<'diag: it takes a vector or a matrix, not a tensor of rank 0'>>();
    is<DiagEmbedShape<S<[8, 9]>, 1>>().toEqualTypeOf<S<[8, 10, 10]>>();
    is<DiagEmbedShape<S<[]>>>().toEqualTypeOf<Mismatch<'diagEmbed: a scalar is no diagonal'>>();
  });

  it('of what is not known', () => {
    is<TakeShape<S<[2, 3]>, S<[7]>, number>>().toEqualTypeOf<S<[number, number]>>();
    is<TakeShape<Shape, S<[7]>>>().toEqualTypeOf<Shape>();
    is<TakeShape<S<[2]>, Any>>().toEqualTypeOf<Shape>();
    is<TakeOneShape<S<[2, 3]>, number>>().toEqualTypeOf<S<[3]>>();
    is<TakeOneShape<S<[2 | 5, 3]>, 4, 0 | 1>>().toEqualTypeOf<S<[number]>>();
    is<TakeAlongShape<Any, S<[7]>>>().toEqualTypeOf<Shape>();
    is<GatherShape<Shape, S<[7]>>>().toEqualTypeOf<S<[7]>>();
    is<OneHotShape<Shape, 3>>().toEqualTypeOf<Shape>();
    is<TopKShape<S<[number, 3 | 4]>, 9>>().toEqualTypeOf<S<[number, 9]>>();
    is<DiagonalShape<S<[number, 3]>, 1>>().toEqualTypeOf<S<[number]>>();
    is<DiagonalShape<Shape>>().toEqualTypeOf<Shape>();
    is<TraceShape<Any>>().toEqualTypeOf<Shape>();
    is<DiagEmbedShape<S<[3]>, number>>().toEqualTypeOf<S<[number, number]>>();
    is<DiagShape<Shape>>().toEqualTypeOf<Shape>();
    const open = <T extends Shape>(taken: Fit<TakeShape<T, S<[7]>>>, top: Fit<TopKShape<T, 2>>): readonly Shape[] => [
      taken,
      top,
    ];
    expect(open<S<[3]>>([7], [2])).toEqual([[7], [2]]);
  });
});

describe('products', () => {
  it('of matrices and vectors', () => {
    is<Matmul<S<[2, 3]>, S<[3, 4]>>>().toEqualTypeOf<S<[2, 4]>>();
    is<Matmul<S<[5, 1, 2, 3]>, S<[7, 3, 4]>>>().toEqualTypeOf<S<[5, 7, 2, 4]>>();
    is<Matmul<S<[3]>, S<[7, 3, 4]>>>().toEqualTypeOf<S<[7, 4]>>();
    is<Matmul<S<[7, 2, 3]>, S<[3]>>>().toEqualTypeOf<S<[7, 2]>>();
    is<Matmul<S<[3]>, S<[3]>>>().toEqualTypeOf<S<[]>>();
    is<DotShape<S<[3]>, S<[3]>>>().toEqualTypeOf<S<[]>>();
    is<OuterShape<S<[2]>, S<[3]>>>().toEqualTypeOf<S<[2, 3]>>();
    is<TensordotShape<S<[2, 3, 4]>, S<[3, 4, 5]>>>().toEqualTypeOf<S<[2, 5]>>();
    is<TensordotShape<S<[2]>, S<[3]>, 0>>().toEqualTypeOf<S<[2, 3]>>();
    is<KronShape<S<[2, 3]>, S<[4]>>>().toEqualTypeOf<S<[2, 12]>>();
  });

  it('that do not fit', () => {
    is<Matmul<S<[2, 3]>, S<[4, 4]>>>().toEqualTypeOf<Mismatch<'matmul: inner dimensions 3 and 4 differ'>>();
    is<Matmul<S<[5, 2, 3]>, S<[7, 3, 4]>>>().toEqualTypeOf<
      Mismatch<'matmul: lengths 5 and 7 differ and neither is 1'>
    >();
    is<Matmul<S<[]>, S<[3]>>>().toEqualTypeOf<Mismatch<'matmul: a scalar is no matrix'>>();
    is<DotShape<S<[2]>, S<[3]>>>().toEqualTypeOf<Mismatch<'dot: it takes two vectors of one length, not of 2 and 3'>>();
    is<OuterShape<S<[2]>, S<[2, 3]>>>().toEqualTypeOf<
      Mismatch<'outer: it takes two vectors, not a tensor of rank 2'>
    >();
    is<TensordotShape<S<[2, 3]>, S<[4]>, 1>>().toEqualTypeOf<
      Mismatch<'tensordot: axes that meet have the lengths 3 and 4'>
    >();
    is<TensordotShape<S<[2]>, S<[2, 3]>>>().toEqualTypeOf<
      Mismatch<'tensordot: 2 axes cannot meet, the first operand has 1'>
    >();
    is<TensordotShape<S<[3, 2]>, S<[3]>>>().toEqualTypeOf<
      Mismatch<'tensordot: 2 axes cannot meet, the second operand has 1'>
    >();
  });

  it('of square matrices', () => {
    is<Square<'inv', S<[5, 3, 3]>>>().toEqualTypeOf<S<[5, 3, 3]>>();
    is<Square<'inv', S<[2, 3]>>>().toEqualTypeOf<Mismatch<'inv: the last two axes are 2 and 3, not square'>>();
    is<Square<'inv', S<[2]>>>().toEqualTypeOf<Mismatch<'inv: the last two axes are rows and columns of matrices'>>();
    is<PerSquare<'det', S<[7, 3, 3]>>>().toEqualTypeOf<S<[7]>>();
    is<PerSquare<'det', S<[2, 3]>>>().toEqualTypeOf<Mismatch<'det: the last two axes are 2 and 3, not square'>>();
    is<Solve<'solve', S<[5, 3, 3]>, S<[3]>>>().toEqualTypeOf<S<[5, 3]>>();
    is<Solve<'solve', S<[5, 3, 3]>, S<[3, 2]>>>().toEqualTypeOf<S<[5, 3, 2]>>();
    is<Solve<'solve', S<[3, 3]>, S<[4]>>>().toEqualTypeOf<
      Mismatch<'solve: the matrices have 3 rows, the right side has 4'>
    >();
    is<Solve<'solve', S<[2, 3]>, S<[2]>>>().toEqualTypeOf<
      Mismatch<'solve: the last two axes are 2 and 3, not square'>
    >();
    is<Solve<'solve', S<[3, 3]>, S<[]>>>().toEqualTypeOf<
      Mismatch<'solve: a right side is a vector, or matrices in its last two axes'>
    >();
  });

  it('of what is not known', () => {
    is<Matmul<S<[2, number]>, S<[3, 4]>>>().toEqualTypeOf<S<[2, 4]>>();
    is<Matmul<S<[2, 3 | 5]>, S<[4, 4]>>>().toEqualTypeOf<S<[2, 4]>>();
    is<Matmul<Shape, S<[3, 4]>>>().toEqualTypeOf<Shape>();
    is<Matmul<Any, S<[3, 4]>>>().toEqualTypeOf<Shape>();
    is<DotShape<Shape, S<[3]>>>().toEqualTypeOf<S<[]>>();
    is<OuterShape<Any, S<[3]>>>().toEqualTypeOf<S<[number, 3]>>();
    is<TensordotShape<S<[2, 3]>, S<[3, 4]>, number>>().toEqualTypeOf<Shape>();
    is<TensordotShape<S<[2, 3]>, S<[3, 4]>, readonly [1, 0]>>().toEqualTypeOf<Shape>();
    is<KronShape<S<[2, number]>, S<[4]>>>().toEqualTypeOf<S<[2, number]>>();
    is<Square<'inv', S<[number, 3]>>>().toEqualTypeOf<S<[number, 3]>>();
    is<Square<'inv', Any>>().toEqualTypeOf<Shape>();
    is<PerSquare<'det', Shape>>().toEqualTypeOf<Shape>();
    is<Solve<'solve', S<[number, number]>, S<[3, 2]>>>().toEqualTypeOf<S<[3, 2]>>();
    is<Solve<'solve', Shape, S<[3]>>>().toEqualTypeOf<Shape>();
    const open = <T extends Shape>(y: Fit<Matmul<T, S<[3, 4]>>>, z: Fit<Square<'inv', T>>): readonly Shape[] => [y, z];
    expect(open<S<[3, 3]>>([3, 4], [3, 3])).toHaveLength(2);
  });
});
