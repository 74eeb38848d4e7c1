/** Pooling to given lengths: of an axis of `n` elements, window `i` of `o` has those from `⌊i · n / o⌋` to before `⌈(i + 1) · n / o⌉`. */
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { AdaptivePoolShape } from '../../types/pooling.js';
import type { SpatialRank } from '../../types/windows.js';
import { castNode, dual, nodeFor, unaryOperand } from '../common/operands.js';
import { checkSpatial, type PerAxis, perAxis } from './options.js';
import { adaptiveLargest, adaptiveMeans, type Pooled } from './pooled.js';

/** The signatures of {@link adaptiveMaxPool1d}, {@link adaptiveMaxPool2d} and {@link adaptiveMaxPool3d}. */
export interface AdaptiveMaxPool<Op extends string, R extends SpatialRank> {
  <S extends Shape, D extends DType, const Size extends PerAxis>(
    x: Tensor<S, D> & Ok<AdaptivePoolShape<Op, R, S, Size>>,
    outputSize: Size,
  ): Tensor<Fit<AdaptivePoolShape<Op, R, S, Size>>, D>;
  <const Size extends PerAxis>(
    outputSize: Size,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<AdaptivePoolShape<Op, R, S, Size>>,
  ) => Tensor<Fit<AdaptivePoolShape<Op, R, S, Size>>, D>;
}

/** The signatures of {@link adaptiveAvgPool1d}, {@link adaptiveAvgPool2d} and {@link adaptiveAvgPool3d}. */
export interface AdaptiveAvgPool<Op extends string, R extends SpatialRank> {
  <S extends Shape, D extends DType, const Size extends PerAxis>(
    x: Tensor<S, D> & Ok<AdaptivePoolShape<Op, R, S, Size>>,
    outputSize: Size,
  ): Tensor<Fit<AdaptivePoolShape<Op, R, S, Size>>, Floating<D>>;
  <const Size extends PerAxis>(
    outputSize: Size,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<AdaptivePoolShape<Op, R, S, Size>>,
  ) => Tensor<Fit<AdaptivePoolShape<Op, R, S, Size>>, Floating<D>>;
}

const adaptive = <F>(
  operation: string,
  rank: number,
  operand: (x: Tensor) => Node,
  pool: (x: Node, axes: readonly Pooled[]) => Node,
): F =>
  dual(2, (x: Tensor, outputSize: PerAxis) => {
    const node = operand(x);
    checkSpatial(operation, node, rank);
    const from = node.shape.length - rank;
    const counts = perAxis(operation, 'outputSize', outputSize, rank, 1);
    const axes = counts.map((count, i) => ({ axis: from + i, length: node.shape[from + i]!, count }));
    return wrap(pool(node, axes));
  });

const adaptiveAvgPool = <Op extends string, R extends SpatialRank>(operation: Op, rank: R): AdaptiveAvgPool<Op, R> =>
  adaptive(operation, rank, x => unaryOperand(operation, x, { toFloat: true }), adaptiveMeans);

const adaptiveMaxPool = <Op extends string, R extends SpatialRank>(operation: Op, rank: R): AdaptiveMaxPool<Op, R> =>
  adaptive(
    operation,
    rank,
    x => nodeFor(operation, x),
    (x, axes) => {
      const small = x.dtype === 'bool' || x.dtype === 'uint8';
      return castNode(adaptiveLargest(small ? castNode(x, 'int32') : x, axes), x.dtype);
    },
  );

/**
 * The mean of as many windows as the result is to have elements, along one spatial axis. See {@link adaptiveAvgPool2d}.
 *
 * @param x `[n, c, length]`, or `[c, length]` for one sample
 * @param outputSize how long the axis becomes
 * @returns `[n, c, outputSize]`; integers and bool give float32
 * @throws ShapeError, ArgumentError, DTypeError as {@link adaptiveAvgPool2d}
 * @numpy —
 * @pytorch torch.nn.functional.adaptive_avg_pool1d
 * @example
 * ```js
 * import { adaptiveAvgPool1d, tensor } from 'tenfold';
 * adaptiveAvgPool1d(tensor([[1, 2, 3, 4, 5]]), 3).toArray(); // => [[1.5, 3, 4.5]]
 * ```
 */
export const adaptiveAvgPool1d: AdaptiveAvgPool<'adaptiveAvgPool1d', 1> = adaptiveAvgPool('adaptiveAvgPool1d', 1);

