/** Shapes that must be equal. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { IsAny, IsLiteral, IsTuple, Show } from './known.js';

/** Whether two lengths may be the same. */
type Same<M extends number, N extends number> = [M, N] extends [N, M]
  ? true
  : [IsLiteral<M>, IsLiteral<N>] extends [true, true]
    ? false
    : true;

type Each<S extends Shape, T extends Shape> = S extends readonly [infer M extends number, ...infer P extends Shape]
  ? T extends readonly [infer N extends number, ...infer Q extends Shape]
    ? Same<M, N> extends true
      ? Each<P, Q>
      : false
    : false
  : T extends readonly []
    ? true
    : false;

/** The first shape, which the second one must equal. */
export type Equal<Op extends string, S extends Shape, T extends Shape> = [true] extends [IsAny<S> | IsAny<T>]
  ? Shape
  : [S, T] extends [T, S]
    ? S
    : [IsTuple<S>, IsTuple<T>] extends [true, true]
      ? Each<S, T> extends true
        ? S
        : Mismatch<`${Op}: shapes ${Show<S>} and ${Show<T>} differ`>
      : S;

/** The same, but the second may also be a scalar. */
export type Alike<Op extends string, S extends Shape, T extends Shape> = [true] extends [IsAny<S> | IsAny<T>]
  ? Shape
  : [T] extends [readonly []]
    ? S
    : Equal<Op, S, T>;
