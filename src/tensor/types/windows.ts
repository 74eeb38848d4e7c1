/** The lengths that windows leave along spatial axes, and the shapes of convolutions. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { Add, FloorDivide, Multiply, Remainder, Subtract } from './arithmetic.js';
import type { IsAny, IsTuple, IsUnion, SameRank } from './known.js';
import type { Differ } from './products.js';

/** How many spatial axes there are. */
export type SpatialRank = 1 | 2 | 3;

interface Lengths {
  1: readonly [number];
  2: readonly [number, number];
  3: readonly [number, number, number];
}

interface Letters {
  1: 'w';
  2: 'h, w';
  3: 'd, h, w';
}

/** The number of a spatial axis. */
export type SpatialAxis = 0 | 1 | 2;

/** An option, or its default where there is none; `unknown` where only some of several have it. */
export type Option<O, K extends string, Default> = K extends keyof O
  ? [O[K]] extends [never]
    ? unknown
    : O[K]
  : IsUnion<O> extends true
    ? unknown
    : Default;

/** What an option for every axis, or for each, says of one; `number` where that is not known. */
export type Each<V, I extends SpatialAxis> =
  IsAny<V> extends true
    ? number
    : [V] extends [never]
      ? number
      : [V] extends [number]
        ? V
        : V extends Readonly<Record<I, infer N extends number>>
          ? N
          : number;

/** The padding before and after, of one axis. */
export type Ends<V, I extends SpatialAxis> =
  IsAny<V> extends true
    ? readonly [number, number]
    : [V] extends [number]
      ? readonly [V, V]
      : V extends 'valid'
        ? readonly [0, 0]
        : V extends Readonly<Record<I, infer E>>
          ? E extends readonly [infer Low extends number, infer High extends number]
            ? readonly [Low, High]
            : E extends number
              ? readonly [E, E]
              : readonly [number, number]
          : readonly [number, number];

export type Total<P extends readonly [number, number]> = P extends readonly [0, 0] ? 0 : Add<P[0], P[1]>;

/** How far a window reaches beyond its first element. */
export type Beyond<Size extends number, Dilation extends number> = Dilation extends 1
  ? Subtract<Size, 1>
  : Multiply<Subtract<Size, 1>, Dilation>;

/** Whether a length is 0; not asked of the length alone, which stands for any in a generic function. */
export type IsZero<N extends number> = [number] extends [N] ? false : [N] extends [0] ? true : false;

/** Whether a length is 0 or less. */
export type Below1<N extends number> = N extends 0 ? true : `${N}` extends `-${string}` ? true : false;

/** N + K, and 0 where that is negative; K may be. */
type Shifted<N extends number, K extends number> = K extends 0
  ? N
  : (`${K}` extends `-${infer M extends number}` ? Subtract<N, M> : Add<N, K>) extends infer Sum extends number
    ? `${Sum}` extends `-${string}`
      ? 0
      : Sum
    : never;

/**
 * How many windows there are, ⌊(N + padding − reach − 1) / stride⌋ + 1, written such that only two steps depend on N: the
 * compiler remembers the others.
 */
type Steps<N extends number, Reach extends number, Pad extends number, Stride extends number> = FloorDivide<
  Shifted<N, Subtract<Add<Pad, Stride>, Add<Reach, 1>>>,
  Stride
>;

/** What is said of an axis without elements. */
export type NoLength<Op extends string> = `${Op}: spatial axes have a length of at least 1`;

/** An axis of length N in which windows move. */
export type Moved<
  Op extends string,
  What extends string,
  N extends number,
  Reach extends number,
  Pad extends number,
  Stride extends number,
> =
  IsZero<N> extends true
    ? Mismatch<NoLength<Op>>
    : Steps<N, Reach, Pad, Stride> extends infer Count extends number
      ? Count extends 0
        ? Mismatch<`${Op}: ${What} over ${Add<Reach, 1>}, and the input with its padding has ${Add<N, Pad>} only`>
        : Count
      : never;

/** The axes before the spatial ones: samples, which may be missing, and channels; and the spatial ones. */
export type Sides<Op extends string, X extends Shape, R extends SpatialRank> =
  IsTuple<X> extends true
    ? X extends readonly [infer C extends number, ...infer I extends Lengths[R]]
      ? [readonly [], C, I]
      : X extends readonly [infer N extends number, infer C extends number, ...infer I extends Lengths[R]]
        ? [readonly [N], C, I]
        : Mismatch<`${Op}: an input is [n, c, ${Letters[R]}] or [c, ${Letters[R]}]`>
    : Shape;

/** A kernel's two axes of channels, and its spatial ones. */
type Kernel<Op extends string, W extends Shape, R extends SpatialRank> =
  IsTuple<W> extends true
    ? W extends readonly [infer A extends number, infer B extends number, ...infer K extends Lengths[R]]
      ? [A, B, K]
      : Mismatch<`${Op}: the kernel has two axes of channels, then ${R} spatial, not ${W['length']}`>
    : Shape;

type Channels<Op extends string, C extends number, Takes extends number> =
  Differ<C, Takes> extends true ? Mismatch<`${Op}: the input has ${C} channels, the kernel takes ${Takes}`> : true;

type Divides<Op extends string, N extends number, Groups extends number, What extends string> = Groups extends 1
  ? true
  : Remainder<N, Groups> extends infer Left extends number
    ? number extends Left
      ? true
      : Left extends 0
        ? true
        : Mismatch<`${Op}: ${N} ${What} cannot be cut into ${Groups} groups`>
    : never;

/** The groups of an option; `number` where they are not known. */
type GroupsOf<O> = Each<Option<O, 'groups', 1>, 0>;

