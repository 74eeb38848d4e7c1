/** The incomplete beta function: the distribution function of beta numbers. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Shape } from '../../shape.js';
import type { Floating, Promote } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import { kindOf } from '../common/checks.js';
import { times } from '../common/numbers.js';
import { commonOperands, type Operand } from '../common/operands.js';
import { expm1Less, integrals, log1pLess, powerTerm, stirlingError, where, withSlopes } from './incomplete.js';

/** Parameters and place, from the end at 0 or that at 1: of 1 − t the distribution is the same with a and b exchanged. */
interface Place {
  readonly a: Node;
  readonly b: Node;
  readonly x: Node;
  /** 1 − x. */
  readonly rest: Node;
}

/** x^a (1 − x)^b / B(a, b), x(1 − x) times the density. */
const mass = ({ a, b: c, x, rest }: Place): Node => {
  const n = b.add(a, c);
  const errors = b.sub(b.sub(stirlingError(n), stirlingError(a)), stirlingError(c));
  const exponent = b.add(b.add(powerTerm(a, b.mul(n, x)), powerTerm(c, b.mul(n, rest))), errors);
  return b.mul(b.sqrt(times(b.mul(a, b.div(c, n)), 0.5 / Math.PI)), b.exp(exponent));
};

/** Beyond it eᵘ is taken as what is left of 1 + (eᵘ − 1)·(1 − x) in the logarithm; far below overflow. */
const farthest = 300;

/** At t with logit t = logit x − u: the logarithms of t / x and (1 − t) / (1 − x), and of the density of u by that at 0. */
const falling = (
  { a, b: c, x, rest }: Place,
  u: Node,
): { readonly t: Node; readonly rest: Node; readonly density: Node } => {
  const n = b.add(a, c);
  const half = full(b, x, 0.5);
  const isLow = b.le(x, half);
  // Where x ≤ ½ in terms of x: log(1 + x·(e⁻ᵘ − 1)) is of the same size as x.
  const v = b.neg(u);
  const low = b.mul(b.select(isLow, x, half), b.expm1(v));
  const lowMore = b.add(b.mul(x, expm1Less(v)), log1pLess(low));
  const lowDensity = b.sub(b.mul(b.sub(a, b.mul(n, x)), v), b.mul(n, lowMore));
  // Else in terms of 1 − x.
  const isFar = b.gt(u, full(b, u, farthest));
  const near = b.select(isFar, full(b, u, farthest), u);
  const high = b.mul(rest, b.expm1(near));
  const remainder = b.log(b.add(rest, b.mul(x, b.exp(v))));
  const log = b.select(isFar, b.add(u, remainder), b.log1p(high));
  const isSmall = b.le(high, half);
  const highMore = b.add(b.mul(rest, expm1Less(near)), log1pLess(b.select(isSmall, high, half)));
  const smallDensity = b.sub(b.mul(b.sub(c, b.mul(n, rest)), u), b.mul(n, highMore));
  const highDensity = b.select(isSmall, smallDensity, b.sub(b.mul(c, u), b.mul(n, log)));
  const lowLog = b.log1p(low);
  return {
    t: b.select(isLow, b.sub(v, lowLog), b.neg(log)),
    rest: b.select(isLow, b.neg(lowLog), b.sub(u, log)),
    density: b.exp(b.select(isLow, lowDensity, highDensity)),
  };
};

/** About how far the tail reaches in the logit, at least. */
const widthAt = ({ a, b: c, x, rest }: Place): Node => {
  const n = b.add(a, c);
  const one = full(b, a, 1);
  const curved = b.log1p(b.rsqrt(b.mul(n, b.mul(x, rest))));
  const steep = b.div(one, b.add(curved, b.div(one, a)));
  return b.stopGradient(b.div(one, b.add(b.abs(b.sub(a, b.mul(n, x))), steep)));
};

