/** Pooling as layers without parameters. Channels first, as convolutions. */
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import * as adaptive from '../tensor/ops/spatial/adaptive-pooling.js';
import { type PerAxis, padPairs, perAxis } from '../tensor/ops/spatial/options.js';
import * as pooling from '../tensor/ops/spatial/pooling.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Only } from '../tensor/types/known.js';
import type { AdaptivePoolShape, PoolShape } from '../tensor/types/pooling.js';
import type { SpatialRank } from '../tensor/types/windows.js';
import type { ShapedLayer, ShapeMap } from './layer.js';
import { type NoParams, operationLayer } from './operation-layer.js';

/** What windows that move make of a shape. */
export interface Pools<Op extends string, R extends SpatialRank, Size, Options> extends ShapeMap {
  readonly domain: Shape;
  readonly out: [this['in']] extends [infer S extends Shape] ? PoolShape<Op, R, S, Size, Options> : Shape;
}

/** What pooling to given lengths makes of a shape. */
export interface PoolsTo<Op extends string, R extends SpatialRank, Size> extends ShapeMap {
  readonly domain: Shape;
  readonly out: [this['in']] extends [infer S extends Shape] ? AdaptivePoolShape<Op, R, S, Size> : Shape;
}

/** The signatures of {@link maxPool1d}, {@link maxPool2d} and {@link maxPool3d}. */
export type MaxPoolLayer<Op extends string, R extends SpatialRank> = <
  const Size extends PerAxis,
  const Options extends Only<pooling.MaxPoolOptions, Options> = Record<never, never>,
>(
  size: Size,
  options?: Options,
) => ShapedLayer<NoParams, Pools<Op, R, Size, Options>>;

/** The signatures of {@link avgPool1d}, {@link avgPool2d} and {@link avgPool3d}. */
export type AvgPoolLayer<Op extends string, R extends SpatialRank> = <
  const Size extends PerAxis,
  const Options extends Only<pooling.AvgPoolOptions, Options> = Record<never, never>,
>(
  size: Size,
  options?: Options,
) => ShapedLayer<NoParams, Pools<Op, R, Size, Options>>;

/** The signatures of {@link adaptiveMaxPool1d} and the others that pool to given lengths. */
export type AdaptivePoolLayer<Op extends string, R extends SpatialRank> = <const Size extends PerAxis>(
  outputSize: Size,
) => ShapedLayer<NoParams, PoolsTo<Op, R, Size>>;

type AnyOptions = pooling.MaxPoolOptions & pooling.AvgPoolOptions;

type Operation = (x: Tensor, size: PerAxis, options: object) => Tensor;

const layerOf =
  (operation: string, rank: SpatialRank, names: readonly string[], pool: unknown) =>
  (size: PerAxis, options: AnyOptions = {}) => {
    checkOptions(operation, names, options);
    perAxis(operation, 'size', size, rank, 1);
    for (const name of ['stride', 'dilation'] as const) {
      if (options[name] !== undefined) perAxis(operation, name, options[name], rank, 1);
    }
    if (options.padding !== undefined) padPairs(operation, options.padding, rank);
    checkFlag(operation, 'ceilMode', options.ceilMode);
    checkFlag(operation, 'countIncludePad', options.countIncludePad);
    const given = { ...options };
    return operationLayer(operation, x => (pool as Operation)(x, size, given));
  };

const maxPool = <Op extends string, R extends SpatialRank>(
  operation: Op,
  rank: R,
  pool: unknown,
): MaxPoolLayer<Op, R> => layerOf(operation, rank, ['stride', 'padding', 'dilation', 'ceilMode'], pool) as never;

const avgPool = <Op extends string, R extends SpatialRank>(
  operation: Op,
  rank: R,
  pool: unknown,
): AvgPoolLayer<Op, R> => layerOf(operation, rank, ['stride', 'padding', 'ceilMode', 'countIncludePad'], pool) as never;

const adaptivePool = <Op extends string, R extends SpatialRank>(
  operation: Op,
  rank: R,
  pool: unknown,
): AdaptivePoolLayer<Op, R> =>
  ((outputSize: PerAxis) => {
    perAxis(operation, 'outputSize', outputSize, rank, 1);
    return operationLayer(operation, x => (pool as (x: Tensor, size: PerAxis) => Tensor)(x, outputSize));
  }) as never;

/**
 * The largest element of windows that move along the spatial axis: the operation `maxPool1d` as a layer.
 *
 * @param size of a window: one number, or one for each spatial axis
 * @param options `stride` (the size), `padding`, `dilation`, `ceilMode`, as of the operation
 * @returns a layer with the parameters `{}`; x is [N, C, length] or without N, as is y, of float32 for integers
 * @throws ArgumentError for a size and options that cannot be; applied, as the operation
 * @numpy flax.linen.max_pool
 * @pytorch torch.nn.MaxPool1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { maxPool1d } from 'tenfold/nn';
 * maxPool1d(2).apply({}, tensor([[1, 3, 2, 5]])).toArray(); // => [[3, 5]]
 * ```
 */
