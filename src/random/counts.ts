/**
 * Counts: of Poisson, and of trials that succeed. Where few are expected, by a search along the distribution function; else by
 * Hörmann's transformed rejection. All in float64, whatever the dtypes, so that large counts come out to the last one.
 */
import { b } from '../tensor/build.js';
import { DTypeError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { atMost, plus, times } from '../tensor/ops/common/numbers.js';
import { castNode, checkSetting } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { full, scalar } from '../tensor/primitives/full.js';
import type { Shape } from '../tensor/shape.js';
import type { Fit, Ok } from '../tensor/shape-types.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { whileLoop } from '../tensor/transform/loops.js';
import type { ShapeOf } from '../tensor/types/operands.js';
import type { Key } from './key.js';
import { notNegative, openUnit, type Parameter, parametersOf } from './parameters.js';
import { anyTrue, subkey, untilAccepted } from './rejection.js';
import type { Drawn, ShapeOfBoth } from './shapes.js';

/** Dtypes of counts. */
export type CountDType = 'int32' | 'float32' | 'float64';

/** Options of draws of counts. */
export interface CountOptions<S extends Shape = Shape, D extends CountDType = CountDType> {
  /** Of the result; default that which the parameters broadcast to. */
  readonly shape?: S;
  /** Default int32, whose largest number stands for all above it. */
  readonly dtype?: D;
}

const number = (like: Node, value: number): Node => full(b, like, value);

/** Below this mean, counts are searched for. */
const fewest = 10;

/** Steps of a search: of a mean below 10, no more have a probability above 2⁻⁵⁶. */
const maxSteps = 128;

/**
 * The smallest k of which the distribution function is above u, by going through the probabilities from that of 0 on.
 *
 * @param open which elements are searched for; the others come out as 0
 * @param none the probability of 0
 * @param factor the probability of k + 1, divided by that of k
 */
const search = (u: Node, open: Node, mean: Node, none: Node, factor: (k: Node) => Node): Node => {
  interface State {
    readonly step: Tensor;
    readonly k: Tensor;
    readonly mass: Tensor;
    readonly left: Tensor;
  }
  const next = ({ k, mass }: State): Node => b.mul(nodeOf(mass), factor(nodeOf(k)));
  // Rounding may leave something of u when all of the mass is spent.
  const isOpen = (state: State): Node => {
    const spent = b.and(b.gt(nodeOf(state.k), mean), b.lt(next(state), number(u, 2 ** -56)));
    return b.and(b.and(open, b.ge(nodeOf(state.left), number(u, 0))), b.not(spent));
  };
  const step = (state: State): State => {
    const goesOn = isOpen(state);
    const mass = next(state);
    const choose = (then: Node, now: Tensor): Tensor => wrap(b.select(goesOn, then, nodeOf(now)));
    return {
      step: wrap(plus(nodeOf(state.step), 1)),
      k: choose(plus(nodeOf(state.k), 1), state.k),
      mass: choose(mass, state.mass),
      left: choose(b.sub(nodeOf(state.left), mass), state.left),
    };
  };
  const goesOn = (state: State): Tensor =>
    wrap(b.and(b.lt(nodeOf(state.step), scalar(b, maxSteps, 'int32')), anyTrue(isOpen(state))));
  const init: State = {
    step: wrap(scalar(b, 0, 'int32')),
    k: wrap(number(u, 0)),
    mass: wrap(none),
    left: wrap(b.sub(u, none)),
  };
  return nodeOf(whileLoop(goesOn, step)(init).k);
};

/** log Γ(z) − ((z − ½)·log z − z + ½·log 2π), for z ≥ 1: what Stirling's formula lacks (Abramowitz & Stegun 1964, 6.1.41). */
const stirling = (z: Node): Node => {
  const inverse = b.div(number(z, 1), z);
  const square = b.mul(inverse, inverse);
  const series = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360];
  const many = series.reduceRight((sum, c) => b.add(b.mul(sum, square), number(z, c)), number(z, 0));
  const isFew = b.lt(z, number(z, 16));
  const few = b.select(isFew, z, number(z, 1));
  const direct = b.add(
    b.sub(b.lgamma(few), b.mul(plus(few, -0.5), b.log(few))),
    plus(few, -0.5 * Math.log(2 * Math.PI)),
  );
  return b.select(isFew, direct, b.mul(many, inverse));
};

/** y·log(y/x) − y + x, so written that nothing cancels where both are large and near to each other. */
const deviance = (y: Node, x: Node): Node => {
  const d = b.div(b.sub(y, x), x);
  return b.mul(x, b.sub(b.mul(plus(d, 1), b.log1p(d)), d));
};

/** What Hörmann's two algorithms differ in. */
interface Hat {
  readonly a: Node;
  readonly b: Node;
  readonly centre: Node;
  /** By what the ratio of the masses is divided. */
  readonly log: Node;
}

