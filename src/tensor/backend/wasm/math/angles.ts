/**
 * Inverses of sine, cosine and tangent: polynomials in what is left of the argument when a multiple of π/4 has been taken
 * from the angle. The coefficients are those of test/math/derive.ts.
 */
import type { Lanes } from './lanes.js';
import { byWidth, polynomial, signOf } from './parts.js';

/** (atan t/t − 1)/t² as a function of t², for |t| ≤ tan π/8. */
const atanNarrow = [-0.333330733, 0.199816009, -0.13913943, 0.0815808983];
const atanWide = [
  -0.33333333333333315, 0.19999999999984064, -0.1428571428300011, 0.11111110912556502, -0.09090901202421614,
  0.07692117437655983, -0.06663714809201136, 0.05852081640869285, -0.05057196760497754, 0.03849664644653313,
  -0.01835836460660531,
];

/** (asin s/s − 1)/s² as a function of s², for s ≤ ½. */
const asinNarrow = [0.166667247, 0.0749620109, 0.0453733633, 0.0246037573, 0.0415137617];
const asinWide = [
  0.1666666666666668, 0.07499999999990332, 0.04464285715771309, 0.030381943452322754, 0.02237219553600912,
  0.017351938526329887, 0.013977139548764474, 0.01142738791603587, 0.010628655711174845, 0.004252480415727445,
  0.020435950115833556, -0.019271769885094443, 0.031588867990620544,
];

/** π/4 in two parts: multiples up to 4 of the first are exact. */
const quarterHigh = (m: { readonly width: 32 | 64 }): number => byWidth(m, 0.785398006439209, 0.7853981633974483);
const quarterLow = (m: { readonly width: 32 | 64 }): number => byWidth(m, 1.5695823663008923e-7, 3.061616997868383e-17);

/** k·π/4 + sign·atan(numerator/denominator) for a quotient within ±tan π/8; the sign is a sign bit. */
const angle = <V>(m: Lanes<V>, k: V, sign: V, numerator: V, denominator: V): V => {
  const t = m.xor(m.div(numerator, denominator), sign);
  const z = m.mul(t, t);
  const curved = m.mul(m.mul(polynomial(m, z, byWidth(m, atanNarrow, atanWide)), z), t);
  return m.fma(k, m.float(quarterHigh(m)), m.add(t, m.fma(k, m.float(quarterLow(m)), curved)));
};

/** atan a = π/4 + atan((a − 1)/(a + 1)) = π/2 − atan(1/a). */
export const atan = <V>(m: Lanes<V>, x: V): V => {
  const [zero, one] = [m.float(0), m.float(1)];
  const a = m.abs(x);
  const middle = m.lt(m.float(Math.SQRT2 - 1), a);
  const high = m.lt(m.float(Math.SQRT2 + 1), a);
  const numerator = m.select(high, m.float(-1), m.select(middle, m.sub(a, one), a));
  const denominator = m.select(high, a, m.select(middle, m.add(a, one), one));
  const k = m.add(m.and(middle, one), m.and(high, one));
  return m.or(angle(m, k, zero, numerator, denominator), signOf(m, x));
};

/** Of |y| and |x| the smaller over the larger, and the octant put back. */
export const atan2 = <V>(m: Lanes<V>, y: V, x: V): V => {
  const [zero, one, infinity] = [m.float(0), m.float(1), m.float(Number.POSITIVE_INFINITY)];
  const [ay, ax] = [m.abs(y), m.abs(x)];
  const steep = m.lt(ax, ay);
  const larger = m.select(steep, ay, ax);
  const smaller = m.select(steep, ax, ay);
  // ∞/∞ is 1/1 here and 0/0 is 0/1; quarters of the largest can be added.
  const share = m.select(m.lt(m.float(byWidth(m, 2 ** 120, 2 ** 1000)), larger), m.float(0.25), one);
  const top = m.select(m.eq(smaller, infinity), one, m.mul(smaller, share));
  const bottom = m.select(m.eq(smaller, infinity), one, m.select(m.eq(larger, zero), one, m.mul(larger, share)));
  const middle = m.lt(m.mul(bottom, m.float(Math.SQRT2 - 1)), top);
  const numerator = m.select(middle, m.sub(top, bottom), top);
  const denominator = m.select(middle, m.add(top, bottom), bottom);
  // π/2 − angle where it is steep, π − angle left of 0.
  const back = m.shiftRight(x, m.width - 1);
  const low = m.and(middle, one);
  const upright = m.select(steep, m.sub(m.float(2), low), low);
  const k = m.select(back, m.sub(m.float(4), upright), upright);
  const sign = signOf(m, m.xor(steep, back));
  const result = m.xor(angle(m, k, sign, numerator, denominator), signOf(m, y));
  return m.or(result, m.or(m.ne(x, x), m.ne(y, y)));
};

/** s and asin s − s: of a = |x| itself up to ½, above of √((1 − a)/2), which has half the complement of the angle. */
const arc = <V>(m: Lanes<V>, a: V): { readonly far: V; readonly s: V; readonly rest: V } => {
  const half = m.float(0.5);
  const far = m.lt(half, a);
  const z = m.select(far, m.mul(m.sub(m.float(1), a), half), m.mul(a, a));
  const s = m.select(far, m.sqrt(z), a);
  return { far, s, rest: m.mul(m.mul(polynomial(m, z, byWidth(m, asinNarrow, asinWide)), z), s) };
};

export const asin = <V>(m: Lanes<V>, x: V): V => {
  const { far, s, rest } = arc(m, m.abs(x));
  const two = m.float(-2);
  const complement = m.fma(two, rest, m.float(2 * quarterLow(m)));
  const large = m.add(m.float(2 * quarterHigh(m)), m.fma(two, s, complement));
  return m.or(m.select(far, large, m.add(s, rest)), signOf(m, x));
};

/** π/2 − asin x near 0; 2·asin √((1 − x)/2) on the right, and what that is less than π on the left. */
export const acos = <V>(m: Lanes<V>, x: V): V => {
  const { far, s, rest } = arc(m, m.abs(x));
  const negative = m.shiftRight(x, m.width - 1);
  const k = m.select(far, m.and(negative, m.float(4)), m.float(2));
  const factor = m.xor(m.select(far, m.float(2), m.float(-1)), signOf(m, x));
  const low = m.fma(factor, rest, m.mul(k, m.float(quarterLow(m))));
  return m.fma(k, m.float(quarterHigh(m)), m.fma(factor, s, low));
};
