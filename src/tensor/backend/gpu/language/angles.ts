/**
 * Sine, cosine, tangent and their inverses. |x| = n·π/2 + r with |r| ≤ π/4, and polynomials in r. The coefficients are
 * those of the CPU backend.
 */
import type { Float } from './code.js';
import { type Floats, isNegative } from './parts.js';

/** (sin r/r − 1)/r² and (cos r − 1 + r²/2)/r⁴ as functions of r². */
const sineCurve = [-0.166666555, 0.00833220119, -0.000195196555];
const cosineCurve = [0.0416666522, -0.00138875876, 0.0000244602913];

/** Up to here n has 17 bits, and its products with what has 7 are exact; beyond, the device is asked for the result. */
const limit = 205887;

/** π/2 in parts of at most 7 bits, the last with all its bits. */
const parts = [
  1.578125, -0.00732421875, -0.0000045299530029296875, 7.543712854385376e-8, 6.184563972055912e-11,
  -1.0746346554971943e-12,
];

/** Below this the sine and the tangent are the angle. */
const tiny = 0.0001;

interface Reduced {
  readonly sine: Float;
  readonly cosine: Float;
  /** n modulo 4. */
  readonly quarter: Float;
}

/** Of a magnitude within the limit. */
const reduced = (f: Floats, a: Float): Reduced => {
  const n = f.nearest(f.mul(a, 2 / Math.PI));
  const r = parts.reduce((rest, part) => f.fma(n, -part, rest), a);
  const z = f.mul(r, r);
  const half = f.fma(z, -0.5, 1);
  return {
    sine: f.fma(f.mul(f.polynomial(z, sineCurve), z), r, r),
    cosine: f.fma(f.polynomial(z, cosineCurve), f.mul(z, z), half),
    quarter: f.fma(f.floor(f.mul(n, 0.25)), -4, n),
  };
};

/** Whether a quarter is 1 or 3. */
const isOdd = (f: Floats, quarter: Float) => f.code.either(f.eq(quarter, 1), f.eq(quarter, 3));

/** The function within the limit, the device's beyond, NaN of what is not finite. */
const bounded = (f: Floats, x: Float, name: 'sin' | 'cos' | 'tan', within: (a: Float) => Float): Float => {
  const a = f.abs(x);
  const inside = f.le(a, limit);
  const finite = f.finite(x);
  const beyond = f.select(finite, f.call(name, f.select(finite, x, 0)), f.code.nan);
  return f.select(inside, within(f.select(inside, a, 0)), beyond);
};

export const sin = (f: Floats, x: Float): Float => {
  const y = bounded(f, x, 'sin', a => {
    const { sine, cosine, quarter } = reduced(f, a);
    const magnitude = f.select(isOdd(f, quarter), cosine, sine);
    const turned = f.select(f.le(2, quarter), -1, 1);
    return f.mul(magnitude, f.mul(turned, f.select(f.lt(x, 0), -1, 1)));
  });
  return f.select(f.lt(f.abs(x), tiny), x, y);
};

export const cos = (f: Floats, x: Float): Float =>
  bounded(f, x, 'cos', a => {
    const { sine, cosine, quarter } = reduced(f, a);
    const magnitude = f.select(isOdd(f, quarter), sine, cosine);
    return f.mul(magnitude, f.select(f.code.either(f.eq(quarter, 1), f.eq(quarter, 2)), -1, 1));
  });

export const tan = (f: Floats, x: Float): Float => {
  const y = bounded(f, x, 'tan', a => {
    const { sine, cosine, quarter } = reduced(f, a);
    const odd = isOdd(f, quarter);
    const quotient = f.div(f.select(odd, cosine, sine), f.select(odd, f.neg(sine), cosine));
    return f.select(f.lt(x, 0), f.neg(quotient), quotient);
  });
  return f.select(f.lt(f.abs(x), tiny), x, y);
};

/** (atan t/t − 1)/t² as a function of t², for |t| ≤ tan π/8. */
const atanCurve = [-0.333330733, 0.199816009, -0.13913943, 0.0815808983];
/** (asin s/s − 1)/s² as a function of s², for s ≤ ½. */
const asinCurve = [0.166667247, 0.0749620109, 0.0453733633, 0.0246037573, 0.0415137617];

/** π/4 in two parts: multiples up to 4 of the first are exact. */
const quarterHigh = 0.785398006439209;
const quarterLow = 1.5695823663008923e-7;

