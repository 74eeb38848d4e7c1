/** The incomplete gamma functions: the distribution function of gamma numbers and its complement. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { plus, polynomial, times } from '../common/numbers.js';
import type { FloatBinary } from './arithmetic.js';
import { floatBinary } from './builders.js';
import { expm1Less, integrals, powerTerm, stirlingError, where, withSlopes } from './incomplete.js';

/** Of log Γ(1 + a) / a at 0: −γ, ζ(2) / 2, −ζ(3) / 3, …; what 1 + a would round away of a small a. */
const nearOne = [
  -0.5772156649015329, 0.8224670334241132, -0.40068563438653143, 0.27058080842778454, -0.20738555102867398,
];

/** log Γ(1 + a). */
const lgammaAfter1 = (a: Node): Node => {
  const small = b.lt(a, full(b, a, 1e-3));
  const [large] = where(b.not(small), a) as [Node];
  const near = b.select(small, a, full(b, a, 0));
  return b.select(small, b.mul(near, polynomial(near, nearOne)), b.lgamma(plus(large, 1)));
};

const alternating = [-1];
for (let n = 2; n < 20; n++) alternating.push(-alternating[n - 2]! / n);

/** For x ≤ 1: the logarithm of x^a / Γ(1 + a), and Σ (−x)ⁿ / (n!·(a + n)) from n = 1 on (Abramowitz & Stegun 6.5.29). */
const seriesAt = (a: Node, x: Node): readonly [log: Node, sum: Node, slope: Node] => {
  const log = b.sub(b.mul(a, b.log(x)), lgammaAfter1(a));
  let [sum, slope, power] = [full(b, x, 0), full(b, x, 0), x];
  alternating.forEach((c, i) => {
    const term = b.div(times(power, c), plus(a, i + 1));
    sum = b.add(sum, term);
    slope = b.add(slope, times(b.div(term, plus(a, i + 1)), i + 1));
    power = b.mul(power, x);
  });
  return [log, sum, slope];
};

/** x^a e⁻ˣ / Γ(a), x times the density. */
const mass = (a: Node, x: Node): Node =>
  b.mul(b.sqrt(times(a, 0.5 / Math.PI)), b.exp(b.sub(powerTerm(a, x), stirlingError(a))));

/** On which side of a the tail from x is, as a condition and as a signed scale of its width in log t. */
const tailAt = (a: Node, x: Node): readonly [isLower: Node, scale: Node] => {
  const isLower = b.le(x, a);
  const width = b.div(full(b, x, 1), b.add(b.abs(b.sub(x, a)), b.sqrt(x)));
  return [isLower, b.stopGradient(b.select(isLower, b.neg(width), width))];
};

/** exp(a·v − x·(eᵛ − 1)), the density of log t at t = x·eᵛ by that at x. */
const fall = (a: Node, x: Node, v: Node): Node => b.exp(b.sub(b.mul(b.sub(a, x), v), b.mul(x, expm1Less(v))));

/** For x > 1: the smaller of the two tails, or what is not much larger. */
const tail = (a: Node, x: Node, scale: Node): Node => {
  const [total] = integrals('gammainc', [a, x, scale], 1, (s, [p, t, width]) => [fall(p!, t!, b.mul(width!, s))]);
  return b.mul(b.mul(b.abs(scale), total!), mass(a, x));
};

/** Where the function is neither at its ends nor nowhere: a and x positive and finite. */
const isInner = (a: Node, x: Node): Node => {
  const [zero, most] = [full(b, x, 0), full(b, x, Number.POSITIVE_INFINITY)];
  return b.and(b.and(b.gt(a, zero), b.lt(a, most)), b.and(b.gt(x, zero), b.lt(x, most)));
};

/** What the lower one is elsewhere: NaN for negative numbers and where there is no limit. */
const atEnds = (a: Node, x: Node): Node => {
  const [zero, most] = [full(b, x, 0), full(b, x, Number.POSITIVE_INFINITY)];
  const isZero = b.or(b.and(b.eq(x, zero), b.gt(a, zero)), b.and(b.eq(a, most), b.and(b.ge(x, zero), b.lt(x, most))));
  const isOne = b.or(b.and(b.eq(a, zero), b.gt(x, zero)), b.and(b.eq(x, most), b.and(b.gt(a, zero), b.lt(a, most))));
  return b.select(isZero, zero, b.select(isOne, full(b, x, 1), full(b, x, Number.NaN)));
};

/** Where x is for the series, x for that, and x for the quadrature: what is not for it is put where it does no harm. */
const split = (x: Node): { readonly low: Node; readonly near: Node; readonly far: Node } => {
  const low = b.le(x, full(b, x, 1));
  const [near] = where(low, x) as [Node];
  const far = b.select(low, full(b, x, 1.5), x);
  return { low, near, far };
};

