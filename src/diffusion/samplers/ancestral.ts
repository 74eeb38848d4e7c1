/** Samplers that know the distribution of the next sample given the last one and x₀: DDPM and DDIM, of which Euler's method is one. */
import { ArgumentError } from '../../tensor/errors.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, maximum, mul, pow, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { exp, log, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkOneOf } from '../checks.js';
import type { VarianceType } from '../gaussian-diffusion.js';
import { combine, type NoiseLevel, quotient, scaleOf } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import { checkEta } from './solver-options.js';

/** The variances of x at `from` given x at `to`, and of x at `to` given x at `from` and x₀. */
export interface Variances {
  /** β, that of q(x_from | x_to). */
  readonly forward: Tensor;
  /** β̃, that of q(x_to | x_from, x₀). */
  readonly posterior: Tensor;
}

/** Ho et al. 2020, eqs. 2 and 7, for any two levels of any scaling. */
export const variancesBetween = (from: NoiseLevel, to: NoiseLevel): Variances => {
  const kept = mul(quotient(from.alpha, to.alpha), to.sigma);
  const forward = maximum(sub(square(from.sigma), square(kept)), 0) as Tensor;
  // From a level without noise none is taken away, and σ / 0 is no number.
  const share = where(greater(forward, 0), square(div(to.sigma, from.sigma)), 0) as Tensor;
  return { forward, posterior: mul(forward, share) };
};

/** Options of {@link ddpm}. */
export interface DdpmOptions {
  /** Where the variance of a step comes from; see {@link ddpm}. Default `fixedSmall`. */
  readonly variance?: VarianceType;
}

const varianceTypes: readonly VarianceType[] = ['fixedSmall', 'fixedLarge', 'learned', 'learnedRange'];

/** A tensor like the samples times a power of the variance of a step. */
type Spread = (x: Tensor, power: number) => Tensor;

/** By a variance that is known. */
const spreadBy =
  (logVariance: Tensor): Spread =>
  (x, power) =>
    mul(exp(mul(logVariance, power)), x) as Tensor;

/** By the variance of the step, that of samples as the next level scales them. */
const spreadOf = (type: VarianceType, from: NoiseLevel, to: NoiseLevel, learned: Tensor | undefined): Spread => {
  const { forward, posterior: small } = variancesBetween(from, to);
  const scale = scaleOf(to, 'preserving');
  const large = mul(forward, square(div(scale, scaleOf(from, 'preserving')))) as Tensor;
  const fixed: Spread = (x, power) => combine([pow(type === 'fixedSmall' ? small : large, power) as Tensor, x]);
  if (type === 'fixedSmall' || type === 'fixedLarge') return fixed;
  if (learned === undefined) {
    throw new ArgumentError({
      operation: 'ddpm',
      given: `a denoiser that says nothing of the variance, and variance: '${type}'`,
      rule: 'a learned variance comes from the network',
      hint: "Set learnedVariance of denoiser, or take variance: 'fixedSmall'.",
    });
  }
  if (type === 'learned') {
    return (x, power) => combine([pow(scale, 2 * power) as Tensor, mul(exp(mul(learned, power)), x) as Tensor]);
  }
  // Between equal levels, and at the data, the smaller variance is 0.
  const [lowest, highest] = [small, large].map(variance => log(maximum(variance, 1e-20))) as [Tensor, Tensor];
  const share = mul(add(learned, 1), 0.5) as Tensor;
  const logVariance = combine([highest, share], [lowest, sub(1, share) as Tensor]);
  return spreadBy(logVariance);
};

