/**
 * Noise levels: how much of the data and how much noise is in a sample, x = α x₀ + σ ε. They are what all processes have
 * in common, and all that samplers know of them.
 */

import { isFloat } from '../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { add, div, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { equal, where } from '../tensor/ops/elementwise/comparison.js';
import { log, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkArgument, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
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

const scalings: readonly Scaling[] = ['preserving', 'exploding', 'flow'];

/**
 * @internal Refuses what is no scaling.
 *
 * @throws ArgumentError
 */
export const checkScaling = (operation: string, scaling: Scaling): void => {
  if (scalings.includes(scaling)) return;
  throw new ArgumentError({
    operation,
    given: `${typeof scaling === 'string' ? `'${String(scaling)}'` : kindOf(scaling)} as the scaling`,
    rule: `a scaling is one of ${scalings.join(', ')}`,
    hint: "Take 'exploding' for samplers that are written in σ alone.",
  });
};

const isCoefficient = (value: unknown): value is Tensor =>
  isTensor(value) && isFloat(value.dtype) && value.shape.length <= 1;

/**
 * @internal Refuses what is no level, or no level of these samples.
 *
 * @throws ArgumentError, ShapeError
 */
export const checkLevel = (operation: string, level: NoiseLevel, x?: Tensor): void => {
  const { alpha, sigma, time } = (level ?? {}) as Partial<NoiseLevel>;
  const sizes = [alpha, sigma, time].filter(isCoefficient).flatMap(each => each.shape);
  const show = (value: unknown): string => (isTensor(value) ? showAval(value) : kindOf(value));
  checkArgument(
    [alpha, sigma, time].every(isCoefficient) && sizes.every(size => size === sizes[0]),
    operation,
    [alpha, sigma, time].some(isTensor)
      ? `alpha ${show(alpha)}, sigma ${show(sigma)} and time ${show(time)}`
      : `${kindOf(level)} as the level`,
    'a level has alpha, sigma and time, floats [] or [N]',
    'Take one of a process: edmProcess().levelAt(tensor(2)).',
  );
  if (x !== undefined) for (const each of [alpha, sigma, time] as const) checkCounts(operation, each!, x);
};

const checkTerms = (terms: readonly unknown[]): void => {
  const at = terms.findIndex(
    term => !(Array.isArray(term) && term.length === 2 && (typeof term[0] === 'number' || isCoefficient(term[0]))),
  );
  if (at >= 0 || terms.length === 0) {
    throw new ArgumentError({
      operation: 'combine',
      given: terms.length === 0 ? 'no terms' : `${kindOf(terms[at])} as term ${at}`,
      rule: 'a term is a pair of a coefficient, a number or floats [] or [N], and samples',
      hint: 'Write combine([alpha, x0], [sigma, eps]).',
    });
  }
  const samples = (terms as readonly (readonly [unknown, Tensor])[]).map(([, x], i) => [`term ${i}`, x] as const);
  checkAlike('combine', Object.fromEntries(samples));
  for (const [coefficient, x] of terms as readonly (readonly [number | Tensor, Tensor])[]) {
    if (typeof coefficient !== 'number') checkCounts('combine', coefficient, x);
  }
};

const checkCounts = (operation: string, coefficient: Tensor, x: Tensor): void => {
  const [count] = coefficient.shape;
  if (count === undefined || count === x.shape[0]) return;
  throw new ShapeError({
    operation,
    given: `a coefficient ${showAval(coefficient)} for samples ${showAval(x)}`,
    rule: 'there is one coefficient for all samples, or one for each',
    hint: 'Take a scalar for all samples.',
  });
};

/**
 * @internal What a factor at one level is of that at another: 1 where both are the same, 0 included, since a step from a level
 * to itself changes nothing.
 */
export const quotient = (factor: Tensor, other: Tensor): Tensor =>
  where(equal(factor, other), 1, div(factor, other)) as Tensor;

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
export const noiseToSignal = (level: NoiseLevel): Tensor => {
  checkLevel('noiseToSignal', level);
  return div(level.sigma, level.alpha);
};

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
export const halfLogSnr = (level: NoiseLevel): Tensor => {
  checkLevel('halfLogSnr', level);
  return sub(log(level.alpha), log(level.sigma));
};

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
export const scaleOf = (level: NoiseLevel, scaling: Scaling): Tensor => {
  checkLevel('scaleOf', level);
  checkScaling('scaleOf', scaling);
  const { alpha, sigma } = level;
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
export const combine = (...terms: readonly (readonly [coefficient: Tensor | number, x: Tensor])[]): Tensor => {
  checkTerms(terms);
  return terms
    .map(([coefficient, x]) => mul(x, against(coefficient, x) as Tensor))
    .reduce((total, term) => add(total, term));
};

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
  checkLevel('addNoise', level, xStart);
  return combine([level.alpha, xStart], [level.sigma, noise]);
};
