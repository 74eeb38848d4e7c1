/** The shapes of pooling, of patches, and of other resolutions along spatial axes. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { Add, Compare, FloorDivide, Multiply, Product, Subtract } from './arithmetic.js';
import type { IsAny, IsLiteral, IsTuple, SameRank } from './known.js';
import type {
  Below1,
  Beyond,
  Each,
  Ends,
  IsZero,
  Joined,
  Moved,
  NoLength,
  Option,
  Sides,
  SpatialAxis,
  SpatialRank,
  Total,
} from './windows.js';

/** As {@link Moved}, a last window reaching beyond the padding unless it would begin there. */
type MovedUp<
  Op extends string,
  N extends number,
  Reach extends number,
  Ends extends readonly [number, number],
  Stride extends number,
> =
  IsZero<N> extends true
    ? Mismatch<NoLength<Op>>
    : Subtract<Add<Add<N, Total<Ends>>, Stride>, Add<Reach, 1>> extends infer Left extends number
      ? number extends Left | Stride
        ? number
        : Below1<Left> extends true
          ? Mismatch<`${Op}: windows reach over ${Add<Reach, 1>}, and the input with its padding has ${Add<N, Total<Ends>>} only`>
          : FloorDivide<Subtract<Left, 1>, Stride> extends infer Last extends number
            ? Compare<Multiply<Last, Stride>, Add<N, Ends[0]>> extends -1
              ? Add<Last, 1>
              : Last extends 0
                ? Mismatch<`${Op}: windows reach over ${Add<Reach, 1>}, and the input with its padding has ${Add<N, Total<Ends>>} only`>
                : Last
            : never
      : never;

type Pooled<
  Op extends string,
  I extends Shape,
  Size,
  O,
  Out extends Shape = readonly [],
  At extends SpatialAxis = Out['length'] & SpatialAxis,
> = I extends readonly [infer N extends number, ...infer J extends Shape]
  ? PooledLength<
      Op,
      N,
      Beyond<Each<Size, At>, Each<Option<O, 'dilation', 1>, At>>,
      Ends<Option<O, 'padding', 0>, At>,
      Each<Option<O, 'stride', Size>, At>,
      Option<O, 'ceilMode', false>
    > extends infer Length
    ? Length extends number
      ? Pooled<Op, J, Size, O, readonly [...Out, Length]>
      : Length
    : never
  : Out;

type PooledLength<
  Op extends string,
  N extends number,
  Reach extends number,
  E extends readonly [number, number],
  Stride extends number,
  Up,
> = [Up] extends [false]
  ? Moved<Op, 'windows reach', N, Reach, Total<E>, Stride>
  : [Up] extends [true]
    ? MovedUp<Op, N, Reach, E, Stride>
    : number;

/** maxPool and avgPool over one to three axes: windows of a size, whose stride is the size if not given. */
export type PoolShape<Op extends string, R extends SpatialRank, X extends Shape, Size, O = Record<never, never>> =
  Sides<Op, X, R> extends infer Input
    ? Input extends [infer Lead extends Shape, infer C extends number, infer I extends Shape]
      ? Joined<readonly [...Lead, C], Pooled<Op, I, Size, O>>
      : Input
    : never;

/** A setting, one number or one for each axis, as the lengths of the axes. */
type Set<Op extends string, I extends Shape, Size, Out extends Shape = readonly []> = I extends readonly [
  infer N extends number,
  ...infer J extends Shape,
]
  ? IsZero<N> extends true
    ? Mismatch<NoLength<Op>>
    : Set<Op, J, Size, readonly [...Out, Each<Size, Out['length'] & SpatialAxis>]>
  : Out;

/** adaptiveMaxPool and adaptiveAvgPool over one to three axes: the lengths wanted. */
export type AdaptivePoolShape<Op extends string, R extends SpatialRank, X extends Shape, Size> =
  Sides<Op, X, R> extends infer Input
    ? Input extends [infer Lead extends Shape, infer C extends number, infer I extends Shape]
      ? Joined<readonly [...Lead, C], Set<Op, I, Size>>
      : Input
    : never;

/** unfold: a column for each patch, of all channels. */
export type UnfoldShape<X extends Shape, Size extends readonly number[], O = Record<never, never>> = [
  IsTuple<Size>,
  Size['length'],
] extends [true, infer R extends SpatialRank]
  ? Sides<'unfold', X, R> extends infer Input
    ? Input extends [infer Lead extends Shape, infer C extends number, infer I extends Shape]
      ? Pooled<'unfold', I, Size, { [K in keyof O | 'stride']: Option<O, K & string, 1> }> extends infer Counts
        ? Counts extends Shape
          ? readonly [...Lead, Product<[C, ...Size]>, Product<Counts>]
          : Counts
        : never
      : Input
    : never
  : Shape;

/** What n becomes with a scale; powers of two below 1 are known as well. */
type Scaled<N extends number, By extends number> = number extends By
  ? number
  : By extends 0.5
    ? FloorDivide<N, 2>
    : By extends 0.25
      ? FloorDivide<N, 4>
      : Multiply<N, By>;

type Rescaled<I extends Shape, Scale, Out extends Shape = readonly []> = I extends readonly [
  infer N extends number,
  ...infer J extends Shape,
]
  ? IsZero<N> extends true
    ? Mismatch<NoLength<'interpolate'>>
    : Scaled<N, Each<Scale, Out['length'] & SpatialAxis>> extends infer Length extends number
      ? Below1<Length> extends true
        ? Mismatch<`interpolate: an axis of ${N} would become one of ${Length}`>
        : Rescaled<J, Scale, readonly [...Out, Length]>
      : never
  : Out;

/** How many spatial axes are meant: as many as there are numbers, or as the mode is for, or all but two. */
type RankOf<X extends Shape, Given, Mode> = unknown extends Given | Mode
  ? number
  : Given extends readonly unknown[]
    ? Given['length']
    : Mode extends 'bilinear' | 'bicubic'
      ? 2
      : Mode extends 'trilinear'
        ? 3
        : X extends readonly [unknown, unknown, ...infer R]
          ? R['length']
          : 0;

/** interpolate: the lengths in `size`, or those of before times `scale`. */
export type InterpolateShape<X extends Shape, O> =
  IsTuple<X> extends true
    ? IsAny<O> extends true
      ? SameRank<X>
      : RankOf<X, Option<O, 'size', Option<O, 'scale', 1>>, Option<O, 'mode', 'nearest'>> extends infer R extends number
        ? IsLiteral<R> extends true
          ? R extends SpatialRank
            ? Resampled<Sides<'interpolate', X, R>, O>
            : Mismatch<'interpolate: there are one to three spatial axes'>
          : SameRank<X>
        : never
    : Shape;

type Resampled<Input, O> = Input extends [infer Lead extends Shape, infer C extends number, infer I extends Shape]
  ? Joined<
      readonly [...Lead, C],
      'size' extends keyof O ? Set<'interpolate', I, O['size']> : Rescaled<I, Option<O, 'scale', number>>
    >
  : Input;
