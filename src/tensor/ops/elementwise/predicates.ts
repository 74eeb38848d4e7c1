/** Questions about each element. */
import { b } from '../../build.js';
import { isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Shape } from '../../shape.js';
import { type Tensor, wrap } from '../../tensor.js';
import { nodeFor } from '../common/operands.js';
import { always } from '../common/truth.js';

/** A question about each element. */
export type Predicate = <S extends Shape>(x: Tensor<S>) => Tensor<S, 'bool'>;

const predicate = (operation: string, build: (x: Node) => Node): Predicate =>
  (x => wrap(build(nodeFor(operation, x)))) as Predicate;

const infinity = (x: Node): Node => full(b, x, Number.POSITIVE_INFINITY);

/**
 * Whether each element is NaN.
 *
 * @returns the shape of `x`, bool; false throughout for integers and bool
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.isnan
 * @pytorch torch.isnan
 * @example
 * ```js
 * import { isNaN, tensor } from 'tenfold';
 * isNaN(tensor([1, NaN, Infinity])).toArray(); // => [false, true, false]
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the global one is for numbers, this one for tensors
export const isNaN: Predicate = predicate('isNaN', x => (isFloat(x.dtype) ? b.ne(x, x) : always(x, false)));

/**
 * Whether each element is neither infinite nor NaN.
 *
 * @returns the shape of `x`, bool; true throughout for integers and bool
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.isfinite
 * @pytorch torch.isfinite
 * @example
 * ```js
 * import { isFinite, tensor } from 'tenfold';
 * isFinite(tensor([1, NaN, -Infinity])).toArray(); // => [true, false, false]
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the global one is for numbers, this one for tensors
export const isFinite: Predicate = predicate('isFinite', x =>
  isFloat(x.dtype) ? b.lt(b.abs(x), infinity(x)) : always(x, true),
);

/**
 * Whether each element is ∞ or −∞.
 *
 * @returns the shape of `x`, bool; false throughout for integers and bool
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.isinf
 * @pytorch torch.isinf
 * @example
 * ```js
 * import { isInf, tensor } from 'tenfold';
 * isInf(tensor([1, NaN, -Infinity])).toArray(); // => [false, false, true]
 * ```
 */
export const isInf: Predicate = predicate('isInf', x =>
  isFloat(x.dtype) ? b.eq(b.abs(x), infinity(x)) : always(x, false),
);