/**
 * The mean of as many windows as the result is to have elements, along two spatial axes. Window `i` of `o` along an axis of
 * `n` elements has those from `⌊i · n / o⌋` to before `⌈(i + 1) · n / o⌉`: windows overlap where `o` does not divide `n`.
 * An `outputSize` of 1 is the mean of all.
 *
 * @param x `[n, c, h, w]`, or `[c, h, w]` for one sample
 * @param outputSize the spatial lengths of the result: one number, or one for each axis
 * @returns `[n, c, …outputSize]`; integers and bool give float32
 * @throws ShapeError for another rank, or a spatial axis without elements
 * @throws ArgumentError when `outputSize` is no positive integer, or `x` no tensor
 * @throws DTypeError for uint8
 * @numpy —
 * @pytorch torch.nn.functional.adaptive_avg_pool2d
 * @example
 * ```js
 * import { adaptiveAvgPool2d, tensor } from 'tenfold';
 * const x = tensor([[[1, 2, 3], [4, 5, 6]]]);
 * adaptiveAvgPool2d(x, 1).toArray(); // => [[[3.5]]]
 * adaptiveAvgPool2d(x, [2, 2]).toArray(); // => [[[1.5, 2.5], [4.5, 5.5]]]
 * ```
 */
export const adaptiveAvgPool2d: AdaptiveAvgPool<'adaptiveAvgPool2d', 2> = adaptiveAvgPool('adaptiveAvgPool2d', 2);

/**
 * The mean of as many windows as the result is to have elements, along three spatial axes. See {@link adaptiveAvgPool2d}.
 *
 * @param x `[n, c, d, h, w]`, or `[c, d, h, w]` for one sample
 * @param outputSize the spatial lengths of the result: one number, or one for each axis
 * @returns `[n, c, …outputSize]`; integers and bool give float32
 * @throws ShapeError, ArgumentError, DTypeError as {@link adaptiveAvgPool2d}
 * @numpy —
 * @pytorch torch.nn.functional.adaptive_avg_pool3d
 * @example
 * ```js
 * import { adaptiveAvgPool3d, tensor } from 'tenfold';
 * adaptiveAvgPool3d(tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]), [1, 1, 2]).toArray(); // => [[[[4, 5]]]]
 * ```
 */
export const adaptiveAvgPool3d: AdaptiveAvgPool<'adaptiveAvgPool3d', 3> = adaptiveAvgPool('adaptiveAvgPool3d', 3);

/**
 * The largest element of as many windows as the result is to have elements, along one spatial axis. See
 * {@link adaptiveMaxPool2d}.
 *
 * @param x `[n, c, length]`, or `[c, length]` for one sample
 * @param outputSize how long the axis becomes
 * @returns `[n, c, outputSize]`, the dtype of `x`
 * @throws ShapeError, ArgumentError as {@link adaptiveMaxPool2d}
 * @numpy —
 * @pytorch torch.nn.functional.adaptive_max_pool1d
 * @example
 * ```js
 * import { adaptiveMaxPool1d, tensor } from 'tenfold';
 * adaptiveMaxPool1d(tensor([[1, 5, 3, 2, 4]]), 3).toArray(); // => [[5, 5, 4]]
 * ```
 */
export const adaptiveMaxPool1d: AdaptiveMaxPool<'adaptiveMaxPool1d', 1> = adaptiveMaxPool('adaptiveMaxPool1d', 1);

/**
 * The largest element of as many windows as the result is to have elements, along two spatial axes; the windows are those of
 * {@link adaptiveAvgPool2d}. The derivative goes to the first of several equal ones, as in {@link maxPool2d}.
 *
 * @param x `[n, c, h, w]`, or `[c, h, w]` for one sample
 * @param outputSize the spatial lengths of the result: one number, or one for each axis
 * @returns `[n, c, …outputSize]`, the dtype of `x`
 * @throws ShapeError for another rank, or a spatial axis without elements
 * @throws ArgumentError when `outputSize` is no positive integer, or `x` no tensor
 * @numpy —
 * @pytorch torch.nn.functional.adaptive_max_pool2d
 * @example
 * ```js
 * import { adaptiveMaxPool2d, tensor } from 'tenfold';
 * const x = tensor([[[1, 2, 3], [4, 5, 6]]]);
 * adaptiveMaxPool2d(x, 1).toArray(); // => [[[6]]]
 * adaptiveMaxPool2d(x, [2, 2]).toArray(); // => [[[2, 3], [5, 6]]]
 * ```
 */
export const adaptiveMaxPool2d: AdaptiveMaxPool<'adaptiveMaxPool2d', 2> = adaptiveMaxPool('adaptiveMaxPool2d', 2);

/**
 * The largest element of as many windows as the result is to have elements, along three spatial axes. See
 * {@link adaptiveMaxPool2d}.
 *
 * @param x `[n, c, d, h, w]`, or `[c, d, h, w]` for one sample
 * @param outputSize the spatial lengths of the result: one number, or one for each axis
 * @returns `[n, c, …outputSize]`, the dtype of `x`
 * @throws ShapeError, ArgumentError as {@link adaptiveMaxPool2d}
 * @numpy —
 * @pytorch torch.nn.functional.adaptive_max_pool3d
 * @example
 * ```js
 * import { adaptiveMaxPool3d, tensor } from 'tenfold';
 * adaptiveMaxPool3d(tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]), [1, 1, 2]).toArray(); // => [[[[7, 8]]]]
 * ```
 */
export const adaptiveMaxPool3d: AdaptiveMaxPool<'adaptiveMaxPool3d', 3> = adaptiveMaxPool('adaptiveMaxPool3d', 3);
