/** Euler's method in σ / α, with noise put in before a step, or at its end. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import { type DdimOptions, ddim } from './ancestral.js';
import { type ChurnOptions, checkChurn, churnNames, riseOf } from './churn.js';
import { checkEta } from './solver-options.js';

/**
 * Euler's method on the probability-flow ODE: x ← α x̂₀ + σ ε̂ at the next level, as `ddim()`. With `churn` noise is put in
 * first, and the noise that the denoiser predicted before, at the level that is not raised, is removed from there: one
 * call a step. This is what diffusers' EulerDiscrete does; `edmStochastic` raises the level before it calls the denoiser,
 * as the paper does.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, algorithm 2 without lines 9 to 11; k-diffusion's `sample_euler`.
 *
 * @param options see {@link ChurnOptions}
 * @returns a sampler of first order; with `churn` it draws once a step
 * @throws ArgumentError for an option that is no number, negative or unknown, and for a min above max
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, edmProcess, euler, levelsOf, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [4, 1], { final: 'none' });
 * sample(euler(), toZero, levels, tensor([[8], [-4]])).toArray(); // => [[2], [-1]]
 * ```
 */
export const euler = (options: ChurnOptions = {}): Sampler => {
  checkOptions('euler', churnNames, options);
  const churning = checkChurn('euler', options);
  if (churning.churn === 0) return ddim();
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, count, noise }, denoise) => {
      const { x0, eps } = denoise(x, from);
      const { rise, spread } = riseOf(from, count, churning);
      const left = sub(to.sigma, mul(to.alpha, rise)) as Tensor;
      const next = combine([to.alpha, x0], [left, eps], [mul(to.alpha, spread) as Tensor, noise()]);
      return Object.freeze({ x: next, x0 });
    },
  } satisfies Sampler);
};

/**
 * Ancestral sampling by Euler's method: a step leads below the next level, from where fresh noise leads up to it. In σ / α
 * it is `ddim` with η = 1, which is the default here.
 *
 * Source: k-diffusion's `sample_euler_ancestral` (Crowson), after Song et al. 2021, arXiv:2010.02502, eq. 16.
 *
 * @param options see `ddim`; η is 1 by default
 * @returns a sampler of first order that draws once a step
 * @throws ArgumentError for an eta that is no number from 0 to 1, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, edmProcess, eulerAncestral, levelsOf, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [4, 1]);
 * sample(eulerAncestral(), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const eulerAncestral = (options: DdimOptions = {}): Sampler => {
  checkOptions('eulerAncestral', ['eta'], options);
  const { eta = 1 } = options;
  checkEta('eulerAncestral', eta);
  return ddim({ eta });
};
