/** What is minimised, and how well a model does: training losses and the variational bound in bits per dimension. */
import type { DType } from '../tensor/dtype.js';
import { add, div, mul, neg, square, sub } from '../tensor/ops/arithmetic.js';
import { stopGradient } from '../tensor/ops/cast.js';
import { equal, where } from '../tensor/ops/comparison.js';
import { full, tensor } from '../tensor/ops/creation.js';
import { broadcastTo, transpose } from '../tensor/ops/movement.js';
import { mean, sum } from '../tensor/ops/reduction.js';
import { range, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { scan } from '../tensor/transform/loops.js';
import { checkBatch } from './checks.js';
import { predictEpsFromXStart, qMeanVariance, qPosteriorMeanVariance, qSample } from './forward-process.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import { discretizedGaussianLogLikelihood, normalKl } from './likelihood.js';
import { checkSource, type NoiseOptions, noiseFor } from './noise.js';
import {
  type DenoiseOptions,
  extraOf,
  type Model,
  type ModelInputs,
  type PMeanVariance,
  pMeanVarianceFrom,
  predict,
} from './reverse-process.js';
import { checkStack } from './sampling-loop.js';

/** The mean over all axes but the first. */
const meanFlat = (x: Tensor): Tensor => mean(x, { axis: range(x.shape.length).slice(1) });

/** The mean per element, in bits. */
const bitsPerDimension = (nats: Tensor): Tensor => div(meanFlat(nats), Math.LN2);

/** A term of the variational bound. */
export interface VbTerm<S extends Shape = Shape, D extends DType = DType> {
  /** Bits per dimension, one a sample: [N]. */
  readonly output: Tensor<readonly [S[0] & number], D>;
  readonly predXStart: Tensor<S, D>;
}

/** {@link vbTermsBpd} from the distribution that the network stands for. */
const vbTerm = (
  diffusion: GaussianDiffusion,
  p: PMeanVariance,
  xStart: Tensor,
  xT: Tensor,
  t: Tensor,
): Tensor => {
  const q = qPosteriorMeanVariance(diffusion, xStart, xT, t);
  const kl = normalKl(q.mean, q.logVariance, p.mean, p.logVariance);
  const parameters = { means: p.mean, logScales: mul(p.logVariance, 0.5) };
  const decoder = neg(discretizedGaussianLogLikelihood(xStart, parameters));
  return where(equal(t, 0), bitsPerDimension(decoder), bitsPerDimension(kl));
};

/**
 * One term of the variational bound, in bits per dimension: KL(q(xₜ₋₁ | xₜ, x₀) ‖ p(xₜ₋₁ | xₜ)), and at t = 0
 * −log p(x₀ | x₁) for x₀ in 8-bit values.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 5 (L_{t−1} and L₀) and eq. 13.
 *
 * @param xStart x₀, float [N, C, …], values k / 127.5 − 1
 * @param xT xₜ, in shape and dtype of xStart
 * @param t int32 [N]
 * @returns the term [N], and the prediction of x₀
 * @throws ShapeError, DTypeError when xStart and xT differ, t is not int32 [N], or the model's output does not fit
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, vbTermsBpd } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const [x, t] = [tensor([[0.5]]), tensor([1], { dtype: 'int32' })];
 * vbTermsBpd(diffusion, () => x, x, x, t).output.toArray(); // => [0]
 * ```
 */
export const vbTermsBpd = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  xStart: Tensor<S, D>,
  xT: Tensor,
  t: Tensor,
  { clipDenoised = true, modelInputs }: Omit<DenoiseOptions<E>, 'denoisedFn'> = {},
): VbTerm<S, D> => {
  checkBatch('vbTermsBpd', { xStart, xT }, t);
  const prediction = predict('vbTermsBpd', diffusion, model, xT, t, extraOf({ modelInputs }));
  const p = pMeanVarianceFrom(diffusion, prediction, xT, t, { clipDenoised });
  const term = { output: vbTerm(diffusion, p, xStart, xT, t), predXStart: p.predXStart };
  return Object.freeze(term) as VbTerm<S, D>;
};

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

/**
 * The losses of a model at random timesteps: xₜ is made from x₀ and noise, and depending on the `lossType` the loss is
 *
 * - `mse`: the mean of (target − output)², the target being ε, x₀ or the mean of q(xₜ₋₁ | xₜ, x₀); with learned
 *   variances plus the variational term, through which the predicted mean is not trained;
 * - `rescaledMse`: the same with the variational term times T / 1000;
 * - `kl`: the variational term; `rescaledKl`: T times that, an unbiased estimate of the bound but for its constant.
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
 * @throws ArgumentError unless there is either noise or a key
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, trainingLosses } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const [x, t] = [tensor([[0.5, -0.5]]), tensor([1], { dtype: 'int32' })];
 * trainingLosses(diffusion, () => tensor([[0.5, 0]]), x, t, { noise: x }).loss.toArray(); // => [0.125]
 * ```
 */
export const trainingLosses = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  xStart: Tensor<S, D>,
  t: Tensor,
  options: NoiseOptions & ModelInputs<E>,
): TrainingLosses<D> => {
  checkBatch('trainingLosses', { xStart }, t);
  const noise = noiseFor('trainingLosses', ['xStart', xStart], t, options);
  const xT: Tensor = qSample(diffusion, xStart, t, noise);
  const { output, variance } = predict('trainingLosses', diffusion, model, xT, t, extraOf(options));
  const bound = (mean: Tensor): Tensor => {
    const prediction = variance === undefined ? { output: mean } : { output: mean, variance };
    return vbTerm(diffusion, pMeanVarianceFrom(diffusion, prediction, xT, t, { clipDenoised: false }), xStart, xT, t);
  };
  return Object.freeze(partsOf(diffusion, targetOf(diffusion, xStart, xT, t, noise), output, bound, variance)) as TrainingLosses<D>;
};
