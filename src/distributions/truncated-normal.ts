/** The normal distribution between bounds. */
import { truncatedNormal as drawTruncatedNormal } from '../random/truncated.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { abs, add, div, maximum, minimum, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { hypot } from '../tensor/ops/elementwise/bivariate.js';
import { stopGradient } from '../tensor/ops/elementwise/cast.js';
import {
  any,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
  where,
} from '../tensor/ops/elementwise/comparison.js';
import { exp, log, log1p } from '../tensor/ops/elementwise/elementary.js';
import { logicalAnd, logicalOr } from '../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../tensor/tensor.js';
import { whileLoop } from '../tensor/transform/loops.js';
import {
  checkBounds,
  type Distribution,
  define,
  type Families,
  type Parameter,
  readParameters,
} from './distribution.js';
import type { LocationScale } from './line.js';
import { probability, unless } from './numerics.js';

/** Nodes and weights of Gauss and Legendre's rule on (0, 1), by Newton's method (Abramowitz & Stegun 1964, 25.4.29). */
const ruleOf = (n: number): readonly (readonly [node: number, weight: number])[] =>
  Array.from({ length: n }, (_, i) => {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let step = 0; step < 8; step++) {
      let [before, p] = [1, x];
      for (let k = 2; k <= n; k++) [before, p] = [p, ((2 * k - 1) * x * p - (k - 1) * before) / k];
      slope = (n * (before - x * p)) / (1 - x * x);
      x -= p / slope;
    }
    return [(1 + x) / 2, 1 / ((1 - x * x) * slope * slope)];
  });

/** How small a density counts, e^−depth of that at the peak, and the rule that is exact to the last bits for it. */
const rules = {
  float32: { depth: 20, nodes: ruleOf(24) },
  float64: { depth: 40, nodes: ruleOf(48) },
};

const ruleFor = (x: Tensor): (typeof rules)['float64'] => rules[x.dtype as 'float32' | 'float64'];

/**
 * The normal density between two bounds. What it is told from is its peak, the point between them that is nearest to the mean:
 * with d the distance from there in units of `scale`, the density falls as exp(−d·(offset + d/2)), and neither far out in a
 * tail nor in a narrow interval does anything cancel. The mass is an integral by quadrature, a sum of positive terms.
 */
interface Between {
  /** A constant for derivatives: nothing depends on which point it is. */
  readonly peak: Tensor;
  /** From the mean to the peak, in units of the scale. */
  readonly offset: Tensor;
  /** From the peak to the lower bound, or to where the density no longer counts. */
  readonly from: Tensor;
  /** From there to the upper bound, or to where the density no longer counts. */
  readonly width: Tensor;
  /** The logarithm of the mass over that of density 1 at the peak, in units of the scale. */
  readonly logMass: Tensor;
  /** The mean of a function of d. */
  readonly average: (f: (d: Tensor) => Tensor) => Tensor;
}

/** How far from the peak the exponent is −depth. */
const reachOf = (offset: Tensor, depth: number): Tensor =>
  div(2 * depth, add(abs(offset), hypot(offset, Math.sqrt(2 * depth)))) as Tensor;

/** The exponent of the density at a distance from its peak, with the other sign. */
const falling = (d: Tensor, offset: Tensor): Tensor => mul(d, add(offset, mul(d, 0.5))) as Tensor;

const between = (loc: Tensor, scale: Tensor, low: Tensor, high: Tensor): Between => {
  const peak = stopGradient(minimum(maximum(loc, low), high)) as Tensor;
  const offset = div(sub(peak, loc), scale) as Tensor;
  const { depth, nodes } = ruleFor(loc);
  const reach = stopGradient(reachOf(offset, depth)) as Tensor;
  const distance = (bound: Tensor): Tensor => div(sub(bound, peak), scale) as Tensor;
  const clipped = (bound: Tensor): Tensor => {
    const far = greater(abs(distance(stopGradient(bound) as Tensor)), reach) as Tensor;
    const end = where(less(bound, peak), neg(reach), reach) as Tensor;
    return where(far, end, distance(where(far, peak, bound) as Tensor)) as Tensor;
  };
  const from = clipped(low);
  const width = sub(clipped(high), from) as Tensor;
  // Sums are written out: there is no axis of nodes, and what is computed for one place is one pass over the elements.
  const integral = (f: (d: Tensor, density: Tensor) => Tensor): Tensor =>
    nodes
      .map(([node, weight]) => {
        const d = add(from, mul(width, node)) as Tensor;
        return mul(f(d, exp(neg(falling(d, offset))) as Tensor), weight) as Tensor;
      })
      .reduce((sum, term) => add(sum, term) as Tensor);
  const total = integral((_, density) => density);
  return {
    peak,
    offset,
    from,
    width,
    logMass: log(mul(width, total)) as Tensor,
    average: f =>
      div(
        integral((d, density) => mul(density, f(d)) as Tensor),
        total,
      ) as Tensor,
  };
};

