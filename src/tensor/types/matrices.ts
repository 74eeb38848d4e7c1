/** The shapes of what matrices are decomposed into, and of numbers and solutions that come of them. */
import type { Shape } from '../shape.js';
import type { Broadcast, Mismatch } from '../shape-types.js';
import type { Compare } from './arithmetic.js';
import type { IsTuple } from './known.js';
import type { Differ, NoMatrices, Solve, Square } from './products.js';

/** The smaller of two lengths. */
type Least<M extends number, N extends number> = [M] extends [N]
  ? M
  : Compare<M, N> extends infer Order
    ? [Order] extends [-1 | 0]
      ? M
      : [Order] extends [1]
        ? N
        : number
    : never;

/** The axes before the last two of matrices, and these two; a mismatch for lower ranks. */
type Sides<Op extends string, A extends Shape> =
  IsTuple<A> extends true
    ? A extends readonly [...infer Front extends Shape, infer M extends number, infer N extends number]
      ? [Front, M, N]
      : Mismatch<NoMatrices<Op>>
    : Shape;

/** matrixNorm, matrixRank and conditionNumber: a number for each matrix, whatever its sides; `Keep`: with axes for these. */
export type PerMatrix<Op extends string, A extends Shape, Keep = false> = [Keep] extends [false]
  ? Front<Op, A>
  : [Keep] extends [true]
    ? Kept<Op, A>
    : Shape;

type Front<Op extends string, A extends Shape> =
  Sides<Op, A> extends infer Given
    ? Given extends [infer P extends Shape, number, number]
      ? readonly [...P]
      : Given
    : never;

// The brackets are for TypeScript 7, which breaks down where it compares this with the type above, A not being known.
type Kept<Op extends string, A extends Shape> = [Sides<Op, A>] extends [infer Given]
  ? Given extends [infer P extends Shape, number, number]
    ? readonly [...P, 1, 1]
    : Given
  : never;

/** pinv: the sides the other way round. */
export type Turned<Op extends string, A extends Shape> =
  Sides<Op, A> extends infer Given
    ? Given extends [infer Front extends Shape, infer M extends number, infer N extends number]
      ? readonly [...Front, N, M]
      : Given
    : never;

/** Factors [m, k] in columns; `All`: whether k is m, and otherwise the shorter side. */
export type ColumnsOf<Op extends string, A extends Shape, All = false> =
  Sides<Op, A> extends infer Given
    ? Given extends [infer Front extends Shape, infer M extends number, infer N extends number]
      ? readonly [...Front, M, Chosen<All, M, Least<M, N>>]
      : Given
    : never;

/** Factors [k, n] in rows; `All`: the length that k is then (not known, `number`), and otherwise the shorter side. */
export type RowsOf<Op extends string, A extends Shape, All = false, Side extends 'rows' | 'columns' = 'columns'> =
  Sides<Op, A> extends infer Given
    ? Given extends [infer Front extends Shape, infer M extends number, infer N extends number]
      ? readonly [...Front, Chosen<All, Side extends 'rows' ? M : N, Least<M, N>>, N]
      : Given
    : never;

type Chosen<All, Whole extends number, Part extends number> = [All] extends [false]
  ? Part
  : [All] extends [true]
    ? Whole
    : number;

/** Singular values: as many as the shorter side is long. */
export type SingularValues<Op extends string, A extends Shape> =
  Sides<Op, A> extends infer Given
    ? Given extends [infer Front extends Shape, infer M extends number, infer N extends number]
      ? readonly [...Front, Least<M, N>]
      : Given
    : never;

/** One number for each row: the order of rows. */
export type PerRow<Op extends string, A extends Shape> =
  Sides<Op, A> extends infer Given
    ? Given extends [infer Front extends Shape, infer M extends number, number]
      ? readonly [...Front, M]
      : Given
    : never;

/** Eigenvalues: one for each row of square matrices. */
export type Eigenvalues<Op extends string, A extends Shape> =
  Square<Op, A> extends infer Given
    ? Given extends readonly [...infer Front extends Shape, number]
      ? readonly [...Front]
      : Given
    : never;

/** lstsq: solutions have a row for each column of the matrices. */
export type Solutions<A extends Shape, Y extends Shape> =
  Systems<A, Y> extends infer Given
    ? Given extends [infer Front extends Shape, infer N extends number, infer K extends Shape]
      ? readonly [...Front, N, ...K]
      : Given
    : never;

/** lstsq: a sum of squares for each right side. */
export type Residuals<A extends Shape, Y extends Shape> =
  Systems<A, Y> extends infer Given
    ? Given extends [infer Front extends Shape, number, infer K extends Shape]
      ? readonly [...Front, ...K]
      : Given
    : never;

/** Axes in front, how many columns the matrices have, and those of the right side, of which a vector has none. */
type Systems<A extends Shape, Y extends Shape> = [IsTuple<A>, IsTuple<Y>] extends [true, true]
  ? A extends readonly [...infer P extends Shape, infer M extends number, infer N extends number]
    ? // Rules for square matrices are those for others whose columns are left out.
      Solve<'lstsq', readonly [...P, M, M], Y> extends infer Given
      ? Given extends Shape
        ? Y extends readonly [number]
          ? [P, N, readonly []]
          : Given extends readonly [...infer Front extends Shape, number, infer K extends number]
            ? [Front, N, readonly [K]]
            : never
        : Given
      : never
    : Mismatch<NoMatrices<'lstsq'>>
  : Shape;

/** attention: queries, keys and values; the scores are […, queries, keys]. */
export type AttentionShape<Q extends Shape, K extends Shape, V extends Shape> = [
  IsTuple<Q>,
  IsTuple<K>,
  IsTuple<V>,
] extends [true, true, true]
  ? Q extends readonly [...infer P extends Shape, infer M extends number, infer F extends number]
    ? K extends readonly [...infer R extends Shape, infer N extends number, infer G extends number]
      ? V extends readonly [...infer T extends Shape, infer L extends number, infer C extends number]
        ? Differ<F, G> extends true
          ? Mismatch<`attention: queries have ${F} features, keys have ${G}`>
          : Differ<N, L> extends true
            ? Mismatch<`attention: there are ${N} keys and ${L} values`>
            : Fronts<P, R, T> extends infer Front
              ? Front extends Shape
                ? readonly [...Front, M, C]
                : Front
              : never
        : Mismatch<Ranks>
      : Mismatch<Ranks>
    : Mismatch<Ranks>
  : Shape;

type Ranks = 'attention: they are […, queries, features], […, keys, features] and […, keys, channels]';

type Fronts<P extends Shape, R extends Shape, T extends Shape> =
  Broadcast<'attention', P, R> extends infer Front
    ? Front extends Shape
      ? Broadcast<'attention', Front, T>
      : Front
    : never;
