/** Ancestral sampling of a Gaussian diffusion: the reverse process, step by step, with its noise. */
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBatch } from './checks.js';
import { gaussianDenoiser } from './gaussian-denoiser.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import { noiseFor } from './noise.js';
import { checkModel, type Model } from './reverse-process.js';
import { ddpm } from './samplers/ancestral.js';
import {
  type DiffusionSample,
  type LoopOptions,
  type Plan,
  runLoop,
  runStep,
  runTrajectory,
  type StepOptions,
  type Trajectory,
} from './sampling-loop.js';

const planFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  options: StepOptions<E>,
): Plan => {
  checkModel(operation, diffusion, model, options);
  // Without options there is no noise either, which is refused later on.
  const given = options ?? {};
  const condition = { condFn: given.condFn, on: 'mean' as const };
  const denoiser = gaussianDenoiser(operation, diffusion, model, given, condition);
  return { operation, diffusion, sampler: ddpm(), denoiser, noisy: true };
};

/**
 * One step back: xₜ₋₁ = μ(xₜ, t) + √Σ(xₜ, t) ε, without noise at t = 0. With `condFn` the mean is moved by Σ g.
 *
 * Sources: Ho et al. 2020, arXiv:2006.11239, algorithm 2; with a condition Dhariwal & Nichol 2021, arXiv:2105.05233,
 * algorithm 1.
 *
 * @param x xₜ, float [N, C, …]
 * @param t int32 [N]
 * @param options `noise` like x, or a `key`; see {@link StepOptions}
 * @returns xₜ₋₁ and the prediction of x₀, in shape and dtype of x
 * @throws ShapeError, DTypeError when t is not int32 [N], or noise or the model's output do not fit x
 * @throws ArgumentError for what is no diffusion, model or option, and unless there is either noise or a key
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, pSample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const [x, t] = [tensor([[0.5, -0.25]]), tensor([0], { dtype: 'int32' })];
 * pSample(diffusion, x => x, x, t, { key: key(0) }).sample.toArray(); // => [[0.5, -0.25]]
 * ```
 */
export const pSample = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  x: Tensor<S, D>,
  t: Tensor,
  options: StepOptions<E>,
): DiffusionSample<S, D> => {
  const plan = planFor('pSample', diffusion, model, options);
  checkBatch('pSample', { x }, t);
  return runStep(plan, x, t, noiseFor('pSample', ['x', x], t, options)) as DiffusionSample<S, D>;
};

/**
 * Samples from the model: all steps of {@link pSample}, from t = T − 1 to 0, as one fold.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, algorithm 2.
 *
 * @param start the noise to start from, float [N, C, …], or its shape, when it is drawn from the key
 * @param options a `key`, or the `noise` of all steps [T, N, C, …]; see {@link LoopOptions}
 * @returns x₀, in shape and dtype of the start
 * @throws ShapeError, DTypeError when the noise or the model's output do not fit the start
 * @throws ArgumentError for what is no diffusion, model or option, and unless there is either noise or a key, and a key with a shape
 * @example
 * ```js
 * import { mul } from 'tenfold';
 * import { gaussianDiffusion, linearBetas, pSampleLoop } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = gaussianDiffusion(linearBetas(20), { meanType: 'startX' });
 * pSampleLoop(diffusion, x => mul(x, 0), [2, 3], { key: key(0) }).toArray(); // => [[0, 0, 0], [0, 0, 0]]
 * ```
 */
export const pSampleLoop = <const S extends Shape, D extends DType = 'float32', E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  start: Tensor<S, D> | S,
  options: LoopOptions<E, D>,
): Tensor<S, D> => runLoop(planFor('pSampleLoop', diffusion, model, options), start, options) as Tensor<S, D>;

/**
 * As {@link pSampleLoop}, with what every step gives.
 *
 * @param start the noise to start from, float [N, C, …], or its shape, when it is drawn from the key
 * @param options a `key`, or the `noise` of all steps [T, N, C, …]; see {@link LoopOptions}
 * @returns samples and predictions of x₀ after each step, [T, N, C, …], that of t = T − 1 first
 * @throws ShapeError, DTypeError, ArgumentError as {@link pSampleLoop}
 * @example
 * ```js
 * import { mul } from 'tenfold';
 * import { gaussianDiffusion, linearBetas, pSampleTrajectory } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = gaussianDiffusion(linearBetas(20), { meanType: 'startX' });
 * pSampleTrajectory(diffusion, x => mul(x, 0), [2, 3], { key: key(0) }).samples.shape; // => [20, 2, 3]
 * ```
 */
export const pSampleTrajectory = <const S extends Shape, D extends DType = 'float32', E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  start: Tensor<S, D> | S,
  options: LoopOptions<E, D>,
): Trajectory<S, D> =>
  runTrajectory(planFor('pSampleTrajectory', diffusion, model, options), start, options) as Trajectory<S, D>;