/** The logarithm of the density at x over the mass, both between the bounds that `part` was made of. */
const logDensity = (part: Between, scale: Tensor, x: Tensor): Tensor => {
  const d = div(sub(x, part.peak), scale) as Tensor;
  return neg(add(add(falling(d, part.offset), log(scale)), part.logMass)) as Tensor;
};

/** The logarithm of the mass of a part over that of the whole. */
const logShare = (part: Between, whole: Between, scale: Tensor): Tensor => {
  const peaks = mul(div(sub(part.peak, whole.peak), scale), add(part.offset, whole.offset)) as Tensor;
  return sub(sub(part.logMass, whole.logMass), mul(peaks, 0.5)) as Tensor;
};

/** An error of a logarithm of a probability that two of Newton's steps take away. */
const nearly = 1e-5;
const maxSteps = 100;

/**
 * The quantile at p in (0, 1): Newton's method for the logarithm of the smaller of the masses on both sides, in an interval
 * that is halved where a step leads out of it. Two steps at the end carry the derivatives, up to the third.
 */
const quantile = (parameters: Families['truncatedNormal'], own: Between, given: Tensor): Tensor => {
  // In the shape and the dtype of the result.
  const p = add(given, sub(parameters.loc, parameters.loc)) as Tensor;
  /** By how much the logarithm is off at x, and where Newton's step leads. */
  const errorAt = (
    whole: Between,
    { loc, scale, low, high }: Families['truncatedNormal'],
    level: Tensor,
    x: Tensor,
  ) => {
    const isLower = lessEqual(level, 0.5) as Tensor;
    const part = between(loc, scale, where(isLower, low, x) as Tensor, where(isLower, x, high) as Tensor);
    const share = logShare(part, whole, scale);
    const error = where(isLower, sub(share, log(level)), sub(log1p(neg(level)), share)) as Tensor;
    return { error, newton: sub(x, div(error, exp(logDensity(part, scale, x)))) as Tensor };
  };
  const fixed = Object.fromEntries(
    Object.entries(parameters).map(([name, x]) => [name, stopGradient(x)]),
  ) as unknown as Families['truncatedNormal'];
  const { loc, scale, low, high } = fixed;
  const level = stopGradient(p) as Tensor;
  const fixedWhole = between(loc, scale, low, high);
  const { peak, offset, from, width } = fixedWhole;
  const zero = sub(level, level) as Tensor;
  const ends = mul(scale, reachOf(offset, 750)) as Tensor;
  interface State {
    readonly step: Tensor;
    readonly isOpen: Tensor;
    readonly x: Tensor;
    readonly below: Tensor;
    readonly above: Tensor;
  }
  const refine = ({ step, x, below, above }: State): State => {
    const { error, newton } = errorAt(fixedWhole, fixed, level, x);
    const isBelow = less(error, 0);
    const [bottom, top] = [where(isBelow, x, below) as Tensor, where(isBelow, above, x) as Tensor];
    const isInside = logicalAnd(greater(newton, bottom), less(newton, top));
    const next = where(isInside, newton, mul(add(bottom, top), 0.5)) as Tensor;
    const isOpen = logicalAnd(greater(abs(error), nearly), notEqual(next, x)) as Tensor;
    return {
      step: add(step, 1) as Tensor,
      isOpen: any(isOpen) as Tensor,
      x: where(isOpen, next, x) as Tensor,
      below: bottom,
      above: top,
    };
  };
  const start: State = {
    step: tensor(0, { dtype: 'int32' }) as Tensor,
    isOpen: tensor(true) as Tensor,
    x: add(zero, add(peak, mul(scale, add(from, mul(width, level))))) as Tensor,
    below: add(zero, maximum(low, sub(peak, ends))) as Tensor,
    above: add(zero, minimum(high, add(peak, ends))) as Tensor,
  };
  const goesOn = ({ step, isOpen }: State): Tensor => logicalAnd(isOpen, less(step, maxSteps)) as Tensor;
  const found = stopGradient(whileLoop(goesOn, refine)(start).x) as Tensor;
  // At a bound, the quantiles that are nearer to it than the next number, there is no mass to take a logarithm of.
  const middle = add(peak, mul(scale, add(from, mul(width, 0.5)))) as Tensor;
  const improved = (x: Tensor): Tensor => {
    const [isLow, isHigh] = [lessEqual(x, low), greaterEqual(x, high)];
    const { newton } = errorAt(own, parameters, p, where(logicalOr(isLow, isHigh), middle, x) as Tensor);
    const inner = where(isHigh, parameters.high, within(newton, parameters)) as Tensor;
    return where(isLow, parameters.low, inner) as Tensor;
  };
  return improved(improved(found));
};

