/** Normal numbers between bounds. */
import { b } from '../tensor/build.js';
import type { FloatDType } from '../tensor/dtype.js';
import { ArgumentError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { plus, polynomial, times } from '../tensor/ops/common/numbers.js';
import { castNode } from '../tensor/ops/common/operands.js';
import { full } from '../tensor/primitives/full.js';
import type { Shape } from '../tensor/shape.js';
import type { Fit, Ok } from '../tensor/shape-types.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { customJvp } from '../tensor/transform/custom.js';
import type { Key } from './key.js';
import { type DrawOptions, openUnit, type Parameter, parametersOf } from './parameters.js';
import type { Drawn, DTypeOf, ShapeOfBoth } from './shapes.js';

const number = (like: Node, value: number): Node => full(b, like, value);

const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

/** From here on the hazard by its asymptotic series is right to the last bit. */
const far = 30;

/** (2k − 1)!! with the sign of (−1)ᵏ: x·Q(x)/φ(x) is their series in 1/x² (Abramowitz & Stegun 1964, 26.2.12). */
const mills = [1, -1, 3, -15, 105, -945, 10395];

/** φ(x)/Q(x) of the normal density and the mass of its upper tail, for x that is not far below 0. */
const hazard = (x: Node): Node => {
  const isFar = b.ge(x, number(x, far));
  const large = b.select(isFar, x, number(x, far));
  const inverse = b.div(number(x, 1), b.mul(large, large));
  const series = polynomial(inverse, mills);
  const small = b.select(isFar, number(x, 0), x);
  const density = times(b.exp(times(b.mul(small, small), -0.5)), Math.sqrt(2 / Math.PI));
  return b.select(isFar, b.div(large, series), b.div(density, b.erfc(times(small, Math.SQRT1_2))));
};

/** log φ(x). */
const logDensity = (x: Node): Node => plus(times(b.mul(x, x), -0.5), -halfLog2Pi);

/** log Q(x), for x that is not far below 0. */
const logTail = (x: Node): Node => b.sub(logDensity(x), b.log(hazard(x)));

/** x ≥ 0 with this log Q(x): Abramowitz & Stegun 1964, 26.2.23, to 4.5e-4, and two of Halley's steps. */
const fromLogTail = (log: Node): Node => {
  const t = b.sqrt(times(log, -2));
  const start = b.sub(
    t,
    b.div(polynomial(t, [2.515517, 0.802853, 0.010328]), polynomial(t, [1, 1.432788, 0.189269, 0.001308])),
  );
  const halley = (x: Node): Node => {
    const h = hazard(x);
    const step = b.div(b.sub(b.sub(logDensity(x), b.log(h)), log), h);
    return b.add(x, b.div(step, plus(times(b.mul(step, b.sub(h, x)), 0.5), 1)));
  };
  return halley(halley(start));
};

/**
 * The quantile at u, in (0, 1), of the normal distribution between bounds. The bounds are mirrored so that the upper one is
 * the farther from 0. A lower one above 0 leaves a part of the upper tail, and the masses are told by their logarithms;
 * otherwise the masses on both sides of the result are known, and the smaller one gives it.
 */
const quantile = (u: Node, lower: Node, upper: Node): Node => {
  const zero = number(u, 0);
  const mirrored = b.gt(b.neg(lower), b.abs(upper));
  const low = b.select(mirrored, b.neg(upper), lower);
  const high = b.select(mirrored, b.neg(lower), upper);
  const [below, above] = (() => {
    const rest = plus(b.neg(u), 1);
    return [b.select(mirrored, rest, u), b.select(mirrored, u, rest)];
  })();
  // The sum of two positive parts of the tail above `low`, that above `high` being the part r of it.
  const inTail = b.ge(low, zero);
  const logLow = logTail(b.abs(low));
  const logHigh = logTail(high);
  const r = b.exp(b.sub(logHigh, logLow));
  const tail = b.add(logLow, b.log(b.add(above, b.mul(below, r))));
  const [massBelow, massAbove] = [b.exp(logLow), b.exp(logHigh)];
  const mass = times(b.sub(b.erf(times(high, Math.SQRT1_2)), b.erf(times(low, Math.SQRT1_2))), 0.5);
  const p = b.add(massBelow, b.mul(below, mass));
  const q = b.add(massAbove, b.mul(above, mass));
  const isLeft = b.and(b.not(inTail), b.lt(p, q));
  const around = b.log(b.min(b.min(p, q), number(u, 0.5)));
  const x = fromLogTail(b.select(inTail, tail, around));
  const signed = b.select(isLeft, b.neg(x), x);
  // Where nothing of the tail is left in the floats, x is no number: there the end that is nearest to 0 has all the mass.
  const inside = b.select(b.ge(signed, low), b.select(b.gt(signed, high), high, signed), low);
  return b.select(mirrored, b.neg(inside), inside);
};

/** exp((x² − y²)/2), and 0 where the bound y is infinite. */
const ratio = (x: Node, bound: Node): Node => {
  const isInfinite = b.eq(b.abs(bound), number(bound, Number.POSITIVE_INFINITY));
  const y = b.select(isInfinite, number(bound, 0), bound);
  return b.select(isInfinite, number(bound, 0), b.exp(times(b.mul(b.sub(x, y), b.add(x, y)), 0.5)));
};

/** A draw at the quantile u with its derivative: that at a fixed quantile, (1 − u)·φ(a)/φ(x) and u·φ(b)/φ(x). */
const implicit: (x: Tensor, u: Tensor, lower: Tensor, upper: Tensor) => Tensor = customJvp(
  (x: Tensor, _u: Tensor, _lower: Tensor, _upper: Tensor): Tensor => x,
  ([x, u, lower, upper], [, , ofLower, ofUpper]) => {
    const at = implicit(x, u, lower, upper);
    const below = nodeOf(u);
    const part = (share: Node, bound: Tensor, direction: unknown): Node =>
      b.mul(b.mul(share, ratio(nodeOf(at), nodeOf(bound))), nodeOf(direction as Tensor));
    const above = plus(b.neg(below), 1);
    return [at, wrap(b.add(part(above, lower, ofLower), part(below, upper, ofUpper)))];
  },
);

/** A rule for numbers as bounds. */
const bound = { rule: 'a number, perhaps infinite', allowed: (x: number): boolean => !Number.isNaN(x) };

/**
 * Standard normal numbers between bounds, which may lie far out in a tail: the quantile at a uniform number, computed in
 * float64 from the logarithm of the smaller tail, whatever the dtype. Differentiable in the bounds: the derivative is that of
 * the quantile which the element is.
 *
 * @param lower the smallest value, a number or a tensor; −∞ for none
 * @param upper the largest value, likewise; where the bounds are equal, so is the element, and where the upper is below the
 *   lower or one is NaN, the element is NaN
 * @param options `shape` (that the two broadcast to), `dtype` (theirs, float32 for numbers)
 * @throws ArgumentError when `key` is no key, a number is NaN, or the upper number below the lower; ShapeError when the
 *   bounds do not broadcast to the shape, DTypeError for another dtype
 * @example
 * ```js
 * import { key, truncatedNormal } from 'tenfold/random';
 * truncatedNormal(key(0), -2, 2, { shape: [3, 2] }).shape; // => [3, 2]
 * ```
 */
export const truncatedNormal = <
  P extends Parameter,
  Q extends Parameter,
  const S extends Shape = Fit<ShapeOfBoth<'truncatedNormal', P, Q>>,
  D extends FloatDType = DTypeOf<P, Q>,
>(
  key: Key,
  lower: P,
  upper: Q & Ok<Drawn<'truncatedNormal', ShapeOfBoth<'truncatedNormal', P, Q>, NoInfer<S>>>,
  options: DrawOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [
    { name: 'lower bound', value: lower, ...bound },
    { name: 'upper bound', value: upper, ...bound },
  ];
  const { key: node, nodes } = parametersOf('truncatedNormal', key, named, options);
  if (typeof lower === 'number' && typeof upper === 'number' && lower > upper) {
    throw new ArgumentError({
      operation: 'truncatedNormal',
      given: `the bounds ${lower} and ${upper}`,
      rule: 'the lower bound is not above the upper one',
      hint: 'Swap them.',
    });
  }
  const [low, high] = nodes.map(each => castNode(each, 'float64')) as [Node, Node];
  const u = openUnit(node, low.shape, 'float64');
  const [from, to] = [b.stopGradient(low), b.stopGradient(high)];
  const x = b.select(b.le(from, to), quantile(u, from, to), number(u, Number.NaN));
  const draw = nodeOf(implicit(wrap(b.stopGradient(x)), wrap(u), wrap(low), wrap(high)));
  return wrap(castNode(draw, nodes[0]!.dtype));
};
