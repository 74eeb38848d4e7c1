/** Shapes of losses by classes, of distances between rows and of cross products. */
import type { DType, FloatDType, IndexDType } from '../dtype.js';
import type { Shape } from '../shape.js';
import type { Broadcast, Mismatch } from '../shape-types.js';
import type { Equal } from './alike.js';
import type { Place, Reduce } from './axes.js';
import type { IsAny, IsTuple } from './known.js';

/** The shape without the axis of the classes: the second, or the only one. */
type WithoutClasses<Op extends string, S extends Shape> = S extends readonly [number] ? readonly [] : Reduce<Op, S, 1>;

/** The shape of the losses, beside a target of classes, or of probabilities where the dtype is floating. */
export type ClassLosses<Op extends string, S extends Shape, T extends Shape, E extends DType> =
  IsAny<S> extends true
    ? Shape
    : WithoutClasses<Op, S> extends infer R
      ? R extends Shape
        ? [E] extends [IndexDType]
          ? Passed<Equal<Op, R, T>, R>
          : [E] extends [FloatDType]
            ? Passed<Equal<Op, S, T>, R>
            : R
        : R
      : never;

/** The shape, unless a rule is broken. */
type Passed<Rule, R> = Rule extends Mismatch<string> ? Rule : R;

/** The shape of the distances of `[p, n]` from `[q, n]`. */
export type Distances<A extends Shape, B extends Shape> = [true] extends [IsAny<A> | IsAny<B>]
  ? Shape
  : A extends readonly [...infer I extends Shape, infer P extends number, infer K extends number]
    ? B extends readonly [...infer J extends Shape, infer Q extends number, infer L extends number]
      ? Equal<'cdist', readonly [K], readonly [L]> extends Shape
        ? Broadcast<'cdist', I, J> extends infer Stack
          ? Stack extends Shape
            ? readonly [...Stack, P, Q]
            : Stack
          : never
        : Mismatch<`cdist: rows have the lengths ${K} and ${L}`>
      : Shape
    : Shape;

/** The shape of cross products: both broadcast, and the axis of the vectors is 3 long. */
export type Crossed<A extends Shape, B extends Shape, Axis extends number> =
  Broadcast<'cross', A, B> extends infer R
    ? R extends Shape
      ? IsTuple<R> extends true
        ? Place<'cross', R['length'], Axis> extends infer P
          ? P extends number
            ? [number] extends [P]
              ? R
              : Equal<'cross', readonly [R[P]], readonly [3]> extends Shape
                ? R
                : Mismatch<`cross: axis ${P} has length ${R[P]}, not 3`>
            : P
          : never
        : R
      : R
    : never;
