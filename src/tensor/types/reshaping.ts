/**
 * Reshaping and broadcasting in the types. Equal lengths at the ends of both shapes are set aside before anything is
 * multiplied: most reshapes leave the batch alone, and then there is little to compute.
 */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type {
  Divided,
  FloorDivide,
  FromLittle,
  LittleProduct,
  Multiply,
  Natural,
  Product,
  Remainder,
  Reversed,
} from './arithmetic.js';
import type { Place } from './axes.js';
import type { IsLiteral, IsTuple, Show } from './known.js';

/** The shape with this in place of −1; a length that may be −1 among others is not known. */
type Solved<R extends Shape, N extends number> = {
  readonly [I in keyof R]: [number] extends [R[I]] ? number : [R[I]] extends [-1] ? N : -1 extends R[I] ? number : R[I];
};

/** Whether −1 stands nowhere, once or more often. */
type Open<R extends Shape, Seen extends 'never' | 'once' = 'never'> = R extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? [number, N] extends [N, -1]
    ? Open<Rest, Seen>
    : [N, -1] extends [-1, N]
      ? Seen extends 'once'
        ? 'often'
        : Open<Rest, 'once'>
      : Open<Rest, Seen>
  : Seen;

/** Both shapes without the lengths that they begin with in common; a length of 0 decides everything and stays. */
type Trimmed<A extends Shape, B extends Shape> = A extends readonly [infer M extends number, ...infer P extends Shape]
  ? B extends readonly [infer N extends number, ...infer Q extends Shape]
    ? IsShared<M, N> extends true
      ? Trimmed<P, Q>
      : TrimmedEnd<A, B>
    : [A, B]
  : [A, B];

/** The same of the lengths that they end with. */
type TrimmedEnd<A extends Shape, B extends Shape> = A extends readonly [
  ...infer P extends Shape,
  infer M extends number,
]
  ? B extends readonly [...infer Q extends Shape, infer N extends number]
    ? IsShared<M, N> extends true
      ? TrimmedEnd<P, Q>
      : [A, B]
    : [A, B]
  : [A, B];

/** Whether two lengths are one literal other than 0. */
type IsShared<M extends number, N extends number> = [number] extends [M | N]
  ? false
  : [M, N] extends [N, M]
    ? [0] extends [M]
      ? false
      : IsLiteral<M>
    : false;

/** The shape given, which must have as many elements; what −1 stands for follows from the others. */
export type Reshape<S extends Shape, R extends Shape> =
  IsTuple<R> extends true
    ? Open<R> extends infer Many
      ? Many extends 'never'
        ? IsTuple<S> extends true
          ? [S, R] extends [R, S]
            ? Solved<R, number>
            : Same<S, R, Trimmed<S, R>>
          : Solved<R, number>
        : Many extends 'once'
          ? IsTuple<S> extends true
            ? Opened<S, R, Trimmed<S, R>>
            : Solved<R, number>
          : Mismatch<`reshape: more than one length of ${Show<R>} is -1`>
      : never
    : Shape;

/** The same where it fits: lengths other than −1 are those given, also where the tensor's shape is still open. */
export type Reshaped<S extends Shape, R extends Shape> =
  IsTuple<R> extends true
    ? {
        readonly [I in keyof R]: [number] extends [R[I]] ? number : -1 extends R[I] ? LengthAt<Reshape<S, R>, I> : R[I];
      }
    : Shape;

type LengthAt<S, I> = I extends keyof S ? (S[I] extends infer N extends number ? N : number) : number;

type Same<S extends Shape, R extends Shape, Rest extends [Shape, Shape]> =
  LittleProduct<Rest[0]> extends infer P extends string
    ? P extends ''
      ? Solved<R, number>
      : LittleProduct<Rest[1]> extends '' | P
        ? Solved<R, number>
        : Mismatch<`reshape: ${Show<S>} has ${Product<S>} elements, ${Show<R>} has ${Product<R>}`>
    : never;

type Opened<S extends Shape, R extends Shape, Rest extends [Shape, Shape]> =
  LittleProduct<Solved<Rest[1], 1>> extends infer Q extends string
    ? Q extends '0'
      ? Mismatch<`reshape: beside a length of 0 in ${Show<R>}, any length could stand for -1`>
      : Q extends ''
        ? Solved<R, number>
        : Q extends '1'
          ? Solved<R, Product<Rest[0]>>
          : (Rest[1] extends readonly [-1, ...Shape] ? Before<Rest[0], Q> : Behind<Rest[0], Q>) extends infer Others
            ? Others extends Shape
              ? Solved<R, Product<Others>>
              : Others extends ''
                ? Solved<R, number>
                : Others extends string
                  ? Quotient<S, R, Divided<Reversed<Others>, Q>>
                  : never
            : never
    : never;

/** The lengths before those that multiply to Q, so that there is nothing to divide; the digits of all where none do. */
type Before<S extends Shape, Q extends string, Out extends string = '1'> = S extends readonly [
  ...infer Rest extends Shape,
  infer N extends number,
]
  ? LittleProduct<readonly [N], Out> extends infer P extends string
    ? P extends ''
      ? ''
      : P extends Q
        ? Rest
        : Before<Rest, Q, P>
    : never
  : Out;