/** k·π/4 + atan t for |t| ≤ tan π/8. */
const angle = (f: Floats, k: Float, t: Float): Float => {
  const z = f.mul(t, t);
  const curved = f.mul(f.mul(f.polynomial(z, atanCurve), z), t);
  return f.fma(k, quarterHigh, f.add(t, f.fma(k, quarterLow, curved)));
};

/** atan a = π/4 + atan((a − 1)/(a + 1)) = π/2 − atan(1/a). */
export const atan = (f: Floats, x: Float): Float => {
  // From here on the angle is π/2.
  const a = f.min(f.abs(x), 2 ** 40);
  const middle = f.lt(Math.SQRT2 - 1, a);
  const high = f.lt(Math.SQRT2 + 1, a);
  const numerator = f.select(high, -1, f.select(middle, f.sub(a, 1), a));
  const denominator = f.select(high, a, f.select(middle, f.add(a, 1), 1));
  const k = f.select(high, 2, f.select(middle, 1, 0));
  return f.signed(angle(f, k, f.div(numerator, denominator)), x);
};

/** Of |y| and |x| the smaller over the larger, and the octant put back. */
export const atan2 = (f: Floats, y: Float, x: Float): Float => {
  const { code } = f;
  const [ay, ax] = [f.abs(y), f.abs(x)];
  const steep = f.lt(ax, ay);
  const larger = f.select(steep, ay, ax);
  const smaller = f.select(steep, ax, ay);
  const [largerFinite, smallerFinite] = [f.finite(larger), f.finite(smaller)];
  // ∞/∞ is 1/1 here, 0/0 is 0/1 and anything else by ∞ is 0/1. Devices divide by the largest numbers badly.
  const scale = f.select(f.lt(2 ** 64, larger), 2 ** -64, f.select(f.lt(larger, 2 ** -64), 2 ** 62, 1));
  const regular = code.both(largerFinite, f.lt(0, larger));
  const bottom = f.select(regular, f.mul(larger, scale), 1);
  const top = f.select(smallerFinite, f.select(regular, f.mul(smaller, scale), 0), 1);
  const middle = f.lt(f.mul(bottom, Math.SQRT2 - 1), top);
  const numerator = f.select(middle, f.sub(top, bottom), top);
  const denominator = f.select(middle, f.add(top, bottom), bottom);
  // π/2 − angle where it is steep, π − angle left of 0.
  const back = isNegative(f, x);
  const low = f.select(middle, 1, 0);
  const upright = f.select(steep, f.sub(2, low), low);
  const k = f.select(back, f.sub(4, upright), upright);
  const sign = f.mul(f.select(steep, -1, 1), f.select(back, -1, 1));
  const magnitude = angle(f, k, f.mul(f.div(numerator, denominator), sign));
  const result = f.mul(magnitude, f.select(isNegative(f, y), -1, 1));
  return f.select(code.both(f.eq(x, x), f.eq(y, y)), result, code.nan);
};

/** s and asin s − s: of a = |x| itself up to ½, above of √((1 − a)/2), which has half the complement of the angle. */
const arc = (f: Floats, a: Float) => {
  const far = f.lt(0.5, a);
  const z = f.select(far, f.mul(f.sub(1, a), 0.5), f.mul(a, a));
  const s = f.select(far, f.call('sqrt', f.max(z, 0)), a);
  return { far, s, rest: f.mul(f.mul(f.polynomial(z, asinCurve), z), s) };
};

export const asin = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const { far, s, rest } = arc(f, f.min(a, 1));
  const complement = f.fma(rest, -2, 2 * quarterLow);
  const large = f.add(f.fma(s, -2, complement), 2 * quarterHigh);
  return f.signed(f.select(f.le(a, 1), f.select(far, large, f.add(s, rest)), f.code.nan), x);
};

/** π/2 − asin x near 0; 2·asin √((1 − x)/2) on the right, and what that is less than π on the left. */
export const acos = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const { far, s, rest } = arc(f, f.min(a, 1));
  const negative = f.lt(x, 0);
  const k = f.select(far, f.select(negative, 4, 0), 2);
  const sign = f.select(negative, -1, 1);
  const factor = f.mul(f.select(far, 2, -1), sign);
  const low = f.fma(factor, rest, f.mul(k, quarterLow));
  const y = f.fma(k, quarterHigh, f.fma(factor, s, low));
  return f.select(f.le(a, 1), y, f.code.nan);
};
