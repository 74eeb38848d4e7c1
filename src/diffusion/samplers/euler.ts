/** Euler's method in σ / α, with noise put in before a step, or at its end. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { div, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, greaterEqual, lessEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, type NoiseLevel } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import { type DdimOptions, ddim } from './ancestral.js';

/** How a step raises the noise that it starts from: σ̂ = (1 + γ) σ with γ = min(churn / n, √2 − 1), n being the number of steps. */
export interface ChurnOptions {
  /** S_churn: how much noise all steps put in, not below 0. Default 0: none, and nothing is drawn. */
  readonly churn?: number;
  /** S_min: the smallest σ / α that is raised. Default 0. */
  readonly min?: number;
  /** S_max: the largest σ / α that is raised. Default unbounded. */
  readonly max?: number;
  /** S_noise: the standard deviation of the noise put in, not below 0. Default 1. */
  readonly noise?: number;
}

/** @internal The names of {@link ChurnOptions}. */
export const churnNames: readonly string[] = ['churn', 'min', 'max', 'noise'];

/**
 * @internal Options with their defaults.
 *
 * @throws ArgumentError
 */
export const checkChurn = (operation: string, options: ChurnOptions): Required<ChurnOptions> => {
  const { churn = 0, min = 0, max = Number.POSITIVE_INFINITY, noise = 1 } = options;
  for (const [name, value] of Object.entries({ churn, min, max, noise })) {
    checkNumber(operation, name, value, 'notNegative');
  }
  checkArgument(
    noise < Number.POSITIVE_INFINITY,
    operation,
    'an infinite noise',
    'the standard deviation of the noise is finite',
    'Leave it out for 1.',
  );
  checkArgument(
    min <= max,
    operation,
    `min = ${min} and max = ${max}`,
    'min does not exceed max',
    'Leave both out to raise the noise of every step.',
  );
  return { churn, min, max, noise };
};

/** What a step puts in, in σ / α: raised by `rise`, with noise of standard deviation `spread`; both 0 where nothing is put in. */
interface Rise {
  readonly ratio: Tensor;
  readonly rise: Tensor;
  readonly spread: Tensor;
}

/** @internal Karras et al. 2022, algorithm 2, lines 4 to 6; pure noise is left as it is. */
export const riseOf = (
  { alpha, sigma }: NoiseLevel,
  count: number,
  { churn, min, max, noise }: Required<ChurnOptions>,
): Rise => {
  const signal = greater(alpha, 0);
  const ratio = where(signal, div(sigma, where(signal, alpha, 1)), 0) as Tensor;
  const gamma = Math.min(churn / count, Math.SQRT2 - 1);
  const active = where(logicalAnd(greaterEqual(ratio, min), lessEqual(ratio, max)), ratio, 0) as Tensor;
  return {
    ratio,
    rise: mul(active, gamma) as Tensor,
    spread: mul(active, noise * Math.sqrt(gamma * (2 + gamma))) as Tensor,
  };
};

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
  const eta = checkEta('eulerAncestral', options);
  return ddim({ eta });
};

/**
 * @internal η of options; 1 by default.
 *
 * @throws ArgumentError
 */
export const checkEta = (operation: string, options: DdimOptions): number => {
  checkOptions(operation, ['eta'], options);
  const { eta = 1 } = options;
  checkNumber(operation, 'eta', eta);
  checkArgument(
    eta >= 0 && eta <= 1,
    operation,
    `eta = ${eta}`,
    'eta lies between 0 and 1',
    'Take 1 for ancestral sampling, 0 for no noise.',
  );
  return eta;
};
