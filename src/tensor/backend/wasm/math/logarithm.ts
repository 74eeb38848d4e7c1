/**
 * Logarithms. x = 2^k·(1 + f) with 1 + f between √½ and √2; log(1 + f) from a minimax polynomial, in float64 one of
 * s = f/(2 + f) as log(1 + f) = 2·atanh(s): the coefficients are those of test/math/derive.ts.
 */
import { ln2High, ln2Low } from './exponential.js';
import type { Lanes } from './lanes.js';
import { byWidth, fractionBits, polynomial } from './parts.js';

/** (log(1 + f) − f + f²/2)/f³. */
const narrow = [
  0.333333168, -0.250008118, 0.20002285, -0.166244967, 0.141811328, -0.131292899, 0.128825392, -0.0785936792,
];
/** (2·atanh(s)/s − 2)/z as a function of z = s². */
const wide = [
  0.66666666666667, 0.39999999999609154, 0.2857142870465936, 0.22222202042673847, 0.18183399886783722,
  0.15317934601990651, 0.1475974577909107,
];

const exponentBias = (m: { readonly width: 32 | 64 }): number => byWidth(m, 127, 1023);

/** The bits of √½, or the float just below. */
const sqrtHalf = (m: { readonly width: 32 | 64 }): bigint => byWidth(m, 0x3f3504f3n, 0x3fe6a09e667f3bccn);
const oneBits = (m: { readonly width: 32 | 64 }): bigint => byWidth(m, 0x3f800000n, 0x3ff0000000000000n);

/** A positive normal x as 2^(exponent − bias)·mantissa, the mantissa between √½ and √2; the exponent an integer. */
export const split = <V>(m: Lanes<V>, x: V): { readonly mantissa: V; readonly exponent: V } => {
  const bits = fractionBits(m);
  const moved = m.iadd(x, m.integer(oneBits(m) - sqrtHalf(m)));
  const fraction = m.and(moved, m.integer((1n << BigInt(bits)) - 1n));
  return { mantissa: m.iadd(fraction, m.integer(sqrtHalf(m))), exponent: m.shiftRightLogical(moved, bits) };
};

/** A positive x that `split` takes: x, or a denormal times a power of two; and what the exponent has to lose then. */
export const normal = <V>(m: Lanes<V>, x: V): { readonly x: V; readonly bias: V } => {
  const small = m.lt(x, m.float(byWidth(m, 2 ** -126, 2 ** -1022)));
  const by = fractionBits(m) + 1;
  return {
    x: m.select(small, m.mul(x, m.float(2 ** by)), x),
    bias: m.select(small, m.float(exponentBias(m) + by), m.float(exponentBias(m))),
  };
};

/** k·ln 2 + log(1 + f). */
const combined = <V>(m: Lanes<V>, k: V, f: V): V => {
  const square = m.mul(f, f);
  const half = m.mul(square, m.float(0.5));
  const [high, low] = [m.float(ln2High(m)), m.float(ln2Low(m))];
  if (m.width === 32) {
    const cube = m.mul(square, f);
    const rest = m.fma(polynomial(m, f, narrow), cube, m.mul(k, low));
    return m.fma(k, high, m.add(f, m.sub(rest, half)));
  }
  const s = m.div(f, m.add(f, m.float(2)));
  const z = m.mul(s, s);
  const rest = m.mul(polynomial(m, z, wide), z);
  const tail = m.fma(s, m.add(half, rest), m.mul(k, low));
  return m.fma(k, high, m.add(f, m.sub(tail, half)));
};

/** The value where x is positive and finite; −∞ at zero, NaN below, ∞ and NaN as they are. */
const special = <V>(m: Lanes<V>, y: V, x: V): V => {
  const zero = m.float(0);
  const upper = m.select(m.lt(x, m.float(Number.POSITIVE_INFINITY)), y, x);
  // A mask is a NaN.
  return m.select(m.eq(x, zero), m.float(Number.NEGATIVE_INFINITY), m.or(upper, m.lt(x, zero)));
};

export const log = <V>(m: Lanes<V>, x: V): V => {
  const { x: positive, bias } = normal(m, x);
  const { mantissa, exponent } = split(m, positive);
  return special(m, combined(m, m.sub(m.toFloat(exponent), bias), m.sub(mantissa, m.float(1))), x);
};

/** log of u = 1 + x, with what the sum lost put back: as a part of f, where it is exact for small x. */
export const log1p = <V>(m: Lanes<V>, x: V): V => {
  const one = m.float(1);
  const u = m.add(x, one);
  const back = m.sub(u, one);
  const lost = m.add(m.sub(x, back), m.sub(one, m.sub(u, back)));
  const { mantissa, exponent } = split(m, u);
  const bits = fractionBits(m);
  // 2^−k; no such float for the largest u, which lost nothing of weight.
  const power = m.isub(m.integer(BigInt(2 * exponentBias(m)) << BigInt(bits)), m.shiftLeft(exponent, bits));
  const put = m.and(m.mul(lost, power), m.lt(u, m.float(2 ** 64)));
  const f = m.add(m.sub(mantissa, one), put);
  const y = combined(m, m.sub(m.toFloat(exponent), m.float(exponentBias(m))), f);
  // So that −0 and denormals stay what they are.
  return m.select(m.lt(m.abs(x), m.float(byWidth(m, 2 ** -26, 2 ** -55))), x, special(m, y, u));
};
