/**
 * Shapes in the types. Known lengths are checked by the compiler, a length typed `number` always passes, and a
 * tensor of unknown rank falls back to `Shape`. A rule gives the resulting shape or `{ error: sentence }`;
 * `Ok` turns the latter into a parameter type nothing fits, so the sentence stands in the compiler's message.
 */
import type { DType, FloatDType } from './dtype.js';
import type { Shape } from './shape.js';

/** What a rule gives when shapes do not fit. */
export interface Mismatch<Sentence extends string> {
  readonly error: Sentence;
}

/** `unknown` for a shape, the error for a mismatch: intersected with a parameter's type. */
export type Ok<Result> = Result extends Mismatch<string> ? Result : unknown;

/** The shape of a result; `Shape` where there is none. */
export type Fit<Result> = Result extends Shape ? Result : Shape;

type Known<S extends Shape> = number extends S['length'] ? false : true;

type Dim<Op extends string, A extends number, B extends number> = number extends A
  ? B extends 1
    ? A
    : B
  : number extends B
    ? A extends 1
      ? B
      : A
    : A extends B
      ? A
      : A extends 1
        ? B
        : B extends 1
          ? A
          : Mismatch<`${Op}: lengths ${A} and ${B} differ and neither is 1`>;

type Append<Init, Last> = Init extends Shape ? (Last extends number ? readonly [...Init, Last] : Last) : Init;

type Init<S extends Shape> = S extends readonly [...infer I extends Shape, number] ? readonly [...I] : readonly [];

type Zip<Op extends string, A extends Shape, B extends Shape> = A extends readonly [
  ...infer I extends Shape,
  infer P extends number,
]
  ? B extends readonly [...infer J extends Shape, infer Q extends number]
    ? Append<Zip<Op, I, J>, Dim<Op, P, Q>>
    : A
  : B;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** NumPy's broadcasting of two shapes. */
export type Broadcast<Op extends string, A extends Shape, B extends Shape> = true extends IsAny<A> | IsAny<B>
  ? Shape
  : [A, B] extends [B, A]
    ? A
    : Known<A> extends true
      ? Known<B> extends true
        ? Zip<Op, A, B>
        : Shape
      : Shape;

/** matmul: (…, m, k) times (…, k, n), with vectors as NumPy takes them. */
export type Matmul<A extends Shape, B extends Shape> = A extends readonly [
  infer M extends number,
  infer K extends number,
]
  ? B extends readonly [infer L extends number, infer N extends number]
    ? Inner<K, L, readonly [M, N]>
    : B extends readonly [infer L extends number]
      ? Inner<K, L, readonly [M]>
      : Shape
  : A extends readonly [infer K extends number]
    ? B extends readonly [infer L extends number, infer N extends number]
      ? Inner<K, L, readonly [N]>
      : B extends readonly [infer L extends number]
        ? Inner<K, L, readonly []>
        : Shape
    : A extends readonly [infer P extends number, infer M extends number, infer K extends number]
      ? B extends readonly [infer L extends number, infer N extends number]
        ? Inner<K, L, readonly [P, M, N]>
        : Shape
      : Shape;

type Inner<K extends number, L extends number, Result> = number extends K
  ? Result
  : number extends L
    ? Result
    : K extends L
      ? Result
      : Mismatch<`matmul: inner dimensions ${K} and ${L} differ`>;

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

/** The shape left when the axis (counted from the start, or −1) goes away. */
export type Without<S extends Shape, Axis extends number> = number extends Axis
  ? Known<S> extends true
    ? readonly number[] & { readonly length: Init<S>['length'] }
    : Shape
  : Axis extends -1
    ? Known<S> extends true
      ? Init<S>
      : Shape
    : Axis extends 0
      ? S extends readonly [number, ...infer R extends Shape]
        ? readonly [...R]
        : Shape
      : S extends readonly [infer A extends number, infer B extends number, ...infer R extends Shape]
        ? Axis extends 1
          ? readonly [A, ...R]
          : R extends readonly [number, ...infer Q extends Shape]
            ? Axis extends 2
              ? readonly [A, B, ...Q]
              : Shape
            : Shape
        : Shape;

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
