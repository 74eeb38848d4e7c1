/** Denoising diffusion implicit models of a Gaussian diffusion: sampling with less noise or none, and back from data to noise. */
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAlike, checkBatch } from './checks.js';
import { gaussianDenoiser } from './gaussian-denoiser.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import { noiseFor } from './noise.js';
import { checkModel, type DenoiseOptions, type Model } from './reverse-process.js';
import { ddim } from './samplers/ancestral.js';
import { checkEta } from './samplers/solver-options.js';
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

/** η: how much noise a step adds, from 0 (none) to 1 (as much as ancestral sampling with β̃ₜ). */
export interface EtaOptions {
  /** Default 0. */
  readonly eta?: number | undefined;
}

const planFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  options: StepOptions<E> & EtaOptions,
): Plan => {
  checkModel(operation, diffusion, model, options);
  const { eta = 0, condFn } = options;
  checkEta(operation, eta);
  const denoiser = gaussianDenoiser(operation, diffusion, model, options, { condFn, on: 'score' });
  return { operation, diffusion, sampler: ddim({ eta }), denoiser, noisy: eta !== 0 };
};

/**
 * One step back: xₜ₋₁ = √ᾱₜ₋₁ x̂₀ + √(1 − ᾱₜ₋₁ − σₜ²) ε̂ + σₜ ε, where ε̂ is the noise that agrees with the
 * prediction x̂₀, and σₜ = η √((1 − ᾱₜ₋₁) / (1 − ᾱₜ)) √(1 − ᾱₜ / ᾱₜ₋₁). No noise is added at t = 0. With `condFn`
 * the prediction follows {@link conditionScore}.
 *
 * Sources: Song et al. 2021, arXiv:2010.02502, eqs. 12 and 16; with a condition Dhariwal & Nichol 2021,
 * arXiv:2105.05233, algorithm 2.
 *
 * @param x xₜ, float [N, C, …]
 * @param t int32 [N]
 * @param options `eta` (0); unless it is 0, `noise` like x or a `key`; see {@link StepOptions}
 * @returns xₜ₋₁ and the prediction of x₀, in shape and dtype of x
 * @throws ShapeError, DTypeError when t is not int32 [N], or noise or the model's output do not fit x
 * @throws ArgumentError for what is no diffusion, model or option, for an eta that cannot be, and unless there is either noise or a
 *   key where eta is not 0
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { ddimSample, gaussianDiffusion } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const [x, t] = [tensor([[0.5, -0.25]]), tensor([0], { dtype: 'int32' })];
 * ddimSample(diffusion, x => x, x, t).sample.toArray(); // => [[0.5, -0.25]]
 * ```
 */
export const ddimSample = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  x: Tensor<S, D>,
  t: Tensor,
  options: StepOptions<E> & EtaOptions = {},
): DiffusionSample<S, D> => {
  const plan = planFor('ddimSample', diffusion, model, options);
  checkBatch('ddimSample', { x }, t);
  const noise = plan.noisy ? noiseFor('ddimSample', ['x', x], t, options) : undefined;
  return runStep(plan, x, t, noise) as DiffusionSample<S, D>;
};

/**
 * Samples from the model: all steps of {@link ddimSample}, from t = T − 1 to 0, as one fold. With `eta` 0 the start
 * decides everything.
 *
 * Source: Song et al. 2021, arXiv:2010.02502, section 4.1.
 *
 * @param start the noise to start from, float [N, C, …], or its shape, when it is drawn from the key
 * @param options `eta` (0); unless it is 0, a `key` or the `noise` of all steps [T, N, C, …]; see {@link LoopOptions}
 * @returns x₀, in shape and dtype of the start
 * @throws ShapeError, DTypeError, ArgumentError as {@link ddimSample}; ArgumentError for a shape without a key
 * @example
 * ```js
 * import { mul } from 'tenfold';
 * import { ddimSampleLoop, gaussianDiffusion, linearBetas } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = gaussianDiffusion(linearBetas(20), { meanType: 'startX' });
 * ddimSampleLoop(diffusion, x => mul(x, 0.5), [2, 3], { key: key(0) }).shape; // => [2, 3]
 * ```
 */
