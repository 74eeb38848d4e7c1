/**
 * x^y = 2^(y·log₂|x|). The product and the logarithm are rounded float32, so the error is that of a power of two whose
 * exponent is off by a unit of its last place or so: |y·log₂ x| units of the result beside those of the exponential.
 */
import { sqrt } from './arithmetic.js';
import type { Float } from './code.js';
import { scaledExp } from './exponential.js';
import { log2Within } from './logarithm.js';
import { type Floats, isNegative } from './parts.js';

/** The special cases are those of IEEE 754: 1 to any power is 1, and −1 to ±∞; else those of Math.pow. */
export const pow = (f: Floats, x: Float, y: Float): Float => {
  const { code } = f;
  const a = f.abs(x);
  const magnitude = f.select(f.eq(a, 0), 0, a);
  const [finiteA, finiteY] = [f.finite(a), f.finite(y)];
  const regular = code.both(f.lt(0, a), code.both(finiteA, finiteY));
  const inside = f.select(regular, 1, 0);
  const isRegular = f.lt(0.5, inside);
  const exponent = f.mul(f.select(isRegular, y, 1), log2Within(f, f.select(isRegular, a, 1)));
  const bounded = f.max(f.min(exponent, 200), -200);
  const n = f.nearest(bounded);
  const powered = scaledExp(f, f.mul(f.sub(bounded, n), Math.LN2), f.max(n, -160));
  const settledByOverflow = f.select(f.le(128, bounded), code.infinity, f.select(f.le(bounded, -151), 0, powered));

  // What is common is as exact as a product.
  const square = f.mul(magnitude, magnitude);
  const products = [
    [1, magnitude],
    [2, square],
    [3, f.mul(square, magnitude)],
    [0.5, sqrt(f, magnitude)],
    [-1, f.div(1, magnitude)],
  ] as const;
  const value = products.reduce((rest, [at, product]) => f.select(f.eq(y, at), product, rest), settledByOverflow);

  // ∞ or 0.
  const below = f.lt(y, 0);
  const above = f.lt(1, a);
  const toInfinity = code.either(code.both(below, code.not(above)), code.both(above, code.not(below)));
  const edge = f.select(toInfinity, code.infinity, 0);
  const absolute = f.select(isRegular, value, edge);

  const integral = f.eq(f.floor(y), y);
  const half = f.mul(y, 0.5);
  const even = f.eq(f.floor(half), half);
  const odd = code.both(integral, code.not(even));
  const signed = f.select(code.both(odd, isNegative(f, x)), f.neg(absolute), absolute);

  const root = code.both(f.lt(x, 0), finiteA, code.not(integral));
  const missing = code.either(root, code.isNaN(f.of(x)), code.isNaN(f.of(y)));
  const unbounded = f.eq(f.abs(y), code.infinity);
  const settled = code.either(f.eq(y, 0), f.eq(x, 1), code.both(f.eq(a, 1), unbounded));
  return f.select(settled, 1, f.select(missing, code.nan, signed));
};
