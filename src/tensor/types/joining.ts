/** Joining shapes along an axis in the types, and cutting one into parts. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { Add, FloorDivide, Remainder } from './arithmetic.js';
import type { Axes, Place, Raised, SetLength } from './axes.js';
import type { IsAny, IsLiteral, IsTuple, SameRank, Show } from './known.js';

/** Whether two lengths are literals that differ. */
type Differ<M extends number, N extends number> = readonly [M, N] extends readonly [N, M]
  ? false
  : [IsLiteral<M>, IsLiteral<N>] extends [true, true]
    ? true
    : false;

/** Of two lengths that are the same the one that is known. */
type Known<M extends number, N extends number> = readonly [M, N] extends readonly [N, M]
  ? M
  : IsLiteral<M> extends true
    ? M
    : N;

/** The shapes of tensors one after the other along an axis: the other lengths are the same, those along it add up. */
export type Concat<Shapes extends readonly Shape[], Axis extends number = 0> =
  IsTuple<Shapes> extends true
    ? Shapes extends readonly [infer First extends Shape, ...infer Rest extends readonly Shape[]]
      ? IsTuple<First> extends true
        ? Place<'concat', First['length'], Axis> extends infer P
          ? P extends number
            ? ConcatAll<First, Rest, P>
            : P
          : never
        : Shape
      : Mismatch<'concat: the list is empty'>
    : IsTuple<Shapes[number]> extends true
      ? Place<'concat', Shapes[number]['length'], Axis> extends infer P
        ? P extends number
          ? WithLength<Shapes[number], P, number>
          : P
        : never
      : Shape;

/** The shape with that length in one place; of no length is more known where the place is not. */
type WithLength<S extends Shape, P extends number, N extends number> = number extends P
  ? SameRank<S>
  : SetLength<S, P, N>;

type ConcatAll<First, Rest extends readonly Shape[], P extends number> = First extends infer A extends Shape
  ? Rest extends readonly [infer B extends Shape, ...infer More extends readonly Shape[]]
    ? IsTuple<B> extends true
      ? A['length'] extends B['length']
        ? ConcatAll<Joined<A, B, P>, More, P>
        : Mismatch<`concat: ${Show<A>} and ${Show<B>} have ranks ${A['length']} and ${B['length']}`>
      : Shape
    : A
  : First;

type Joined<
  A extends Shape,
  B extends Shape,
  P extends number,
  Seen extends readonly unknown[] = [],
  Out extends Shape = readonly [],
> = A extends readonly [infer M extends number, ...infer I extends Shape]
  ? B extends readonly [infer N extends number, ...infer J extends Shape]
    ? number extends P
      ? Joined<I, J, P, Seen, readonly [...Out, number]>
      : Seen['length'] extends P
        ? Joined<I, J, P, [...Seen, 0], readonly [...Out, Add<M, N>]>
        : Differ<M, N> extends true
          ? Mismatch<`concat: lengths ${M} and ${N} of axis ${Seen['length']} differ`>
          : Joined<I, J, P, [...Seen, 0], readonly [...Out, Known<M, N>]>
    : Out
  : Out;

/** The shapes of tensors of one shape joined along a new axis, which is this axis of the result. */
export type Stack<Shapes extends readonly Shape[], Axis extends number = 0> =
  IsTuple<Shapes> extends true
    ? Shapes extends readonly [infer First extends Shape, ...infer Rest extends readonly Shape[]]
      ? IsTuple<First> extends true
        ? Equal<First, Rest> extends infer Common
          ? Common extends infer S extends Shape
            ? IsTuple<S> extends true
              ? Raised<'stack', S, readonly [Axis], Shapes['length']>
              : Shape
            : Common
          : never
        : Shape
      : Mismatch<'stack: the list is empty'>
    : IsTuple<Shapes[number]> extends true
      ? Raised<'stack', Shapes[number], readonly [Axis], number>
      : Shape;

/** The shape that all of them have. */
type Equal<First, Rest extends readonly Shape[]> = First extends infer A extends Shape
  ? Rest extends readonly [infer B extends Shape, ...infer More extends readonly Shape[]]
    ? [A, B] extends [B, A]
      ? Equal<A, More>
      : [IsTuple<A>, IsTuple<B>] extends [true, true]
        ? A['length'] extends B['length']
          ? Equal<Alike<A, B, A, B>, More>
          : Mismatch<`stack: the shapes ${Show<A>} and ${Show<B>} differ`>
        : Shape
    : A
  : First;

