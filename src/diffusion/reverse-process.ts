/** The reverse process p, which a network takes from noise towards data, and its conditioning by a gradient. */
import type { DType } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { add, clamp, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { exp } from '../tensor/ops/elementwise/elementary.js';
import { split } from '../tensor/ops/movement/joining.js';
import { checkArgument, type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAlike, checkBatch, checkFunctions, checkSampling, checkTensors } from './checks.js';
import {
  extractFull,
  type GaussianMoments,
  predictEpsFromXStart,
  predictXStartFromEps,
  predictXStartFromXPrev,
  qPosteriorMeanVariance,
} from './forward-process.js';
import { checkDiffusion, extract, type GaussianDiffusion, modelTimesteps } from './gaussian-diffusion.js';

/**
 * A network, or the gradient of a condition: a function of samples [N, C, …], timesteps [N] as the network knows them
 * (see `modelTimesteps`) and further inputs (any tree; null when there are none).
 *
 * A network gives the shape of the samples, and twice the channels (axis 1) where variances are learned: the mean's
 * first, then the variance's.
 */
export type Model<E = unknown> = (x: Tensor, t: Tensor, extra: E) => Tensor;

/** What a network is given beside samples and timesteps. */
export interface ModelInputs<E = unknown> {
  /** Passed on as the third argument; null when left out. */
  readonly modelInputs?: E | undefined;
}

/** How the prediction of x₀ is treated before it is used. */
export interface DenoiseOptions<E = unknown> extends ModelInputs<E> {
  /** Keep the prediction of x₀ within [−1, 1]. Default true. */
  readonly clipDenoised?: boolean | undefined;
  /** Applied to the prediction of x₀, before it is clipped. */
  readonly denoisedFn?: ((predXStart: Tensor) => Tensor) | undefined;
}

/** The distribution p(xₜ₋₁ | xₜ), and the prediction of x₀ that belongs to it. */
export interface PMeanVariance<S extends Shape = Shape, D extends DType = DType> extends GaussianMoments<S, D> {
  readonly predXStart: Tensor<S, D>;
}

/** The further inputs of a network. */
export const extraOf = <E>({ modelInputs = null as E }: ModelInputs<E>): E => modelInputs;

const learns = ({ varianceType }: GaussianDiffusion): boolean =>
  varianceType === 'learned' || varianceType === 'learnedRange';

/**
 * Refuses what is no diffusion, no network, or no options of a sampler.
 *
 * @throws ArgumentError, DTypeError, IndexError, TraceError
 */
export const checkModel = (
  operation: string,
  diffusion: GaussianDiffusion,
  model: unknown,
  options: object | undefined,
): void => {
  checkDiffusion(operation, diffusion);
  checkFunctions(operation, { model });
  checkSampling(operation, options);
};

/** Calls the network and takes its output apart. */
export const predict = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  x: Tensor,
  t: Tensor,
  extra: E,
): Prediction => {
  const output = model(x, modelTimesteps(diffusion, t, x), extra);
  checkTensors(operation, { 'the output of the model': output });
  const learned = learns(diffusion);
  if (learned && x.shape.length < 2) {
    throw new ShapeError({
      operation,
      given: `x ${showAval(x)}`,
      rule: `with the varianceType ${diffusion.varianceType} samples have channels: [N, C, …]`,
      hint: 'Use expandDims(x, 1) for a single channel, or fix the variance.',
    });
  }
  const [count = 0, channels = 0, ...rest] = x.shape;
  const wanted = learned ? [count, 2 * channels, ...rest] : x.shape;
  const given = `a model that gives ${showAval(output)} for x ${showAval(x)}`;
  if (!sameShape(output.shape, wanted)) {
    throw new ShapeError({
      operation,
      given,
      rule: `with the varianceType ${diffusion.varianceType} the output has the shape ${showShape(wanted)}`,
      hint: learned
        ? 'Give the model twice the channels, or fix the variance.'
        : "Give the model as many channels as x, or learn the variance: { varianceType: 'learnedRange' }.",
    });
  }
  if (output.dtype !== x.dtype) {
    throw new DTypeError({
      operation,
      given,
      rule: 'the output has the dtype of x',
      hint: `Cast the output, or the parameters and x to one dtype.`,
    });
  }
  if (!learned) return { output };
  const [mean, variance] = split(output, 2, { axis: 1 });
  return { output: mean as Tensor, variance: variance as Tensor };
};

/** The two halves of a network's output; without the second where variances are fixed. */
export interface Prediction {
  readonly output: Tensor;
  readonly variance?: Tensor;
}

