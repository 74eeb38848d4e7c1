/** The midpoint method, the middle of two levels being their geometric mean; with noise put in at the end of a step, too. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, minimum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { combine, type NoiseLevel, noiseToSignal, quotient } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import type { DdimOptions } from './ancestral.js';
import { checkEta } from './solver-options.js';
import { eulerTo, openEnded, slopeTerms } from './straight-path.js';

/**
 * σ of the level below the next one that a step without noise leads to, and that of the noise which leads up again. With
 * q = (r′ / r)² of the ratios r = σ / α they are σ′ √(1 − η² (1 − q)) and η σ′ √(1 − q); no large numbers cancel.
 */
const split = (from: NoiseLevel, to: NoiseLevel, eta: number): { readonly down: Tensor; readonly up: Tensor } => {
  const share = quotient(mul(to.sigma, from.alpha), mul(to.alpha, from.sigma));
  const q = minimum(square(share), 1) as Tensor;
  return {
    down: mul(to.sigma, sqrt(add(mul(q, eta ** 2), 1 - eta ** 2))) as Tensor,
    up: mul(mul(to.sigma, sqrt(sub(1, q))), eta) as Tensor,
  };
};

const midpoint = (eta: number): Sampler =>
  Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, noise, levelOf }, denoise) => {
      const { x0, eps } = denoise(x, from);
      const { down, up } = eta === 0 ? { down: to.sigma, up: to.sigma } : split(from, to, eta);
      const below: NoiseLevel = { ...to, sigma: down };
      const [start, end] = [noiseToSignal(from), noiseToSignal(below)];
      const corrected = (begin: SamplerState, slope: Tensor): SamplerState => {
        const first = { x0: begin.x0, eps: slope };
        const middle = levelOf(sqrt(mul(start, end)) as Tensor);
        const second = denoise(eulerTo(first, middle), middle);
        const change = slopeTerms('exploding', to, sub(end, start) as Tensor, second, first);
        return { x: combine([1, begin.x], ...change), x0: second.x0 };
      };
      const guess = eulerTo({ x0, eps }, below);
      const next = cond(openEnded(from, below), begin => begin, corrected)({ x: guess, x0 }, eps);
      return Object.freeze(eta === 0 ? next : { ...next, x: combine([1, next.x], [up, noise()]) });
    },
  } satisfies Sampler);

/**
 * The midpoint method on the probability-flow ODE in σ / α, the middle being the geometric mean of both ends: two calls a
 * step, one where the next level has no noise or one of both no signal, which is then Euler's.
 *
 * Source: k-diffusion's `sample_dpm_2` (Crowson), after Karras et al. 2022, arXiv:2206.00364, algorithm 2, and Lu et al.
 * 2022, arXiv:2206.00927 (DPM-Solver-2); diffusers' KDPM2Discrete.
 *
 * @returns a sampler of second order
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, dpm2, edmProcess, levelsOf, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [4, 1], { final: 'none' });
 * sample(dpm2(), toZero, levels, tensor([[8], [-4]])).toArray(); // => [[2], [-1]]
 * ```
 */
export const dpm2 = (): Sampler => midpoint(0);

/**
 * As {@link dpm2}, but ancestral: a step leads below the next level, from where fresh noise leads up to it.
 *
 * Source: k-diffusion's `sample_dpm_2_ancestral` (Crowson); diffusers' KDPM2AncestralDiscrete.
 *
 * @param options see `ddim`; η is 1 by default
 * @returns a sampler that draws once a step; without noise (η = 0) it is {@link dpm2}
 * @throws ArgumentError for an eta that is no number from 0 to 1, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, dpm2Ancestral, edmProcess, levelsOf, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [4, 1]);
 * sample(dpm2Ancestral(), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const dpm2Ancestral = (options: DdimOptions = {}): Sampler => {
  checkOptions('dpm2Ancestral', ['eta'], options);
  const { eta = 1 } = options;
  checkEta('dpm2Ancestral', eta);
  return midpoint(eta);
};
