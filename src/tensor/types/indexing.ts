/** The shapes of functions that take, order and search elements along an axis, and of diagonals. */
import type { Shape } from '../shape.js';
import type { Broadcast, Mismatch } from '../shape-types.js';
import type { Add, Compare, Subtract } from './arithmetic.js';
import type { IsTuple, IsUnion, SameRank } from './known.js';

type FromStart<S extends Shape, Axis, Front extends Shape = []> = S extends readonly [
  infer N extends number,
  ...infer Back extends Shape,
]
  ? Front['length'] extends Axis
    ? [Front, N, Back]
    : FromStart<Back, Axis, [...Front, N]>
  : 'outside';

type FromEnd<S extends Shape, Count, Back extends Shape = []> = S extends readonly [
  ...infer Front extends Shape,
  infer N extends number,
]
  ? [N, ...Back]['length'] extends Count
    ? [Front, N, Back]
    : FromEnd<Front, Count, [N, ...Back]>
  : 'outside';

/**
 * The lengths before an axis, its own and those behind it. 'any rank' and 'any axis' where these are not known.
 */
type Cut<Op extends string, S extends Shape, Axis extends number> =
  IsTuple<S> extends true
    ? number extends Axis
      ? 'any axis'
      : IsUnion<Axis> extends true
        ? 'any axis'
        : (
              `${Axis}` extends `-${infer Count extends number}`
                ? FromEnd<S, Count>
                : FromStart<S, Axis>
            ) extends infer Found
          ? Found extends 'outside'
            ? Mismatch<`${Op}: axis ${Axis} is out of range for rank ${S['length']}`>
            : Found
          : never
    : 'any rank';

type Tail<S extends Shape> = S extends readonly [number, ...infer R extends Shape] ? R : [];

/** What a cut that found no axis comes to: as many unknown lengths as the result has axes. */
type Otherwise<Found, Lengths extends Shape> =
  Found extends Mismatch<string> ? Found : Found extends 'any axis' ? SameRank<Lengths> : Shape;

/** take with a tensor of indices: their shape in the place of the axis. */
export type TakeShape<S extends Shape, I extends Shape, Axis extends number = 0> =
  IsTuple<I> extends true
    ? Cut<'take', S, Axis> extends infer Found
      ? Found extends [infer Front extends Shape, number, infer Back extends Shape]
        ? readonly [...Front, ...I, ...Back]
        : Otherwise<Found, readonly [...Tail<S>, ...I]>
      : never
    : Shape;

/** Whether an index is known to be outside of an axis. */
export type Outside<Index extends number, N extends number> = [number] extends [Index | N]
  ? false
  : true extends IsUnion<Index> | IsUnion<N>
    ? false
    : `${Index}` extends `-${infer Back extends number}`
      ? [Compare<Back, N>] extends [1]
        ? true
        : false
      : [Compare<Index, N>] extends [0 | 1]
        ? true
        : false;

/** take with one index: the axis goes away. */
export type TakeOneShape<S extends Shape, Index extends number, Axis extends number = 0> =
  Cut<'take', S, Axis> extends infer Found
    ? Found extends [infer Front extends Shape, infer N extends number, infer Back extends Shape]
      ? Outside<Index, N> extends true
        ? Mismatch<`take: index ${Index} is outside of an axis of length ${N}`>
        : readonly [...Front, ...Back]
      : Otherwise<Found, Tail<S>>
    : never;

type RanksDiffer<
  Op extends string,
  S extends Shape,
  I extends Shape,
> = `${Op}: the ranks must be equal, but are ${S['length']} and ${I['length']}`;

/** takeAlong: apart from the axis the lengths broadcast, and along it there are as many as indices. */
export type TakeAlongShape<S extends Shape, I extends Shape, Axis extends number = -1> =
  Cut<'takeAlong', S, Axis> extends infer Found
    ? IsTuple<I> extends true
      ? Found extends [infer Front extends Shape, number, infer Back extends Shape]
        ? S['length'] extends I['length']
          ? Broadcast<'takeAlong', readonly [...Front, 1, ...Back], I>
          : Mismatch<RanksDiffer<'takeAlong', S, I>>
        : Otherwise<Found, S>
      : Shape
    : never;

/** The indices' shape, unless one of their lengths is more than that of the tensor. */
type NoLonger<I extends Shape, S extends Shape, Result> = I extends readonly [
  infer M extends number,
  ...infer J extends Shape,
]
  ? S extends readonly [infer N extends number, ...infer T extends Shape]
    ? [M] extends [N]
      ? NoLonger<J, T, Result>
      : [Compare<M, N>] extends [1]
        ? Mismatch<`gather: apart from the axis the indices are no longer than the tensor, but ${M} is more than ${N}`>
        : NoLonger<J, T, Result>
    : Result
  : Result;

/** gather: the shape of the indices, which have the tensor's rank and apart from the axis no more than its lengths. */
export type GatherShape<S extends Shape, I extends Shape, Axis extends number = -1> =
  IsTuple<I> extends true
    ? Cut<'gather', S, Axis> extends infer Found
      ? Found extends [infer Front extends Shape, number, infer Back extends Shape]
        ? S['length'] extends I['length']
          ? Cut<'gather', I, Axis> extends [infer Own extends Shape, number, infer Rest extends Shape]
            ? NoLonger<[...Own, ...Rest], [...Front, ...Back], I>
            : never
          : Mismatch<RanksDiffer<'gather', S, I>>
        : Found extends Mismatch<string>
          ? Found
          : I
      : never
    : Shape;