/**
 * Counts by the transformation k = ⌊(2a/(½ − |u|) + b)·u + centre⌋ of a uniform u, accepted with the ratio of their mass to that
 * of the transformed u. The squeezes that spare the logarithm are left out: all elements are computed at once.
 */
const transformed = (
  key: Node,
  open: Node,
  others: Node,
  hat: Hat,
  logMass: (k: Node) => Node,
  last: Node | null,
): Node =>
  untilAccepted(key, open, others, own => {
    const u = plus(openUnit(subkey(own, 0), open.shape, 'float64'), -0.5);
    const v = openUnit(subkey(own, 1), open.shape, 'float64');
    const rest = plus(b.neg(b.abs(u)), 0.5);
    const k = b.floor(b.add(b.mul(b.add(b.div(times(hat.a, 2), rest), hat.b), u), hat.centre));
    const log = b.sub(b.add(b.log(v), hat.log), b.log(b.add(b.div(hat.a, b.mul(rest, rest)), hat.b)));
    const isCount = b.ge(k, number(k, 0));
    const accepted = b.and(last === null ? isCount : b.and(isCount, b.le(k, last)), b.le(log, logMass(k)));
    return { value: k, accepted };
  });

/** For rates from 10 on: the algorithm PTRS. */
const manyOfPoisson = (key: Node, open: Node, others: Node, rate: Node): Node => {
  const spread = plus(times(b.sqrt(rate), 2.53), 0.931);
  const constant = plus(b.log(rate), 0.5 * Math.log(2 * Math.PI));
  const hat: Hat = {
    a: plus(times(spread, 0.02483), -0.059),
    b: spread,
    centre: plus(rate, 0.43),
    log: b.log(plus(b.div(number(rate, 1.1328), plus(spread, -3.4)), 1.1239)),
  };
  // k·log λ − λ − log k!, in z = k + 1.
  const logMass = (k: Node): Node => {
    const z = plus(k, 1);
    return b.sub(b.sub(times(b.log(z), 0.5), b.add(deviance(z, rate), constant)), stirling(z));
  };
  return transformed(key, open, others, hat, logMass, null);
};

/** For n·p from 10 on, p ≤ ½: the algorithm BTRS. */
const manyOfBinomial = (key: Node, open: Node, others: Node, n: Node, p: Node): Node => {
  const q = plus(b.neg(p), 1);
  const sigma = b.sqrt(b.mul(b.mul(n, p), q));
  const spread = plus(times(sigma, 2.53), 1.15);
  const trials = plus(n, 1);
  // The logarithm of the mass but for what does not depend on k.
  const logMass = (k: Node): Node => {
    const [z, y] = [plus(k, 1), plus(b.sub(n, k), 1)];
    const far = b.add(deviance(z, b.mul(trials, p)), deviance(y, b.mul(trials, q)));
    return b.sub(b.sub(times(b.add(b.log(z), b.log(y)), 0.5), far), b.add(stirling(z), stirling(y)));
  };
  const mode = b.floor(b.mul(trials, p));
  const hat: Hat = {
    a: b.add(plus(times(spread, 0.0248), -0.0873), times(p, 0.01)),
    b: spread,
    centre: plus(b.mul(n, p), 0.5),
    log: b.add(b.log(b.mul(plus(b.div(number(p, 5.1), spread), 2.83), sigma)), logMass(mode)),
  };
  return transformed(key, open, others, hat, logMass, n);
};

