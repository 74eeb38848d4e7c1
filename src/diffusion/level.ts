/**
 * Noise levels: how much of the data and how much noise is in a sample, x = α x₀ + σ ε. They are what all processes have
 * in common, and all that samplers know of them.
 */
import { add, div, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { log, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAlike } from './checks.js';

/** A noise level: float64 scalars, or [N] where each sample has its own. */
export interface NoiseLevel {
  /** α, the factor of the data. */
  readonly alpha: Tensor;
  /** σ, the factor of standard normal noise. */
  readonly sigma: Tensor;
  /** What a network is shown of it: a timestep, or any other function of σ / α. */
  readonly time: Tensor;
}

/**
 * How a process scales its samples: variance `preserving` (α² + σ² = 1), variance `exploding` (α = 1), or as a `flow` on
 * the straight line from data to noise (α + σ = 1). Samples of one noise-to-signal ratio σ / α differ by a factor alone.
 */
export type Scaling = 'preserving' | 'exploding' | 'flow';

/**
 * σ / α, which falls from the prior to 0 at the data.
 *
 * @param level float64 [] or [N]
 * @returns of the same shape; infinite where no signal is left
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { noiseToSignal } from 'tenfold/diffusion';
 * noiseToSignal({ alpha: tensor(0.5), sigma: tensor(2), time: tensor(0) }).item(); // => 4
 * ```
 */
export const noiseToSignal = ({ alpha, sigma }: NoiseLevel): Tensor => div(sigma, alpha);

/**
 * λ = log(α / σ), half the logarithm of the signal-to-noise ratio, in which exponential integrators take their steps.
 *
 * Source: Lu et al. 2022, arXiv:2206.00927, section 3.
 *
 * @param level float64 [] or [N]
 * @returns of the same shape; infinite at the data
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { halfLogSnr } from 'tenfold/diffusion';
 * halfLogSnr({ alpha: tensor(2), sigma: tensor(2), time: tensor(0) }).item(); // => 0
 * ```
 */
export const halfLogSnr = ({ alpha, sigma }: NoiseLevel): Tensor => sub(log(alpha), log(sigma));

/**
 * What samples of a level are divided by to have another scaling.
 *
 * @param level float64 [] or [N]
 * @param scaling see {@link Scaling}
 * @returns of the level's shape
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scaleOf } from 'tenfold/diffusion';
 * scaleOf({ alpha: tensor(3), sigma: tensor(4), time: tensor(0) }, 'preserving').item(); // => 5
 * ```
 */
export const scaleOf = ({ alpha, sigma }: NoiseLevel, scaling: Scaling): Tensor => {
  if (scaling === 'exploding') return alpha;
  return scaling === 'flow' ? add(alpha, sigma) : sqrt(add(square(alpha), square(sigma)));
};

/** A coefficient against samples: in their dtype, [N] as [N, 1, …]. */
const against = (coefficient: Tensor | number, x: Tensor): Tensor | number => {
  if (typeof coefficient === 'number') return coefficient;
  const column = coefficient.shape.length === 0 ? coefficient : reshape(coefficient, columnOf(coefficient, x));
  return cast(column, x.dtype) as Tensor;
};

const columnOf = (coefficient: Tensor, x: Tensor): readonly number[] => [
  coefficient.shape[0]!,
  ...x.shape.slice(1).fill(1),
];

/**
 * Σ cᵢ xᵢ: samples times coefficients, which are computed in float64 and rounded once, to the dtype of the samples.
 * It is what steps of samplers are made of.
 *
 * @param terms coefficients (numbers or float64, [] or [N]) with samples [N, …] of one shape and dtype
 * @returns shape and dtype of the samples
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { combine } from 'tenfold/diffusion';
 * combine([2, tensor([[1], [2]])], [tensor([1, -1]), tensor([[1], [1]])]).toArray(); // => [[3], [3]]
 * ```
 */
export const combine = (...terms: readonly (readonly [coefficient: Tensor | number, x: Tensor])[]): Tensor =>
  terms.map(([coefficient, x]) => mul(x, against(coefficient, x) as Tensor)).reduce((total, term) => add(total, term));

/**
 * Data at a noise level: α x₀ + σ ε.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 4 reparameterised, for any process.
 *
 * @param xStart x₀, float [N, …]
 * @param level float64 [] or [N]
 * @param noise ε, in shape and dtype of xStart
 * @returns in shape and dtype of xStart
 * @throws ShapeError, DTypeError when xStart and noise differ, ArgumentError for what is no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { addNoise, edmProcess } from 'tenfold/diffusion';
 * addNoise(tensor([[1]]), edmProcess().levelAt(tensor(2)), tensor([[3]])).toArray(); // => [[7]]
 * ```
 */
export const addNoise = (xStart: Tensor, level: NoiseLevel, noise: Tensor): Tensor => {
  checkAlike('addNoise', { xStart, noise });
  return combine([level.alpha, xStart], [level.sigma, noise]);
};
