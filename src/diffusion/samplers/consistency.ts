/** Samplers for networks that lead from any level to the data in one step: they go there, and back to the next level. */
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { div, maximum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { floor, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFinite } from '../checks.js';
import { combine, type NoiseLevel } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import { checkEta } from './solver-options.js';

/** Options of {@link multistepConsistency}. */
export interface MultistepConsistencyOptions {
  /** ε: σ / α of what the network takes for data. Default 0.002. */
  readonly min?: number;
}

/**
 * Multistep sampling of consistency models: x ← α (x̂₀ + √((σ / α)² − ε²) z) at the next level, with new noise z in each
 * step.
 *
 * Source: Song et al. 2023, arXiv:2303.01469, algorithm 1; ε is 0.002 there.
 *
 * @param options see {@link MultistepConsistencyOptions}
 * @returns a sampler that draws once a step
 * @throws ArgumentError for an ε that is no finite number from 0 on, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, edmProcess, levelsOf, multistepConsistency, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [80, 0.8]);
 * sample(multistepConsistency(), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const multistepConsistency = (options: MultistepConsistencyOptions = {}): Sampler => {
  checkOptions('multistepConsistency', ['min'], options);
  const { min = 0.002 } = options;
  checkFinite('multistepConsistency', 'min', min, 'notNegative');
  return there(min);
};

const there = (min: number): Sampler =>
  Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, noise }, denoise) => {
      const { x0 } = denoise(x, from);
      const spread = sub(square(to.sigma), square(mul(to.alpha, min)));
      return Object.freeze({ x: combine([to.alpha, x0], [sqrt(maximum(spread, 0) as Tensor), noise()]), x0 });
    },
  } satisfies Sampler);

/**
 * Latent consistency models: x ← α x̂₀ + σ z at the next level, with new noise z in each step. The network's prediction
 * wants {@link consistencyBoundary}. Without it, and on the levels of a flow, it is the stochastic sampling of
 * `FlowMatchEulerDiscreteScheduler` of diffusers; where that samples without noise it is Euler's method, which is `ddim`.
 *
 * Source: Luo et al. 2023, arXiv:2310.04378, algorithm 3.
 *
 * @returns a sampler that draws once a step
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { consistencyBoundary, denoiser, discreteProcess, gaussianDiffusion, lcm, levelsAt, sample, scaledLinearBetas } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const levels = levelsAt(discreteProcess(gaussianDiffusion(scaledLinearBetas(1000))), [999, 499]);
 * const toZero = consistencyBoundary()(denoiser(x => mul(x, 0), { prediction: 'x0' }));
 * const x = sample(lcm(), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray();
 * Math.abs(x[0][0]) < 1e-6; // => true
 * ```
 */
export const lcm = (): Sampler => there(0);

/** Options of {@link tcd}. */
export interface TcdOptions {
  /** γ: how far beyond the next level a step goes before noise leads back to it, from 0 to 1. Default 0.3. */
  readonly eta?: number;
  /** Whether the time gone to is rounded down to a whole timestep, as in diffusers. Default false. */
  readonly wholeTimesteps?: boolean;
}

/**
 * Trajectory consistency distillation, strategic stochastic sampling: without noise to the level of time s = (1 − γ) t,
 * t being that of the next level, and with new noise from there back to t. Without noise (γ = 0) it is `ddim`, with γ = 1
 * it goes to the data and back.
 *
 * Source: Zheng et al. 2024, arXiv:2402.19159, algorithm 2, with the `eta` of diffusers for γ.
 *
 * @param options see {@link TcdOptions}
 * @returns a sampler that draws once a step, unless eta is 0
 * @throws ArgumentError for an eta that is no number from 0 to 1, a flag that is none, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, sample, tcd } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(tcd(), toZero, levelsAt(flowProcess(), [1, 0.5]), zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const tcd = (options: TcdOptions = {}): Sampler => {
  checkOptions('tcd', ['eta', 'wholeTimesteps'], options);
  const { eta = 0.3, wholeTimesteps = false } = options;
  checkFlag('tcd', 'wholeTimesteps', wholeTimesteps);
  checkEta('tcd', eta);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, noise, levelAt }, denoise) => {
      const { x0, eps } = denoise(x, from);
      if (eta === 0) return Object.freeze({ x: combine([to.alpha, x0], [to.sigma, eps]), x0 });
      const time = mul(to.time, 1 - eta) as Tensor;
      const { alpha, sigma } = unlessAtData(to, levelAt(wholeTimesteps ? (floor(time) as Tensor) : time));
      const back = div(to.alpha, alpha);
      const spread = sub(square(to.sigma), square(mul(back, sigma)));
      return Object.freeze({
        x: combine([to.alpha, x0], [mul(back, sigma), eps], [sqrt(maximum(spread, 0) as Tensor), noise()]),
        x0,
      });
    },
  } satisfies Sampler);
};

/** A level, or the data themselves, which a process of timesteps has no time for. */
const unlessAtData = (to: NoiseLevel, level: NoiseLevel): Pick<NoiseLevel, 'alpha' | 'sigma'> => {
  const noisy = greater(to.sigma, 0);
  return {
    alpha: where(noisy, level.alpha, to.alpha) as Tensor,
    sigma: where(noisy, level.sigma, to.sigma) as Tensor,
  };
};
