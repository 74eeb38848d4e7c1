/** The shape of what an index with an entry for each axis names. */
import type { Aval, Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';

import type { Outside } from './indexing.js';
import type { IsAny, IsTuple } from './known.js';
import type { Slice } from './slicing.js';

/** A list of entries. */
type Items = readonly unknown[];

/** A start, a stop and perhaps a step. */
type Range = readonly (number | null | undefined)[];

/**
 * Which tensors there are: none, one without numbers beside it, which stays where it stands, or anything else. Where
 * numbers or more tensors stand beside a tensor, its axes may move to the front.
 */
type Picking<I extends Items, Numbers extends boolean = false, Seen extends boolean = false> = I extends readonly [
  infer Item,
  ...infer Rest,
]
  ? IsAny<Item> extends true
    ? 'unknown'
    : [Item] extends [number]
      ? Seen extends true
        ? 'unknown'
        : Picking<Rest, true, Seen>
      : [Item] extends [Aval]
        ? true extends Numbers | Seen
          ? 'unknown'
          : Picking<Rest, Numbers, true>
        : [Item] extends [string | Range]
          ? Picking<Rest, Numbers, Seen>
          : 'unknown'
  : 'known';

/** What is left of an axis. */
type Entry<Op extends string, L extends number, Item> = [Item] extends [number]
  ? Outside<Item, L> extends true
    ? Mismatch<`${Op}: index ${Item} is outside of an axis of length ${L}`>
    : readonly []
  : [Item] extends [Range]
    ? IsTuple<Item> extends true
      ? Item extends readonly [infer Start extends number | null, infer Stop extends number | null]
        ? Slice<readonly [L], readonly [Start], readonly [Stop]>
        : Item extends readonly [infer Start extends number | null, infer Stop extends number | null, infer Step]
          ? Item[2] extends 0
            ? Mismatch<`${Op}: a step is not 0`>
            : Slice<readonly [L], readonly [Start], readonly [Stop], readonly [Step extends number ? Step : null]>
          : readonly [number]
      : readonly [number]
    : [Item] extends [Aval]
      ? Item['shape']
      : Shape;

/** The lengths behind those that a mask is for. */
type Behind<S extends Shape, Mask extends Shape> = Mask extends readonly [number, ...infer M extends Shape]
  ? S extends readonly [number, ...infer R extends Shape]
    ? Behind<R, M>
    : 'more'
  : S;

/** The lengths before those that a mask is for. */
type Before<S extends Shape, Mask extends Shape> = Mask extends readonly [number, ...infer M extends Shape]
  ? S extends readonly [...infer R extends Shape, number]
    ? Before<R, M>
    : 'more'
  : S;

/** The entries from the first on, up to '...'. */
type Forwards<
  Op extends string,
  S extends Shape,
  I extends Items,
  Out extends Shape = readonly [],
> = I extends readonly [infer Item, ...infer Rest]
  ? Item extends 'newAxis'
    ? Forwards<Op, S, Rest, readonly [...Out, 1]>
    : Item extends '...'
      ? FromEnd<Op, S, Rest, Out>
      : [Item] extends [Aval & { readonly dtype: 'bool' }]
        ? IsTuple<Item['shape']> extends true
          ? Behind<S, Item['shape']> extends infer More
            ? More extends Shape
              ? Forwards<Op, More, Rest, readonly [...Out, number]>
              : 'more'
            : never
          : Shape
        : S extends readonly [infer L extends number, ...infer More extends Shape]
          ? Entry<Op, L, Item> extends infer N
            ? N extends Shape
              ? IsTuple<N> extends true
                ? Forwards<Op, More, Rest, readonly [...Out, ...N]>
                : Shape
              : N
            : never
          : 'more'
  : readonly [...Out, ...S];

/** The entries from the last on, back to '...'. */
type FromEnd<
  Op extends string,
  S extends Shape,
  I extends Items,
  Front extends Shape,
  Out extends Shape = readonly [],
> = I extends readonly [...infer Rest, infer Item]
  ? Item extends 'newAxis'
    ? FromEnd<Op, S, Rest, Front, readonly [1, ...Out]>
    : Item extends '...'
      ? Mismatch<`${Op}: '...' stands more than once`>
      : [Item] extends [Aval & { readonly dtype: 'bool' }]
        ? IsTuple<Item['shape']> extends true
          ? Before<S, Item['shape']> extends infer More
            ? More extends Shape
              ? FromEnd<Op, More, Rest, Front, readonly [number, ...Out]>
              : 'more'
            : never
          : Shape
        : S extends readonly [...infer More extends Shape, infer L extends number]
          ? Entry<Op, L, Item> extends infer N
            ? N extends Shape
              ? IsTuple<N> extends true
                ? FromEnd<Op, More, Rest, Front, readonly [...N, ...Out]>
                : Shape
              : N
            : never
          : 'more'
  : readonly [...Front, ...S, ...Out];

/** at: numbers take axes away, ranges shorten them, a new axis has length 1, and a tensor of positions gives its shape. */
export type AtShape<Op extends string, S extends Shape, I extends Items> = [IsTuple<S>, IsTuple<I>] extends [true, true]
  ? Picking<I> extends 'known'
    ? Forwards<Op, S, I> extends infer Found
      ? Found extends 'more'
        ? Mismatch<`${Op}: there are more entries than ${S['length']} axes`>
        : Found
      : never
    : Shape
  : Shape;
