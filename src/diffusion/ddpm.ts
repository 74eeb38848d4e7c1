/** Ancestral sampling: the reverse process, step by step, with its noise. */
import type { DType } from '../tensor/dtype.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { notEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { exp } from '../tensor/ops/elementwise/elementary.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBatch } from './checks.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import { checkSource, noiseFor } from './noise.js';
import { checkModel, conditionMeanFor, extraOf, type Model, pMeanVarianceFrom, predict } from './reverse-process.js';
import {
  type DiffusionSample,
  type LoopOptions,
  type Plan,
  runLoop,
  runTrajectory,
  type StepOptions,
  type Trajectory,
} from './sampling-loop.js';

/** The noise, but 0 for samples at t = 0: the last step adds none. */
export const noiseAfterFirst = (noise: Tensor, t: Tensor): Tensor =>
  where(reshape(notEqual(t, 0), [t.shape[0]!, ...noise.shape.slice(1).fill(1)]) as Tensor, noise, 0);

const step = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  x: Tensor,
  t: Tensor,
  noise: Tensor,
  options: StepOptions<E>,
): DiffusionSample => {
  const prediction = predict(operation, diffusion, model, x, t, extraOf(options));
  const p = pMeanVarianceFrom(operation, diffusion, prediction, x, t, options);
  const { condFn } = options;
  const mean = condFn === undefined ? p.mean : conditionMeanFor(operation, diffusion, condFn, p, x, t, options);
  const sample = add(mean, mul(exp(mul(p.logVariance, 0.5)), noiseAfterFirst(noise, t)));
  return Object.freeze({ sample, predXStart: p.predXStart });
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
  checkModel('pSample', diffusion, model, options);
  checkBatch('pSample', { x }, t);
  const noise = noiseFor('pSample', ['x', x], t, options);
  return step('pSample', diffusion, model, x, t, noise, options) as DiffusionSample<S, D>;
};

const planFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  start: Tensor | Shape,
  options: LoopOptions<E>,
): Plan => {
  checkModel(operation, diffusion, model, options);
  checkSource(operation, options);
  return {
    operation,
    diffusion,
    start,
    options,
    noisy: true,
    step: (x, t, noise) => step(operation, diffusion, model, x, t, noise!, options),
  };
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
): Tensor<S, D> => runLoop(planFor('pSampleLoop', diffusion, model, start, options)) as Tensor<S, D>;

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
  runTrajectory(planFor('pSampleTrajectory', diffusion, model, start, options)) as Trajectory<S, D>;
