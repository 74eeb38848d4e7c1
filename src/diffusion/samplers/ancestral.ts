/** Samplers that know the distribution of the next sample given the last one and x₀: DDPM and DDIM, of which Euler's method is one. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { div, maximum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, type NoiseLevel } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';

/** The variances of x at `from` given x at `to`, and of x at `to` given x at `from` and x₀. */
export interface Variances {
  /** β, that of q(x_from | x_to). */
  readonly forward: Tensor;
  /** β̃, that of q(x_to | x_from, x₀). */
  readonly posterior: Tensor;
}

/** Ho et al. 2020, eqs. 2 and 7, for any two levels of any scaling. */
export const variancesBetween = (from: NoiseLevel, to: NoiseLevel): Variances => {
  const forward = maximum(sub(square(from.sigma), square(mul(div(from.alpha, to.alpha), to.sigma))), 0) as Tensor;
  return { forward, posterior: mul(forward, square(div(to.sigma, from.sigma))) };
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
  checkNumber('ddim', 'eta', eta);
  checkArgument(
    eta >= 0 && eta <= 1,
    'ddim',
    `eta = ${eta}`,
    'eta lies between 0 and 1',
    'Take 0 for no noise, 1 for as much as ancestral sampling.',
  );
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