/** `'same'` leaves the lengths as they are, for a stride of 1. */
type SameLength<Op extends string, N extends number, Stride extends number> =
  Differ<Stride, 1> extends true
    ? Mismatch<`${Op}: a result is as long as its input only if the stride is 1, not ${Stride}`>
    : [number] extends [Stride | N]
      ? number
      : N;

/** With zeros between its elements. */
type Spread<N extends number, Between extends number> = Between extends 1
  ? N
  : Add<Multiply<Subtract<N, 1>, Between>, 1>;

type Convolved<
  Op extends string,
  I extends Shape,
  K extends Shape,
  O,
  Out extends Shape = readonly [],
  At extends SpatialAxis = Out['length'] & SpatialAxis,
> = I extends readonly [infer N extends number, ...infer J extends Shape]
  ? K extends readonly [infer M extends number, ...infer L extends Shape]
    ? (
        IsZero<M> extends true
          ? Mismatch<NoLength<Op>>
          : Option<O, 'padding', 0> extends 'same'
            ? SameLength<Op, Spread<N, Each<Option<O, 'inputDilation', 1>, At>>, Each<Option<O, 'stride', 1>, At>>
            : Moved<
                Op,
                'the kernel reaches',
                Spread<N, Each<Option<O, 'inputDilation', 1>, At>>,
                Beyond<M, Each<Option<O, 'dilation', 1>, At>>,
                Total<Ends<Option<O, 'padding', 0>, At>>,
                Each<Option<O, 'stride', 1>, At>
              >
      ) extends infer Length
      ? Length extends number
        ? Convolved<Op, J, L, O, readonly [...Out, Length]>
        : Length
      : never
    : never
  : Out;

/** conv1d, conv2d, conv3d: an input, a kernel, options. */
export type ConvShape<
  Op extends string,
  R extends SpatialRank,
  X extends Shape,
  W extends Shape,
  O = Record<never, never>,
> =
  Sides<Op, X, R> extends infer Input
    ? Kernel<Op, W, R> extends infer Weights
      ? Input extends [infer Lead extends Shape, infer C extends number, infer I extends Shape]
        ? Weights extends [infer Outputs extends number, infer D extends number, infer K extends Shape]
          ? Channels<Op, C, GroupsOf<O> extends 1 ? D : Multiply<D, GroupsOf<O>>> extends infer Fits
            ? Fits extends true
              ? Divides<Op, Outputs, GroupsOf<O>, 'outputs'> extends infer Cut
                ? Cut extends true
                  ? Joined<readonly [...Lead, Outputs], Convolved<Op, I, K, O>>
                  : Cut
                : never
              : Fits
            : never
          : Weights extends Mismatch<string>
            ? Weights
            : readonly [...Lead, ...SameRank<[C, ...I]>]
        : Input
      : never
    : never;

/** Axes before others, unless these do not fit. */
export type Joined<Front extends Shape, Back> = Back extends Shape ? readonly [...Front, ...Back] : Back;

/** (N − 1) · stride + reach + 1 + more − padding, and 0 where that is negative; written as are {@link Steps}. */
type Grown<
  N extends number,
  Reach extends number,
  More extends number,
  Pad extends number,
  Stride extends number,
> = Shifted<Stride extends 1 ? N : Multiply<N, Stride>, Subtract<Add<Add<Reach, More>, 1>, Add<Pad, Stride>>>;

type Transposed<
  Op extends string,
  I extends Shape,
  K extends Shape,
  O,
  Out extends Shape = readonly [],
  At extends SpatialAxis = Out['length'] & SpatialAxis,
> = I extends readonly [infer N extends number, ...infer J extends Shape]
  ? K extends readonly [infer M extends number, ...infer L extends Shape]
    ? true extends IsZero<N> | IsZero<M>
      ? Mismatch<NoLength<Op>>
      : Grown<
            N,
            Beyond<M, Each<Option<O, 'dilation', 1>, At>>,
            Each<Option<O, 'outputPadding', 0>, At>,
            Total<Ends<Option<O, 'padding', 0>, At>>,
            Each<Option<O, 'stride', 1>, At>
          > extends infer Length extends number
        ? IsZero<Length> extends true
          ? Mismatch<`${Op}: the padding, ${Total<Ends<Option<O, 'padding', 0>, At>>} in all, cuts the result off`>
          : Transposed<Op, J, L, O, readonly [...Out, Length]>
        : never
    : never
  : Out;

/** convTranspose1d, convTranspose2d, convTranspose3d: an input, a kernel, options. */
export type ConvTransposeShape<
  Op extends string,
  R extends SpatialRank,
  X extends Shape,
  W extends Shape,
  O = Record<never, never>,
> =
  Sides<Op, X, R> extends infer Input
    ? Kernel<Op, W, R> extends infer Weights
      ? Input extends [infer Lead extends Shape, infer C extends number, infer I extends Shape]
        ? Weights extends [infer D extends number, infer Outputs extends number, infer K extends Shape]
          ? Channels<Op, C, D> extends infer Fits
            ? Fits extends true
              ? Divides<Op, D, GroupsOf<O>, 'channels'> extends infer Cut
                ? Cut extends true
                  ? Joined<
                      readonly [...Lead, GroupsOf<O> extends 1 ? Outputs : Multiply<Outputs, GroupsOf<O>>],
                      Transposed<Op, I, K, O>
                    >
                  : Cut
                : never
              : Fits
            : never
          : Weights extends Mismatch<string>
            ? Weights
            : readonly [...Lead, ...SameRank<[C, ...I]>]
        : Input
      : never
    : never;
