/**
 * What a layer is: two pure functions. Parameters are a tree that the caller holds. What a layer of one tensor makes of a
 * shape is a function of types that goes with it, so that the compiler knows the shapes of what comes out.
 */
import type { Key } from '../random/key.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Fit, Floating, Mismatch, Ok } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Differ } from '../tensor/types/products.js';

/**
 * A layer with parameters `P` from `X` to `Y`: `init` draws parameters from a key, `apply` uses them. A layer
 * holds no state, so one value can be applied with many parameter trees (weights, their average, a batch of them).
 */
export interface Layer<P, X extends readonly unknown[] = readonly [Tensor], Y = Tensor> {
  readonly init: (key: Key) => P;
  readonly apply: (params: P, ...inputs: X) => Y;
}

/**
 * A function from shapes to shapes, as a type: `out` is written in terms of `this['in']`, and is the shape or a
 * {@link Mismatch}. `domain` is the largest shape that it takes, in which lengths may be `number`.
 */
export interface ShapeMap {
  readonly in: unknown;
  readonly domain: Shape;
  readonly out: unknown;
}

/** What a function of shapes makes of one. */
export type Applied<F extends ShapeMap, S extends Shape> = (F & { readonly in: S })['out'];

/** The parameters of a layer. */
export type ParamsOf<L> = L extends { readonly init: (key: Key) => infer P } ? P : never;

/** What layers take beside parameters and inputs where they may be random. */
export interface Context {
  /** In training: what dropout draws from. Without it nothing is random. */
  readonly key?: Key | undefined;
}

/** A layer of one tensor, and what it makes of its shape. Integers become float32. */
export interface ShapedLayer<P, F extends ShapeMap> {
  readonly init: (key: Key) => P;
  readonly apply: <S extends Shape, D extends DType>(
    params: P,
    x: Tensor<S, D> & Ok<Applied<F, S>>,
    context?: Context,
  ) => Tensor<Fit<Applied<F, S>>, Floating<D>>;
  /** Only a type; there is no such property. */
  readonly shapes?: F;
}

/** The layer with what it makes of shapes in its type. */
export const shaped = <P, F extends ShapeMap>(
  layer: Layer<P, readonly [x: Tensor, context?: Context]>,
): ShapedLayer<P, F> => Object.freeze(layer) as unknown as ShapedLayer<P, F>;

/** Any shape as it is. */
export interface SameShape extends ShapeMap {
  readonly domain: Shape;
  readonly out: this['in'];
}

/** `[…, I]` to `[…, O]`. */
export interface LastAxis<Op extends string, I extends number, O extends number> extends ShapeMap {
  readonly domain: readonly [...number[], I];
  readonly out: WithLast<Op, this['in'], I, O>;
}

type WithLast<Op extends string, S, I extends number, O extends number> = [S] extends [
  readonly [...infer Front extends Shape, infer Last extends number],
]
  ? [Differ<Last, I>] extends [true]
    ? Mismatch<`${Op}: the last axis has length ${Last}, not ${I}`>
    : readonly [...Front, O]
  : [S] extends [readonly []]
    ? Mismatch<`${Op}: a scalar has no last axis`>
    : Shape;

/** `[…, ...Last]` as it is. */
export interface WithLastAxes<Op extends string, Last extends Shape> extends ShapeMap {
  readonly domain: readonly [...number[], ...Last];
  readonly out: EndsWith<Op, this['in'], Last>;
}

type EndsWith<Op extends string, S, Last extends Shape> = Last extends readonly [
  ...infer Front extends Shape,
  infer Length extends number,
]
  ? [WithLast<Op, S, Length, Length>, EndsWith<Op, Init<S>, Front>] extends [infer One, infer Rest]
    ? [One] extends [Mismatch<string>]
      ? One
      : [Rest] extends [Mismatch<string>]
        ? Rest
        : S
    : never
  : S;

/** All lengths but the last. */
type Init<S> = [S] extends [readonly [...infer Front extends Shape, number]] ? Front : Shape;

/** `[N, C, …]` as it is. */
export interface WithChannels<Op extends string, C extends number> extends ShapeMap {
  readonly domain: readonly [number, C, ...number[]];
  readonly out: HasChannels<Op, this['in'], C>;
}

type HasChannels<Op extends string, S, C extends number> = [S] extends [
  readonly [number, infer Channels extends number, ...number[]],
]
  ? [Differ<Channels, C>] extends [true]
    ? Mismatch<`${Op}: the second axis has length ${Channels}, not ${C}`>
    : S
  : [S] extends [readonly [] | readonly [number]]
    ? Mismatch<`${Op}: no second axis, which is that of the channels`>
    : Shape;

/** `[…]` to `[…, O]`. */
export interface OneAxisMore<O extends number> extends ShapeMap {
  readonly domain: Shape;
  readonly out: [this['in']] extends [infer S extends Shape] ? readonly [...S, O] : Shape;
}

/** The lengths of the last axes, from one or several. */
export type Sizes<Size extends number | Shape> = Size extends Shape
  ? Size
  : Size extends number
    ? readonly [Size]
    : Shape;
