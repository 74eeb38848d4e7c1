/**
 * Logarithms and inverses of hyperbolic functions. x = 2^k·(1 + t) with 1 + t between √½ and √2, or hardly beyond: the
 * device's own logarithm is asked for k alone. The coefficients are those of the CPU backend.
 */
import type { Condition, Float } from './code.js';
import { exp, ln2High, ln2Low } from './exponential.js';
import type { Floats } from './parts.js';

/** (log(1 + t) − t + t²/2)/t³. */
const curve = [
  0.333333168, -0.250008118, 0.20002285, -0.166244967, 0.141811328, -0.131292899, 0.128825392, -0.0785936792,
];

/** x = 2^k·(1 + t). */
interface Parts {
  readonly k: Float;
  readonly t: Float;
}

/** Of a positive finite x; of others anything. */
const split = (f: Floats, x: Float): Parts => {
  // So that 2^−k is a normal float.
  const huge = f.lt(2 ** 100, x);
  const y = f.mul(x, f.select(huge, 2 ** -32, 1));
  const k = f.nearest(f.call('log2', y));
  const mantissa = f.mul(y, f.call('exp2', f.neg(k)));
  return { k: f.add(k, f.select(huge, 32, 0)), t: f.sub(mantissa, 1) };
};

/** log(1 + t) − t. */
const curved = (f: Floats, t: Float): Float => {
  const square = f.mul(t, t);
  return f.fma(f.mul(f.polynomial(t, curve), t), square, f.mul(square, -0.5));
};

const combined = (f: Floats, { k, t }: Parts): Float => f.fma(k, ln2High, f.add(t, f.fma(k, ln2Low, curved(f, t))));

const positive = (f: Floats, x: Float): Condition => f.code.both(f.lt(0, x), f.finite(x));

/** −∞ at zero, NaN below, ∞ and NaN as they are. */
const special = (f: Floats, x: Float): Float =>
  f.select(f.eq(x, 0), f.neg(f.code.infinity), f.select(f.lt(x, 0), f.code.nan, x));

export const log = (f: Floats, x: Float): Float => {
  const regular = positive(f, x);
  return f.select(regular, combined(f, split(f, f.select(regular, x, 1))), special(f, x));
};

/** log₂ of a positive finite x. */
export const log2Within = (f: Floats, x: Float): Float => {
  const { k, t } = split(f, x);
  return f.add(k, f.mul(f.add(t, curved(f, t)), Math.LOG2E));
};

/** Near 0 without adding 1. */
export const log1p = (f: Floats, x: Float): Float => {
  const near = f.code.both(f.lt(-0.29, x), f.lt(x, 0.41));
  const u = f.add(x, 1);
  const regular = positive(f, u);
  const parts = split(f, f.select(regular, u, 1));
  const y = combined(f, { k: f.select(near, 0, parts.k), t: f.select(near, x, parts.t) });
  // Zero keeps its sign.
  const value = f.select(f.lt(f.abs(x), 1e-8), x, y);
  return f.select(regular, value, special(f, u));
};

/** The larger plus log(1 + e^−d) of the difference, which equal infinities have none of. */
export const logaddexp = (f: Floats, x: Float, y: Float): Float => {
  const d = f.select(f.eq(x, y), 0, f.abs(f.sub(x, y)));
  return f.add(f.max(x, y), log1p(f, exp(f, f.neg(d))));
};

/** From here on a ± 1 is a, and the inverse of either function log 2a. */
const large = 2 ** 28;

/** log 2a where that is so, else log(1 + u). */
const byLog1p = (f: Floats, huge: Condition, a: Float, u: Float): Float =>
  f.add(log1p(f, f.select(huge, a, u)), f.select(huge, Math.LN2, 0));

/** log(a + √(a² + 1)) = log(1 + a + a²/(1 + √(a² + 1))). */
export const asinh = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const huge = f.lt(large, a);
  const b = f.select(huge, 1, a);
  const square = f.mul(b, b);
  const u = f.add(b, f.div(square, f.add(f.call('sqrt', f.add(square, 1)), 1)));
  return f.signed(byLog1p(f, huge, a, u), x);
};

/** log(x + √(x² − 1)) = log(1 + t + √(t² + 2t)) with t = x − 1. */
export const acosh = (f: Floats, x: Float): Float => {
  const huge = f.lt(large, x);
  const within = f.code.both(f.le(1, x), f.le(x, large));
  const t = f.sub(f.select(within, x, 1), 1);
  const u = f.add(t, f.call('sqrt', f.fma(t, t, f.add(t, t))));
  return f.select(f.le(1, x), byLog1p(f, huge, x, u), f.code.nan);
};

/** log((1 + a)/(1 − a))/2. */
export const atanh = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const within = f.lt(a, 1);
  const b = f.select(within, a, 0);
  const y = f.mul(log1p(f, f.div(f.add(b, b), f.sub(1, b))), 0.5);
  const edge = f.select(f.eq(a, 1), f.code.infinity, f.code.nan);
  return f.signed(f.select(within, y, edge), x);
};