/** What rounding may have brought out of the bounds. */
const within = (x: Tensor, { low, high }: Families['truncatedNormal']): Tensor =>
  where(less(x, low), low, where(greater(x, high), high, x) as Tensor) as Tensor;

/** A bound in units of the scale from the mean; an infinite one has the derivative 0. */
const standard = (bound: Tensor, { loc, scale }: Families['truncatedNormal']): Tensor => {
  const isInfinite = equal(abs(bound), Number.POSITIVE_INFINITY) as Tensor;
  const finite = div(sub(where(isInfinite, loc, bound), loc), scale);
  return where(isInfinite, stopGradient(bound), finite) as Tensor;
};

/**
 * The normal distribution with mean `loc` and standard deviation `scale`, restricted to [low, high]: both are of the normal
 * distribution without bounds. Accurate wherever the bounds lie, far out in a tail as well.
 *
 * @param parameters numbers or tensors that broadcast, low < high; both may be infinite
 * @throws ArgumentError when a parameter is missing, unknown, or a number it cannot be
 * @throws ShapeError when the parameters do not broadcast, DTypeError for uint8
 * @example
 * ```js
 * import { logProb, mean, truncatedNormal } from 'tenfold/distributions';
 * const d = truncatedNormal({ loc: 0, scale: 1, low: 10, high: Infinity });
 * mean(d).toArray(); // => 10.098093
 * logProb(d, 9).toArray(); // => -Infinity
 * ```
 */
export const truncatedNormal = (
  parameters: LocationScale & { readonly low: Parameter; readonly high: Parameter },
): Distribution<'truncatedNormal'> => {
  const own = readParameters('truncatedNormal', parameters, {
    loc: 'real',
    scale: 'positive',
    low: 'logit',
    high: 'logit',
  });
  checkBounds('truncatedNormal', parameters);
  const { loc, scale, low, high } = own;
  const whole = between(loc, scale, low, high);
  const shift = (): Tensor => whole.average(d => d);
  return define('truncatedNormal', own, {
    logProb: x => {
      const outside = logicalOr(less(x, low), greater(x, high)) as Tensor;
      return unless(outside, Number.NEGATIVE_INFINITY, x, whole.peak, y => logDensity(whole, scale, y));
    },
    cdf: x => {
      const [isBelow, isAbove] = [lessEqual(x, low), greaterEqual(x, high)];
      const middle = stopGradient(add(whole.peak, mul(scale, add(whole.from, mul(whole.width, 0.5))))) as Tensor;
      const y = where(logicalOr(isBelow, isAbove), middle, x) as Tensor;
      const share = exp(logShare(between(loc, scale, low, y), whole, scale)) as Tensor;
      return where(isBelow, 0, where(isAbove, 1, probability(share)) as Tensor) as Tensor;
    },
    icdf: p => {
      const isEnd = logicalOr(lessEqual(p, 0), greaterEqual(p, 1));
      const inner = quantile(own, whole, where(isEnd, 0.5, p) as Tensor);
      return where(isEnd, where(lessEqual(p, 0), low, high) as Tensor, inner) as Tensor;
    },
    mean: () => add(whole.peak, mul(scale, shift())) as Tensor,
    variance: () => {
      const centre = shift();
      return mul(
        square(scale),
        whole.average(d => square(sub(d, centre)) as Tensor),
      ) as Tensor;
    },
    entropy: () => {
      const mean = whole.average(d => falling(d, whole.offset));
      return add(add(log(scale), whole.logMass), mean) as Tensor;
    },
    sample: (key, shape) => {
      const z = drawTruncatedNormal(key, standard(low, own), standard(high, own), { shape });
      return within(add(loc, mul(scale, z)) as Tensor, own);
    },
  });
};
