/**
 * Axes in the types: which place a literal axis names, counted from the start, and the shapes that reducing, squeezing
 * and expanding leave. An axis typed `number` may be any: of its neighbours the lengths are then not known.
 */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { IsAny, IsLiteral, IsTuple, SameRank } from './known.js';

/** For each rank the place of each axis; beyond them no axis is known. */
interface Ranks {
  0: Record<never, never>;
  1: { 0: 0; '-1': 0 };
  2: { 0: 0; 1: 1; '-1': 1; '-2': 0 };
  3: { 0: 0; 1: 1; 2: 2; '-1': 2; '-2': 1; '-3': 0 };
  4: { 0: 0; 1: 1; 2: 2; 3: 3; '-1': 3; '-2': 2; '-3': 1; '-4': 0 };
  5: { 0: 0; 1: 1; 2: 2; 3: 3; 4: 4; '-1': 4; '-2': 3; '-3': 2; '-4': 1; '-5': 0 };
  6: { 0: 0; 1: 1; 2: 2; 3: 3; 4: 4; 5: 5; '-1': 5; '-2': 4; '-3': 3; '-4': 2; '-5': 1; '-6': 0 };
  7: { 0: 0; 1: 1; 2: 2; 3: 3; 4: 4; 5: 5; 6: 6; '-1': 6; '-2': 5; '-3': 4; '-4': 3; '-5': 2; '-6': 1; '-7': 0 };
  8: {
    0: 0;
    1: 1;
    2: 2;
    3: 3;
    4: 4;
    5: 5;
    6: 6;
    7: 7;
    '-1': 7;
    '-2': 6;
    '-3': 5;
    '-4': 4;
    '-5': 3;
    '-6': 2;
    '-7': 1;
    '-8': 0;
  };
}

/** The place that an axis of a shape of this rank names, counted from the start; `number` where it is not known. */
export type Place<Op extends string, Rank extends number, Axis extends number, Of extends string = 'rank'> =
  IsLiteral<Axis> extends true
    ? Ranks extends { readonly [R in Rank]: infer Row }
      ? Row extends { readonly [A in Axis]: infer P extends number }
        ? P
        : Mismatch<`${Op}: axis ${Axis} is out of range for ${Of} ${Rank}`>
      : number
    : number;

/** The places that several axes name, in their order; each may be named once. */
export type Places<
  Op extends string,
  Rank extends number,
  Axes extends Shape,
  Of extends string = 'rank',
  Used = never,
  Out extends Shape = readonly [],
> = Axes extends readonly [infer A extends number, ...infer Rest extends Shape]
  ? Place<Op, Rank, A, Of> extends infer P
    ? P extends number
      ? number extends P
        ? Places<Op, Rank, Rest, Of, Used, readonly [...Out, number]>
        : P extends Used
          ? Mismatch<`${Op}: axis ${P} is named twice`>
          : Places<Op, Rank, Rest, Of, Used | P, readonly [...Out, P]>
      : P
    : never
  : Out;

/** The shape with another length in one place. */
export type SetLength<S extends Shape, P extends number, N extends number> = {
  readonly [I in keyof S]: I extends `${P}` ? N : S[I];
};

/** What is left of a shape without as many lengths as there are axes. */
type Fewer<S extends Shape, Axes extends readonly unknown[]> = Axes extends readonly [unknown, ...infer Others]
  ? S extends readonly [number, ...infer Rest extends Shape]
    ? Fewer<Rest, Others>
    : Shape
  : SameRank<S>;

/** The same of one place or several that are known. */
export type DropEach<
  S extends Shape,
  P,
  Seen extends readonly unknown[] = [],
  Out extends Shape = readonly [],
> = S extends readonly [infer N extends number, ...infer Rest extends Shape]
  ? DropEach<Rest, P, [...Seen, 0], Seen['length'] extends P ? Out : readonly [...Out, N]>
  : Out;

/** The shape without the lengths in these places. */
type Drop<S extends Shape, P extends Shape> = number extends P[number]
  ? Fewer<S, P>
  : P['length'] extends S['length']
    ? readonly []
    : DropEach<S, P[number]>;

type KeepEach<S extends Shape, P extends number> = {
  readonly [I in keyof S]: I extends `${P}` ? 1 : S[I];
};

/** The shape with length 1 in these places. */
type Keep<S extends Shape, P extends Shape> = number extends P[number] ? SameRank<S> : KeepEach<S, P[number]>;

/**
 * The shape of that rank with the lengths in `At` in the places that are its keys, and those of S, in their order, in the
 * others.
 */
