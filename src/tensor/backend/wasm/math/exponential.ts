/**
 * The exponential and what is made of it. x = n·ln 2 + r with |r| ≤ ln 2 / 2, and e^r from a minimax polynomial: the
 * coefficients are those of test/math/derive.ts.
 */
import type { Lanes } from './lanes.js';
import { byWidth, fractionBits, polynomial, powerOfTwo, rounder, signOf } from './parts.js';

/** (e^r − 1 − r)/r² for |r| ≤ ln 2 / 2. */
const narrow = [0.500000006, 0.166665453, 0.0416662898, 0.0083663634, 0.001394598];
const wide = [
  0.5000000000000004, 0.16666666666666685, 0.04166666666658187, 0.008333333333315629, 0.0013888888930235206,
  0.00019841269901071026, 0.000024801506610470363, 0.0000027557229493182526, 2.762557885927179e-7, 2.511404030873419e-8,
];

/** (tanh a/a − 1)/a² as a function of a², for a ≤ 0.55. */
const tanhNarrow = [-0.333330243, 0.133220918, -0.0527433996, 0.0165534051];
const tanhWide = [
  -0.33333333333333065, 0.13333333333255573, -0.053968253911859554, 0.021869486713998635, -0.008863203275167876,
  0.0035917832311408594, -0.001453502500744942, 0.0005799159768844596, -0.0002114811876210611, 0.000051781357336418096,
];

/** (sinh a/a − 1)/a² as a function of a², for a ≤ 1. */
const sinhNarrow = [0.166667168, 0.00833025036, 0.00020374918];
const sinhWide = [
  0.16666666666666669, 0.00833333333333316, 0.0001984126984142645, 0.0000027557319158311134, 2.5052122990903347e-8,
  1.6057268256873173e-10, 7.758556565425624e-13,
];

/** ln 2 in two parts; the product of the first with any exponent is exact. */
export const ln2High = (m: { readonly width: 32 | 64 }): number => byWidth(m, 0.693145751953125, 0.6931471803691238);
export const ln2Low = (m: { readonly width: 32 | 64 }): number =>
  byWidth(m, 0.0000014286068203094173, 1.9082149292705877e-10);

/** e^r − 1 − r for |r| ≤ ln 2 / 2. */
const curved = <V>(m: Lanes<V>, r: V): V => m.mul(polynomial(m, r, byWidth(m, narrow, wide)), m.mul(r, r));

/** e^r − 1 for |r| ≤ ln 2 / 2. */
export const expm1Reduced = <V>(m: Lanes<V>, r: V): V =>
  m.fma(polynomial(m, r, byWidth(m, narrow, wide)), m.mul(r, r), r);

/** x (or x + low, the smaller part) less the nearest multiple n of ln 2, and that n in the low bits of `n`. Not for huge x. */
export const reduced = <V>(m: Lanes<V>, x: V, low?: V): { readonly r: V; readonly n: V } => {
  const n = m.fma(low === undefined ? x : m.add(x, low), m.float(Math.LOG2E), rounder(m));
  const multiple = m.sub(n, rounder(m));
  const high = m.fma(multiple, m.float(-ln2High(m)), x);
  const r = m.fma(multiple, m.float(-ln2Low(m)), high);
  return { r: low === undefined ? r : m.add(r, low), n };
};

/** y·2^n for any result, denormal or infinite: in two steps, as 2^n itself may be neither. */
export const scale = <V>(m: Lanes<V>, y: V, n: V): V => {
  const bits = fractionBits(m);
  const whole = m.shiftLeft(n, bits);
  const half = m.and(m.shiftLeft(n, bits - 1), m.integer(-1n << BigInt(bits)));
  return m.mul(m.mul(y, m.iadd(half, m.float(1))), m.iadd(m.isub(whole, half), m.float(1)));
};

/** Beyond these e^x is 0 and ∞. */
const lowest = (m: { readonly width: 32 | 64 }): number => byWidth(m, -104, -746);
const highest = (m: { readonly width: 32 | 64 }): number => byWidth(m, 89, 710);