/** oneHot, and the rows of an embedding: a last axis more. */
export type OneHotShape<I extends Shape, Depth extends number> =
  IsTuple<I> extends true ? readonly [...I, Depth] : Shape;

/** topK: the axis has k elements, of which there must be as many. */
export type TopKShape<S extends Shape, K extends number, Axis extends number = -1> =
  Cut<'topK', S, Axis> extends infer Found
    ? Found extends [infer Front extends Shape, infer N extends number, infer Back extends Shape]
      ? [Compare<K, N>] extends [1]
        ? Mismatch<`topK: k is an integer from 0 to ${N}, not ${K}`>
        : readonly [...Front, K, ...Back]
      : Otherwise<Found, S>
    : never;

/** The smaller of two lengths. */
type Least<A extends number, B extends number> = [A] extends [B]
  ? A
  : [Compare<A, B>] extends [-1]
    ? A
    : [Compare<A, B>] extends [1]
      ? B
      : number;

/** A − B, not below 0. */
type Less<A extends number, B extends number> =
  Subtract<A, B> extends infer Left extends number ? (`${Left}` extends `-${string}` ? 0 : Left) : never;

type Size<K extends number> = `${K}` extends `-${infer N extends number}` ? N : K;

/** How long the k-th diagonal is. */
type DiagonalLength<Rows extends number, Columns extends number, K extends number> = K extends 0
  ? Least<Rows, Columns>
  : number extends K
    ? number
    : `${K}` extends `-${infer N extends number}`
      ? Least<Less<Rows, N>, Columns>
      : Least<Rows, Less<Columns, K>>;

/** The lengths without the one that was taken out, which −1 stands for. */
type Rest<S extends Shape, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer More extends Shape,
]
  ? N extends -1
    ? readonly [...Out, ...More]
    : Rest<More, readonly [...Out, N]>
  : Out;

/** Matrices in the last two axes. */
export type MatricesShape<Op extends string, S extends Shape> =
  IsTuple<S> extends true
    ? S extends readonly [number, number, ...Shape]
      ? S
      : Mismatch<`${Op}: a matrix has two axes or more`>
    : Shape;

/** The lengths but for two axes, and those of the two. */
type Plane<Op extends string, S extends Shape, Axis1 extends number, Axis2 extends number> =
  IsTuple<S> extends true
    ? S extends readonly [number, number, ...Shape]
      ? Cut<Op, S, Axis1> extends infer Found
        ? Found extends [infer Front extends Shape, infer Rows extends number, infer Back extends Shape]
          ? Cut<Op, readonly [...Front, -1, ...Back], Axis2> extends infer Other
            ? Other extends [infer Before extends Shape, infer Columns extends number, infer After extends Shape]
              ? Columns extends -1
                ? Mismatch<`${Op}: rows and columns are two axes`>
                : [Rest<[...Before, ...After]>, Rows, Columns]
              : Other
            : never
          : Found
        : never
      : Mismatch<`${Op}: a matrix has two axes or more`>
    : 'any rank';

/** diagonal: the two axes go away, and the last one is that of the diagonal. */
export type DiagonalShape<
  S extends Shape,
  Offset extends number = 0,
  Axis1 extends number = 0,
  Axis2 extends number = 1,
> =
  Plane<'diagonal', S, Axis1, Axis2> extends infer Found
    ? Found extends [infer Front extends Shape, infer Rows extends number, infer Columns extends number]
      ? readonly [...Front, DiagonalLength<Rows, Columns, Offset>]
      : Otherwise<Found, Tail<S>>
    : never;

/** trace: the two axes go away. */
export type TraceShape<S extends Shape, Axis1 extends number = 0, Axis2 extends number = 1> =
  Plane<'trace', S, Axis1, Axis2> extends infer Found
    ? Found extends [infer Front extends Shape, number, number]
      ? Front
      : Otherwise<Found, Tail<Tail<S>>>
    : never;

/** diagEmbed: square matrices with the last axis on their diagonal. */
export type DiagEmbedShape<S extends Shape, Offset extends number = 0> =
  IsTuple<S> extends true
    ? S extends readonly [...infer Front extends Shape, infer N extends number]
      ? Add<N, Size<Offset>> extends infer M extends number
        ? readonly [...Front, M, M]
        : never
      : Mismatch<'diagEmbed: a scalar is no diagonal'>
    : Shape;

/** diag: of a vector a square matrix, of a matrix its diagonal. */
export type DiagShape<S extends Shape, K extends number = 0> =
  IsTuple<S> extends true
    ? S extends readonly [infer M extends number, infer N extends number]
      ? readonly [DiagonalLength<M, N, K>]
      : S extends readonly [infer N extends number]
        ? DiagEmbedShape<readonly [N], K>
        : Mismatch<`diag: it takes a vector or a matrix, not a tensor of rank ${S['length']}`>
    : Shape;
