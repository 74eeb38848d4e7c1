/** log |Γ| and its derivative, of float32 alone. The coefficients are those of test/math/derive.ts. */
import type { Lanes } from './lanes.js';
import { log } from './logarithm.js';
import { polynomial } from './parts.js';
import { sin, tan } from './trigonometric.js';

/** log Γ(2 + z)/z/(1 + z) for −¾ ≤ z ≤ ½: without zeros, so that near those of log Γ no digits cancel. */
const nearTwo = [
  0.422784334, -0.100317323, 0.0329651571, -0.0123832176, 0.00499573466, -0.00212082092, 0.000930919756,
  -0.000340786886, 0.000167270848, -0.000202176287,
];

/** The argument or, left of 0, its reflection 1 − x; and π times what is left of x beside the nearest integer. */
const reflected = <V>(m: Lanes<V>, x: V): { readonly right: V; readonly y: V; readonly r: V; readonly angle: V } => {
  const right = m.lt(m.float(0), x);
  const r = m.sub(x, m.nearest(x));
  return { right, y: m.select(right, x, m.sub(m.float(1), x)), r, angle: m.mul(r, m.float(Math.PI)) };
};

/**
 * Below 8 a polynomial between 1.25 and 2.5, and the logarithm of the product that leads there; above Stirling's series
 * (Abramowitz & Stegun 6.1.41).
 */
const lgammaRight = <V>(m: Lanes<V>, y: V): V => {
  const [half, one] = [m.float(0.5), m.float(1)];
  let at = y;
  let product = one;
  for (let i = 0; i < 6; i++) {
    const above = m.le(m.float(2.5), at);
    at = m.sub(at, m.and(above, one));
    product = m.mul(product, m.select(above, at, one));
  }
  const low = m.lt(y, m.float(1.25));
  const least = m.lt(y, half);
  const z = m.select(least, y, m.sub(at, m.select(low, one, m.float(2))));
  const factor = m.select(low, m.select(least, m.fma(y, y, y), y), product);
  const large = m.le(m.float(8), y);
  const logarithm = log(m, m.select(large, y, factor));
  const zeros = m.mul(z, m.add(z, one));
  const small = m.fma(zeros, polynomial(m, z, nearTwo), m.select(low, m.neg(logarithm), logarithm));
  const inverse = m.div(one, y);
  const series = m.fma(m.mul(inverse, inverse), m.float(-1 / 360), m.float(1 / 12));
  const rest = m.fma(series, inverse, m.float((Math.log(2 * Math.PI) - 1) / 2));
  return m.select(large, m.fma(m.sub(y, half), m.sub(logarithm, one), rest), small);
};

/** Left of 0 −log |sin πx/π| − log Γ(1 − x) (6.1.17). */
export const lgamma = <V>(m: Lanes<V>, x: V): V => {
  const { right, y, r, angle } = reflected(m, x);
  const value = lgammaRight(m, y);
  // Where that is r itself it may be too small to be multiplied.
  const sine = m.select(m.lt(m.abs(r), m.float(2 ** -14)), r, m.mul(sin(m, angle), m.float(1 / Math.PI)));
  const left = m.neg(m.add(log(m, m.abs(sine)), value));
  // Every float that far out is an integer.
  const pole = m.or(m.eq(r, m.float(0)), m.lt(x, m.float(-(2 ** 24))));
  const result = m.select(right, value, m.select(pole, m.float(Number.POSITIVE_INFINITY), left));
  // NaN of both signs have been added on the way, in an order that the machine is free to choose.
  return m.or(result, m.ne(x, x));
};

/** ψ by its recurrence up to 6 and from there by its series (6.3.18), left of 0 less π·cot πx (6.3.7). */
export const digamma = <V>(m: Lanes<V>, x: V): V => {
  const [zero, one] = [m.float(0), m.float(1)];
  const { right, y, r, angle } = reflected(m, x);
  let at = y;
  let sum = zero;
  for (let i = 0; i < 6; i++) {
    const below = m.lt(at, m.float(6));
    sum = m.sub(sum, m.and(below, m.div(one, at)));
    at = m.add(at, m.and(below, one));
  }
  const inverse = m.div(one, at);
  const square = m.mul(inverse, inverse);
  const series = m.mul(square, polynomial(m, square, [1 / 12, -1 / 120, 1 / 252]));
  const value = m.add(sum, m.sub(log(m, at), m.fma(inverse, m.float(0.5), series)));
  const left = m.sub(value, m.div(m.float(Math.PI), tan(m, angle)));
  const pole = m.select(m.eq(x, zero), m.div(m.float(-1), x), m.float(Number.NaN));
  return m.or(m.select(right, value, m.select(m.eq(r, zero), pole, left)), m.ne(x, x));
};