export const exp = <V>(m: Lanes<V>, x: V): V => {
  const { r, n } = reduced(m, m.min(m.max(x, m.float(lowest(m))), m.float(highest(m))));
  return scale(m, m.add(expm1Reduced(m, r), m.float(1)), n);
};

/**
 * e^x − 1 = 2·(2^(n−1)·(e^r − 1) + (2^(n−1) − ½)): halved, as 2^n may be ∞ where the result is not. Of e^r − 1 first
 * r, which cancels without rounding.
 */
export const expm1 = <V>(m: Lanes<V>, x: V): V => {
  const { r, n } = reduced(m, m.min(m.max(x, m.float(byWidth(m, -20, -40))), m.float(highest(m))));
  const power = powerOfTwo(m, n, -1);
  const half = m.fma(curved(m, r), power, m.fma(r, power, m.sub(power, m.float(0.5))));
  // Denormals have no half, and zero no sign left.
  return m.select(m.lt(m.abs(x), m.float(byWidth(m, 2 ** -26, 2 ** -55))), x, m.add(half, half));
};

/** Below 0.55 a polynomial, above 1 − 2/(e^2a + 1) of the magnitude a, where the quotient is the smaller part. */
export const tanh = <V>(m: Lanes<V>, x: V): V => {
  const a = m.min(m.abs(x), m.float(byWidth(m, 10, 20)));
  const z = m.mul(a, a);
  const near = m.fma(m.mul(polynomial(m, z, byWidth(m, tanhNarrow, tanhWide)), z), a, a);
  const { r, n } = reduced(m, m.add(a, a));
  const power = powerOfTwo(m, n);
  const one = m.float(1);
  const sum = m.fma(expm1Reduced(m, r), power, m.add(power, one));
  const far = m.sub(one, m.div(m.float(2), sum));
  return m.or(m.select(m.lt(a, m.float(0.55)), near, far), signOf(m, x));
};

/**
 * 1/(1 + e^−x) with 1 + e^−x = (1 + 2^n) + 2^n·(e^r − 1): one rounding less than by way of e^−x. All of it times a
 * power of two, as e^−x is ∞ where the result is a denormal.
 */
export const sigmoid = <V>(m: Lanes<V>, x: V): V => {
  const { r, n } = reduced(m, m.min(m.max(m.neg(x), m.float(byWidth(m, -20, -40))), m.float(-lowest(m))));
  const one = m.float(2 ** byWidth(m, -32, -128));
  const power = powerOfTwo(m, n, byWidth(m, -32, -128));
  const whole = m.add(power, one);
  const lost = m.sub(one, m.sub(whole, power));
  const sum = m.add(whole, m.fma(expm1Reduced(m, r), power, lost));
  return m.mul(m.div(m.float(1), sum), one);
};

/** e^a/2 for a ≥ 0, also where e^a is ∞ and half of it is not. */
const halfExp = <V>(m: Lanes<V>, a: V): V => {
  const { r, n } = reduced(m, m.min(a, m.float(highest(m) + 2)));
  return scale(m, m.add(expm1Reduced(m, r), m.float(1)), m.isub(n, m.integer(1n)));
};

/** Up to 1 a polynomial, above (e^a − e^−a)/2 of the magnitude a. */
export const sinh = <V>(m: Lanes<V>, x: V): V => {
  const a = m.abs(x);
  const z = m.mul(a, a);
  const near = m.fma(m.mul(polynomial(m, z, byWidth(m, sinhNarrow, sinhWide)), z), a, a);
  const half = halfExp(m, a);
  const far = m.sub(half, m.div(m.float(0.25), half));
  return m.or(m.select(m.lt(a, m.float(1)), near, far), signOf(m, x));
};

export const cosh = <V>(m: Lanes<V>, x: V): V => {
  const half = halfExp(m, m.abs(x));
  return m.add(half, m.div(m.float(0.25), half));
};
