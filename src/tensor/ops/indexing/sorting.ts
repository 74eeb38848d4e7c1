/** Putting elements in order. */
import { b } from '../../build.js';
import { type DType, isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { checkInteger, normalizeAxis, type Shape } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { TopKShape } from '../../types/indexing.js';
import type { NotAny, Only } from '../../types/known.js';
import { checkSetting, nodeFor } from '../common/operands.js';
import { checkFlag, checkOptions, dualTold, withOptions } from '../common/options.js';
import type { AxisOptions } from '../movement/joining.js';
import type { AlongAxis, OneAxis } from '../reduction/reducing.js';
import { gatherAlong } from './positions.js';

/** The options of {@link argsort} and {@link sort}. */
export interface SortOptions extends AxisOptions {
  /** Largest first. */
  readonly descending?: boolean;
}

/** A node, what sorts as is wanted when it is sorted ascending, and the axis. */
const keyed = (operation: string, x: unknown, { axis = -1, descending = false }: SortOptions): [Node, Node, number] => {
  const node = nodeFor(operation, x);
  const at = normalizeAxis(operation, axis, node.shape);
  checkFlag(operation, 'descending', descending);
  // Turned upside down, equal elements keep their order and NaN stays last. −x would overflow for integers; ~x does not.
  const key = descending ? (isFloat(node.dtype) ? b.neg(node) : b.not(node)) : node;
  return [node, key, at];
};

const sorted = (operation: string, x: unknown, options: SortOptions): [Node, Node, number] => {
  const [node, key, axis] = keyed(operation, x, options);
  return [node, b.argsort(key, { axis }), axis];
};

/**
 * The positions along an axis, the last one if none is named, in the order of the elements there. Equal elements
 * keep their order; NaN comes last, also when descending.
 *
 * @returns the shape of `x`, int32
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.argsort
 * @pytorch torch.argsort
 * @example
 * ```js
 * import { argsort, tensor } from 'tenfold';
 * argsort(tensor([30, 10, 20])).toArray(); // => [1, 2, 0]
 * argsort(tensor([30, 10, 20]), { descending: true }).toArray(); // => [0, 2, 1]
 * ```
 */
export const argsort: AlongAxis<'argsort', 'int32', SortOptions> = withOptions(
  'argsort',
  ['axis', 'descending'],
  (x: Tensor, options: SortOptions) => wrap(sorted('argsort', x, options)[1]),
);

/**
 * The elements in order along an axis, the last one if none is named; NaN comes last, also when descending. The
 * derivative goes to where each element came from.
 *
 * @returns shape and dtype of `x`
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.sort
 * @pytorch torch.sort
 * @example
 * ```js
 * import { sort, tensor } from 'tenfold';
 * sort(tensor([3, 1, 2])).toArray(); // => [1, 2, 3]
 * sort(tensor([[3, 1], [2, 4]]), { axis: 0, descending: true }).toArray(); // => [[3, 4], [2, 1]]
 * ```
 */
export const sort: AlongAxis<'sort', 'same', SortOptions> = withOptions(
  'sort',
  ['axis', 'descending'],
  (x: Tensor, options: SortOptions) => {
    const [node, order, axis] = sorted('sort', x, options);
    return wrap(gatherAlong(node, order, axis));
  },
);

/** The options of {@link topK}. */
export interface TopKOptions<Axis extends number = number> extends OneAxis<Axis> {
  /** Whether the largest are wanted (the default) or the smallest. */
  readonly largest?: boolean;
}

/** What {@link topK} gives. */
export interface TopK<S extends Shape, D extends DType> {
  readonly values: Tensor<S, D>;
  readonly indices: Tensor<S, 'int32'>;
}

/** The signatures of {@link topK}. */
export interface MakeTopK {
  <const K extends number, const A extends number = -1, const O extends Only<TopKOptions, O> = Record<never, never>>(
    k: K & NotAny<O>,
    options?: TopKOptions<A> & O,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<TopKShape<S, K, A>>) => TopK<Fit<TopKShape<S, K, A>>, D>;
  <S extends Shape, D extends DType, const K extends number, const A extends number = -1>(
    x: Tensor<S, D>,
    k: K & Ok<TopKShape<S, K, A>>,
    options?: TopKOptions<A>,
  ): TopK<Fit<TopKShape<S, K, A>>, D>;
}

/**
 * The `k` largest elements along an axis, the last one if none is named, and their positions, the largest first; or the
 * smallest, the smallest first. Of equal ones the first come first; NaN comes last. The derivative goes to where the
 * elements came from.
 *
 * @returns `values` of the dtype of `x` and `indices` of int32, both of the shape of `x` with `k` along the axis
 * @throws IndexError unless `k` is an integer from 0 to the length of the axis
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy jax.lax.top_k
 * @pytorch torch.topk
 * @example
 * ```js
 * import { tensor, topK } from 'tenfold';
 * const { values, indices } = topK(tensor([3, 9, 5, 7]), 2);
 * values.toArray(); // => [9, 7]
 * indices.toArray(); // => [1, 3]
 * topK(tensor([3, 9, 5, 7]), 2, { largest: false }).values.toArray(); // => [3, 5]
 * ```
 */
export const topK: MakeTopK = dualTold(2, (x: Tensor, k: number, options: TopKOptions = {}) => {
  checkOptions('topK', ['axis', 'largest'], options);
  const { axis = -1, largest = true } = options;
  checkSetting('topK', 'k', k);
  checkFlag('topK', 'largest', largest);
  const [node, key, at] = keyed('topK', x, { axis, descending: largest });
  const indices = b.argsort(key, { axis: at, count: checkInteger('topK', 'k', k, 0, node.shape[at]!) });
  return { values: wrap(gatherAlong(node, indices, at)), indices: wrap(indices) };
});