/** Variance and log variance of p(xₜ₋₁ | xₜ). */
const varianceOf = (
  diffusion: GaussianDiffusion,
  learned: Tensor | undefined,
  x: Tensor,
  t: Tensor,
): readonly [variance: Tensor, logVariance: Tensor] => {
  const { betas, posteriorVariance, posteriorLogVarianceClipped } = diffusion;
  if (diffusion.varianceType === 'learned') return [exp(learned!), learned!];
  if (diffusion.varianceType === 'learnedRange') {
    // −1 stands for the smallest variance and 1 for the largest; in between, logarithms are interpolated.
    const fraction = mul(add(learned!, 1), 0.5);
    const largest = mul(fraction, extract(betas.map(Math.log), t, x));
    const logVariance = add(largest, mul(sub(1, fraction), extract(posteriorLogVarianceClipped, t, x)));
    return [exp(logVariance), logVariance];
  }
  // β₀ is wider than the data deserves at the very last step; the decoder's likelihood is better with β̃₁ there.
  const large = betas.map((beta, i) => (i === 0 ? posteriorVariance[1]! : beta));
  return diffusion.varianceType === 'fixedLarge'
    ? [extractFull(large, t, x), extractFull(large.map(Math.log), t, x)]
    : [extractFull(posteriorVariance, t, x), extractFull(posteriorLogVarianceClipped, t, x)];
};

/** {@link pMeanVariance} from what the network has given. */
export const pMeanVarianceFrom = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  { output, variance: learned }: Prediction,
  x: Tensor,
  t: Tensor,
  { clipDenoised = true, denoisedFn }: DenoiseOptions<E>,
): PMeanVariance => {
  const [variance, logVariance] = varianceOf(diffusion, learned, x, t);
  const finish = (predicted: Tensor): Tensor => {
    const denoised = denoisedFn === undefined ? predicted : denoisedFn(predicted);
    if (denoisedFn !== undefined) checkAlike(operation, { x, 'the result of denoisedFn': denoised });
    return clipDenoised ? clamp(denoised, -1, 1) : denoised;
  };
  if (diffusion.meanType === 'previousX') {
    const predXStart = finish(predictXStartFromXPrev(diffusion, x, t, output));
    return Object.freeze({ mean: output, variance, logVariance, predXStart });
  }
  const predXStart = finish(diffusion.meanType === 'startX' ? output : predictXStartFromEps(diffusion, x, t, output));
  const { mean } = qPosteriorMeanVariance(diffusion, predXStart, x, t);
  return Object.freeze({ mean, variance, logVariance, predXStart });
};

/**
 * The distribution p(xₜ₋₁ | xₜ) = N(μ(xₜ, t), Σ(xₜ, t)) that the network stands for.
 *
 * With the noise or x₀ predicted, μ is the mean of q(xₜ₋₁ | xₜ, x₀) at the predicted x₀ (after `denoisedFn` and
 * clipping); with xₜ₋₁ predicted it is the prediction itself. Learned variances are v itself as log Σ, or
 * Σ = exp(v′ log βₜ + (1 − v′) log β̃ₜ) with v′ = (v + 1) / 2.
 *
 * Sources: Ho et al. 2020, arXiv:2006.11239, eqs. 1, 7 and 15; Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 15.
 *
 * @param model see {@link Model}
 * @param x xₜ, float [N, C, …]
 * @param t int32 [N]
 * @returns mean, variance, its logarithm and the prediction of x₀, all in shape and dtype of x
 * @throws ShapeError, DTypeError when t is not int32 [N], or the model's output has not the shape and dtype it should
 * @throws ArgumentError for what is no diffusion, model or option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, pMeanVariance } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const t = tensor([0], { dtype: 'int32' });
 * pMeanVariance(diffusion, x => x, tensor([[0.5, 3]]), t).mean.toArray(); // => [[0.5, 1]]
 * ```
 */
export const pMeanVariance = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  x: Tensor<S, D>,
  t: Tensor,
  options: DenoiseOptions<E> = {},
): PMeanVariance<S, D> => {
  checkModel('pMeanVariance', diffusion, model, options);
  checkBatch('pMeanVariance', { x }, t);
  const prediction = predict('pMeanVariance', diffusion, model, x, t, extraOf(options));
  return pMeanVarianceFrom('pMeanVariance', diffusion, prediction, x, t, options) as PMeanVariance<S, D>;
};

const checkCondition = (
  operation: string,
  diffusion: GaussianDiffusion,
  condFn: unknown,
  pMeanVar: unknown,
  options: object,
): void => {
  checkDiffusion(operation, diffusion);
  checkFunctions(operation, { condFn });
  checkArgument(
    typeof pMeanVar === 'object' && pMeanVar !== null,
    operation,
    `${kindOf(pMeanVar)} as pMeanVar`,
    'pMeanVar holds the moments of p(xₜ₋₁ | xₜ)',
    'Pass what pMeanVariance gives for x and t.',
  );
  checkSampling(operation, options);
};

/** The gradient of a condition's log probability at the samples. */
const conditionAt = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  condFn: Model<E>,
  x: Tensor,
  t: Tensor,
  options: ModelInputs<E>,
): Tensor => {
  const gradient = condFn(x, modelTimesteps(diffusion, t, x), extraOf(options));
  checkAlike(operation, { x, 'the result of condFn': gradient });
  return gradient;
};

