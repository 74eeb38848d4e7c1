/** The losses of Gaussian diffusions: what the types of mean, variance and loss make of the squared error and the bound. */
import type { DType } from '../../tensor/dtype.js';
import { add, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../../tensor/ops/elementwise/cast.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { meanFlat, vbTermFrom } from '../bound.js';
import { checkBatch } from '../checks.js';
import { qPosteriorMeanVariance, qSample } from '../forward-process.js';
import { checkDiffusion, type GaussianDiffusion } from '../gaussian-diffusion.js';
import { type NoiseOptions, noiseFor } from '../noise.js';
import {
  checkModel,
  extraOf,
  type Model,
  type ModelInputs,
  type Prediction,
  pMeanVarianceFrom,
  predict,
} from '../reverse-process.js';
import { checkExample, type LossExample } from './loss.js';

/** Losses by sample, each [N]; which there are depends on the types of variance and loss. */
export interface TrainingLosses<D extends DType = DType> {
  readonly loss: Tensor<readonly [number], D>;
  /** The squared error, for `mse` and `rescaledMse`. */
  readonly mse?: Tensor<readonly [number], D>;
  /** The variational term that trains learned variances, for `mse` and `rescaledMse`. */
  readonly vb?: Tensor<readonly [number], D>;
}

/** What the mean type asks the network for. */
const targetOf = (diffusion: GaussianDiffusion, xStart: Tensor, xT: Tensor, t: Tensor, noise: Tensor): Tensor => {
  if (diffusion.meanType === 'epsilon') return noise;
  return diffusion.meanType === 'startX' ? xStart : qPosteriorMeanVariance(diffusion, xStart, xT, t).mean;
};

/** {@link trainingLosses} in the name of another function. */
const trainingLossesFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  xStart: Tensor,
  t: Tensor,
  options: NoiseOptions & ModelInputs<E>,
): TrainingLosses => {
  const { lossType, numTimesteps } = diffusion;
  const noise = noiseFor(operation, ['xStart', xStart], t, options);
  const xT: Tensor = qSample(diffusion, xStart, t, noise);
  const prediction = predict(operation, diffusion, model, xT, t, extraOf(options));
  const bound = (given: Prediction): Tensor =>
    vbTermFrom(
      diffusion,
      pMeanVarianceFrom(operation, diffusion, given, xT, t, { clipDenoised: false }),
      xStart,
      xT,
      t,
    );
  const parts = (): Record<string, Tensor> => {
    if (lossType === 'kl') return { loss: bound(prediction) };
    if (lossType === 'rescaledKl') return { loss: mul(bound(prediction), numTimesteps) };
    const mse = meanFlat(square(sub(targetOf(diffusion, xStart, xT, t, noise), prediction.output)));
    if (prediction.variance === undefined) return { loss: mse, mse };
    // The bound is to train the variance alone; the mean learns from the squared error.
    const term = bound({ ...prediction, output: stopGradient(prediction.output) });
    const vb = lossType === 'rescaledMse' ? mul(term, numTimesteps / 1000) : term;
    return { loss: add(mse, vb), mse, vb };
  };
  return Object.freeze(parts()) as unknown as TrainingLosses;
};

/**
 * The losses of a model at given timesteps. xₜ is made from x₀ and noise, and depending on the `lossType` the loss is
 *
 * - `mse`: the mean of (target − output)², the target being ε, x₀ or the mean of q(xₜ₋₁ | xₜ, x₀); with learned
 *   variances plus the variational term, through which the predicted mean is not trained;
 * - `rescaledMse`: the same with the variational term times T / 1000;
 * - `kl`: the variational term, in bits per dimension; `rescaledKl`: T times that, an estimate of the whole bound.
 *
 * Sources: Ho et al. 2020, arXiv:2006.11239, eq. 14 and algorithm 1; Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 16
 * (L_hybrid) and section 3.3 (L_vlb).
 *
 * @param model see {@link Model}
 * @param xStart x₀, float [N, C, …]
 * @param t int32 [N]
 * @param options `noise` like xStart, or a `key`; see {@link NoiseOptions}
 * @returns the loss and its parts, each [N] in the dtype of xStart
 * @throws ShapeError, DTypeError when xStart and noise differ, t is not int32 [N], or the model's output does not fit
 * @throws ArgumentError for what is no diffusion, model or option, and unless there is either noise or a key
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, trainingLosses } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const [x, t] = [tensor([[0.5, -0.5]]), tensor([1], { dtype: 'int32' })];
 * trainingLosses(diffusion, () => tensor([[0.5, 0]]), x, t, { noise: x }).loss.toArray(); // => [0.125]
 * ```
 */
export const trainingLosses = <D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  xStart: Tensor<Shape, D>,
  t: Tensor,
  options: NoiseOptions & ModelInputs<E>,
): TrainingLosses<D> => {
  checkModel('trainingLosses', diffusion, model, options);
  checkBatch('trainingLosses', { xStart }, t);
  return trainingLossesFor('trainingLosses', diffusion, model, xStart, t, options) as TrainingLosses<D>;
};

/** @internal {@link gaussianLoss} in the name of another function. */
export const gaussianLossFor =
  (operation: string, diffusion: GaussianDiffusion) =>
  <E>(model: Model<E>, { xStart, t, noise, inputs }: Omit<LossExample<E>, 'level'>): TrainingLosses =>
    trainingLossesFor(operation, diffusion, model, xStart, t, { noise, modelInputs: inputs });

/**
 * The losses of a Gaussian diffusion for a `trainer`: those of {@link trainingLosses}.
 *
 * @param diffusion whose `lossType` says which
 * @returns a loss: a function of a model and of examples with timesteps, int32 [N]
 * @throws ArgumentError for what is no diffusion; the loss: ArgumentError, ShapeError, DTypeError as {@link trainingLosses}
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, gaussianLoss } from 'tenfold/diffusion';
 * const loss = gaussianLoss(gaussianDiffusion([0.75, 0.5], { meanType: 'startX' }));
 * const [x, t] = [tensor([[0.5, -0.5]]), tensor([1], { dtype: 'int32' })];
 * loss(() => tensor([[0.5, 0]]), { xStart: x, t, noise: x, inputs: null }).loss.toArray(); // => [0.125]
 * ```
 */
export const gaussianLoss = (
  diffusion: GaussianDiffusion,
): (<E>(model: Model<E>, example: Omit<LossExample<E>, 'level'>) => TrainingLosses) => {
  checkDiffusion('gaussianLoss', diffusion);
  const losses = gaussianLossFor('gaussianLoss', diffusion);
  return (model, example) => {
    checkExample('gaussianLoss', model, example);
    checkBatch('gaussianLoss', { xStart: example.xStart }, example.t);
    return losses(model, example);
  };
};
