/** From one dtype to another, and values that derivatives do not pass. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Shape } from '../../shape.js';
import { nodeOf, type Tensor, wrap } from '../../tensor.js';
import { checkDType } from '../common/checks.js';
import { castNode, dual, isWeakNumber, nodeFor } from '../common/operands.js';

/** The signatures of {@link cast}. */
export interface Cast {
  <S extends Shape, E extends DType>(x: Tensor<S>, dtype: E): Tensor<S, E>;
  <E extends DType>(dtype: E): <S extends Shape>(x: Tensor<S>) => Tensor<S, E>;
}

/**
 * The elements in another dtype. A float becomes an integer by dropping the fraction, kept within the integer's
 * range, NaN becoming 0; an integer that another integer dtype cannot hold wraps around; bool is whether an element
 * is other than 0 (NaN is); true becomes 1.
 *
 * The derivative passes between float32 and float64, and is 0 elsewhere.
 *
 * @returns the shape of `x`, the dtype asked for
 * @throws DTypeError when there is no such dtype
 * @throws ArgumentError when `x` is no tensor
 * @numpy ndarray.astype
 * @pytorch Tensor.to
 * @example
 * ```js
 * import { cast, tensor } from 'tenfold';
 * cast(tensor([1.7, -1.7, NaN, 1e12]), 'int32').toArray(); // => [1, -1, 0, 2147483647]
 * cast(tensor([0, 0.5]), 'bool').toArray(); // => [false, true]
 * ```
 */
export const cast: Cast = dual(2, (x: Tensor, dtype: DType) => {
  checkDType('cast', dtype);
  // Casting says which dtype a number gets, so it does not become float32 on the way, and is a tensor from then on.
  return wrap(isWeakNumber(x) ? b.cast(nodeOf(x), { dtype }) : castNode(nodeFor('cast', x), dtype));
});

/**
 * `x` itself, but a constant to derivatives: nothing flows back through it.
 *
 * @returns shape and dtype of `x`
 * @throws ArgumentError when `x` is no tensor
 * @numpy jax.lax.stop_gradient
 * @pytorch Tensor.detach
 * @example
 * ```js
 * import { stopGradient, tensor } from 'tenfold';
 * stopGradient(tensor([1, 2])).toArray(); // => [1, 2]
 * ```
 */
export const stopGradient = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> =>
  wrap(b.stopGradient(nodeFor('stopGradient', x)));
