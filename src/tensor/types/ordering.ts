/** Axes in another order, in the types. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { Axes, DropEach, Fill, Place, Places } from './axes.js';
import type { IsAny, IsTuple, SameRank } from './known.js';

/** The lengths in the order of the axes, each of which is named once; `number` for an axis that is not known. */
export type Permute<S extends Shape, Axes extends Shape> =
  IsTuple<Axes> extends true
    ? IsTuple<S> extends true
      ? Axes['length'] extends S['length']
        ? Places<'permute', S['length'], Axes> extends infer P
          ? P extends Shape
            ? Picked<S, P>
            : P
          : never
        : Mismatch<`permute: ${Axes['length']} axes are named for rank ${S['length']}`>
      : SameRank<Axes>
    : IsTuple<S> extends true
      ? SameRank<S>
      : Shape;

type Picked<S extends Shape, P extends Shape> = {
  readonly [I in keyof P]: number extends P[I] ? number : S[P[I]];
};

/** The lengths from the last to the first. */
export type Transpose<S extends Shape> =
  IsTuple<S> extends true
    ? S extends readonly [infer M extends number, infer N extends number]
      ? readonly [N, M]
      : Backwards<S>
    : Shape;

type Backwards<S extends Shape, Out extends Shape = readonly []> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Backwards<Rest, readonly [N, ...Out]>
  : Out;

/** Two axes exchanged. */
export type SwapAxes<S extends Shape, A extends number, B extends number> =
  IsTuple<S> extends true
    ? [Place<'swapAxes', S['length'], A>, Place<'swapAxes', S['length'], B>] extends [infer P, infer Q]
      ? P extends number
        ? Q extends number
          ? number extends P | Q
            ? SameRank<S>
            : Swapped<S, P, Q>
          : Q
        : P
      : never
    : Shape;

type Swapped<S extends Shape, P extends number, Q extends number> = {
  readonly [I in keyof S]: I extends `${P}` ? S[Q] : I extends `${Q}` ? S[P] : S[I];
};

/** One axis as a list of it. */
type Listed<A extends Axes> = A extends Shape ? A : A extends number ? readonly [A] : never;

/** The axes `From` taken out and put in as the axes `To` of the result. */
export type MoveAxis<S extends Shape, From extends Axes, To extends Axes> =
  IsTuple<S> extends true
    ? true extends IsAny<From> | IsAny<To>
      ? SameRank<S>
      : MoveAxes<S, Listed<From>, Listed<To>>
    : Shape;

type MoveAxes<S extends Shape, From extends Shape, To extends Shape> = [IsTuple<From>, IsTuple<To>] extends [true, true]
  ? [Places<'moveAxis', S['length'], From>, Places<'moveAxis', S['length'], To>] extends [infer P, infer Q]
    ? P extends Shape
      ? Q extends Shape
        ? P['length'] extends Q['length']
          ? number extends P[number] | Q[number]
            ? SameRank<S>
            : Fill<S['length'], DropEach<S, P[number]>, Targets<S, P, Q>>
          : Mismatch<`moveAxis: ${P['length']} axes go to ${Q['length']} places`>
        : Q
      : P
    : never
  : SameRank<S>;

/** The length that goes to each place. */
type Targets<S extends Shape, P extends Shape, Q extends Shape> = {
  readonly [I in keyof Q & keyof P & `${number}` as `${Q[I] & number}`]: S[P[I] & number];
};

/** roll: any shape where there is a shift for each axis, and it has the axes; one may be named twice. */
export type Rolled<S extends Shape, N extends Axes, Axis extends Axes | null> = true extends IsAny<N> | IsAny<Axis>
  ? Shape
  : [Axis] extends [null]
    ? Shifted<N, readonly [0]>
    : [Axis] extends [Axes]
      ? Shifted<N, Listed<Axis>> extends infer Shifts
        ? Shifts extends Shape
          ? IsTuple<S> extends true
            ? EachNamed<S, Listed<Axis>>
            : Shape
          : Shifts
        : never
      : Shape;

type Shifted<N extends Axes, A extends Shape> = [N] extends [Shape]
  ? [IsTuple<N>, IsTuple<A>] extends [true, true]
    ? N['length'] extends A['length']
      ? Shape
      : Mismatch<`roll: ${N['length']} shifts are given for ${A['length']} axes`>
    : Shape
  : Shape;

type EachNamed<S extends Shape, A extends Shape> = A extends readonly [
  infer First extends number,
  ...infer Rest extends Shape,
]
  ? Place<'roll', S['length'], First> extends infer P
    ? P extends number
      ? EachNamed<S, Rest>
      : P
    : never
  : Shape;
