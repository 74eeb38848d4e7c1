/** Types of trees of tensors with the first axis taken away, put in front, or compared. */
import type { Shape } from '../tensor/shape.js';
import type { Mismatch } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { IsAny, IsUnion } from '../tensor/types/known.js';

type Tail<S extends Shape> = S extends readonly [number, ...infer Rest extends Shape] ? readonly [...Rest] : Shape;

/** One example of a data set: the tree without the first axis of its tensors. */
export type Row<T> =
  IsAny<T> extends true
    ? T
    : T extends Tensor<infer S, infer D>
      ? Tensor<Tail<S>, D>
      : T extends null
        ? null
        : T extends object
          ? { readonly [K in keyof T]: Row<T[K]> }
          : T;

type Prepend<N extends number, S extends Shape> = number extends S['length'] ? Shape : readonly [N, ...S];

/** `N` elements as one: the tree with a first axis more in its tensors. */
export type Batched<T, N extends number> =
  IsAny<T> extends true
    ? T
    : T extends Tensor<infer S, infer D>
      ? Tensor<Prepend<N, S>, D>
      : T extends null
        ? null
        : T extends object
          ? { readonly [K in keyof T]: Batched<T[K], N> }
          : T;

/** The length of the first axis of each of a tree's tensors; `number` where it is not known, `'scalar'` without one. */
type Lengths<T> =
  IsAny<T> extends true
    ? number
    : T extends Tensor<infer S>
      ? S extends readonly []
        ? 'scalar'
        : S extends readonly [infer N extends number, ...Shape]
          ? IsUnion<N> extends true
            ? number
            : N
          : number
      : T extends null
        ? never
        : T extends readonly (infer E)[]
          ? Lengths<E>
          : T extends object
            ? Lengths<T[keyof T]>
            : never;

type Compared<L> = [L] extends [never]
  ? unknown
  : [Extract<L, 'scalar'>] extends [never]
    ? IsUnion<L> extends true
      ? Mismatch<`fromArrays: first axes of lengths ${Extract<L, number>} differ`>
      : L
    : Mismatch<'fromArrays: a scalar has no first axis'>;

/** What the first axes of a tree's tensors have in common. */
export type CommonLength<T> = Compared<Lengths<T>>;
