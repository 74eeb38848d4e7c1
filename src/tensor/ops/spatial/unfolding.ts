/** The patches of a tensor as columns of a matrix. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { UnfoldShape } from '../../types/pooling.js';
import { checkList } from '../common/checks.js';
import { joined } from '../common/moving.js';
import { nodeFor } from '../common/operands.js';
import { checkOptions, dualBeforeOptions } from '../common/options.js';
import { checkRank, checkSpatial, type Padding, type PerAxis, perAxis } from './options.js';
import { placesIn, tapsOf, windowsOver } from './windows.js';

/** Which patches {@link unfold} takes. */
export interface UnfoldOptions {
  /** How far one is from the next; 1 if left out. */
  readonly stride?: PerAxis;
  /** Zeros around the input; none if left out. */
  readonly padding?: Padding;
  /** How far apart the elements of a patch are; 1 if left out. */
  readonly dilation?: PerAxis;
}

/** The signatures of {@link unfold}. */
export interface Unfold {
  <const Size extends readonly number[], const O extends Only<UnfoldOptions, O> = Record<never, never>>(
    size: Size & NotAny<O>,
    options?: O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<UnfoldShape<S, Size, O>>,
  ) => Tensor<Fit<UnfoldShape<S, Size, O>>, D>;
  <
    S extends Shape,
    D extends DType,
    const Size extends readonly number[],
    const O extends Only<UnfoldOptions, O> = Record<never, never>,
  >(
    x: Tensor<S, D> & Ok<UnfoldShape<S, Size, O>>,
    size: Size,
    options?: O,
  ): Tensor<Fit<UnfoldShape<S, Size, O>>, D>;
}

/**
 * The patches that a convolution's kernel meets, as columns: with the kernel as a matrix of rows, their product is the
 * convolution. Column `l` has the elements `[c, …k]` in row-major order of the patch that is the `l`-th in row-major order.
 *
 * @param x `[n, c, …spatial]`, or `[c, …spatial]` for one sample
 * @param size of a patch along each of one to three spatial axes
 * @returns `[n, c · k, l]` (without `n` for one sample), `k` elements of a channel for each of `l` patches; the dtype of `x`
 * @throws ShapeError for another rank, or patches that are larger than the input with its padding
 * @throws ArgumentError for a size or options that cannot be, or when `x` is no tensor
 * @numpy np.lib.stride_tricks.sliding_window_view
 * @pytorch torch.nn.functional.unfold
 * @example
 * ```js
 * import { tensor, unfold, zeros } from 'tenfold';
 * unfold(tensor([[1, 2, 3, 4]]), [2]).toArray(); // => [[1, 2, 3], [2, 3, 4]]
 * unfold(zeros([8, 3, 32, 32]), [3, 3], { padding: 1 }).shape; // => [8, 27, 1024]
 * ```
 */
export const unfold: Unfold = dualBeforeOptions(
  2,
  (x: Tensor, size: readonly number[], options: UnfoldOptions = {}) => {
    checkOptions('unfold', ['stride', 'padding', 'dilation'], options);
    const node = nodeFor('unfold', x);
    checkList('unfold', 'sizes', size);
    checkRank('unfold', 'sizes', size.length);
    const rank = size.length;
    checkSpatial('unfold', node, rank);
    const sizes = perAxis('unfold', 'size', size, rank, 1);
    const windows = windowsOver('unfold', node, sizes, { ...options, stride: options.stride ?? 1 });
    const at = node.shape.length - rank;
    const lead = node.shape.slice(0, at);
    const count = sizeOf(windows.map(each => each.count));
    const rows = tapsOf(node, windows, placesIn(sizes)).map(value => b.reshape(value, { shape: [...lead, 1, count] }));
    const shape = [...lead.slice(0, -1), lead[at - 1]! * sizeOf(sizes), count];
    return wrap(b.reshape(joined(rows, at), { shape }));
  },
);