export const ddimSampleLoop = <const S extends Shape, D extends DType = 'float32', E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  start: Tensor<S, D> | S,
  options: LoopOptions<E, D> & EtaOptions = {},
): Tensor<S, D> => runLoop(planFor('ddimSampleLoop', diffusion, model, options), start, options) as Tensor<S, D>;

/**
 * As {@link ddimSampleLoop}, with what every step gives.
 *
 * @param start the noise to start from, float [N, C, …], or its shape, when it is drawn from the key
 * @param options as those of {@link ddimSampleLoop}
 * @returns samples and predictions of x₀ after each step, [T, N, C, …], that of t = T − 1 first
 * @throws ShapeError, DTypeError, ArgumentError as {@link ddimSampleLoop}
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddimSampleTrajectory, gaussianDiffusion, linearBetas } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion(linearBetas(20));
 * ddimSampleTrajectory(diffusion, x => mul(x, 0), zeros([2, 3])).samples.shape; // => [20, 2, 3]
 * ```
 */
export const ddimSampleTrajectory = <const S extends Shape, D extends DType = 'float32', E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  start: Tensor<S, D> | S,
  options: LoopOptions<E, D> & EtaOptions = {},
): Trajectory<S, D> =>
  runTrajectory(planFor('ddimSampleTrajectory', diffusion, model, options), start, options) as Trajectory<S, D>;

const reversePlan = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  options: DenoiseOptions<E>,
): Plan => {
  checkModel(operation, diffusion, model, options);
  return { ...planFor(operation, diffusion, model, { ...options, eta: 0 }), ascending: true };
};

/**
 * One step of the deterministic process towards the noise: xₜ₊₁ = √ᾱₜ₊₁ x̂₀ + √(1 − ᾱₜ₊₁) ε̂. After the last
 * timestep no signal is left (ᾱ = 0).
 *
 * Source: Song et al. 2021, arXiv:2010.02502, section 4.3 (the step of eq. 12 with σ = 0, the other way).
 *
 * @param x xₜ, float [N, C, …]
 * @param t int32 [N]
 * @returns xₜ₊₁ and the prediction of x₀, in shape and dtype of x
 * @throws ShapeError, DTypeError when t is not int32 [N], or the model's output does not fit x
 * @throws ArgumentError for what is no diffusion, model or option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { ddimReverseSample, gaussianDiffusion } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * const [x, t] = [tensor([[0.5, -0.25]]), tensor([1], { dtype: 'int32' })];
 * ddimReverseSample(diffusion, x => x, x, t, { clipDenoised: false }).sample.shape; // => [1, 2]
 * ```
 */
export const ddimReverseSample = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  x: Tensor<S, D>,
  t: Tensor,
  options: DenoiseOptions<E> = {},
): DiffusionSample<S, D> => {
  const plan = reversePlan('ddimReverseSample', diffusion, model, options);
  checkBatch('ddimReverseSample', { x }, t);
  return runStep(plan, x, t, undefined) as DiffusionSample<S, D>;
};

/**
 * From data to the noise that {@link ddimSampleLoop} would make it of: all steps of {@link ddimReverseSample}, from
 * t = 0 to T − 1, as one fold.
 *
 * Source: Song et al. 2021, arXiv:2010.02502, section 4.3.
 *
 * @param start the data, float [N, C, …]
 * @returns the noise, in shape and dtype of the start
 * @throws ShapeError, DTypeError, ArgumentError as {@link ddimReverseSample}
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddimReverseSampleLoop, gaussianDiffusion, linearBetas } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion(linearBetas(20));
 * ddimReverseSampleLoop(diffusion, x => mul(x, 0), zeros([2, 3])).shape; // => [2, 3]
 * ```
 */
export const ddimReverseSampleLoop = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  start: Tensor<S, D>,
  options: DenoiseOptions<E> & Pick<LoopOptions, 'segments'> = {},
): Tensor<S, D> => {
  const plan = reversePlan('ddimReverseSampleLoop', diffusion, model, options);
  checkAlike('ddimReverseSampleLoop', { 'the start': start });
  return runLoop(plan, start, { segments: options.segments }) as Tensor<S, D>;
};