/**
 * Denoising diffusion probabilistic models, also ancestral sampling: a draw from q(x_to | x_from, x̂₀), for any two levels.
 * Its mean is that of the prediction of x₀, or what a network predicts as the mean; where there is a gradient, it is moved
 * by the variance times it (classifier guidance). Its variance is
 *
 * - `fixedSmall`: β̃, that of the posterior; `fixedLarge`: β, that of the step in the forward process;
 * - `learned`: exp(v), where v is what the network says of the variance; `learnedRange`: as far between log β̃ and log β
 *   as v lies between −1 and 1.
 *
 * A denoiser that knows mean and variance of the next sample has the last word. A step that ends without noise adds none.
 *
 * Sources: Ho et al. 2020, arXiv:2006.11239, algorithm 2 and eq. 7; Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 15;
 * Dhariwal & Nichol 2021, arXiv:2105.05233, algorithm 1 (the gradient). Variances, means and gradients are those of samples
 * that preserve the variance; for other scalings they are converted, apart from a mean that is given.
 *
 * @param options see {@link DdpmOptions}
 * @returns a sampler that draws once a step
 * @throws ArgumentError for what is no such variance, and for an unknown option; the step: ArgumentError when a learned
 *   variance is wanted of a denoiser that has none
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddpm, denoiser, discreteProcess, gaussianDiffusion, levelsAt, linearBetas, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const levels = levelsAt(discreteProcess(gaussianDiffusion(linearBetas(100))), [99, 49]);
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(ddpm(), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const ddpm = (options: DdpmOptions = {}): Sampler => {
  checkOptions('ddpm', ['variance'], options);
  const { variance = 'fixedSmall' } = options;
  checkOneOf('ddpm', 'the variance', varianceTypes, variance);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, noise }, denoise) => {
      const { x0, mean: predicted, gradient, variance: learned, logVariance } = denoise(x, from);
      const spread = logVariance === undefined ? spreadOf(variance, from, to, learned) : spreadBy(logVariance);
      const mean = predicted ?? posteriorMean(x0, x, from, to);
      const moves = div(scaleOf(from, 'preserving'), scaleOf(to, 'preserving'));
      const moved = gradient === undefined ? mean : combine([1, mean], [moves, spread(gradient, 1)]);
      const drawn = cast(greater(to.sigma, 0), 'float64') as Tensor;
      return Object.freeze({ x: combine([1, moved], [drawn, spread(noise(), 0.5)]), x0 });
    },
  } satisfies Sampler);
};

/** The mean of q(x_to | x_from, x₀): Ho et al. 2020, eq. 7, for any two levels of any scaling. */
const posteriorMean = (x0: Tensor, x: Tensor, from: NoiseLevel, to: NoiseLevel): Tensor => {
  const whole = square(from.sigma);
  const { forward } = variancesBetween(from, to);
  const noised = greater(forward, 0);
  return combine(
    [where(noised, div(mul(to.alpha, forward), whole), 0) as Tensor, x0],
    [mul(quotient(from.alpha, to.alpha), quotient(square(to.sigma) as Tensor, whole as Tensor)), x],
  );
};

/** Options of {@link ddim}. */
export interface DdimOptions {
  /** η: how much noise a step adds, from 0 (none) to 1 (as much as ancestral sampling). Default 0. */
  readonly eta?: number;
}

/**
 * Denoising diffusion implicit models: x ← α x̂₀ + √(σ² − s²) ε̂ + s ε at the next level, where s² = η² β̃. Without noise
 * (η = 0) it is Euler's method on the probability-flow ODE, and with rising levels it leads from data to noise; with η = 1
 * it is ancestral sampling.
 *
 * Sources: Song et al. 2021, arXiv:2010.02502, eqs. 12 and 16; section 4.3 for the way back.
 *
 * @param options see {@link DdimOptions}
 * @returns a sampler of first order; with `eta` it draws once a step
 * @throws ArgumentError for an eta that is no number from 0 to 1, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsAt(flowProcess(), [1, 0.5]);
 * sample(ddim({ eta: 1 }), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const ddim = (options: DdimOptions = {}): Sampler => {
  checkOptions('ddim', ['eta'], options);
  const { eta = 0 } = options;
  checkEta('ddim', eta);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, noise }, denoise) => {
      const { x0, eps } = denoise(x, from);
      if (eta === 0) return Object.freeze({ x: combine([to.alpha, x0], [to.sigma, eps]), x0 });
      const s = mul(sqrt(variancesBetween(from, to).posterior), eta) as Tensor;
      const rest = sqrt(maximum(sub(square(to.sigma), square(s)), 0) as Tensor);
      return Object.freeze({ x: combine([to.alpha, x0], [rest, eps], [s, noise()]), x0 });
    },
  } satisfies Sampler);
};
