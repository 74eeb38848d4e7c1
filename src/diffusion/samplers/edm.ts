/** The stochastic sampler of EDM. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { checkArgument } from '../../tensor/shape.js';
import { showNumber } from '../checks.js';
import type { Sampler } from '../sampler.js';
import { ddim } from './ancestral.js';
import { type ChurnOptions, checkChurn, churned, churnNames } from './churn.js';
import { heun } from './heun.js';

/** Options of {@link edmStochastic}. */
export interface EdmStochasticOptions extends ChurnOptions {
  /** 2 for Heun's method, 1 for Euler's. Default 2. */
  readonly order?: 1 | 2;
}

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
    `${showNumber(order)} as order`,
    'the order is 1 or 2',
    "Take 2 for Heun's method.",
  );
  return churned(order === 2 ? heun() : ddim(), churning);
};
