/** Lengths of parts of axes in the types, and of axes that are padded or repeated. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { Add, Compare, FloorDivide, Multiply, Subtract } from './arithmetic.js';
import type { Place, SetLength } from './axes.js';
import type { Total } from './joining.js';
import type { IsAny, IsLiteral, IsTuple, SameRank } from './known.js';

/** A bound or a step; null, or nothing, means all of the axis. */
type Bound = number | null | undefined;

/** Bounds or steps of the leading axes. */
type Bounds = readonly Bound[];

/** The number, 0 where it is negative, and at most the length. */
type Clamp<N extends number, L extends number> = `${N}` extends `-${string}` ? 0 : Compare<N, L> extends 1 ? L : N;

/** A place counted from the end, L − K. */
type FromEnd<At extends number> = `${At}` extends `-${infer K extends number}` ? K : never;

/** The place that a bound names on the way forwards. */
type Forwards<L extends number, At, Default extends number> = [At] extends [null | undefined]
  ? Default
  : [At] extends [number]
    ? IsLiteral<At> extends true
      ? At extends 0
        ? 0
        : [FromEnd<At>] extends [never]
          ? Clamp<At, L>
          : Clamp<Subtract<L, FromEnd<At>>, L>
      : number
    : number;

/** One more than the place that a bound names on the way backwards, so that before the first is 0. */
type Backwards<L extends number, At, Default extends number> = [At] extends [null | undefined]
  ? Default
  : [At] extends [number]
    ? IsLiteral<At> extends true
      ? [FromEnd<At>] extends [never]
        ? Clamp<Add<At, 1>, L>
        : Clamp<Subtract<Add<L, 1>, FromEnd<At>>, L>
      : number
    : number;

/** How many places there are from one to the other in such steps. */
type Count<Distance extends number, Step extends number> = number extends Distance | Step
  ? number
  : `${Distance}` extends `-${string}`
    ? 0
    : Step extends 1
      ? Distance
      : FloorDivide<Add<Distance, Subtract<Step, 1>>, Step>;

/** How long the part of an axis is. */
type PartLength<L extends number, Start, Stop, Step> = [Step] extends [null | undefined]
  ? [Start, Stop] extends [null | undefined | 0, null | undefined]
    ? L
    : Count<Subtract<Forwards<L, Stop, L>, Forwards<L, Start, 0>>, 1>
  : [Step] extends [number]
    ? IsLiteral<Step> extends true
      ? [FromEnd<Step>] extends [never]
        ? Count<Subtract<Forwards<L, Stop, L>, Forwards<L, Start, 0>>, Step>
        : [FromEnd<Step>, Start, Stop] extends [1, null | undefined, null | undefined]
          ? L
          : Count<Subtract<Backwards<L, Start, L>, Backwards<L, Stop, 0>>, FromEnd<Step>>
      : number
    : number;

/** The first bound, `number` where it may be anything. */
type First<B extends Bounds> = B extends readonly [infer A, ...Bounds] ? (IsAny<A> extends true ? number : A) : null;

type Rest<B extends Bounds> = B extends readonly [unknown, ...infer R extends Bounds] ? R : [];

type EachPart<
  S extends Shape,
  Start extends Bounds,
  Stop extends Bounds,
  Step extends Bounds,
  Out extends Shape = readonly [],
> = S extends readonly [infer L extends number, ...infer More extends Shape]
  ? [Start, Stop, Step] extends [readonly [], readonly [], readonly []]
    ? readonly [...Out, ...S]
    : First<Step> extends 0
      ? Mismatch<`slice: the step of axis ${Out['length']} is 0`>
      : EachPart<
          More,
          Rest<Start>,
          Rest<Stop>,
          Rest<Step>,
          readonly [...Out, PartLength<L, First<Start>, First<Stop>, First<Step>>]
        >
  : [Start, Stop, Step] extends [readonly [], readonly [], readonly []]
    ? Out
    : 'more';

/** The parts of the leading axes from `Start` up to but not including `Stop`, as Python counts; all of the others. */
export type Slice<S extends Shape, Start extends Bounds, Stop extends Bounds = [], Step extends Bounds = []> =
  IsTuple<S> extends true
    ? [IsTuple<Start>, IsTuple<Stop>, IsTuple<Step>] extends [true, true, true]
      ? EachPart<S, Start, Stop, Step> extends infer Parts
        ? Parts extends 'more'
          ? TooMany<S, Start, Stop, Step>
          : Parts
        : never
      : SameRank<S>
    : Shape;

/** The sentence on the first list that is longer than the shape. */
type TooMany<S extends Shape, Start extends Bounds, Stop extends Bounds, Step extends Bounds> =
  Compare<Start['length'], S['length']> extends 1
    ? Mismatch<`slice: start has ${Start['length']} entries for ${S['length']} axes`>
    : Compare<Stop['length'], S['length']> extends 1
      ? Mismatch<`slice: stop has ${Stop['length']} entries for ${S['length']} axes`>
      : Mismatch<`slice: step has ${Step['length']} entries for ${S['length']} axes`>;

/** How many elements to add before and after each axis. */
type Widths = readonly (readonly [before: number, after: number])[];

/** Each length with the elements before and after it. */
export type Pad<S extends Shape, W extends Widths> =
  IsTuple<S> extends true
    ? IsTuple<W> extends true
      ? S['length'] extends W['length']
        ? Padded<S, W>
        : Mismatch<`pad: ${W['length']} pairs of widths are given for ${S['length']} axes`>
      : SameRank<S>
    : Shape;

type Padded<S extends Shape, W extends Widths> = {
  readonly [I in keyof S]: I extends keyof W
    ? W[I] extends readonly [infer Before extends number, infer After extends number]
      ? Add<Add<S[I], Before>, After>
      : number
    : number;
};

/** Each length as often as its count says, which are aligned at the right; what is missing is 1. */
export type Tile<S extends Shape, Counts extends Shape> = [IsTuple<S>, IsTuple<Counts>] extends [true, true]
  ? Tiled<S, Counts>
  : Shape;

type Tiled<S extends Shape, Counts extends Shape, Out extends Shape = readonly []> = S extends readonly [
  ...infer I extends Shape,
  infer N extends number,
]
  ? Counts extends readonly [...infer J extends Shape, infer C extends number]
    ? Tiled<I, J, readonly [Multiply<N, C>, ...Out]>
    : readonly [...S, ...Out]
  : readonly [...Counts, ...Out];

/** The elements along an axis each so often; a list has a count for each of them. */
export type Repeat<S extends Shape, Count extends number | Shape, Axis extends number = 0> =
  IsTuple<S> extends true
    ? Place<'repeat', S['length'], Axis> extends infer P
      ? P extends number
        ? number extends P
          ? SameRank<S>
          : IsAny<Count> extends true
            ? SetLength<S, P, number>
            : [Count] extends [number]
              ? SetLength<S, P, Multiply<S[P], Count>>
              : [Count] extends [Shape]
                ? RepeatEach<S, P, Count>
                : SetLength<S, P, number>
        : P
      : never
    : Shape;

type RepeatEach<S extends Shape, P extends number, Counts extends Shape> =
  IsTuple<Counts> extends true
    ? Compare<Counts['length'], S[P]> extends -1 | 1
      ? Mismatch<`repeat: ${Counts['length']} counts are given for the length ${S[P]} of axis ${P}`>
      : SetLength<S, P, Total<Counts>>
    : SetLength<S, P, number>;