const nodesOf = ({ a, b: c, x, rest }: Place): Node[] => [a, c, x, rest];

const placeOf = ([a, c, x, rest]: readonly Node[]): Place => ({ a: a!, b: c!, x: x!, rest: rest! });

/** The place as seen from the nearer end, with the mean farther from that; inside of the domain. */
const nearer = (a: Node, c: Node, x: Node): { readonly exchanged: Node; readonly place: Place } => {
  const exchanged = b.gt(b.mul(x, b.add(a, c)), a);
  const rest = b.sub(full(b, x, 1), x);
  const pick = (p: Node, q: Node): Node => b.select(exchanged, q, p);
  return { exchanged, place: { a: pick(a, c), b: pick(c, a), x: pick(x, rest), rest: pick(rest, x) } };
};

interface Domain {
  readonly isInner: Node;
  /** Where one of the parameters is 0 or ∞. */
  readonly isLimit: Node;
  readonly inner: readonly [Node, Node, Node];
  /** What the function is where it is not computed. */
  readonly ends: Node;
}

const domainOf = ([a, c, x]: readonly Node[]): Domain => {
  const [zero, one, most] = [0, 1, Number.POSITIVE_INFINITY].map(value => full(b, x!, value)) as [Node, Node, Node];
  const isPositive = (y: Node): Node => b.and(b.gt(y, zero), b.lt(y, most));
  const isValid = b.and(isPositive(a!), isPositive(c!));
  const isInner = b.and(isValid, b.and(b.gt(x!, zero), b.lt(x!, one)));
  const isEnd = b.and(isValid, b.or(b.eq(x!, zero), b.eq(x!, one)));
  // The parameters' limits, with all of the mass at that end of which the parameter is the first one.
  const isPlace = b.and(b.ge(x!, zero), b.le(x!, one));
  const isAllAt = (first: Node, second: Node): Node => {
    const isLimit = b.or(b.eq(first, zero), b.eq(second, most));
    return b.and(b.and(isPlace, isLimit), b.and(b.and(b.ge(first, zero), b.lt(first, most)), b.gt(second, zero)));
  };
  const [isAtZero, isAtOne] = [isAllAt(a!, c!), isAllAt(c!, a!)];
  const beyond = (bound: Node): Node => b.select(bound, one, zero);
  const otherEnds = b.select(isEnd, x!, full(b, x!, Number.NaN));
  const limits = b.select(isAtOne, beyond(b.eq(x!, one)), otherEnds);
  const [safeA, safeC] = where(isInner, a!, c!) as [Node, Node];
  return {
    isInner,
    isLimit: b.or(isAtZero, isAtOne),
    inner: [safeA, safeC, b.select(isInner, x!, full(b, x!, 0.5))],
    ends: b.select(isAtZero, beyond(b.gt(x!, zero)), limits),
  };
};

const value = (inputs: readonly Node[]): Node => {
  const { isInner, inner, ends } = domainOf(inputs);
  const { exchanged, place } = nearer(...inner);
  const width = widthAt(place);
  const [total] = integrals('betainc', [...nodesOf(place), width], 1, (s, known) => [
    falling(placeOf(known), b.mul(known[4]!, s)).density,
  ]);
  const part = b.mul(b.mul(width, total!), mass(place));
  const whole = b.select(exchanged, b.sub(full(b, part, 1), part), part);
  return b.select(isInner, whole, ends);
};

