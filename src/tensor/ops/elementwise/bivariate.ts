/** Functions of two variables, elementwise with broadcasting. */
import { b } from '../../build.js';
import { full } from '../../primitives/full.js';
import type { Binary, FloatBinary } from './arithmetic.js';
import { binary, floatBinary } from './builders.js';

/**
 * The angle of the point with the ordinate `a` and the abscissa `b`, between −π and π; the sign of a zero tells the sides
 * of the negative axis apart.
 *
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.arctan2
 * @pytorch torch.atan2
 * @example
 * ```js
 * import { atan2, tensor } from 'tenfold';
 * atan2(tensor([1, 1, -1]), tensor([1, 0, -1])).toArray(); // => [0.7853982, 1.5707964, -2.3561945]
 * ```
 */
export const atan2: FloatBinary<'atan2'> = floatBinary('atan2', b.atan2);

/**
 * `√(a² + b²)`, the length of the hypotenuse, without overflow on the way. Its derivative where both are 0 is 0.
 *
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.hypot
 * @pytorch torch.hypot
 * @example
 * ```js
 * import { hypot, tensor } from 'tenfold';
 * hypot(tensor([3, 3e30]), tensor([4, 4e30])).toArray(); // => [5, 5e30]
 * ```
 */
export const hypot: FloatBinary<'hypot'> = floatBinary('hypot', b.hypot);

/**
 * `log(eᵃ + eᵇ)`, the sum of two numbers of which the logarithms are known, without overflow.
 *
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.logaddexp
 * @pytorch torch.logaddexp
 * @example
 * ```js
 * import { logaddexp, tensor } from 'tenfold';
 * logaddexp(tensor([0, 1000, -Infinity]), tensor([0, 1000, 3])).toArray(); // => [0.6931472, 1000.69314, 3]
 * ```
 */
export const logaddexp: FloatBinary<'logaddexp'> = floatBinary('logaddexp', b.logaddexp);

/**
 * `a · log b`, and 0 where `a` is 0, whatever `b` is unless NaN: a term of an entropy. Where `a` is 0 and `b` is not above
 * it both derivatives are 0.
 *
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy scipy.special.xlogy
 * @pytorch torch.xlogy
 * @example
 * ```js
 * import { tensor, xlogy } from 'tenfold';
 * xlogy(tensor([0, 2]), tensor([0, Math.E])).toArray(); // => [0, 2]
 * ```
 */
export const xlogy: FloatBinary<'xlogy'> = floatBinary('xlogy', (x, y) => {
  const zero = full(b, x, 0);
  const unbounded = b.or(b.le(y, zero), b.eq(y, full(b, y, Number.POSITIVE_INFINITY)));
  // log 1 in its place is 0 with a derivative that is a number.
  return b.mul(x, b.log(b.select(b.and(b.eq(x, zero), unbounded), full(b, y, 1), y)));
});

/**
 * `(a − b)²`.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { squaredDifference, tensor } from 'tenfold';
 * squaredDifference(tensor([1, 2, 3]), 2).toArray(); // => [1, 0, 1]
 * ```
 */
export const squaredDifference: Binary<'squaredDifference'> = binary('squaredDifference', (x, y) => {
  const difference = b.sub(x, y);
  return b.mul(difference, difference);
});

/**
 * The magnitude of `a` with the sign of `b`, also that of −0; a NaN counts as positive. The derivative in `a` is ±1, 0 at 0;
 * that in `b` is 0.
 *
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.copysign
 * @pytorch torch.copysign
 * @example
 * ```js
 * import { copysign, tensor } from 'tenfold';
 * copysign(tensor([1, -2, 3]), tensor([-5, 5, -0])).toArray(); // => [-1, 2, -3]
 * ```
 */
export const copysign: FloatBinary<'copysign'> = floatBinary('copysign', (x, y) => {
  const zero = full(b, y, 0);
  // Only its reciprocal tells −0 from 0.
  const negative = b.lt(b.select(b.eq(y, zero), b.div(full(b, y, 1), y), y), zero);
  const magnitude = b.abs(x);
  return b.select(negative, b.neg(magnitude), magnitude);
});

/**
 * The step function: 0 where `a` is negative, 1 where it is positive, `b` where it is 0, NaN where it is NaN. The
 * derivative in `a` is 0.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.heaviside
 * @pytorch torch.heaviside
 * @example
 * ```js
 * import { heaviside, tensor } from 'tenfold';
 * heaviside(tensor([-2, 0, 3]), 0.5).toArray(); // => [0, 0.5, 1]
 * ```
 */
export const heaviside: Binary<'heaviside'> = binary('heaviside', (x, y) => {
  const zero = full(b, x, 0);
  return b.select(b.eq(x, zero), y, b.max(b.sign(x), zero));
});