/** The same from the other end. */
type Behind<S extends Shape, Q extends string, Out extends string = '1'> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? LittleProduct<readonly [N], Out> extends infer P extends string
    ? P extends ''
      ? ''
      : P extends Q
        ? Rest
        : Behind<Rest, Q, P>
    : never
  : Out;

type Quotient<S extends Shape, R extends Shape, By extends [string, string]> =
  FromLittle<By[1]> extends 0
    ? Solved<R, Natural<By[0]>>
    : Mismatch<`reshape: ${Show<S>} has ${Product<S>} elements, which ${Product<Solved<R, 1>>} does not divide`>;

/** The axes from `Start` to `End`, both included, as one; all of them where none is named. */
export type Flatten<S extends Shape, Start extends number = 0, End extends number = -1> =
  IsTuple<S> extends true
    ? S extends readonly []
      ? Flatten<readonly [1], Start, End>
      : [Start, End] extends [0, -1]
        ? readonly [Product<S>]
        : [Place<'flatten', S['length'], Start>, Place<'flatten', S['length'], End>] extends [infer P, infer Q]
          ? P extends number
            ? Q extends number
              ? number extends P | Q
                ? Shape
                : Merged<S, P, Q>
              : Q
            : P
          : never
    : [Start, End] extends [0, -1]
      ? [IsLiteral<Start>, IsLiteral<End>] extends [true, true]
        ? readonly [number]
        : Shape
      : Shape;

/** The lengths before P, those from P to Q as a product, those behind Q. */
type Merged<
  S extends Shape,
  P extends number,
  Q extends number,
  Seen extends readonly unknown[] = [],
  Before extends Shape = readonly [],
> = S extends readonly [infer N extends number, ...infer Rest extends Shape]
  ? Seen['length'] extends P
    ? Through<S, Q, Seen, Before>
    : Seen['length'] extends Q
      ? Mismatch<`flatten: axis ${Q}, the last, comes before axis ${P}, the first`>
      : Merged<Rest, P, Q, [...Seen, 0], readonly [...Before, N]>
  : Shape;

type Through<
  S extends Shape,
  Q extends number,
  Seen extends readonly unknown[],
  Before extends Shape,
  Inside extends Shape = readonly [],
> = S extends readonly [infer N extends number, ...infer Rest extends Shape]
  ? Seen['length'] extends Q
    ? readonly [...Before, Product<readonly [...Inside, N]>, ...Rest]
    : Through<Rest, Q, [...Seen, 0], Before, readonly [...Inside, N]>
  : Shape;

/** The shape given, over which the other spreads: aligned at the right, its lengths are the same or 1. */
export type BroadcastTo<S extends Shape, R extends Shape> =
  IsTuple<R> extends true
    ? IsTuple<S> extends true
      ? [S, R] extends [R, S]
        ? R
        : Spread<S, R, S, R>
      : Readonly<R>
    : Shape;

type Spread<A extends Shape, B extends Shape, S extends Shape, R extends Shape> = A extends readonly [
  ...infer P extends Shape,
  infer M extends number,
]
  ? B extends readonly [...infer Q extends Shape, infer N extends number]
    ? [1] extends [M]
      ? Spread<P, Q, S, R>
      : [M, N] extends [N, M]
        ? Spread<P, Q, S, R>
        : [IsLiteral<M>, IsLiteral<N>] extends [true, true]
          ? Mismatch<`broadcastTo: length ${M} does not become ${N}`>
          : Spread<P, Q, S, R>
    : Mismatch<`broadcastTo: ${Show<S>} has more axes than ${Show<R>}`>
  : Readonly<R>;

/** pixelShuffle: the channels by the square of the factor, height and width by the factor longer. */
export type PixelShuffle<S extends Shape, R extends number> =
  IsTuple<S> extends true
    ? S extends readonly [
        ...infer Front extends Shape,
        infer C extends number,
        infer H extends number,
        infer W extends number,
      ]
      ? IsMultiple<C, Multiply<R, R>> extends false
        ? Mismatch<`pixelShuffle: ${Multiply<R, R>} does not divide the ${C} channels`>
        : readonly [...Front, FloorDivide<C, Multiply<R, R>>, Multiply<H, R>, Multiply<W, R>]
      : Mismatch<'pixelShuffle: an image has the axes […, channels, height, width]'>
    : Shape;

/** pixelUnshuffle: height and width by the factor shorter, and as many channels more. */
export type PixelUnshuffle<S extends Shape, R extends number> =
  IsTuple<S> extends true
    ? S extends readonly [
        ...infer Front extends Shape,
        infer C extends number,
        infer H extends number,
        infer W extends number,
      ]
      ? false extends IsMultiple<H, R> | IsMultiple<W, R>
        ? Mismatch<`pixelUnshuffle: ${R} does not divide height and width, ${H} and ${W}`>
        : readonly [...Front, Multiply<C, Multiply<R, R>>, FloorDivide<H, R>, FloorDivide<W, R>]
      : Mismatch<'pixelUnshuffle: an image has the axes […, channels, height, width]'>
    : Shape;

/** Whether a length is known to be a multiple of a number, or known to be none; undefined if neither. */
type IsMultiple<N extends number, Of extends number> =
  Remainder<N, Of> extends infer Left extends number
    ? [number] extends [Left]
      ? undefined
      : Left extends 0
        ? true
        : false
    : never;