/**
 * The mean of p(xₜ₋₁ | xₜ), moved towards a condition: μ + Σ g, where g = ∇ₓ log p(y | xₜ) is what `condFn` gives.
 *
 * Sources: Sohl-Dickstein et al. 2015, arXiv:1503.03585; Dhariwal & Nichol 2021, arXiv:2105.05233, section 4.1 and
 * algorithm 1.
 *
 * @param condFn the gradient; it is given x, the timesteps as the network knows them, and the further inputs
 * @param pMeanVar what {@link pMeanVariance} gives for x and t
 * @param x xₜ, float [N, …]
 * @param t int32 [N]
 * @returns the new mean, in shape and dtype of x
 * @throws ShapeError, DTypeError when t is not int32 [N], or the gradient or the moments differ from x
 * @throws ArgumentError for what is no diffusion, function, moments or option
 * @example
 * ```js
 * import { onesLike, tensor } from 'tenfold';
 * import { conditionMean, gaussianDiffusion, pMeanVariance } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX', varianceType: 'learned' });
 * const [x, t] = [tensor([[0.5]]), tensor([0], { dtype: 'int32' })];
 * const p = pMeanVariance(diffusion, () => tensor([[0.5, 0]]), x, t);
 * conditionMean(diffusion, x => onesLike(x), p, x, t).toArray(); // => [[1.5]]
 * ```
 */
export const conditionMean = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  condFn: Model<E>,
  pMeanVar: GaussianMoments,
  x: Tensor<S, D>,
  t: Tensor,
  options: ModelInputs<E> = {},
): Tensor<S, D> => {
  checkCondition('conditionMean', diffusion, condFn, pMeanVar, options);
  const { mean, variance } = pMeanVar;
  checkBatch('conditionMean', { x, mean, variance }, t);
  return conditionMeanFor('conditionMean', diffusion, condFn, pMeanVar, x, t, options) as Tensor<S, D>;
};

/** @internal {@link conditionMean} in the name of another function. */
export const conditionMeanFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  condFn: Model<E>,
  { mean, variance }: GaussianMoments,
  x: Tensor,
  t: Tensor,
  options: ModelInputs<E>,
): Tensor => add(mean, mul(variance, conditionAt(operation, diffusion, condFn, x, t, options)));

/**
 * What {@link pMeanVariance} would have given if the network's score took a condition into account: the noise in the
 * prediction becomes ε − √(1 − ᾱₜ) g, where g = ∇ₓ log p(y | xₜ) is what `condFn` gives; x₀ and the mean follow. For
 * samplers without noise, where {@link conditionMean} would do nothing.
 *
 * Sources: Song et al. 2020, arXiv:2011.13456, section 5; Dhariwal & Nichol 2021, arXiv:2105.05233, section 4.2,
 * eq. 14 and algorithm 2.
 *
 * @param condFn the gradient; it is given x, the timesteps as the network knows them, and the further inputs
 * @param pMeanVar what {@link pMeanVariance} gives for x and t
 * @param x xₜ, float [N, …]
 * @param t int32 [N]
 * @returns a new mean and prediction of x₀ (not clipped again), with the variance as it was
 * @throws ShapeError, DTypeError when t is not int32 [N], or the gradient, the moments or the prediction differ from x
 * @throws ArgumentError for what is no diffusion, function, moments or option
 * @example
 * ```js
 * import { tensor, zerosLike } from 'tenfold';
 * import { conditionScore, gaussianDiffusion, pMeanVariance } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5], { meanType: 'startX' });
 * const [x, t] = [tensor([[0.5]]), tensor([0], { dtype: 'int32' })];
 * const p = pMeanVariance(diffusion, x => x, x, t);
 * conditionScore(diffusion, x => zerosLike(x), p, x, t).predXStart.toArray(); // => [[0.5]]
 * ```
 */
export const conditionScore = <S extends Shape, D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  condFn: Model<E>,
  pMeanVar: PMeanVariance,
  x: Tensor<S, D>,
  t: Tensor,
  options: ModelInputs<E> = {},
): PMeanVariance<S, D> => {
  checkCondition('conditionScore', diffusion, condFn, pMeanVar, options);
  const { mean, variance, logVariance, predXStart } = pMeanVar;
  checkBatch('conditionScore', { x, mean, variance, logVariance, predXStart }, t);
  return conditionScoreFor('conditionScore', diffusion, condFn, pMeanVar, x, t, options) as PMeanVariance<S, D>;
};

/** @internal {@link conditionScore} in the name of another function. */
export const conditionScoreFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  condFn: Model<E>,
  pMeanVar: PMeanVariance,
  x: Tensor,
  t: Tensor,
  options: ModelInputs<E>,
): PMeanVariance => {
  const eps: Tensor = predictEpsFromXStart(diffusion, x, t, pMeanVar.predXStart);
  const gradient = conditionAt(operation, diffusion, condFn, x, t, options);
  const sigma: Tensor = extract(diffusion.sqrtOneMinusAlphasCumprod, t, x);
  const predXStart = predictXStartFromEps(diffusion, x, t, sub(eps, mul(sigma, gradient)));
  const { mean } = qPosteriorMeanVariance(diffusion, predXStart, x, t);
  return Object.freeze({ ...pMeanVar, mean, predXStart });
};
