/** What layers with windows, and layers made of others, make of a shape. */
import type { Shape } from '../tensor/shape.js';
import type { Mismatch } from '../tensor/shape-types.js';
import type { FloorDivide } from '../tensor/types/arithmetic.js';
import type { Concat } from '../tensor/types/joining.js';
import type { Show } from '../tensor/types/known.js';
import type { Differ } from '../tensor/types/products.js';
import type { ConvShape, ConvTransposeShape, Each, Option, SpatialRank } from '../tensor/types/windows.js';
import type { Applied, ShapeMap } from './layer.js';

/** A length for each spatial axis. */
interface PerRank<A extends number, B extends number = A, C extends number = B> {
  1: readonly [A];
  2: readonly [A, B];
  3: readonly [A, B, C];
}

/** The lengths of a kernel from one for all axes, or one for each. */
type Lengths<K, R extends SpatialRank> = PerRank<Each<K, 0>, Each<K, 1>, Each<K, 2>>[R];

/** What falls to one group. */
type Part<N extends number, Options> =
  Each<Option<Options, 'groups', 1>, 0> extends infer G extends number ? (G extends 1 ? N : FloorDivide<N, G>) : number;

/** `[N, I, …]` to `[N, O, …]` by a convolution. */
export interface Convolves<Op extends string, R extends SpatialRank, I extends number, O extends number, K, Options>
  extends ShapeMap {
  readonly domain: readonly [number, I, ...PerRank<number>[R]];
  readonly out: [this['in']] extends [infer S extends Shape]
    ? ConvShape<Op, R, S, readonly [O, Part<I, Options>, ...Lengths<K, R>], Options>
    : Shape;
}

/** `[N, I, …]` to `[N, O, …]` by a transposed convolution. */
export interface ConvolvesBack<Op extends string, R extends SpatialRank, I extends number, O extends number, K, Options>
  extends ShapeMap {
  readonly domain: readonly [number, I, ...PerRank<number>[R]];
  readonly out: [this['in']] extends [infer S extends Shape]
    ? ConvTransposeShape<Op, R, S, readonly [I, Part<O, Options>, ...Lengths<K, R>], Options>
    : Shape;
}

/** Whether shapes differ, as far as is known. */
type Disagree<A extends Shape, B extends Shape> = [number] extends [A['length'] | B['length']]
  ? false
  : [A] extends [readonly [infer P extends number, ...infer I extends Shape]]
    ? [B] extends [readonly [infer Q extends number, ...infer J extends Shape]]
      ? [Differ<P, Q>] extends [true]
        ? true
        : Disagree<I, J>
      : true
    : [B] extends [readonly []]
      ? false
      : true;

/** The shape as it is, if another function of shapes leaves it so. */
export interface Kept<Op extends string, F extends ShapeMap> extends ShapeMap {
  readonly domain: F['domain'];
  readonly out: [this['in']] extends [infer S extends Shape]
    ? [Applied<F, S>] extends [infer R]
      ? [R] extends [Mismatch<string>]
        ? R
        : [R] extends [infer T extends Shape]
          ? [Disagree<S, T>] extends [true]
            ? Mismatch<`${Op}: the layer gives ${Show<T>} for ${Show<S>}`>
            : S
          : Shape
      : never
    : Shape;
}

/** The shape, and what another function makes of it, one after the other along an axis. */
export interface Beside<F extends ShapeMap, Axis extends number> extends ShapeMap {
  readonly domain: F['domain'];
  readonly out: [this['in']] extends [infer S extends Shape]
    ? [Applied<F, S>] extends [infer R]
      ? [R] extends [infer T extends Shape]
        ? Concat<readonly [S, T], Axis>
        : R
      : never
    : Shape;
}
