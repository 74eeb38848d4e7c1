/** The forward process over states, which takes data to noise, and its posterior. */
import type { Key } from '../../random/key.js';
import type { FloatDType } from '../../tensor/dtype.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { exp } from '../../tensor/ops/elementwise/elementary.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkedDType, checkKey, checkStates, checkTimes, flat, unflat } from './checks.js';
import { checkDiscrete, type DiscreteDiffusion } from './discrete-diffusion.js';
import { drawStates, sampleKeys } from './draws.js';
import { certain, transitionsAt } from './transitions.js';

/** Options of probabilities. */
export interface ProbabilityOptions {
  /** Of the result. Default float32. */
  readonly dtype?: FloatDType | undefined;
}

/**
 * The distribution q(xₜ | x₀), in closed form: row x₀ of Q̄ₜ.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 3.
 *
 * @param xStart x₀, int32 [N, …] of states 0 … K − 1
 * @param t int32 [N]; 0 is one step of noise
 * @param options the `dtype`
 * @returns probabilities [N, …, K]
 * @throws ArgumentError for what is no diffusion, tensor or option; ShapeError, DTypeError when xStart is not int32 [N,
 *   …] or t not int32 [N]
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { discreteDiffusion, qProbs } from 'tenfold/diffusion';
 * const diffusion = discreteDiffusion({ states: 2, betas: [0.5, 0.5], kind: 'uniform' });
 * const [x, t] = [tensor([[1]], { dtype: 'int32' }), tensor([1], { dtype: 'int32' })];
 * qProbs(diffusion, x, t).toArray(); // => [[[0.375, 0.625]]]
 * ```
 */
export const qProbs = (
  diffusion: DiscreteDiffusion,
  xStart: Tensor,
  t: Tensor,
  options: ProbabilityOptions = {},
): Tensor => {
  checkInputs('qProbs', diffusion, { xStart }, t);
  checkOptions('qProbs', ['dtype'], options);
  const dtype = checkedDType('qProbs', options.dtype);
  return unflat(exp(transitionsAt(diffusion, t, dtype).forward(flat(xStart))) as Tensor, xStart.shape);
};

/**
 * Refuses what is no diffusion, and states or timesteps that do not fit.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 */
export const checkInputs = (
  operation: string,
  diffusion: DiscreteDiffusion,
  states: Readonly<Record<string, Tensor>>,
  t: Tensor,
): void => {
  checkDiscrete(operation, diffusion);
  checkStates(operation, states);
  checkTimes(operation, Object.values(states)[0]!, t, 'int32');
};

/** {@link qSampleDiscrete} of checked arguments. */
export const noisyStates = (
  diffusion: DiscreteDiffusion,
  xStart: Tensor,
  t: Tensor,
  key: Key,
  firstSample: number,
): Tensor => {
  const keys = sampleKeys(key, xStart.shape[0]!, firstSample, t);
  return unflat(drawStates(keys, transitionsAt(diffusion, t, 'float32').forward(flat(xStart))), xStart.shape);
};

/**
 * Data after t + 1 steps of noise at once: a sample of q(xₜ | x₀). Sample i at timestep t draws from
 * `foldIn(foldIn(key, i), t)`, whatever the batch it is in.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 3.
 *
 * @param xStart x₀, int32 [N, …] of states 0 … K − 1
 * @param t int32 [N]; 0 is one step of noise
 * @param firstSample the number of the batch's first sample, the others follow
 * @returns xₜ, int32 in the shape of xStart
 * @throws ArgumentError for what is no diffusion, tensor or key; ShapeError, DTypeError when xStart is not int32 [N, …]
 *   or t not int32 [N]; IndexError for a negative firstSample
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { discreteDiffusion, qSampleDiscrete } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1], kind: 'absorbing' });
 * const [x, t] = [tensor([[0, 1]], { dtype: 'int32' }), tensor([1], { dtype: 'int32' })];
 * qSampleDiscrete(diffusion, x, t, key(0)).toArray(); // => [[2, 2]]
 * ```
 */
export const qSampleDiscrete = <S extends Shape>(
  diffusion: DiscreteDiffusion,
  xStart: Tensor<S, 'int32'>,
  t: Tensor,
  key: Key,
  firstSample = 0,
): Tensor<S, 'int32'> => {
  checkInputs('qSampleDiscrete', diffusion, { xStart: xStart as Tensor }, t);
  checkKey('qSampleDiscrete', key, firstSample, xStart.shape[0]!);
  return noisyStates(diffusion, xStart as Tensor, t, key, firstSample) as unknown as Tensor<S, 'int32'>;
};

/**
 * The posterior q(xₜ₋₁ | xₜ, x₀), in logarithms. At t = 0 it is certain: the data.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 3.
 *
 * @param xStart x₀, int32 [N, …] of states 0 … K − 1
 * @param xT xₜ, likewise; one that x₀ can lead to
 * @param t int32 [N]
 * @param options the `dtype`
 * @returns log-probabilities [N, …, K]
 * @throws ArgumentError for what is no diffusion, tensor or option; ShapeError, DTypeError when the states are not
 *   int32 [N, …] of one shape or t is not int32 [N]
 * @example
 * ```js
 * import { exp, tensor } from 'tenfold';
 * import { discreteDiffusion, qPosterior } from 'tenfold/diffusion';
 * const diffusion = discreteDiffusion({ states: 2, betas: [0.5, 1], kind: 'absorbing' });
 * const [x, mask] = [tensor([[0]], { dtype: 'int32' }), tensor([[1]], { dtype: 'int32' })];
 * exp(qPosterior(diffusion, x, mask, tensor([1], { dtype: 'int32' }))).toArray(); // => [[[0.5, 0.5]]]
 * ```
 */
export const qPosterior = (
  diffusion: DiscreteDiffusion,
  xStart: Tensor,
  xT: Tensor,
  t: Tensor,
  options: ProbabilityOptions = {},
): Tensor => {
  checkInputs('qPosterior', diffusion, { xStart, xT }, t);
  checkOptions('qPosterior', ['dtype'], options);
  const dtype = checkedDType('qPosterior', options.dtype);
  const { reverse } = transitionsAt(diffusion, t, dtype);
  return unflat(reverse(certain(flat(xStart), diffusion.states, dtype), flat(xT)), xStart.shape);
};