/** The derivatives of the logarithm of the density in a and b are those of a·log t + b·log(1 − t) − log B(a, b). */
const slopes = (inputs: readonly Node[]): readonly Node[] => {
  const { isInner, isLimit, inner, ends } = domainOf(inputs);
  const { exchanged, place } = nearer(...inner);
  const width = widthAt(place);
  const digamma = (x: Node): Node => b.polygamma(x, { order: 0 });
  const common = digamma(b.add(place.a, place.b));
  const above = b.add(b.sub(b.log(place.x), digamma(place.a)), common);
  const below = b.add(b.sub(b.log(place.rest), digamma(place.b)), common);
  const known = [...nodesOf(place), width, above, below];
  const totals = integrals('betainc', known, 2, (s, parameters) => {
    const [p, q] = parameters.slice(5) as [Node, Node];
    const { t, rest, density } = falling(placeOf(parameters), b.mul(parameters[4]!, s));
    return [b.mul(b.add(p, t), density), b.mul(b.add(q, rest), density)];
  });
  const whole = mass(place);
  const [own, other] = totals.map(total => b.mul(b.mul(width, total), whole)) as [Node, Node];
  const none = times(ends, 0);
  const [a, c, x] = inputs as readonly [Node, Node, Node];
  const one = full(b, x, 1);
  // At the ends x^(a−1), or (1 − x)^(b−1), is 0 or ∞, but for the exponent 0 where the density is b, or a.
  const edge = (power: Node, density: Node): Node =>
    b.select(
      b.lt(power, one),
      full(b, x, Number.POSITIVE_INFINITY),
      b.select(b.eq(power, one), density, full(b, x, 0)),
    );
  const atEnds = b.select(b.eq(x, one), edge(c, a), edge(a, c));
  const density = b.div(whole, b.mul(place.x, place.rest));
  return [
    b.select(isInner, b.select(exchanged, b.neg(other), own), none),
    b.select(isInner, b.select(exchanged, b.neg(own), other), none),
    b.select(isInner, density, b.select(isLimit, none, b.add(atEnds, none))),
  ];
};

type DTypeOf<T extends Operand> = T extends Tensor<Shape, infer D extends DType> ? D : 'bool';

/**
 * The regularised incomplete beta function, `1 / B(a, b) · ∫ tᵃ⁻¹ (1 − t)ᵇ⁻¹ dt` from 0 to `x`: the distribution function
 * of beta numbers. `1 − betainc(a, b, x)` is `betainc(b, a, 1 − x)`. The derivative in `x` is the density.
 *
 * It is a quadrature of the tail on that side of the mean where `x` is, right to 12 digits, also of small values, for `a`
 * and `b` from 0.001 to 10000; errors of the derivatives in `a` and `b` are of 14 digits of that tail. NaN unless `a` and
 * `b` are positive and `x` is between 0 and 1. Where one of them is 0 or ∞ it is the limit, a step at 0 or 1 with the
 * derivative 0; where both are 0, or both ∞, there is none, and it is NaN.
 *
 * @param a a tensor or a number, as are the others; at least one is a tensor
 * @param b as `a`
 * @param x from 0 to 1
 * @returns the broadcast shape; float32 for integers, else the promoted dtype
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for int32 with uint32, and for uint8
 * @throws ArgumentError when an operand is neither a tensor nor a number, or none is a tensor
 * @numpy scipy.special.betainc
 * @pytorch —
 * @example
 * ```js
 * import { betainc, tensor } from 'tenfold';
 * betainc(2, 3, tensor([0, 0.5, 1])).toArray(); // => [0, 0.6875, 1]
 * ```
 */
export const betainc = <A extends Operand, B extends Operand, X extends Operand>(
  a: A,
  b: B,
  x: X,
): Tensor<Shape, Floating<Promote<Promote<DTypeOf<A>, DTypeOf<B>>, DTypeOf<X>>>> => {
  for (const operand of [a, b, x] as readonly unknown[]) {
    if (isTensor(operand) || typeof operand === 'number') continue;
    throw new ArgumentError({
      operation: 'betainc',
      given: `${kindOf(operand)} as an operand`,
      rule: 'it takes three operands, each a tensor or a number',
      hint: 'Write betainc(a, b, x), with tensor([…]) for arrays.',
    });
  }
  return wrap(withSlopes('betainc', commonOperands('betainc', [a, b, x], { toFloat: true }), value, slopes)) as never;
};
