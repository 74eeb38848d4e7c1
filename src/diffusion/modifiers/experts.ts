/** Composition: denoisers of several distributions as that of their product. */
import { checkList } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkAlike, checkFinite, checkFunctions } from '../checks.js';
import { checkCall, type Denoised, type Denoiser } from '../denoiser.js';
import { combine } from '../level.js';
import { agreeing } from '../prediction.js';
import { withParts } from './parts.js';

/** Options of {@link productOfExperts}. */
export interface ExpertsOptions<E = unknown> {
  /** The denoiser without any condition, which the weights lead away from. Default none. */
  readonly base?: Denoiser<E>;
}

/**
 * The product of several densities, each to the power of its weight: their scores add up. With a base it is
 * p₀ Π (pᵢ / p₀)^wᵢ, ε = ε₀ + Σ wᵢ (εᵢ − ε₀): all of several conditions at once, and none of those with negative
 * weights. Without, ε = Σ wᵢ εᵢ.
 *
 * Source: Liu et al. 2022, arXiv:2206.01714, eqs. 9 to 12.
 *
 * @param denoisers at least one
 * @param weights as many numbers
 * @param options see {@link ExpertsOptions}
 * @returns a denoiser; what it says beside x₀ and ε is what the base says, or the first
 * @throws ArgumentError for what are no denoisers or weights, other counts of them, or an unknown option; the denoiser:
 *   ShapeError, DTypeError when denoisers differ in what they give
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, productOfExperts } from 'tenfold/diffusion';
 * const [one, two] = [1, 2].map(c => denoiser(x => mul(x, c), { scaling: 'exploding' }));
 * const level = { alpha: tensor(1), sigma: tensor(1), time: tensor(0) };
 * const context = { inputs: null };
 * productOfExperts([one, two], [2, 1])(tensor([[1]]), level, context).eps.item(); // => 4
 * productOfExperts([two], [3], { base: one })(tensor([[1]]), level, context).eps.item(); // => 4
 * ```
 */
export const productOfExperts = <E = unknown>(
  denoisers: readonly Denoiser<E>[],
  weights: readonly number[],
  options: ExpertsOptions<E> = {},
): Denoiser<E> => {
  checkExperts(denoisers, weights);
  checkOptions('productOfExperts', ['base'], options);
  const { base } = options;
  if (base !== undefined) checkFunctions('productOfExperts', { base });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // The base has what is left of 1, so that parts which agree with x are led to parts that do.
  const all = base === undefined ? denoisers : [base, ...denoisers];
  const shares = base === undefined ? weights : [1 - total, ...weights];
  return (x, level, context) => {
    checkCall('productOfExperts', x, level, context);
    const found = all.map(each => each(x, level, context));
    const first = found[0]!;
    checkAlike('productOfExperts', { x, ...Object.fromEntries(found.map(({ x0 }, i) => [`x0 of ${i}`, x0])) });
    const led = (name: 'x0' | 'eps'): Tensor =>
      combine(...found.map((each: Denoised, i) => [shares[i]!, each[name]] as const));
    const eps = led('eps');
    const isWhole = base !== undefined || Math.abs(total - 1) < 1e-12;
    return withParts(first, isWhole ? { x0: led('x0'), eps } : agreeing('epsilon', eps, x, level, first));
  };
};

const checkExperts = <E>(denoisers: readonly Denoiser<E>[], weights: readonly number[]): void => {
  checkList('productOfExperts', 'the denoisers', denoisers);
  checkList('productOfExperts', 'the weights', weights);
  checkFunctions('productOfExperts', Object.fromEntries(denoisers.map((each, i) => [`denoiser ${i}`, each])));
  for (const weight of weights) checkFinite('productOfExperts', 'a weight', weight);
  checkArgument(
    denoisers.length === weights.length && denoisers.length > 0,
    'productOfExperts',
    `${denoisers.length} denoisers and ${weights.length} weights`,
    'there is at least one denoiser, and a weight for each',
    'Take 1 for a weight that changes nothing.',
  );
};
