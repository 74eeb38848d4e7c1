/**
 * The exponential and what is made of it. x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^r from a polynomial, 2^n from the
 * device, whose powers of two are exact. The coefficients are those of the CPU backend.
 */
import type { Float } from './code.js';
import type { Floats } from './parts.js';

/** (e^r − 1 − r)/r² for |r| ≤ ln 2 / 2. */
const curve = [0.500000006, 0.166665453, 0.0416662898, 0.0083663634, 0.001394598];
/** (tanh a/a − 1)/a² as a function of a², for a ≤ 0.55. */
const tanhCurve = [-0.333330243, 0.133220918, -0.0527433996, 0.0165534051];
/** (sinh a/a − 1)/a² as a function of a², for a ≤ 1. */
const sinhCurve = [0.166667168, 0.00833025036, 0.00020374918];

/** ln 2 in two parts; the product of the first with any exponent is exact. */
export const ln2High = 0.693145751953125;
export const ln2Low = 0.0000014286068203094173;

/** Where e^x becomes 0 and ∞, and half of it ∞. */
const lowest = -104;
const highest = 88.72284;
const highestHalf = 89.41599;

/** e^r − 1 for |r| ≤ ln 2 / 2. */
const expm1Reduced = (f: Floats, r: Float): Float => f.fma(f.mul(f.polynomial(r, curve), r), r, r);

/** e^r·2^n for |r| ≤ ln 2 / 2 and n ≤ 128. */
export const scaledExp = (f: Floats, r: Float, n: Float): Float => {
  // There is no float 2^128, but less than that there is.
  const power = f.call('exp2', f.min(n, 127));
  const y = f.mul(f.add(expm1Reduced(f, r), 1), power);
  return f.mul(y, f.select(f.lt(127, n), 2, 1));
};

/** e^(x + low)·2^k, low the smaller part of the sum, within the bounds. */
export const expWithin = (f: Floats, x: Float, low: Float | null = null, k = 0): Float => {
  const n = f.nearest(f.mul(low === null ? x : f.add(x, low), Math.LOG2E));
  const rest = f.fma(n, -ln2Low, f.fma(n, -ln2High, x));
  return scaledExp(f, low === null ? rest : f.add(rest, low), k === 0 ? n : f.add(n, k));
};

export const exp = (f: Floats, x: Float): Float => {
  const within = f.code.both(f.lt(lowest, x), f.lt(x, highest));
  const y = expWithin(f, f.select(within, x, 0));
  // NVIDIA's compiler takes a choice between 0 and x by a comparison of the two for the larger of them, and 0 for NaN then;
  // nor does it believe in a NaN that it could have computed itself.
  const beyond = f.select(f.code.isNaN(f.of(x)), f.code.nan, f.select(f.lt(0, x), f.code.infinity, 0));
  return f.select(within, y, beyond);
};

export const expm1 = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const near = f.lt(a, 0.34);
  const small = f.select(near, x, 0);
  const y = f.select(near, expm1Reduced(f, small), f.sub(exp(f, x), 1));
  // Zero keeps its sign.
  return f.select(f.lt(a, 1e-8), x, y);
};

export const sigmoid = (f: Floats, x: Float): Float =>
  f.select(f.code.isNaN(f.of(x)), f.code.nan, f.div(1, f.add(exp(f, f.neg(x)), 1)));

/** Below 0.55 a polynomial, above 1 − 2/(e^2a + 1) of the magnitude a. */
export const tanh = (f: Floats, x: Float): Float => {
  const a = f.min(f.abs(x), 10);
  const z = f.mul(a, a);
  const near = f.fma(f.mul(f.polynomial(z, tanhCurve), z), a, a);
  const far = f.sub(1, f.div(2, f.add(expWithin(f, f.add(a, a)), 1)));
  return f.signed(f.select(f.lt(a, 0.55), near, far), x);
};

/** e^a/2 of a magnitude, which may be finite where e^a is not; of NaN anything. */
const halfExp = (f: Floats, a: Float): Float => {
  const within = f.lt(a, highestHalf);
  return f.select(within, expWithin(f, f.select(within, a, 0), null, -1), f.code.infinity);
};

/** Up to 1 a polynomial, above (e^a − e^−a)/2 of the magnitude a. */
export const sinh = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const z = f.mul(a, a);
  const near = f.fma(f.mul(f.polynomial(z, sinhCurve), z), a, a);
  const half = halfExp(f, a);
  const far = f.sub(half, f.div(0.25, half));
  return f.signed(f.select(f.lt(a, 1), near, far), x);
};

export const cosh = (f: Floats, x: Float): Float => {
  const half = halfExp(f, f.abs(x));
  return f.select(f.eq(x, x), f.add(half, f.div(0.25, half)), x);
};