const value =
  (isUpper: boolean) =>
  ([shape, at]: readonly Node[]): Node => {
    const inner = isInner(shape!, at!);
    const [a, x] = where(inner, shape!, at!) as [Node, Node];
    const { low, near, far } = split(x);
    const [log, sum] = seriesAt(a, near);
    const rest = b.mul(b.exp(log), b.mul(a, sum));
    const bySeries = isUpper ? b.neg(b.add(b.expm1(log), rest)) : b.add(b.exp(log), rest);
    const [isLower, scale] = tailAt(a, far);
    const part = tail(a, far, scale);
    const other = b.sub(full(b, part, 1), part);
    const byTail = isUpper ? b.select(isLower, other, part) : b.select(isLower, part, other);
    const ends = atEnds(shape!, at!);
    const outer = isUpper ? b.sub(full(b, ends, 1), ends) : ends;
    return b.select(inner, b.select(low, bySeries, byTail), outer);
  };

/** The derivative of the lower one in a. */
const slopeInShape = (a: Node, x: Node): Node => {
  const { low, near, far } = split(x);
  const [log, sum, slope] = seriesAt(a, near);
  const offset = b.sub(b.log(near), b.polygamma(plus(a, 1), { order: 0 }));
  const bySeries = b.mul(b.exp(log), b.add(b.mul(offset, plus(b.mul(a, sum), 1)), slope));
  const [, scale] = tailAt(a, far);
  const above = b.sub(b.log(far), b.polygamma(a, { order: 0 }));
  const [total] = integrals('gammainc', [a, far, scale, above], 1, (s, [p, t, width, more]) => {
    const v = b.mul(width!, s);
    return [b.mul(b.add(more!, v), fall(p!, t!, v))];
  });
  // The scale is negative on the lower side, where the derivative is that of the tail itself.
  return b.select(low, bySeries, b.neg(b.mul(b.mul(scale, total!), mass(a, far))));
};

const slopes =
  (isUpper: boolean) =>
  ([shape, at]: readonly Node[]): readonly Node[] => {
    const inner = isInner(shape!, at!);
    const [a, x] = where(inner, shape!, at!) as [Node, Node];
    const none = times(atEnds(shape!, at!), 0);
    const one = full(b, a, 1);
    const atZero = b.select(
      b.lt(shape!, one),
      full(b, a, Number.POSITIVE_INFINITY),
      b.select(b.eq(shape!, one), one, full(b, a, 0)),
    );
    const outer = b.select(b.eq(at!, full(b, x, 0)), b.add(atZero, none), none);
    const both = [b.select(inner, slopeInShape(a, x), none), b.select(inner, b.div(mass(a, x), x), outer)];
    return isUpper ? both.map(x => b.neg(x)) : both;
  };

const incomplete =
  (operation: string, isUpper: boolean) =>
  (a: Node, x: Node): Node =>
    withSlopes(operation, [a, x], value(isUpper), slopes(isUpper));

/**
 * The regularised lower incomplete gamma function, `1 / Γ(a) · ∫ tᵃ⁻¹ e⁻ᵗ dt` from 0 to `x`: the distribution function of
 * gamma numbers of the concentration `a`. It is right to 12 digits, also where it is small, and so is its derivative in
 * `a`; that in `x` is the density.
 *
 * Below x = 1 it is a series (Abramowitz & Stegun 6.5.29), above a quadrature of the smaller tail. NaN where `a` or `x` is
 * negative, 1 where `a` is 0, 0 where it is ∞.
 *
 * @param a not negative
 * @param x not negative
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy scipy.special.gammainc
 * @pytorch torch.special.gammainc
 * @example
 * ```js
 * import { gammainc, tensor } from 'tenfold';
 * gammainc(tensor([1, 2, 0.5]), Math.LN2).toArray(); // => [0.5, 0.1534264, 0.7609681]
 * ```
 */
export const gammainc: FloatBinary<'gammainc'> = floatBinary('gammainc', incomplete('gammainc', false));

/**
 * The regularised upper incomplete gamma function, `1 − gammainc(a, x)`, accurate also where that is small.
 *
 * @param a not negative
 * @param x not negative
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy scipy.special.gammaincc
 * @pytorch torch.special.gammaincc
 * @example
 * ```js
 * import { gammaincc, tensor } from 'tenfold';
 * gammaincc(tensor([1, 2]), tensor([50, 50], { dtype: 'float64' })).toArray(); // => [1.9287498e-22, 9.8366242e-21]
 * ```
 */
export const gammaincc: FloatBinary<'gammaincc'> = floatBinary('gammaincc', incomplete('gammaincc', true));
