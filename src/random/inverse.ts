/** Draws by the inverse of a distribution function: one uniform number an element. */
import { b } from '../tensor/build.js';
import type { FloatDType } from '../tensor/dtype.js';
import type { Node } from '../tensor/graph.js';
import { plus, times } from '../tensor/ops/common/numbers.js';
import { checkSetting } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { full } from '../tensor/primitives/full.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import type { FloatOptions } from './draw.js';
import { type Key, keyNode } from './key.js';
import { checkFloatDType, openUnit } from './parameters.js';

const uniformOf = (operation: string, key: Key, shape: Shape, options: FloatOptions): Node => {
  const node = keyNode(operation, key);
  checkOptions(operation, ['dtype'], options);
  checkSetting(operation, 'dtype', options.dtype);
  return openUnit(node, checkShape(operation, shape), checkFloatDType(operation, options.dtype ?? 'float32'));
};

/**
 * Exponential numbers of rate 1: density e⁻ˣ for x > 0. Divide by a rate for others.
 *
 * @param shape of the result
 * @param options `dtype` (float32)
 * @throws ArgumentError when `key` is no key, ShapeError when `shape` is no shape, DTypeError for another dtype
 * @example
 * ```js
 * import { exponential, key } from 'tenfold/random';
 * exponential(key(0), [2, 3]).shape; // => [2, 3]
 * ```
 */
export const exponential = <const S extends Shape, D extends FloatDType = 'float32'>(
  key: Key,
  shape: S,
  options: FloatOptions<D> = {},
): Tensor<S, NoInfer<D>> => wrap(b.neg(b.log(uniformOf('exponential', key, shape, options))));

/**
 * Standard Gumbel numbers: distribution function exp(−e⁻ˣ). The index of the largest of logits with such noise added is a
 * draw from their softmax (see `categorical`).
 *
 * @param shape of the result
 * @param options `dtype` (float32)
 * @throws ArgumentError when `key` is no key, ShapeError when `shape` is no shape, DTypeError for another dtype
 * @example
 * ```js
 * import { gumbel, key } from 'tenfold/random';
 * gumbel(key(0), [4], { dtype: 'float64' }).dtype; // => 'float64'
 * ```
 */
export const gumbel = <const S extends Shape, D extends FloatDType = 'float32'>(
  key: Key,
  shape: S,
  options: FloatOptions<D> = {},
): Tensor<S, NoInfer<D>> => wrap(b.neg(b.log(b.neg(b.log(uniformOf('gumbel', key, shape, options))))));

/**
 * Standard Laplace numbers: density e^−|x| / 2.
 *
 * @param shape of the result
 * @param options `dtype` (float32)
 * @throws ArgumentError when `key` is no key, ShapeError when `shape` is no shape, DTypeError for another dtype
 * @example
 * ```js
 * import { key, laplace } from 'tenfold/random';
 * laplace(key(0), [4]).shape; // => [4]
 * ```
 */
export const laplace = <const S extends Shape, D extends FloatDType = 'float32'>(
  key: Key,
  shape: S,
  options: FloatOptions<D> = {},
): Tensor<S, NoInfer<D>> => {
  // 2u is exact, and so is 2 − 2u where it is below 1.
  const doubled = times(uniformOf('laplace', key, shape, options), 2);
  const upper = b.gt(doubled, full(b, doubled, 1));
  const tail = b.log(b.select(upper, plus(b.neg(doubled), 2), doubled));
  return wrap(b.select(upper, b.neg(tail), tail));
};