export type Fill<Rank extends number, S extends Shape, At, Out extends Shape = readonly []> = Out['length'] extends Rank
  ? Out
  : At extends { readonly [P in Out['length']]: infer N extends number }
    ? Fill<Rank, S, At, readonly [...Out, N]>
    : S extends readonly [infer N extends number, ...infer Rest extends Shape]
      ? Fill<Rank, Rest, At, readonly [...Out, N]>
      : Shape;

/** One axis or several. */
export type Axes = number | Shape;

/** What one axis, a list of them, or none (then all) makes of a shape of that rank. */
type AxesOption = number | Shape | undefined;

/** The places that the option names, all where it is left out; `Shape` where their number is not known. */
type Named<Op extends string, S extends Shape, Axis extends AxesOption> = [Axis] extends [number]
  ? Places<Op, S['length'], readonly [Axis]>
  : [Axis] extends [Shape]
    ? IsTuple<Axis> extends true
      ? Places<Op, S['length'], Axis>
      : Shape
    : Shape;

/** The shape itself where it has the axes. */
export type Along<Op extends string, S extends Shape, Axis extends AxesOption> =
  IsTuple<S> extends true
    ? true extends IsAny<Axis> | ([Axis] extends [undefined] ? true : false)
      ? S
      : Named<Op, S, Axis> extends infer P
        ? P extends Shape
          ? S
          : P
        : never
    : Shape;

/** What a reduction leaves: without its axes, or with length 1 in their places; all axes where none is named. */
export type Reduce<
  Op extends string,
  S extends Shape,
  Axis extends AxesOption = undefined,
  KeepDims extends boolean = false,
> = true extends IsAny<Axis> | IsAny<KeepDims>
  ? Shape
  : boolean extends KeepDims
    ? Shape
    : [Axis] extends [undefined]
      ? KeepDims extends true
        ? IsTuple<S> extends true
          ? { readonly [I in keyof S]: 1 }
          : Shape
        : readonly []
      : IsTuple<S> extends true
        ? Named<Op, S, Axis> extends infer P
          ? P extends Shape
            ? KeepDims extends true
              ? IsTuple<P> extends true
                ? Keep<S, P>
                : SameRank<S>
              : IsTuple<P> extends true
                ? Drop<S, P>
                : Shape
            : P
          : never
        : Shape;

/** Without the axes named, which have length 1, or without all of length 1. */
export type Squeeze<S extends Shape, Axis extends AxesOption = undefined> =
  IsAny<Axis> extends true
    ? Shape
    : IsTuple<S> extends true
      ? [Axis] extends [undefined]
        ? SqueezeAll<S>
        : Named<'squeeze', S, Axis> extends infer P
          ? P extends Shape
            ? IsTuple<P> extends true
              ? Long<S, P> extends infer Wrong
                ? [Wrong] extends [never]
                  ? Drop<S, P>
                  : Wrong
                : never
              : Shape
            : P
          : never
      : Shape;

type SqueezeAll<S extends Shape, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? IsLiteral<N> extends true
    ? SqueezeAll<Rest, N extends 1 ? Out : readonly [...Out, N]>
    : Shape
  : Out;

/** The first of the places that is longer than 1. */
type Long<S extends Shape, P extends Shape> = P extends readonly [infer Q extends number, ...infer Rest extends Shape]
  ? number extends Q
    ? Long<S, Rest>
    : [1] extends [S[Q]]
      ? Long<S, Rest>
      : IsLiteral<S[Q]> extends true
        ? Mismatch<`squeeze: axis ${Q} has length ${S[Q]}, not 1`>
        : Long<S, Rest>
  : never;

/** Axes of length 1 more, which are these axes of the result. */
export type ExpandDims<S extends Shape, Axis extends Axes> =
  IsAny<Axis> extends true
    ? Shape
    : IsTuple<S> extends true
      ? [Axis] extends [number]
        ? Raised<'expandDims', S, readonly [Axis], 1>
        : [Axis] extends [Shape]
          ? IsTuple<Axis> extends true
            ? Raised<'expandDims', S, Axis, 1>
            : Shape
          : Shape
      : Shape;

/** The shape with this length in new places, which are those axes of the result. */
export type Raised<Op extends string, S extends Shape, Axes extends Shape, N extends number> =
  Places<Op, [...S, ...Axes]['length'], Axes, "the result's rank"> extends infer P
    ? P extends Shape
      ? number extends P[number]
        ? SameRank<readonly [...S, ...Axes]>
        : Fill<[...S, ...Axes]['length'], S, { readonly [Q in P[number]]: N }>
      : P
    : never;
