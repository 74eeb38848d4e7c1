/** Noise that is put in before a step. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, greaterEqual, lessEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFinite } from '../checks.js';
import { combine, type NoiseLevel } from '../level.js';
import { checkSampler, type Denoise, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { lane } from './lanes.js';

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
  for (const [name, value] of Object.entries({ churn, min, max })) checkNumber(operation, name, value, 'notNegative');
  checkFinite(operation, 'noise', noise, 'notNegative');
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

/** Samples with noise put in, and the level that they are at then. */
const raised = (
  x: Tensor,
  { from, count, noise, levelOf }: Step,
  churning: Required<ChurnOptions>,
): readonly [x: Tensor, level: NoiseLevel] => {
  const { ratio, rise, spread } = riseOf(from, count, churning);
  const rises = greater(rise, 0);
  const above = levelOf(add(ratio, rise) as Tensor);
  // A level that is not raised remains what it is, its time included.
  const choose = (name: keyof NoiseLevel): Tensor => where(rises, above[name], from[name]) as Tensor;
  const level = { alpha: choose('alpha'), sigma: choose('sigma'), time: choose('time') };
  const kept = where(rises, div(level.alpha, where(rises, from.alpha, 1)), 1) as Tensor;
  return [combine([kept, x], [mul(level.alpha, spread) as Tensor, noise()]), level];
};

/** @internal {@link withChurn} of options that are checked. */
export const churned = <S extends SamplerState>(sampler: Sampler<S>, churning: Required<ChurnOptions>): Sampler<S> => {
  if (churning.churn === 0) return sampler;
  return Object.freeze({
    init: sampler.init,
    step: (state: S, at: Step, denoise: Denoise): S => {
      const [x, from] = raised(state.x, { ...at, noise: lane(at.noise, 2, 0) }, churning);
      return sampler.step({ ...state, x }, Object.freeze({ ...at, from, noise: lane(at.noise, 2, 1) }), denoise);
    },
  });
};

/**
 * Churn: before each step noise is added, and the step begins at the level that has it.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, algorithm 2, for any sampler.
 *
 * @param sampler best one without noise of its own
 * @param options see {@link ChurnOptions}
 * @returns a sampler with the sampler's state; its own noise has the even numbers of draws, the sampler's the odd ones.
 *   Pure noise is not raised, and above the last of its timesteps a process shows a network that one
 * @throws ArgumentError for what is no sampler, for options that are no numbers or negative, and for an unknown option
 * @example
 * ```js
 * import { mul, ones } from 'tenfold';
 * import { ddim, denoiser, edmProcess, levelsOf, sample, withChurn } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const stochastic = withChurn(ddim(), { churn: 40, min: 0.05, max: 50, noise: 1.003 });
 * sample(stochastic, toZero, levelsOf(edmProcess(), [80, 4]), ones([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const withChurn = <S extends SamplerState>(sampler: Sampler<S>, options: ChurnOptions = {}): Sampler<S> => {
  checkSampler('withChurn', sampler);
  checkOptions('withChurn', churnNames, options);
  return churned(sampler, checkChurn('withChurn', options));
};
