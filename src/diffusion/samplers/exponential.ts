/**
 * Exponential integrators in λ = log(α / σ), what DPM-Solver, UniPC and DEIS have in common. The linear part of the
 * probability-flow ODE is solved exactly, and the network's prediction is a polynomial in λ through what is known of it:
 *
 * x_t = carry · x_s + ∫₀ʰ w(u) f(λ_s + u) du + diffusion · z,  h = λ_t − λ_s,
 *
 * where f is the prediction of x₀ (data form) or of ε (noise form), and w belongs to the form.
 *
 * Source: Lu et al. 2022, arXiv:2206.00927, eqs. 3.4 and 3.6; arXiv:2211.01095, eqs. 8 and 9, section 3.4 for the SDEs.
 */

import { tensor } from '../../tensor/ops/creation/creation.js';
import { abs, add, div, maximum, mul, neg, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal, greater, less, where } from '../../tensor/ops/elementwise/comparison.js';
import { exp, expm1, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd, logicalNot } from '../../tensor/ops/elementwise/logic.js';
import { range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { halfLogSnr, type NoiseLevel } from '../level.js';
import type { Parts } from '../prediction.js';

/**
 * What is integrated: `dpmsolver++` the prediction of x₀ and `dpmsolver` that of ε, along the probability-flow ODE; with
 * `sde-` along the reverse SDE, which draws noise once a step.
 */
export type DpmSolverAlgorithm = 'dpmsolver++' | 'dpmsolver' | 'sde-dpmsolver++' | 'sde-dpmsolver';

/** α and σ of a level. */
export type Rates = Pick<NoiseLevel, 'alpha' | 'sigma'>;

/**
 * The parts of a step; float64 scalars. Where the form has none, from a level of the data in the data form and from one of noise
 * alone in the noise form, the step is Euler's of both predictions, which is DDIM.
 */
export interface Integral {
  /** λ_t − λ_s; 1 where that is not finite. */
  readonly h: Tensor;
  /** Whether h is finite: it is not where one of the levels has no noise, or no signal. */
  readonly finite: Tensor;
  readonly carry: Tensor;
  /** What the prediction that is not integrated is multiplied by: 0, but in a step that is Euler's. */
  readonly other: Tensor;
  /** ∫ w(u) uⁱ du for i = 0, 1, …; beyond the first they say nothing where h is not finite. */
  readonly moments: readonly Tensor[];
  /** What the first moment is to first order in h. */
  readonly linearised: Tensor;
  readonly diffusion: Tensor;
}

/** Whether a scalar is finite. */
const isBounded = (x: Tensor): Tensor => less(abs(x), Number.POSITIVE_INFINITY) as Tensor;

/** λ of α and σ. */
export const lambdaOf = ({ alpha, sigma }: Rates): Tensor => halfLogSnr({ alpha, sigma, time: sigma });

/** Whether predictions of x₀ are integrated. */
const isDataForm = (algorithm: DpmSolverAlgorithm): boolean => algorithm.endsWith('++');

/** The prediction that is integrated, and the other one. */
export const predictionsOf = (
  algorithm: DpmSolverAlgorithm,
  { x0, eps }: Parts,
): readonly [integrated: Tensor, other: Tensor] => (isDataForm(algorithm) ? [x0, eps] : [eps, x0]);

/** Whether noise is drawn. */
export const isStochastic = (algorithm: DpmSolverAlgorithm): boolean => algorithm.startsWith('sde-');

/** Moments of w(u) = −(F / c) exp((h − u) / c) from the first on: −F cⁱ i! (exp(k) − Σ_{j ≤ i} kʲ / j!), where k = h / c. */
const momentsOf = (first: Tensor, factor: Tensor, k: Tensor, c: number, count: number): readonly Tensor[] =>
  range(count - 1).reduce<{ readonly rest: Tensor; readonly term: Tensor; readonly moments: readonly Tensor[] }>(
    ({ rest, term, moments }, j) => {
      const next = div(mul(term, k), j + 1) as Tensor;
      const smaller = sub(rest, next) as Tensor;
      const scale = -(c ** (j + 1)) * range(j + 1).reduce((product, n) => product * (n + 1), 1);
      return { rest: smaller, term: next, moments: [...moments, mul(mul(smaller, factor), scale) as Tensor] };
    },
    { rest: expm1(k) as Tensor, term: tensor(1, { dtype: 'float64' }) as Tensor, moments: [first] },
  ).moments;

/** The parts of a step between two levels, with `count` moments. */
export const integral = (algorithm: DpmSolverAlgorithm, from: Rates, to: Rates, count: number): Integral => {
  const stochastic = isStochastic(algorithm);
  const all = sub(lambdaOf(to), lambdaOf(from)) as Tensor;
  const finite = isBounded(all);
  const h = where(finite, all, 1) as Tensor;
  if (isDataForm(algorithm)) {
    // λ falls infinitely, or does not change where it is infinite.
    const direct = logicalNot(greater(all, Number.NEGATIVE_INFINITY)) as Tensor;
    const unless = (euler: Tensor | 0, value: Tensor): Tensor => where(direct, euler as Tensor, value) as Tensor;
    const c = stochastic ? -0.5 : -1;
    const ratio = div(to.sigma, from.sigma) as Tensor;
    const first = neg(mul(to.alpha, expm1(div(all, c)))) as Tensor;
    return {
      h,
      finite,
      carry: unless(0, stochastic ? (mul(ratio, exp(neg(all))) as Tensor) : ratio),
      other: where(direct, to.sigma, 0) as Tensor,
      moments: momentsOf(unless(to.alpha, first), to.alpha, div(h, c) as Tensor, c, count),
      linearised: neg(mul(to.alpha, div(h, c))) as Tensor,
      diffusion: unless(0, mul(to.sigma, sqrt(maximum(neg(expm1(mul(all, -2))), 0) as Tensor)) as Tensor),
    };
  }
  const direct = equal(from.alpha, 0) as Tensor;
  const factor = stochastic ? (mul(to.sigma, 2) as Tensor) : to.sigma;
  const carry = where(direct, 0, div(to.alpha, from.alpha)) as Tensor;
  // To the data, where the integrals of ε over λ do not end, x₀ is taken as it is predicted, by SDEs too.
  const toEnd = sub(to.sigma, mul(carry, from.sigma)) as Tensor;
  const first = where(finite, neg(mul(factor, expm1(h))), toEnd) as Tensor;
  const spread = mul(to.sigma, sqrt(maximum(expm1(mul(h, 2)), 0) as Tensor)) as Tensor;
  return {
    h,
    finite,
    carry,
    other: where(direct, to.alpha, 0) as Tensor,
    moments: momentsOf(first, factor, h, 1, count),
    linearised: neg(mul(factor, h)) as Tensor,
    diffusion: where(finite, spread, 0) as Tensor,
  };
};

/**
 * The integrals of Newton's polynomials: term j is ∫ w(u) Π_{l < j} (u − u_l) du, by which the divided difference
 * f[u₀ … u_j] is multiplied. The first node is 0 and is not among those given.
 */
export const newtonTerms = (moments: readonly Tensor[], nodes: readonly Tensor[]): readonly Tensor[] => {
  // A factor u − a takes the moment after each, and a times the moment away.
  const times = (rest: readonly Tensor[], a: Tensor): readonly Tensor[] =>
    rest.slice(1).map((moment, i) => sub(moment, mul(a, rest[i]!)) as Tensor);
  return nodes.slice(0, -1).reduce<{ readonly rest: readonly Tensor[]; readonly terms: readonly Tensor[] }>(
    ({ rest, terms }, node) => {
      const next = times(rest, node);
      return { rest: next, terms: [...terms, next[0]!] };
    },
    { rest: moments.slice(1), terms: moments.slice(0, nodes.length === 0 ? 1 : 2) },
  ).terms;
};

/** The weights of the values f(u_i) in Σ_j term_j f[u₀ … u_j]; the first node is 0 and is not among those given. */
export const newtonWeights = (terms: readonly Tensor[], nodes: readonly Tensor[]): readonly Tensor[] => {
  const all = [tensor(0, { dtype: 'float64' }) as Tensor, ...nodes].slice(0, terms.length);
  const product = (i: number, j: number): readonly Tensor[] =>
    range(j + 1)
      .filter(l => l !== i)
      .map(l => sub(all[i]!, all[l]!) as Tensor);
  const share = (i: number, j: number): Tensor =>
    product(i, j).reduce<Tensor>((term, distance) => div(term, distance) as Tensor, terms[j]!);
  return all.map((_, i) =>
    range(terms.length - i)
      .map(k => share(i, i + k))
      .reduce((total, part) => add(total, part) as Tensor),
  );
};

/** Earlier levels, the latest first, and which of them can be used. */
export interface Past {
  /** λ of each less that of the level now: falling, and finite in any case. */
  readonly nodes: readonly Tensor[];
  /** Whether a level and those after it are known, and lie apart. */
  readonly usable: readonly Tensor[];
}

/** λ of a level that is not there: at no finite distance from others. */
export const noLambda = (): Tensor => tensor(Number.POSITIVE_INFINITY, { dtype: 'float64' }) as Tensor;

/** Whether two levels lie apart, at a finite distance in λ. */
export const areApart = (lambda: Tensor, other: Tensor): Tensor => {
  const distance = abs(sub(lambda, other)) as Tensor;
  return logicalAnd(greater(distance, 0), isBounded(distance)) as Tensor;
};

/** Where earlier levels lie. */
export const pastOf = (now: Tensor, lambdas: readonly Tensor[]): Past => {
  const all = [now, ...lambdas];
  return lambdas.reduce<Past>(
    ({ nodes, usable }, lambda, i) => {
      const apart = areApart(all[i]!, lambda);
      const known = usable.length === 0 ? apart : (logicalAnd(usable.at(-1)!, apart) as Tensor);
      const step = where(known, sub(all[i]!, lambda), 1) as Tensor;
      const node = nodes.length === 0 ? (neg(step) as Tensor) : (sub(nodes.at(-1)!, step) as Tensor);
      return { nodes: [...nodes, node], usable: [...usable, known] };
    },
    { nodes: [], usable: [] },
  );
};
