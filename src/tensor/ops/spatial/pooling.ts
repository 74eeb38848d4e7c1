/** Pooling: the largest element, or the mean, of windows that move along the spatial axes. Channels first, as convolutions. */
import type { DType } from '../../dtype.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { PoolShape } from '../../types/pooling.js';
import type { SpatialRank } from '../../types/windows.js';
import { castNode, nodeFor, unaryOperand } from '../common/operands.js';
import { checkFlag, checkOptions, dualBeforeOptions } from '../common/options.js';
import { checkSpatial, type Padding, type PerAxis, perAxis } from './options.js';
import { largestOf, meansOf } from './pooled.js';
import { checkSight, windowsOver } from './windows.js';

/** How the windows of {@link avgPool2d} move. */
export interface AvgPoolOptions {
  /** How far they go on; their size if left out, so that they lie side by side. */
  readonly stride?: PerAxis;
  /** How far they begin before the input, and end behind it; none if left out, at most half of a window. */
  readonly padding?: Padding;
  /** Whether a last window may reach beyond the input and its padding. Default false. */
  readonly ceilMode?: boolean;
  /** Whether the padding, which is 0, counts as elements of the mean. Default true. */
  readonly countIncludePad?: boolean;
}

/** How the windows of {@link maxPool2d} move. */
export interface MaxPoolOptions extends Omit<AvgPoolOptions, 'countIncludePad'> {
  /** How far apart the elements of a window are; 1 if left out. */
  readonly dilation?: PerAxis;
}

/** The signatures of {@link maxPool1d}, {@link maxPool2d} and {@link maxPool3d}. */
export interface MaxPool<Op extends string, R extends SpatialRank> {
  <const Size extends PerAxis, const O extends Only<MaxPoolOptions, O> = Record<never, never>>(
    size: Size & NotAny<O>,
    options?: O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<PoolShape<Op, R, S, Size, O>>,
  ) => Tensor<Fit<PoolShape<Op, R, S, Size, O>>, D>;
  <
    S extends Shape,
    D extends DType,
    const Size extends PerAxis,
    const O extends Only<MaxPoolOptions, O> = Record<never, never>,
  >(
    x: Tensor<S, D> & Ok<PoolShape<Op, R, S, Size, O>>,
    size: Size,
    options?: O,
  ): Tensor<Fit<PoolShape<Op, R, S, Size, O>>, D>;
}

/** The signatures of {@link avgPool1d}, {@link avgPool2d} and {@link avgPool3d}. */
export interface AvgPool<Op extends string, R extends SpatialRank> {
  <const Size extends PerAxis, const O extends Only<AvgPoolOptions, O> = Record<never, never>>(
    size: Size & NotAny<O>,
    options?: O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<PoolShape<Op, R, S, Size, O>>,
  ) => Tensor<Fit<PoolShape<Op, R, S, Size, O>>, Floating<D>>;
  <
    S extends Shape,
    D extends DType,
    const Size extends PerAxis,
    const O extends Only<AvgPoolOptions, O> = Record<never, never>,
  >(
    x: Tensor<S, D> & Ok<PoolShape<Op, R, S, Size, O>>,
    size: Size,
    options?: O,
  ): Tensor<Fit<PoolShape<Op, R, S, Size, O>>, Floating<D>>;
}

const maxPool = <Op extends string, R extends SpatialRank>(operation: Op, rank: R): MaxPool<Op, R> =>
  dualBeforeOptions(2, (x: Tensor, size: PerAxis, options: MaxPoolOptions = {}) => {
    checkOptions(operation, ['stride', 'padding', 'dilation', 'ceilMode'], options);
    const node = nodeFor(operation, x);
    checkSpatial(operation, node, rank);
    checkFlag(operation, 'ceilMode', options.ceilMode);
    const windows = windowsOver(operation, node, perAxis(operation, 'size', size, rank, 1), options);
    checkSight(operation, node, windows);
    const small = node.dtype === 'bool' || node.dtype === 'uint8';
    return wrap(castNode(largestOf(small ? castNode(node, 'int32') : node, windows), node.dtype));
  });

const avgPool = <Op extends string, R extends SpatialRank>(operation: Op, rank: R): AvgPool<Op, R> =>
  dualBeforeOptions(2, (x: Tensor, size: PerAxis, options: AvgPoolOptions = {}) => {
    checkOptions(operation, ['stride', 'padding', 'ceilMode', 'countIncludePad'], options);
    const node = unaryOperand(operation, x, { toFloat: true });
    checkSpatial(operation, node, rank);
    const { countIncludePad = true, ...rest } = options;
    checkFlag(operation, 'ceilMode', rest.ceilMode);
    checkFlag(operation, 'countIncludePad', countIncludePad);
    const windows = windowsOver(operation, node, perAxis(operation, 'size', size, rank, 1), rest);
    checkSight(operation, node, windows);
    return wrap(meansOf(node, windows, countIncludePad));
  });

/**
 * The largest element of windows that move along the spatial axis. See {@link maxPool2d}.
 *
 * @param x `[n, c, length]`, or `[c, length]` for one sample
 * @param size how long a window is
 * @returns the lengths of maxPool2d, the dtype of `x`
 * @throws ShapeError, ArgumentError as {@link maxPool2d}
 * @numpy scipy.ndimage.maximum_filter
 * @pytorch torch.nn.functional.max_pool1d
 * @example
 * ```js
 * import { maxPool1d, tensor } from 'tenfold';
 * maxPool1d(tensor([[1, 3, 2, 5, 4]]), 2).toArray(); // => [[3, 5]]
 * maxPool1d(tensor([[1, 3, 2, 5, 4]]), 2, { ceilMode: true }).toArray(); // => [[3, 5, 4]]
 * ```
 */
