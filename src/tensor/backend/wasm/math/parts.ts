/** What the elementary functions are put together from. */
import type { Lanes } from './lanes.js';

/** What differs between the widths: the first for 32 bits, the second for 64. */
export const byWidth = <T>({ width }: { readonly width: 32 | 64 }, narrow: T, wide: T): T =>
  width === 32 ? narrow : wide;

/** A polynomial by Horner's rule, lowest coefficient first. */
export const polynomial = <V>(m: Lanes<V>, x: V, coefficients: readonly number[]): V => {
  let sum = m.float(coefficients.at(-1)!);
  for (let i = coefficients.length - 2; i >= 0; i--) sum = m.fma(sum, x, m.float(coefficients[i]!));
  return sum;
};

/** The bits of the fraction of a float, not counting the leading one. */
export const fractionBits = (m: { readonly width: 32 | 64 }): number => byWidth(m, 23, 52);

/** The sign of every lane, as bits. */
export const signOf = <V>(m: Lanes<V>, x: V): V => m.and(x, m.float(-0));

/** 2^(n + k) for the integer n in the low bits, which may be a float that `rounder` was added to. */
export const powerOfTwo = <V>(m: Lanes<V>, n: V, k = 0): V => m.iadd(m.shiftLeft(n, fractionBits(m)), m.float(2 ** k));

/** 1.5·2^(fraction bits): adding it rounds to integers, and leaves the integer in the low bits. */
export const rounder = <V>(m: Lanes<V>): V => m.float(byWidth(m, 1.5 * 2 ** 23, 1.5 * 2 ** 52));

/** The leading half of the digits: the product of two such is exact. */
export const leading = <V>(m: Lanes<V>, x: V): V => m.and(x, m.integer(byWidth(m, -(1n << 12n), -(1n << 27n))));
