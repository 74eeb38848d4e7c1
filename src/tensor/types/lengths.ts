/** Shapes with other lengths along axes: halves, spectra and convolutions. */
import type { Shape } from '../shape.js';
import type { Broadcast, Mismatch } from '../shape-types.js';
import type { Add, Compare, FloorDivide, Multiply, Remainder, Subtract } from './arithmetic.js';
import type { Along, Place, Places, SetLength } from './axes.js';
import type { IsTuple, IsUnion, SameRank } from './known.js';

/** The shape with half the length along an axis, which must be even. */
export type Halved<Op extends string, S extends Shape, Axis extends number> =
  IsTuple<S> extends true
    ? Place<Op, S['length'], Axis> extends infer P
      ? P extends number
        ? [number] extends [P]
          ? SameRank<S>
          : Half<Op, S[P], P> extends infer N
            ? N extends number
              ? SetLength<S, P, N>
              : N
            : never
        : P
      : never
    : Shape;

type Half<Op extends string, N extends number, P extends number> = [Remainder<N, 2>] extends [1]
  ? Mismatch<`${Op}: axis ${P} has the odd length ${N}`>
  : FloorDivide<N, 2>;

/** Which part of a spectrum, or of a signal, a transform gives: all of it, a half, or all from a half. */
type Part = 'whole' | 'half' | 'fromHalf';

/** The length that comes of a length, or of that which is asked for instead. */
type Spectral<Of extends Part, Length extends number, N extends number> = [N] extends [never]
  ? Of extends 'half'
    ? Add<FloorDivide<Length, 2>, 1>
    : Of extends 'fromHalf'
      ? Subtract<Multiply<Length, 2>, 2>
      : Length
  : Of extends 'half'
    ? Add<FloorDivide<N, 2>, 1>
    : N;

/** The shape of a transform along an axis, of the length N unless that is `never`. */
export type Transformed<
  Op extends string,
  S extends Shape,
  Axis extends number,
  N extends number = never,
  Of extends Part = 'whole',
> = [Of, N] extends ['whole', never]
  ? Along<Op, S, Axis>
  : IsTuple<S> extends true
    ? Place<Op, S['length'], Axis> extends infer P
      ? P extends number
        ? [number] extends [P]
          ? SameRank<S>
          : SetLength<S, P, Spectral<Of, S[P], N>>
        : P
      : never
    : Shape;

/**
 * The shape of a transform along several axes, with these lengths. `never` stands for what is left out: without axes they
 * are the last ones, or, without lengths as well, whichever.
 */
export type TransformedAlong<Op extends string, S extends Shape, Axes extends Shape, N extends Shape> = [N] extends [
  never,
]
  ? [Axes] extends [never]
    ? S
    : Along<Op, S, Axes>
  : [IsTuple<S>, IsTuple<N>] extends [true, true]
    ? [Axes] extends [never]
      ? SetLast<Op, S, N>
      : IsTuple<Axes> extends true
        ? Places<Op, S['length'], Axes> extends infer P
          ? P extends Shape
            ? P['length'] extends N['length']
              ? [number] extends [P[number]]
                ? SameRank<S>
                : SetLengths<S, P, N>
              : Mismatch<`${Op}: s has ${N['length']} lengths for ${P['length']} axes`>
            : P
          : never
        : SameRank<S>
    : Shape;

type SetLengths<S extends Shape, P extends Shape, N extends Shape> = P extends readonly [
  infer Q extends number,
  ...infer R extends Shape,
]
  ? N extends readonly [infer M extends number, ...infer L extends Shape]
    ? SetLengths<SetLength<S, Q, M>, R, L>
    : S
  : S;

/** The shape with these last lengths. */
type SetLast<
  Op extends string,
  S extends Shape,
  N extends Shape,
  Out extends Shape = readonly [],
> = N extends readonly [...infer M extends Shape, infer Last extends number]
  ? S extends readonly [...infer R extends Shape, number]
    ? SetLast<Op, R, M, readonly [Last, ...Out]>
    : Mismatch<`${Op}: s has more lengths than there are axes`>
  : readonly [...S, ...Out];

/** What of a convolution is wanted. */
type Mode = 'full' | 'same' | 'valid';

type Convolved<M extends number, N extends number, How extends Mode> = How extends 'same'
  ? M
  : How extends 'full'
    ? Subtract<Add<M, N>, 1>
    : Compare<M, N> extends infer C
      ? [C] extends [-1]
        ? Add<Subtract<N, M>, 1>
        : [C] extends [0 | 1]
          ? Add<Subtract<M, N>, 1>
          : number
      : never;

type ConvolvedEach<
  A extends Shape,
  V extends Shape,
  P,
  How extends Mode,
  Out extends Shape = readonly [],
> = A extends readonly [infer M extends number, ...infer Rest extends Shape]
  ? V extends readonly [infer N extends number, ...infer More extends Shape]
    ? Out['length'] extends P
      ? ConvolvedEach<Rest, More, P, How, readonly [...Out, Convolved<M, N, How>]>
      : Broadcast<'fftConvolve', readonly [M], readonly [N]> extends infer L
        ? L extends readonly [infer K extends number]
          ? ConvolvedEach<Rest, More, P, How, readonly [...Out, K]>
          : L
        : never
    : Shape
  : Out;

/** fftConvolve along axes, all of them for `never`; along the others the lengths broadcast. */
export type FftConvolved<A extends Shape, V extends Shape, Axes extends Shape, How extends Mode> = [
  IsTuple<A>,
  IsTuple<V>,
] extends [true, true]
  ? A['length'] extends V['length']
    ? IsUnion<How> extends true
      ? SameRank<A>
      : [Axes] extends [never]
        ? ConvolvedEach<A, V, number, How>
        : IsTuple<Axes> extends true
          ? Places<'fftConvolve', A['length'], Axes> extends infer P
            ? P extends Shape
              ? [number] extends [P[number]]
                ? SameRank<A>
                : ConvolvedEach<A, V, P[number], How>
              : P
            : never
          : SameRank<A>
    : Mismatch<`fftConvolve: the ranks must be equal, but are ${A['length']} and ${V['length']}`>
  : Shape;

/** How many numbers there are from the one to before the other; `number` where one is no natural number. */
export type Steps<Start extends number, Stop extends number, Step extends number> =
  Compare<Start, Stop> extends infer C
    ? [C] extends [-1]
      ? [Step] extends [1]
        ? Subtract<Stop, Start>
        : Ceiling<Subtract<Stop, Start>, Step>
      : [C, IsNatural<Step>] extends [0 | 1, true]
        ? 0
        : number
    : never;

type IsNatural<N extends number> = [Compare<N, 0>] extends [1] ? true : false;

/** ⌈A / B⌉. */
type Ceiling<A extends number, B extends number> =
  FloorDivide<A, B> extends infer Q extends number
    ? Remainder<A, B> extends infer R extends number
      ? [number] extends [R]
        ? number
        : [R] extends [0]
          ? Q
          : Add<Q, 1>
      : never
    : never;