export const maxPool1d: MaxPoolLayer<'maxPool1d', 1> = maxPool('maxPool1d', 1, pooling.maxPool1d);

/**
 * The largest element of windows that move along the two spatial axes: the operation `maxPool2d` as a layer.
 *
 * @param size of a window: one number, or one for each spatial axis
 * @param options `stride` (the size), `padding`, `dilation`, `ceilMode`, as of the operation
 * @returns a layer with the parameters `{}`; x is [N, C, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for a size and options that cannot be; applied, as the operation
 * @numpy flax.linen.max_pool
 * @pytorch torch.nn.MaxPool2d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { maxPool2d } from 'tenfold/nn';
 * maxPool2d(2).apply({}, tensor([[[1, 2], [3, 4]]])).toArray(); // => [[[4]]]
 * ```
 */
export const maxPool2d: MaxPoolLayer<'maxPool2d', 2> = maxPool('maxPool2d', 2, pooling.maxPool2d);

/**
 * The largest element of windows that move along the three spatial axes: the operation `maxPool3d` as a layer.
 *
 * @param size of a window: one number, or one for each spatial axis
 * @param options `stride` (the size), `padding`, `dilation`, `ceilMode`, as of the operation
 * @returns a layer with the parameters `{}`; x is [N, C, depth, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for a size and options that cannot be; applied, as the operation
 * @numpy flax.linen.max_pool
 * @pytorch torch.nn.MaxPool3d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { maxPool3d } from 'tenfold/nn';
 * maxPool3d(2).apply({}, tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]])).toArray(); // => [[[[8]]]]
 * ```
 */
export const maxPool3d: MaxPoolLayer<'maxPool3d', 3> = maxPool('maxPool3d', 3, pooling.maxPool3d);

/**
 * The mean of windows that move along the spatial axis: the operation `avgPool1d` as a layer.
 *
 * @param size of a window: one number, or one for each spatial axis
 * @param options `stride` (the size), `padding`, `ceilMode`, `countIncludePad`, as of the operation
 * @returns a layer with the parameters `{}`; x is [N, C, length] or without N, as is y, of float32 for integers
 * @throws ArgumentError for a size and options that cannot be; applied, as the operation
 * @numpy flax.linen.avg_pool
 * @pytorch torch.nn.AvgPool1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { avgPool1d } from 'tenfold/nn';
 * avgPool1d(2).apply({}, tensor([[1, 3, 2, 6]])).toArray(); // => [[2, 4]]
 * ```
 */
export const avgPool1d: AvgPoolLayer<'avgPool1d', 1> = avgPool('avgPool1d', 1, pooling.avgPool1d);

/**
 * The mean of windows that move along the two spatial axes: the operation `avgPool2d` as a layer.
 *
 * @param size of a window: one number, or one for each spatial axis
 * @param options `stride` (the size), `padding`, `ceilMode`, `countIncludePad`, as of the operation
 * @returns a layer with the parameters `{}`; x is [N, C, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for a size and options that cannot be; applied, as the operation
 * @numpy flax.linen.avg_pool
 * @pytorch torch.nn.AvgPool2d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { avgPool2d } from 'tenfold/nn';
 * avgPool2d(2).apply({}, tensor([[[1, 2], [3, 4]]])).toArray(); // => [[[2.5]]]
 * ```
 */
export const avgPool2d: AvgPoolLayer<'avgPool2d', 2> = avgPool('avgPool2d', 2, pooling.avgPool2d);

/**
 * The mean of windows that move along the three spatial axes: the operation `avgPool3d` as a layer.
 *
 * @param size of a window: one number, or one for each spatial axis
 * @param options `stride` (the size), `padding`, `ceilMode`, `countIncludePad`, as of the operation
 * @returns a layer with the parameters `{}`; x is [N, C, depth, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for a size and options that cannot be; applied, as the operation
 * @numpy flax.linen.avg_pool
 * @pytorch torch.nn.AvgPool3d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { avgPool3d } from 'tenfold/nn';
 * avgPool3d(2).apply({}, tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]])).toArray(); // => [[[[4.5]]]]
 * ```
 */
export const avgPool3d: AvgPoolLayer<'avgPool3d', 3> = avgPool('avgPool3d', 3, pooling.avgPool3d);

/**
 * The largest elements of windows that cover the spatial axis in the number wanted: the operation `adaptiveMaxPool1d` as a layer.
 *
 * @param outputSize the lengths of the result: one number, or one for each spatial axis
 * @returns a layer with the parameters `{}`; x is [N, C, length] or without N, as is y, of float32 for integers
 * @throws ArgumentError for lengths that cannot be; applied, as the operation
 * @numpy equinox.nn.AdaptiveMaxPool1d
 * @pytorch torch.nn.AdaptiveMaxPool1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adaptiveMaxPool1d } from 'tenfold/nn';
 * adaptiveMaxPool1d(2).apply({}, tensor([[1, 3, 2, 5]])).toArray(); // => [[3, 5]]
 * ```
 */