export const maxPool1d: MaxPool<'maxPool1d', 1> = maxPool('maxPool1d', 1);

/**
 * The largest element of windows that move along the two spatial axes. What padding adds never is the largest; a NaN is. The
 * derivative goes to the largest, to the first of several equal ones in row-major order. `pipe(x, maxPool2d(2))` is the same.
 *
 * @param x `[n, c, h, w]`, or `[c, h, w]` for one sample
 * @param size of a window: one number, or one for each spatial axis
 * @returns `[n, c, …]` with the lengths `⌊(length + padding before and after − dilation · (size − 1) − 1) / stride⌋ + 1`, with
 * `ceilMode` rounded up, less windows that would begin behind the input; the dtype of `x`
 * @throws ShapeError for another rank, when windows are longer than the input with its padding, or see padding only
 * @throws ArgumentError for options that cannot be, or when `x` is no tensor
 * @numpy jax.lax.reduce_window
 * @pytorch torch.nn.functional.max_pool2d
 * @example
 * ```js
 * import { maxPool2d, tensor, zeros } from 'tenfold';
 * const x = tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]]);
 * maxPool2d(x, 2).toArray(); // => [[[6, 8]]]
 * maxPool2d(x, [1, 3], { stride: 1 }).toArray(); // => [[[3, 4], [7, 8]]]
 * maxPool2d(zeros([8, 3, 32, 32]), 3, { stride: 2, padding: 1 }).shape; // => [8, 3, 16, 16]
 * ```
 */
export const maxPool2d: MaxPool<'maxPool2d', 2> = maxPool('maxPool2d', 2);

/**
 * The largest element of windows that move along three spatial axes. See {@link maxPool2d}.
 *
 * @param x `[n, c, d, h, w]`, or `[c, d, h, w]` for one sample
 * @param size of a window: one number, or one for each spatial axis
 * @returns the lengths of maxPool2d, the dtype of `x`
 * @throws ShapeError, ArgumentError as {@link maxPool2d}
 * @numpy jax.lax.reduce_window
 * @pytorch torch.nn.functional.max_pool3d
 * @example
 * ```js
 * import { maxPool3d, tensor } from 'tenfold';
 * maxPool3d(tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]), 2).toArray(); // => [[[[8]]]]
 * ```
 */
export const maxPool3d: MaxPool<'maxPool3d', 3> = maxPool('maxPool3d', 3);

/**
 * The mean of windows that move along the spatial axis. See {@link avgPool2d}.
 *
 * @param x `[n, c, length]`, or `[c, length]` for one sample
 * @param size how long a window is
 * @returns the lengths of avgPool2d; integers and bool give float32
 * @throws ShapeError, ArgumentError, DTypeError as {@link avgPool2d}
 * @numpy scipy.ndimage.uniform_filter
 * @pytorch torch.nn.functional.avg_pool1d
 * @example
 * ```js
 * import { avgPool1d, tensor } from 'tenfold';
 * avgPool1d(tensor([[1, 3, 2, 6]]), 2).toArray(); // => [[2, 4]]
 * ```
 */
export const avgPool1d: AvgPool<'avgPool1d', 1> = avgPool('avgPool1d', 1);

/**
 * The mean of windows that move along the two spatial axes. Padding counts as zeros unless `countIncludePad` is false; what
 * only `ceilMode` adds never counts. `pipe(x, avgPool2d(2))` is the same.
 *
 * @param x `[n, c, h, w]`, or `[c, h, w]` for one sample
 * @param size of a window: one number, or one for each spatial axis
 * @returns `[n, c, …]` with the lengths `⌊(length + padding before and after − size) / stride⌋ + 1`, with `ceilMode` rounded
 * up, less windows that would begin behind the input; integers and bool give float32
 * @throws ShapeError for another rank, when windows are longer than the input with its padding, or see padding only
 * @throws ArgumentError for options that cannot be, or when `x` is no tensor
 * @throws DTypeError for uint8
 * @numpy jax.lax.reduce_window
 * @pytorch torch.nn.functional.avg_pool2d
 * @example
 * ```js
 * import { avgPool2d, tensor } from 'tenfold';
 * const x = tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]]);
 * avgPool2d(x, 2).toArray(); // => [[[3.5, 5.5]]]
 * avgPool2d(x, [1, 2], { padding: [0, 1] }).toArray(); // => [[[0.5, 2.5, 2], [2.5, 6.5, 4]]]
 * avgPool2d(x, [1, 2], { padding: [0, 1], countIncludePad: false }).toArray(); // => [[[1, 2.5, 4], [5, 6.5, 8]]]
 * ```
 */
export const avgPool2d: AvgPool<'avgPool2d', 2> = avgPool('avgPool2d', 2);

/**
 * The mean of windows that move along three spatial axes. See {@link avgPool2d}.
 *
 * @param x `[n, c, d, h, w]`, or `[c, d, h, w]` for one sample
 * @param size of a window: one number, or one for each spatial axis
 * @returns the lengths of avgPool2d; integers and bool give float32
 * @throws ShapeError, ArgumentError, DTypeError as {@link avgPool2d}
 * @numpy jax.lax.reduce_window
 * @pytorch torch.nn.functional.avg_pool3d
 * @example
 * ```js
 * import { avgPool3d, tensor } from 'tenfold';
 * avgPool3d(tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]), 2).toArray(); // => [[[[4.5]]]]
 * ```
 */
export const avgPool3d: AvgPool<'avgPool3d', 3> = avgPool('avgPool3d', 3);
