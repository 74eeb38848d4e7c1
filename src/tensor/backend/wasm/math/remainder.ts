/** The remainder of a division, exact. */
import type { Lanes } from './lanes.js';
import { byWidth, leading, signOf } from './parts.js';

const quotient = <V>(m: Lanes<V>, x: V, y: V): V => m.floor(m.div(m.abs(x), m.abs(y)));

/** Where the quotient has too many digits for {@link rem}, or is no number. */
export const needsLongDivision = <V>(m: Lanes<V>, x: V, y: V): V =>
  m.le(m.float(byWidth(m, 2 ** 12, 2 ** 26)), quotient(m, x, y));

/**
 * x − y·trunc(x / y) with the sign of x. The quotient times either half of the divisor's digits is exact, and so is what is left;
 * a quotient that was rounded up to an integer is one too large.
 */
export const rem = <V>(m: Lanes<V>, x: V, y: V): V => {
  const [a, d] = [m.abs(x), m.abs(y)];
  const q = quotient(m, x, y);
  const head = leading(m, d);
  const rest = m.sub(m.sub(a, m.mul(q, head)), m.mul(q, m.sub(d, head)));
  const settled = m.select(m.lt(rest, m.float(0)), m.add(rest, d), rest);
  const infinity = m.float(Number.POSITIVE_INFINITY);
  const whole = m.select(m.and(m.eq(d, infinity), m.lt(a, infinity)), a, settled);
  return m.select(m.eq(whole, whole), m.or(whole, signOf(m, x)), m.float(Number.NaN));
};
