/** Inverses of the hyperbolic functions, by log1p; and two functions that must not overflow on their way. */
import { exp } from './exponential.js';
import type { Lanes } from './lanes.js';
import { log1p } from './logarithm.js';
import { byWidth, signOf } from './parts.js';

/** From here on a ± 1 is a, and the inverse of either function log 2a. */
const large = (m: { readonly width: 32 | 64 }): number => byWidth(m, 2 ** 28, 2 ** 57);

/** log 2a where that mask says so, else log(1 + u). */
const byLog1p = <V>(m: Lanes<V>, huge: V, a: V, u: V): V =>
  m.add(log1p(m, m.select(huge, a, u)), m.and(huge, m.float(Math.LN2)));

/** log(a + √(a² + 1)) = log(1 + a + a²/(1 + √(a² + 1))). */
export const asinh = <V>(m: Lanes<V>, x: V): V => {
  const one = m.float(1);
  const a = m.abs(x);
  const square = m.mul(a, a);
  const u = m.add(a, m.div(square, m.add(one, m.sqrt(m.add(square, one)))));
  return m.or(byLog1p(m, m.lt(m.float(large(m)), a), a, u), signOf(m, x));
};

/** log(x + √(x² − 1)) = log(1 + t + √(t² + 2t)) with t = x − 1. */
export const acosh = <V>(m: Lanes<V>, x: V): V => {
  const one = m.float(1);
  const t = m.sub(x, one);
  const u = m.add(t, m.sqrt(m.fma(t, t, m.add(t, t))));
  return m.or(byLog1p(m, m.lt(m.float(large(m)), x), x, u), m.lt(x, one));
};

/** log((1 + a)/(1 − a))/2. */
export const atanh = <V>(m: Lanes<V>, x: V): V => {
  const a = m.abs(x);
  const y = log1p(m, m.div(m.add(a, a), m.sub(m.float(1), a)));
  return m.or(m.mul(y, m.float(0.5)), signOf(m, x));
};

/** √(x² + y²) as the larger times √(1 + q²); ∞ beside NaN is ∞. */
export const hypot = <V>(m: Lanes<V>, x: V, y: V): V => {
  const [zero, one, infinity] = [m.float(0), m.float(1), m.float(Number.POSITIVE_INFINITY)];
  const [ax, ay] = [m.abs(x), m.abs(y)];
  const larger = m.max(ax, ay);
  const q = m.div(m.min(ax, ay), m.select(m.eq(larger, zero), one, larger));
  const finite = m.or(m.mul(larger, m.sqrt(m.fma(q, q, one))), m.or(m.ne(x, x), m.ne(y, y)));
  return m.select(m.or(m.eq(ax, infinity), m.eq(ay, infinity)), infinity, finite);
};

/** The larger plus log(1 + e^−d) of the difference, which equal infinities have none of. */
export const logaddexp = <V>(m: Lanes<V>, x: V, y: V): V => {
  const d = m.select(m.eq(x, y), m.float(0), m.abs(m.sub(x, y)));
  // Of two NaN the machine is free to choose one.
  return m.or(m.add(m.max(x, y), log1p(m, exp(m, m.neg(d)))), m.ne(d, d));
};
