/** Divergences of distributions from others of their family. */
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { dual } from '../tensor/ops/common/operands.js';
import { abs, add, div, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { xlogy } from '../tensor/ops/elementwise/bivariate.js';
import { greater, less, where } from '../tensor/ops/elementwise/comparison.js';
import { exp, log } from '../tensor/ops/elementwise/elementary.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { digamma, lgamma } from '../tensor/ops/elementwise/special.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { broadcastShapes, sameShape, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Distribution, Families, Family } from './distribution.js';
import { divergenceOfVectors } from './multivariate-normal.js';
import { eulerGamma, lbeta, weighted, xlog1py } from './numerics.js';
import { checkDistribution } from './operations.js';
import { divergenceOfAngles } from './von-mises.js';

type Divergence<F extends Family> = (p: Families[F], q: Families[F]) => Tensor;

const along = { axis: -1 } as const;

const ofNormals: Divergence<'normal' | 'logNormal'> = (p, q) => {
  const ratio = square(div(p.scale, q.scale)) as Tensor;
  const distance = square(div(sub(p.loc, q.loc), q.scale)) as Tensor;
  return mul(sub(sub(add(ratio, distance), 1), log(ratio)), 0.5) as Tensor;
};

const ofGammas: Divergence<'gamma'> = (p, q) => {
  const shape = sub(lgamma(q.concentration), lgamma(p.concentration)) as Tensor;
  const logs = mul(q.concentration, log(div(p.rate, q.rate))) as Tensor;
  const slope = mul(sub(p.concentration, q.concentration), digamma(p.concentration)) as Tensor;
  const rates = mul(sub(q.rate, p.rate), div(p.concentration, p.rate)) as Tensor;
  return add(add(logs, shape), add(slope, rates)) as Tensor;
};

/** By family; those that are missing have no closed form, or are not here. */
const divergences: { readonly [F in Family]?: Divergence<F> } = {
  normal: ofNormals,
  logNormal: ofNormals,
  uniform: (p, q) =>
    where(
      logicalOr(less(p.low, q.low), greater(p.high, q.high)),
      Number.POSITIVE_INFINITY,
      log(div(sub(q.high, q.low), sub(p.high, p.low))),
    ) as Tensor,
  exponential: (p, q) => {
    const ratio = div(q.rate, p.rate) as Tensor;
    return sub(sub(ratio, 1), log(ratio)) as Tensor;
  },
  laplace: (p, q) => {
    const distance = abs(sub(p.loc, q.loc)) as Tensor;
    const near = mul(div(p.scale, q.scale), exp(neg(div(distance, p.scale)))) as Tensor;
    return sub(add(add(near, div(distance, q.scale)), log(div(q.scale, p.scale))), 1) as Tensor;
  },
  // Chyzak & Nielsen 2019, arXiv:1905.10965.
  cauchy: (p, q) => {
    const distances = add(square(add(p.scale, q.scale)), square(sub(p.loc, q.loc))) as Tensor;
    return log(div(distances, mul(mul(p.scale, q.scale), 4))) as Tensor;
  },
  gumbel: (p, q) => {
    const ratio = div(p.scale, q.scale) as Tensor;
    const shift = div(sub(p.loc, q.loc), q.scale) as Tensor;
    const tail = exp(sub(lgamma(add(ratio, 1)), shift)) as Tensor;
    const widths = sub(mul(sub(ratio, 1), eulerGamma), log(ratio)) as Tensor;
    return sub(add(add(widths, shift), tail), 1) as Tensor;
  },
  halfNormal: (p, q) => {
    const ratio = square(div(p.scale, q.scale)) as Tensor;
    return mul(sub(sub(ratio, 1), log(ratio)), 0.5) as Tensor;
  },
  gamma: ofGammas,
  chi2: (p, q) => {
    const [a, b] = [mul(p.df, 0.5) as Tensor, mul(q.df, 0.5) as Tensor];
    return add(sub(lgamma(b), lgamma(a)), mul(sub(a, b), digamma(a))) as Tensor;
  },
  beta: (p, q) => {
    const [a, b, c, d] = [p.concentration1, p.concentration0, q.concentration1, q.concentration0];
    const each = add(mul(sub(a, c), digamma(a)), mul(sub(b, d), digamma(b))) as Tensor;
    const all = mul(sub(add(c, d), add(a, b)), digamma(add(a, b))) as Tensor;
    return add(sub(lbeta(c, d), lbeta(a, b)), add(each, all)) as Tensor;
  },
  bernoulli: (p, q) => {
    const failure = sub(1, p.probs) as Tensor;
    const own = add(xlogy(p.probs, p.probs), xlog1py(failure, neg(p.probs) as Tensor)) as Tensor;
    return sub(own, add(xlogy(p.probs, q.probs), xlog1py(failure, neg(q.probs) as Tensor))) as Tensor;
  },
  geometric: (p, q) => {
    const failure = sub(1, p.probs) as Tensor;
    const failures = sub(xlog1py(failure, neg(p.probs) as Tensor), xlog1py(failure, neg(q.probs) as Tensor)) as Tensor;
    return add(log(div(p.probs, q.probs)), div(failures, p.probs)) as Tensor;
  },
  poisson: (p, q) => add(mul(p.rate, log(div(p.rate, q.rate))), sub(q.rate, p.rate)) as Tensor,
  categorical: (p, q) => {
    // Where p is 0 both logarithms may be −∞, and their difference no number.
    const [own, other] = [weighted(p.probs, p.logits), weighted(p.probs, q.logits)];
    return sum(sub(own, other) as Tensor, along) as Tensor;
  },
  dirichlet: (p, q) => {
    const [a, b] = [p.concentration, q.concentration];
    const [all, others] = [sum(a, along) as Tensor, sum(b, along) as Tensor];
    const slopes = mul(sub(a, b), sub(digamma(a), digamma(sum(a, { axis: -1, keepDims: true }) as Tensor))) as Tensor;
    const each = sum(add(sub(lgamma(b), lgamma(a)), slopes) as Tensor, along) as Tensor;
    return add(sub(lgamma(all), lgamma(others)), each) as Tensor;
  },
  multivariateNormal: divergenceOfVectors,
  vonMises: divergenceOfAngles,
};

/** The signatures of {@link klDivergence}. */
export interface KlDivergence {
  (p: Distribution, q: Distribution): Tensor;
  (q: Distribution): (p: Distribution) => Tensor;
}

/**
 * The Kullback-Leibler divergence of p from q in nats, ∫ p log(p / q), of two distributions of one family.
 *
 * @param p may come last: `pipe(p, klDivergence(q))`
 * @returns the broadcast shape of the batches
 * @throws ArgumentError when one is no distribution, or the divergence of such a pair is not known in closed form
 * @throws ShapeError when the batches do not broadcast, or events differ in shape
 * @example
 * ```js
 * import { klDivergence, normal } from 'tenfold/distributions';
 * klDivergence(normal({ loc: 2, scale: 1 }), normal({ loc: 0, scale: 1 })).toArray(); // => 2
 * ```
 */
export const klDivergence: KlDivergence = dual(2, (p: Distribution, q: Distribution) => {
  for (const d of [p, q]) checkDistribution('klDivergence', d);
  const divergence = p.family === q.family ? (divergences[p.family] as Divergence<Family> | undefined) : undefined;
  if (divergence === undefined) {
    throw new ArgumentError({
      operation: 'klDivergence',
      given: `distributions of the families ${p.family} and ${q.family}`,
      rule: 'the divergence of such a pair has no closed form here',
      hint: 'Estimate it from draws: x = sample(p, key, { shape: [n] }), then the mean of logProb(p, x) − logProb(q, x).',
    });
  }
  const [mine, its] = [categoriesIn(p), categoriesIn(q)];
  if (!sameShape(mine, its)) {
    throw new ShapeError({
      operation: 'klDivergence',
      given: `${p.family} distributions of ${showShape(mine)} and of ${showShape(its)}`,
      rule: 'both are of values of one kind',
      hint: 'Give both as many categories, or vectors of one length.',
    });
  }
  broadcastShapes('klDivergence', p.batchShape, q.batchShape);
  return divergence(p.parameters, q.parameters);
});

/** What an event is: of a categorical distribution, which has numbers for events, how many categories there are. */
const categoriesIn = (d: Distribution): readonly number[] =>
  d.family === 'categorical' ? (d as Distribution<'categorical'>).parameters.logits.shape.slice(-1) : d.eventShape;
