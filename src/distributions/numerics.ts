/** Terms of densities that stay finite, their derivatives too, at the edges of the support. */

import { type Key, keyNode } from '../random/key.js';
import { openUnit } from '../random/parameters.js';
import type { FloatDType } from '../tensor/dtype.js';
import { abs, add, clamp, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { equal, greater, less, lessEqual, notEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { floor, log, log1p } from '../tensor/ops/elementwise/elementary.js';
import { logicalAnd, logicalOr } from '../tensor/ops/elementwise/logic.js';
import { lgamma } from '../tensor/ops/elementwise/special.js';
import type { Shape } from '../tensor/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';

/** The constant of Euler and Mascheroni. */
export const eulerGamma = 0.5772156649015329;

/** `f(x)`, and `value` where the condition holds; there `f` sees `safe`, so that its derivative is that of a constant. */
export const unless = (
  condition: Tensor,
  value: number,
  x: Tensor,
  safe: Tensor | number,
  f: (x: Tensor) => Tensor,
): Tensor => where(condition, value, f(where(condition, safe as Tensor, x) as Tensor)) as Tensor;

export const isInfinite = (x: Tensor): Tensor => equal(abs(x), Number.POSITIVE_INFINITY) as Tensor;

/** A logarithm of a density of which the support begins at 0: −∞ below it, and at ∞, where terms of it may cancel. */
export const above0 = (x: Tensor, f: (x: Tensor) => Tensor): Tensor =>
  unless(logicalOr(less(x, 0), isInfinite(x)) as Tensor, Number.NEGATIVE_INFINITY, x, 1, f);

/** What a distribution function that begins at 0 is: 0 below it. */
export const from0 = (x: Tensor, f: (x: Tensor) => Tensor): Tensor => unless(less(x, 0), 0, x, 0, f);

/** A logarithm of the probability of counts: −∞ below 0, between integers, and at ∞. */
export const counts = (x: Tensor, f: (x: Tensor) => Tensor): Tensor =>
  unless(logicalOr(notCounts(x), isInfinite(x)) as Tensor, Number.NEGATIVE_INFINITY, x, 0, f);

/** Where x is negative or no integer; NaN, which is neither, goes on as it is. */
export const notCounts = (x: Tensor): Tensor => logicalOr(less(x, 0), less(floor(x) as Tensor, x)) as Tensor;

/** `a · log(1 + y)`, and 0 where `a` is 0 and y ≤ −1: there both derivatives are 0. */
export const xlog1py = (a: Tensor, y: Tensor): Tensor => {
  const vanishes = logicalAnd(equal(a, 0), lessEqual(y, -1)) as Tensor;
  return mul(a, log1p(where(vanishes, 0, y) as Tensor)) as Tensor;
};

/** `a · logarithm`, and 0 where `a` is 0: a logarithm of a probability may be −∞. */
export const weighted = (a: Tensor, logarithm: Tensor): Tensor =>
  mul(a, where(notEqual(a, 0), logarithm, 0) as Tensor) as Tensor;

/** From here on 1 is nothing beside the square, which may be too large for a float. */
const large = 1e9;

/** log(1 + x²). */
export const logOfSquareAnd1 = (x: Tensor): Tensor => {
  const size = abs(x) as Tensor;
  const isLarge = greater(size, large) as Tensor;
  const far = mul(log(where(isLarge, size, large)), 2) as Tensor;
  return where(isLarge, far, log1p(square(where(isLarge, 0, x) as Tensor) as Tensor)) as Tensor;
};

/** The logarithm of Euler's beta function. */
export const lbeta = (a: Tensor, b: Tensor): Tensor => sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b))) as Tensor;

/** The logarithm of n!. */
export const logFactorial = (n: Tensor): Tensor => lgamma(add(n, 1)) as Tensor;

/**
 * Draws by the inverse of the distribution function, differentiable in the parameters. The interval of uniform draws that
 * begins at 0 counts as its middle, for the inverse may be infinite at 0.
 */
export const byInverse =
  (dtype: FloatDType, icdf: (p: Tensor) => Tensor) =>
  (key: Key, shape: Shape): Tensor =>
    icdf(openUniform(key, shape, dtype));

/** Uniform draws from (0, 1), the ends left out. */
export const openUniform = (key: Key, shape: Shape, dtype: FloatDType): Tensor =>
  wrap(openUnit(keyNode('sample', key), shape, dtype));

/** A probability as rounding may have left it. */
export const probability = (p: Tensor): Tensor => clamp(p, 0, 1) as Tensor;