/** Options and parameters of a draw of counts, in float64. */
const prepared = (
  operation: string,
  key: Key,
  named: Parameters<typeof parametersOf>[2],
  options: CountOptions,
): { readonly key: Node; readonly nodes: readonly Node[]; readonly finish: (counts: Node) => Tensor } => {
  checkOptions(operation, ['shape', 'dtype'], options);
  const { dtype = 'int32', shape } = options;
  checkSetting(operation, 'dtype', dtype);
  if (!['int32', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError({
      operation,
      given: `the dtype ${String(dtype)}`,
      rule: 'counts are int32, float32 or float64',
      hint: 'Cast the draw for others.',
    });
  }
  const { key: node, nodes } = parametersOf(operation, key, named, {
    dtype: 'float64',
    ...(shape === undefined ? {} : { shape }),
  });
  return {
    key: node,
    nodes: nodes.map(each => b.stopGradient(each)),
    finish: counts => {
      // No integer is NaN.
      const marked = dtype === 'int32' ? b.select(b.ne(counts, counts), number(counts, -1), counts) : counts;
      return wrap(b.stopGradient(castNode(marked, dtype)));
    },
  };
};

/**
 * Counts of Poisson: k with probability λᵏ e^−λ / k!. By the inverse of the distribution function for rates below 10, and by
 * the algorithm PTRS above (Hörmann: "The transformed rejection method for generating Poisson random variables", Insurance:
 * Mathematics and Economics 12, 1993). Draws have no derivative.
 *
 * @param rate λ ≥ 0, a number or a tensor; where it is negative or NaN, the element is −1 as an integer, NaN as a float
 * @param options `shape` (that of the rate); `dtype` of the counts, int32 (the default: 2³¹ − 1 stands for all above it),
 *   float32 or float64 (rounded where they are too large, ∞ for an infinite rate)
 * @returns counts of that shape and dtype
 * @throws ArgumentError when `key` is no key or the number negative or not finite, ShapeError when the rate does not broadcast
 *   to the shape, DTypeError for another dtype
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { key, poisson } from 'tenfold/random';
 * poisson(key(0), tensor([0, 3, 1e6])).dtype; // => 'int32'
 * ```
 */
export const poisson = <P extends Parameter, const S extends Shape = ShapeOf<P>, D extends CountDType = 'int32'>(
  key: Key,
  rate: P & Ok<Drawn<'poisson', ShapeOf<P>, NoInfer<S>>>,
  options: CountOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [{ name: 'rate', value: rate, ...notNegative }];
  const { key: node, nodes, finish } = prepared('poisson', key, named, options);
  const lambda = nodes[0]!;
  const few = b.and(b.ge(lambda, number(lambda, 0)), b.lt(lambda, number(lambda, fewest)));
  const isInfinite = b.eq(lambda, number(lambda, Number.POSITIVE_INFINITY));
  const many = b.and(b.ge(lambda, number(lambda, fewest)), b.not(isInfinite));
  const u = openUnit(subkey(node, 0), lambda.shape, 'float64');
  const found = search(u, few, lambda, b.exp(b.neg(lambda)), k => b.div(lambda, plus(k, 1)));
  const others = b.select(few, found, b.select(isInfinite, lambda, number(lambda, Number.NaN)));
  return finish(manyOfPoisson(subkey(node, 1), many, others, lambda)) as Tensor<S, NoInfer<D>>;
};

/** The largest number of trials: from there on floats leave out counts. */
const mostTrials = 2 ** 53;

/**
 * Numbers of successes in so many trials: k with probability C(n, k) pᵏ (1 − p)ⁿ⁻ᵏ. By the inverse of the distribution
 * function where fewer than 10 successes or failures are expected, else by the algorithm BTRS (Hörmann: "The generation of
 * binomial random variates", Journal of Statistical Computation and Simulation 46, 1993). Draws have no derivative.
 *
 * @param count n, an integer from 0 to 2⁵³, a number or a tensor
 * @param probability p of success, a number or a tensor; where it or the count is none, the element is −1 as an integer, NaN as
 *   a float
 * @param options `shape` (that the two broadcast to), `dtype` as `poisson` takes it
 * @returns counts of that shape and dtype
 * @throws ArgumentError when `key` is no key or a number out of range, ShapeError when the parameters do not broadcast to the
 *   shape, DTypeError for another dtype
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { binomial, key } from 'tenfold/random';
 * binomial(key(0), 5, tensor([0, 1])).toArray(); // => [0, 5]
 * ```
 */
export const binomial = <
  P extends Parameter,
  Q extends Parameter,
  const S extends Shape = Fit<ShapeOfBoth<'binomial', P, Q>>,
  D extends CountDType = 'int32',
>(
  key: Key,
  count: P,
  probability: Q & Ok<Drawn<'binomial', ShapeOfBoth<'binomial', P, Q>, NoInfer<S>>>,
  options: CountOptions<S, D> = {},
): Tensor<S, NoInfer<D>> => {
  const named = [
    {
      name: 'count',
      value: count,
      rule: 'an integer from 0 to 2⁵³',
      allowed: (x: number) => Number.isInteger(x) && x >= 0 && x <= mostTrials,
    },
    { name: 'probability', value: probability, rule: 'a number from 0 to 1', allowed: (x: number) => x >= 0 && x <= 1 },
  ];
  const { key: node, nodes, finish } = prepared('binomial', key, named, options);
  const [n, given] = nodes as [Node, Node];
  const [zero, one] = [number(n, 0), number(n, 1)];
  const isCount = b.and(b.and(b.ge(n, zero), b.le(n, number(n, mostTrials))), b.eq(b.floor(n), n));
  const isValid = b.and(isCount, b.and(b.ge(given, zero), b.le(given, one)));
  const isFlipped = b.gt(given, number(given, 0.5));
  const p = b.select(isFlipped, b.sub(one, given), given);
  const mean = b.mul(n, p);
  const few = b.and(isValid, b.lt(mean, number(mean, fewest)));
  const many = b.and(isValid, b.ge(mean, number(mean, fewest)));
  const u = openUnit(subkey(node, 0), n.shape, 'float64');
  const odds = b.div(p, b.sub(one, p));
  const none = b.exp(b.mul(n, b.log1p(b.neg(p))));
  const found = search(u, few, mean, none, k => b.mul(b.div(b.sub(n, k), plus(k, 1)), odds));
  const others = b.select(few, found, number(n, Number.NaN));
  const successes = atMost(manyOfBinomial(subkey(node, 1), many, others, n, p), n);
  return finish(b.select(isFlipped, b.sub(n, successes), successes)) as Tensor<S, NoInfer<D>>;
};