type Alike<
  A extends Shape,
  B extends Shape,
  First extends Shape,
  Second extends Shape,
  Out extends Shape = readonly [],
> = A extends readonly [infer M extends number, ...infer I extends Shape]
  ? B extends readonly [infer N extends number, ...infer J extends Shape]
    ? Differ<M, N> extends true
      ? Mismatch<`stack: the shapes ${Show<First>} and ${Show<Second>} differ`>
      : Alike<I, J, First, Second, readonly [...Out, Known<M, N>]>
    : Out
  : Out;

/** The shape of each of so many equal parts of an axis. */
export type SplitEqually<S extends Shape, Parts extends number, Axis extends number = 0> =
  IsTuple<S> extends true
    ? Place<'split', S['length'], Axis> extends infer P
      ? P extends number
        ? number extends P
          ? SameRank<S>
          : 0 extends Remainder<S[P], Parts>
            ? SetLength<S, P, FloorDivide<S[P], Parts>>
            : number extends Remainder<S[P], Parts>
              ? SetLength<S, P, number>
              : Mismatch<`split: length ${S[P]} of axis ${P} does not divide into ${Parts} equal parts`>
        : P
      : never
    : Shape;

/** The shapes of parts of an axis that have these sizes, which add up to its length. */
export type SplitSizes<S extends Shape, Sizes extends Shape, Axis extends number = 0> =
  IsTuple<S> extends true
    ? Place<'split', S['length'], Axis> extends infer P
      ? P extends number
        ? number extends P
          ? EachOf<Sizes, SameRank<S>>
          : IsTuple<Sizes> extends true
            ? Differ<Total<Sizes>, S[P]> extends true
              ? Mismatch<`split: the sizes ${Show<Sizes>} add up to ${Total<Sizes>}, axis ${P} has length ${S[P]}`>
              : { readonly [I in keyof Sizes]: SetLength<S, P, Sizes[I]> }
            : EachOf<Sizes, SetLength<S, P, number>>
        : P
      : never
    : EachOf<Sizes, Shape>;

/** The shapes of parts where there is a list of sizes, the one of all where there is a number of parts. */
export type SplitShapes<S extends Shape, Parts extends Axes, Axis extends number = 0> = [Parts] extends [Shape]
  ? SplitSizes<S, Parts, Axis>
  : [Parts] extends [number]
    ? SplitEqually<S, Parts, Axis>
    : Shape;

/** The shape of each part of an axis, whose length depends on that of the others. */
export type Chunked<S extends Shape, Axis extends number = 0> =
  IsTuple<S> extends true
    ? Place<'chunk', S['length'], Axis> extends infer P
      ? P extends number
        ? WithLength<S, P, number>
        : P
      : never
    : Shape;

/** One for each of the sizes. */
type EachOf<Sizes extends Shape, Part> =
  IsAny<Sizes> extends true ? readonly Part[] : { readonly [I in keyof Sizes]: Part };

/** The sum of the lengths. */
export type Total<S extends Shape, Out extends number = 0> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Total<Rest, Add<Out, N>>
  : S extends readonly []
    ? Out
    : number;

/** Whether the first two axes of a grid are exchanged: 'xy'. */
export type Indexing = 'ij' | 'xy';

/** The shape of a grid over vectors, or scalars: their lengths, the first two exchanged for 'xy'. */
export type Grid<Shapes extends readonly Shape[], I extends Indexing> =
  IsTuple<Shapes> extends true
    ? Lengths<Shapes> extends infer L
      ? L extends readonly [infer M extends number, infer N extends number, ...infer Rest extends Shape]
        ? [I] extends ['ij']
          ? L
          : [I] extends ['xy']
            ? readonly [N, M, ...Rest]
            : readonly [number, number, ...Rest]
        : L
      : never
    : Shape;

/** The length of each vector. */
type Lengths<Shapes extends readonly Shape[], Out extends Shape = readonly []> = Shapes extends readonly [
  infer S extends Shape,
  ...infer Rest extends readonly Shape[],
]
  ? IsTuple<S> extends true
    ? S extends readonly [infer N extends number]
      ? Lengths<Rest, readonly [...Out, N]>
      : S extends readonly []
        ? Lengths<Rest, readonly [...Out, 1]>
        : Mismatch<`meshgrid: coordinates along an axis are a vector, not a tensor of rank ${S['length']}`>
    : Lengths<Rest, readonly [...Out, number]>
  : Out extends readonly []
    ? Mismatch<'meshgrid: a grid has one vector or more'>
    : Out;
