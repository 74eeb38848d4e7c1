/**
 * What the compiler knows of a shape or a number, asked so that in doubt the answer is "not known".
 *
 * Inside a generic function the compiler asks what a rule gives for any type argument at all, for which it puts something
 * like `any`. A conditional type that has this bare on either side gives it back, and may then be an error just as well:
 * hence the brackets.
 */
import type { Shape } from '../shape.js';

/** Whether the type is `any`. */
export type IsAny<T> = [0] extends [1 & T] ? true : false;

/** As {@link NotAny}, but the type of options itself, where some of a union are to be inferred. */
export type Given<T> = IsAny<T> extends true ? never : T;

/** Options that have none but these names: a constraint of `O` itself, since `Options` alone would let others pass. */
export type Only<Options, O> = Options & {
  readonly [Name in Exclude<keyof O, keyof Options>]: { readonly error: `there is no option ${Name & string}` };
};

/**
 * `never` where the type is `any`: intersected with the type of options, it keeps `any` out of a signature that a call
 * with all of its arguments must not fall into.
 */
export type NotAny<T> = IsAny<T> extends true ? never : unknown;

/** Whether the type is a union: one of several literals or shapes. */
export type IsUnion<T, All = T> = T extends All ? ([All] extends [T] ? false : true) : false;

/** Whether a number is one literal. */
export type IsLiteral<N extends number> = [number] extends [N] ? false : IsUnion<N> extends true ? false : true;

/** Whether a list is one tuple, so that its length is known. */
export type IsTuple<S extends readonly unknown[]> =
  IsAny<S> extends true
    ? false
    : IsLiteral<S['length']> extends true
      ? IsUnion<S> extends true
        ? false
        : true
      : false;

/** A shape of the same rank of which no length is known. */
export type SameRank<S extends Shape> = { readonly [Axis in keyof S]: number };

/** `[2, 3]` as it stands in messages. */
export type Show<S extends Shape, Out extends string = ''> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Show<Rest, Out extends '' ? `${N}` : `${Out}, ${N}`>
  : `[${Out}]`;
