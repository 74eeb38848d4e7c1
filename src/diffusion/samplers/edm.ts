/** The stochastic sampler of EDM. */
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, type NoiseLevel } from '../level.js';
import { plainState, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { type ChurnOptions, checkChurn, churnNames, riseOf } from './euler.js';
import { heunStep } from './heun.js';
import { eulerTo } from './straight-path.js';

/** Options of {@link edmStochastic}. */
export interface EdmStochasticOptions extends ChurnOptions {
  /** 2 for Heun's method, 1 for Euler's. Default 2. */
  readonly order?: 1 | 2;
}

/** Samples with noise put in, and the level that they are at then. */
const raised = (
  x: Tensor,
  { from, count, noise, levelOf }: Step,
  churning: Required<ChurnOptions>,
): readonly [x: Tensor, level: NoiseLevel] => {
  if (churning.churn === 0) return [x, from];
  const { ratio, rise, spread } = riseOf(from, count, churning);
  const rises = greater(rise, 0);
  const above = levelOf(add(ratio, rise) as Tensor);
  // A level that is not raised remains what it is, its time included.
  const choose = (name: keyof NoiseLevel): Tensor => where(rises, above[name], from[name]) as Tensor;
  const level = { alpha: choose('alpha'), sigma: choose('sigma'), time: choose('time') };
  const kept = where(rises, div(level.alpha, where(rises, from.alpha, 1)), 1) as Tensor;
  return [combine([kept, x], [mul(level.alpha, spread) as Tensor, noise()]), level];
};

/**
 * The stochastic sampler of EDM: a step first puts in noise, up to a higher level, calls the denoiser there, and goes to
 * the next level by Heun's method. Without churn, the default, it is `heun()`; the paper's settings for ImageNet-64 are
 * `{ churn: 40, min: 0.05, max: 50, noise: 1.003 }`.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, algorithm 2 and table 5, in σ / α.
 *
 * @param options see {@link EdmStochasticOptions}
 * @returns a sampler of second order, or first; with `churn` it draws once a step
 * @throws ArgumentError for an option that is no number, negative or unknown, a min above max, and another order
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, edmProcess, edmStochastic, karrasSigmas, levelsOf, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), karrasSigmas(4));
 * sample(edmStochastic({ churn: 4 }), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const edmStochastic = (options: EdmStochasticOptions = {}): Sampler => {
  checkOptions('edmStochastic', [...churnNames, 'order'], options);
  const churning = checkChurn('edmStochastic', options);
  const { order = 2 } = options;
  checkArgument(
    order === 1 || order === 2,
    'edmStochastic',
    `${typeof order === 'number' ? String(order) : kindOf(order)} as order`,
    'the order is 1 or 2',
    "Take 2 for Heun's method.",
  );
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, at: Step, denoise) => {
      const [start, level] = raised(x, at, churning);
      if (order === 2) return heunStep(start, level, at.to, denoise);
      const denoised = denoise(start, level);
      return Object.freeze({ x: eulerTo(denoised, at.to), x0: denoised.x0 });
    },
  } satisfies Sampler);
};
