/** Division with a whole quotient, and what it leaves. */
import { b } from '../../build.js';
import { isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Binary } from './arithmetic.js';
import { binary } from './builders.js';

/** Whether a remainder of the dividend's sign and the divisor lie on different sides of 0. */
const isAcross = (rest: Node, divisor: Node): Node => {
  const zero = full(b, rest, 0);
  return b.and(b.ne(rest, zero), b.ne(b.lt(rest, zero), b.lt(divisor, zero)));
};

/**
 * The quotient of integers: of float64, where the quotient of two integers of 32 bits is far enough from the next integer
 * for rounding not to reach it.
 */
const wholeQuotient = (x: Node, y: Node): Node => {
  const [p, q] = [x, y].map(node => b.cast(node, { dtype: 'float64' })) as [Node, Node];
  const quotient = b.cast(b.floor(b.div(p, q)), { dtype: x.dtype });
  const zero = full(b, y, 0);
  return b.select(b.eq(y, zero), zero, quotient);
};

/**
 * The largest integer not above `a / b`, elementwise with broadcasting, as Python's `//`: together with
 * {@link remainder} it gives `a = b · floorDivide(a, b) + remainder(a, b)`. Its derivative is 0.
 *
 * A float divided by 0 is ±∞ or NaN, as of {@link div}; an integer divided by 0 is 0. (−2147483648)/(−1), which int32 does
 * not hold, is 2147483647.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.floor_divide
 * @pytorch torch.floor_divide
 * @example
 * ```js
 * import { floorDivide, tensor } from 'tenfold';
 * floorDivide(tensor([7, -7]), 2).toArray(); // => [3, -4]
 * floorDivide(tensor([7, -7], { dtype: 'int32' }), tensor([-2, 0], { dtype: 'int32' })).toArray(); // => [-4, 0]
 * ```
 */
export const floorDivide: Binary<'floorDivide'> = binary('floorDivide', (x, y) => {
  if (!isFloat(x.dtype)) return wholeQuotient(x, y);
  // Not ⌊x / y⌋: x / y can be rounded up to an integer, and then does not go with the remainder.
  const rest = b.rem(x, y);
  const toZero = b.round(b.div(b.sub(x, rest), y));
  const quotient = b.select(isAcross(rest, y), b.sub(toZero, full(b, y, 1)), toZero);
  return b.stopGradient(b.select(b.eq(y, full(b, y, 0)), b.div(x, y), quotient));
});

/**
 * The remainder of `a / b` with the sign of the divisor `b`, as Python's `%` and PyTorch's `remainder`.
 * An integer remainder by 0 is 0.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.remainder
 * @pytorch torch.remainder
 * @example
 * ```js
 * import { remainder, tensor } from 'tenfold';
 * remainder(tensor([-3, 3]), 2).toArray(); // => [1, 1]
 * ```
 */
export const remainder: Binary<'remainder'> = binary('remainder', (x, y) => {
  const rest = b.rem(x, y);
  return b.select(isAcross(rest, y), b.add(rest, y), rest);
});

/**
 * The remainder of `a / b` with the sign of the dividend `a`, as C's and PyTorch's `fmod`.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.fmod
 * @pytorch torch.fmod
 * @example
 * ```js
 * import { fmod, tensor } from 'tenfold';
 * fmod(tensor([-3, 3]), 2).toArray(); // => [-1, 1]
 * ```
 */
export const fmod: Binary<'fmod'> = binary('fmod', b.rem);
