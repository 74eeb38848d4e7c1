/**
 * Shapes in the types. Known lengths are checked by the compiler, a length typed `number` always passes, and a
 * tensor of unknown rank falls back to `Shape`. A rule gives the resulting shape or `{ error: sentence }`;
 * `Ok` turns the latter into a parameter type nothing fits, so the sentence stands in the compiler's message.
 */
import type { DType, FloatDType } from './dtype.js';
import type { Shape } from './shape.js';
import type { IsAny } from './types/known.js';
import type { Differ } from './types/products.js';

/** What a rule gives when shapes do not fit. */
export interface Mismatch<Sentence extends string> {
  readonly error: Sentence;
}

/**
 * `unknown` for a shape, the error for a mismatch: intersected with a parameter's type. In brackets, so that it does not
 * distribute: only then the compiler looks into what a rule still open inside of a generic function may give.
 */
export type Ok<Result> = [Result] extends [Mismatch<string>] ? ([Result] extends [never] ? unknown : Result) : unknown;

/** The shape of a result; `Shape` where there is none. */
export type Fit<Result> = Result extends infer S extends Shape ? S : Shape;

type Known<S extends Shape> = number extends S['length'] ? false : true;

type Dim<Op extends string, A extends number, B extends number> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : [Differ<A, B>] extends [true]
      ? Mismatch<`${Op}: lengths ${A} and ${B} differ and neither is 1`>
      : [number] extends [A]
        ? B
        : [number] extends [B]
          ? A
          : [A, B] extends [B, A]
            ? A
            : number;

type Append<Init, Last> = [Init] extends [infer I extends Shape]
  ? [Last] extends [infer L extends number]
    ? readonly [...I, L]
    : Last
  : Init;

type Zip<Op extends string, A extends Shape, B extends Shape> = A extends readonly [
  ...infer I extends Shape,
  infer P extends number,
]
  ? B extends readonly [...infer J extends Shape, infer Q extends number]
    ? Append<Zip<Op, I, J>, Dim<Op, P, Q>>
    : A
  : B;

/** NumPy's broadcasting of two shapes. */
export type Broadcast<Op extends string, A extends Shape, B extends Shape> = [true] extends [IsAny<A> | IsAny<B>]
  ? Shape
  : [A, B] extends [B, A]
    ? A
    : Known<A> extends true
      ? Known<B> extends true
        ? Zip<Op, A, B>
        : Shape
      : Shape;

/** The dtype two tensors meet in; `DType` where the compiler cannot tell. */
export type Promote<D extends DType, E extends DType> = [D, E] extends [E, D]
  ? D
  : D extends 'bool'
    ? E
    : E extends 'bool'
      ? D
      : D extends FloatDType
        ? E extends FloatDType
          ? 'float64'
          : D
        : E extends FloatDType
          ? E
          : DType;

/** Arithmetic counts bools as int32. */
export type Arithmetic<D extends DType> = D extends 'bool' ? 'int32' : D;

/** The floating dtype of functions that leave the integers: div, exp, mean. */
export type Floating<D extends DType> = D extends FloatDType ? D : 'float32';

/** The dtype in which a JavaScript number meets a tensor. */
export type WithNumber<D extends DType> = D extends 'bool' ? 'int32' | 'float32' : D;

/** A number or boolean, or arrays of them nested to any depth. */
export type Nested = number | boolean | readonly Nested[];

/** The shape of nested arrays; `Shape` where their depth is unknown. */
export type NestedShape<A> = Nested extends A
  ? Shape
  : A extends readonly unknown[]
    ? readonly [A['length'], ...(A extends readonly [] ? readonly [] : NestedShape<A[0]>)]
    : readonly [];

/** The dtype nested arrays get when none is asked for. */
export type NestedDType<A> = [A] extends [never]
  ? 'float32'
  : Nested extends A
    ? 'float32' | 'bool'
    : A extends readonly (infer E)[]
      ? NestedDType<E>
      : A extends boolean
        ? 'bool'
        : 'float32';

/** A JavaScript element of a dtype. */
export type ElementOf<D extends DType> = D extends 'bool' ? boolean : number;

/** Nested arrays of the elements of a tensor. */
export type ToArray<S extends Shape, D extends DType> =
  Known<S> extends true
    ? S extends readonly [number, ...infer R extends Shape]
      ? ToArray<R, D>[]
      : ElementOf<D>
    : NestedArray;

/** Nested arrays of unknown depth. */
type NestedArray = number | boolean | NestedArray[];
