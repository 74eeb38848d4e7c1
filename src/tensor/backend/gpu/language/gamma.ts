/** log |Γ| and its derivative. The coefficients are those of the CPU backend. */
import { sin, tan } from './angles.js';
import { round } from './arithmetic.js';
import type { Float } from './code.js';
import { log } from './logarithm.js';
import type { Floats } from './parts.js';

/** log Γ(2 + z)/z/(1 + z) for −¾ ≤ z ≤ ½: without zeros, so that near those of log Γ no digits cancel. */
const nearTwo = [
  0.422784334, -0.100317323, 0.0329651571, -0.0123832176, 0.00499573466, -0.00212082092, 0.000930919756,
  -0.000340786886, 0.000167270848, -0.000202176287,
];

interface Reflected {
  /** The argument or, left of 0, 1 − x. */
  readonly y: Float;
  /** What is left of x beside the nearest integer, and π times that. */
  readonly r: Float;
  readonly angle: Float;
}

const reflected = (f: Floats, x: Float): Reflected => {
  const r = f.sub(x, round(f, x));
  return { y: f.select(f.lt(0, x), x, f.sub(1, x)), r, angle: f.mul(r, Math.PI) };
};

/**
 * Below 8 a polynomial between 1.25 and 2.5, and the logarithm of the product that leads there; above Stirling's series
 * (Abramowitz & Stegun 6.1.41).
 */
const lgammaRight = (f: Floats, y: Float): Float => {
  let at = y;
  let product = f.of(1);
  for (let i = 0; i < 6; i++) {
    const above = f.le(2.5, at);
    const less = f.sub(at, f.select(above, 1, 0));
    product = f.mul(product, f.select(above, less, 1));
    at = less;
  }
  const low = f.lt(y, 1.25);
  const least = f.lt(y, 0.5);
  const z = f.select(least, y, f.sub(at, f.select(low, 1, 2)));
  const factor = f.select(low, f.select(least, f.fma(y, y, y), y), product);
  const large = f.le(8, y);
  const logarithm = log(f, f.select(large, y, factor));
  const zeros = f.mul(z, f.add(z, 1));
  const small = f.fma(zeros, f.polynomial(z, nearTwo), f.select(low, f.neg(logarithm), logarithm));
  const inverse = f.div(1, f.select(large, y, 8));
  const series = f.fma(f.mul(inverse, inverse), -1 / 360, 1 / 12);
  const rest = f.fma(series, inverse, (Math.log(2 * Math.PI) - 1) / 2);
  return f.select(large, f.fma(f.sub(y, 0.5), f.sub(logarithm, 1), rest), small);
};

/** Left of 0 −log |sin πx/π| − log Γ(1 − x) (6.1.17). */
export const lgamma = (f: Floats, x: Float): Float => {
  const { y, r, angle } = reflected(f, x);
  const value = lgammaRight(f, y);
  const sine = f.select(f.lt(f.abs(r), 2 ** -14), r, f.mul(sin(f, angle), 1 / Math.PI));
  const left = f.neg(f.add(log(f, f.abs(sine)), value));
  // Every float that far out is an integer.
  const pole = f.code.either(f.eq(r, 0), f.lt(x, -(2 ** 24)));
  const result = f.select(f.lt(0, x), value, f.select(pole, f.code.infinity, left));
  return f.select(f.eq(x, x), result, x);
};

/** ψ by its recurrence up to 6 and from there by its series (6.3.18), left of 0 less π·cot πx (6.3.7). */
export const digamma = (f: Floats, x: Float): Float => {
  const { y, r, angle } = reflected(f, x);
  let at = y;
  let sum = f.of(0);
  for (let i = 0; i < 6; i++) {
    const below = f.lt(at, 6);
    sum = f.sub(sum, f.select(below, f.div(1, at), 0));
    at = f.add(at, f.select(below, 1, 0));
  }
  const inverse = f.select(f.lt(2 ** 64, at), 0, f.div(1, at));
  const square = f.mul(inverse, inverse);
  const series = f.mul(square, f.polynomial(square, [1 / 12, -1 / 120, 1 / 252]));
  const value = f.add(sum, f.sub(log(f, at), f.fma(inverse, 0.5, series)));
  const left = f.sub(value, f.div(Math.PI, tan(f, angle)));
  const pole = f.select(f.eq(x, 0), f.div(-1, x), f.code.nan);
  const reflectedValue = f.select(f.lt(0, f.abs(r)), left, pole);
  const result = f.select(f.lt(0, x), value, reflectedValue);
  return f.select(f.eq(x, x), result, x);
};