export const adaptiveMaxPool1d: AdaptivePoolLayer<'adaptiveMaxPool1d', 1> = adaptivePool(
  'adaptiveMaxPool1d',
  1,
  adaptive.adaptiveMaxPool1d,
);

/**
 * The largest elements of windows that cover the two spatial axes in the number wanted: the operation `adaptiveMaxPool2d` as a layer.
 *
 * @param outputSize the lengths of the result: one number, or one for each spatial axis
 * @returns a layer with the parameters `{}`; x is [N, C, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for lengths that cannot be; applied, as the operation
 * @numpy equinox.nn.AdaptiveMaxPool2d
 * @pytorch torch.nn.AdaptiveMaxPool2d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adaptiveMaxPool2d } from 'tenfold/nn';
 * adaptiveMaxPool2d([2, 1]).apply({}, tensor([[[1, 2], [3, 4]]])).toArray(); // => [[[2], [4]]]
 * ```
 */
export const adaptiveMaxPool2d: AdaptivePoolLayer<'adaptiveMaxPool2d', 2> = adaptivePool(
  'adaptiveMaxPool2d',
  2,
  adaptive.adaptiveMaxPool2d,
);

/**
 * The largest elements of windows that cover the three spatial axes in the number wanted: the operation `adaptiveMaxPool3d` as a layer.
 *
 * @param outputSize the lengths of the result: one number, or one for each spatial axis
 * @returns a layer with the parameters `{}`; x is [N, C, depth, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for lengths that cannot be; applied, as the operation
 * @numpy equinox.nn.AdaptiveMaxPool3d
 * @pytorch torch.nn.AdaptiveMaxPool3d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adaptiveMaxPool3d } from 'tenfold/nn';
 * adaptiveMaxPool3d(1).apply({}, tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]])).toArray(); // => [[[[8]]]]
 * ```
 */
export const adaptiveMaxPool3d: AdaptivePoolLayer<'adaptiveMaxPool3d', 3> = adaptivePool(
  'adaptiveMaxPool3d',
  3,
  adaptive.adaptiveMaxPool3d,
);

/**
 * The means of windows that cover the spatial axis in the number wanted: the operation `adaptiveAvgPool1d` as a layer.
 *
 * @param outputSize the lengths of the result: one number, or one for each spatial axis
 * @returns a layer with the parameters `{}`; x is [N, C, length] or without N, as is y, of float32 for integers
 * @throws ArgumentError for lengths that cannot be; applied, as the operation
 * @numpy equinox.nn.AdaptiveAvgPool1d
 * @pytorch torch.nn.AdaptiveAvgPool1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adaptiveAvgPool1d } from 'tenfold/nn';
 * adaptiveAvgPool1d(2).apply({}, tensor([[1, 3, 2, 6]])).toArray(); // => [[2, 4]]
 * ```
 */
export const adaptiveAvgPool1d: AdaptivePoolLayer<'adaptiveAvgPool1d', 1> = adaptivePool(
  'adaptiveAvgPool1d',
  1,
  adaptive.adaptiveAvgPool1d,
);

/**
 * The means of windows that cover the two spatial axes in the number wanted: the operation `adaptiveAvgPool2d` as a layer.
 *
 * @param outputSize the lengths of the result: one number, or one for each spatial axis
 * @returns a layer with the parameters `{}`; x is [N, C, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for lengths that cannot be; applied, as the operation
 * @numpy equinox.nn.AdaptiveAvgPool2d
 * @pytorch torch.nn.AdaptiveAvgPool2d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adaptiveAvgPool2d } from 'tenfold/nn';
 * adaptiveAvgPool2d(1).apply({}, tensor([[[1, 2], [3, 4]]])).toArray(); // => [[[2.5]]]
 * ```
 */
export const adaptiveAvgPool2d: AdaptivePoolLayer<'adaptiveAvgPool2d', 2> = adaptivePool(
  'adaptiveAvgPool2d',
  2,
  adaptive.adaptiveAvgPool2d,
);

/**
 * The means of windows that cover the three spatial axes in the number wanted: the operation `adaptiveAvgPool3d` as a layer.
 *
 * @param outputSize the lengths of the result: one number, or one for each spatial axis
 * @returns a layer with the parameters `{}`; x is [N, C, depth, height, width] or without N, as is y, of float32 for integers
 * @throws ArgumentError for lengths that cannot be; applied, as the operation
 * @numpy equinox.nn.AdaptiveAvgPool3d
 * @pytorch torch.nn.AdaptiveAvgPool3d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adaptiveAvgPool3d } from 'tenfold/nn';
 * adaptiveAvgPool3d(1).apply({}, tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]])).toArray(); // => [[[[4.5]]]]
 * ```
 */
export const adaptiveAvgPool3d: AdaptivePoolLayer<'adaptiveAvgPool3d', 3> = adaptivePool(
  'adaptiveAvgPool3d',
  3,
  adaptive.adaptiveAvgPool3d,
);
