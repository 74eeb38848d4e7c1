/**
 * x^y = 2^(y·log₂|x|), the logarithm as the sum of two floats: the first has half the digits, so that its product
 * with the leading half of y is exact. After fdlibm's e_pow.c; the coefficients are those of test/math/derive.ts.
 */
import { expm1Reduced, scale } from './exponential.js';
import type { Lanes } from './lanes.js';
import { normal, split } from './logarithm.js';
import { byWidth, leading, polynomial, rounder, signOf } from './parts.js';

/** (3·atanh(s)/s − 3 − z)/z² as a function of z = s². */
const narrow = [0.599999989, 0.428575282, 0.332921066, 0.289657286];
const wide = [
  0.6, 0.42857142857147884, 0.3333333333104803, 0.2727272773594373, 0.23076873150579771, 0.20003062042831485,
  0.17540060807901522, 0.177589631618758,
];

/** 2/(3·ln 2), and as a sum of which the first part has half the digits. */
const factor = 0.9617966939259756;
const factorHead = (m: { readonly width: 32 | 64 }): number => byWidth(m, 0.961669921875, 0.9617966860532761);
const factorTail = (m: { readonly width: 32 | 64 }): number => byWidth(m, 0.0001267720509756049, 7.872699542894897e-9);

/** A number as the sum of two floats, the first with half the digits. */
interface Sum<V> {
  readonly head: V;
  readonly tail: V;
}

/** log₂ of a positive x. */
const log2 = <V>(m: Lanes<V>, x: V): Sum<V> => {
  const [one, three] = [m.float(1), m.float(3)];
  const { x: positive, bias } = normal(m, x);
  const { mantissa, exponent } = split(m, positive);
  const k = m.sub(m.toFloat(exponent), bias);
  // log(mantissa) = 2·atanh(s); s = above/below = head + tail.
  const above = m.sub(mantissa, one);
  const below = m.add(mantissa, one);
  const s = m.div(above, below);
  const head = leading(m, s);
  const belowHead = leading(m, below);
  const belowTail = m.sub(mantissa, m.sub(belowHead, one));
  const tail = m.div(m.sub(m.sub(above, m.mul(head, belowHead)), m.mul(head, belowTail)), below);
  // 2·atanh(s) = 2/3·s·ratio; ratio = 3 + head² + rest = ratioHead + ratioTail.
  const z = m.mul(s, s);
  const square = m.mul(head, head);
  const rest = m.fma(polynomial(m, z, byWidth(m, narrow, wide)), m.mul(z, z), m.mul(tail, m.add(head, s)));
  const ratioHead = leading(m, m.add(m.add(three, square), rest));
  const ratioTail = m.sub(rest, m.sub(m.sub(ratioHead, three), square));
  // s·ratio = productHead + productTail.
  const first = m.mul(head, ratioHead);
  const second = m.fma(tail, ratioHead, m.mul(ratioTail, s));
  const productHead = leading(m, m.add(first, second));
  const productTail = m.sub(second, m.sub(productHead, first));
  // Times 2/(3·ln 2), plus k.
  const exactly = m.mul(productHead, m.float(factorHead(m)));
  const lower = m.fma(productHead, m.float(factorTail(m)), m.mul(productTail, m.float(factor)));
  const sum = leading(m, m.add(m.add(exactly, lower), k));
  return { head: sum, tail: m.sub(lower, m.sub(m.sub(sum, k), exactly)) };
};

/** 2^(head + tail), of far too large or small a sum ∞ or 0. */
const exp2 = <V>(m: Lanes<V>, { head, tail }: Sum<V>): V => {
  const clamp = (x: V, limit: number): V => m.min(m.max(x, m.float(-limit)), m.float(limit));
  const whole = clamp(head, byWidth(m, 200, 1500));
  const part = clamp(tail, 1);
  const n = m.add(m.add(whole, part), rounder(m));
  const rest = m.add(m.sub(whole, m.sub(n, rounder(m))), part);
  return scale(m, m.add(expm1Reduced(m, m.mul(rest, m.float(Math.LN2))), m.float(1)), n);
};

/** The special cases are those of IEEE 754: 1 to any power is 1, and −1 to ±∞; else those of Math.pow. */
export const pow = <V>(m: Lanes<V>, x: V, y: V): V => {
  const [zero, one, infinity] = [m.float(0), m.float(1), m.float(Number.POSITIVE_INFINITY)];
  const a = m.abs(x);
  const { head, tail } = log2(m, a);
  // A y beyond these makes 0 or ∞ of anything but 1.
  const limit = byWidth(m, 2 ** 40, 2 ** 70);
  const within = m.min(m.max(y, m.float(-limit)), m.float(limit));
  const high = leading(m, within);
  const low = m.fma(m.sub(within, high), head, m.mul(within, tail));
  const regular = exp2(m, { head: m.mul(high, head), tail: low });

  const unboundedY = m.eq(m.abs(y), infinity);
  const extreme = m.or(m.or(m.eq(a, zero), m.eq(a, infinity)), unboundedY);
  const edge = m.and(m.xor(m.lt(y, zero), m.lt(one, a)), infinity);
  const magnitude = m.select(extreme, edge, regular);

  const half = m.mul(y, m.float(0.5));
  const integral = m.eq(m.floor(y), y);
  const odd = m.and(integral, m.ne(m.floor(half), half));
  const signed = m.xor(magnitude, m.and(odd, signOf(m, x)));

  const root = m.and(m.and(m.lt(x, zero), m.lt(a, infinity)), m.not(integral));
  const missing = m.or(root, m.or(m.ne(x, x), m.ne(y, y)));
  const settled = m.or(m.or(m.eq(y, zero), m.eq(x, one)), m.and(m.eq(a, one), unboundedY));
  return m.select(settled, one, m.select(missing, m.float(Number.NaN), signed));
};
