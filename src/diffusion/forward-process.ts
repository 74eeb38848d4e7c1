/** The forward process q, which turns data into noise, and the identities that relate x₀, xₜ, xₜ₋₁ and ε. */
import type { DType } from '../tensor/dtype.js';
import { add, div, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { broadcastTo } from '../tensor/ops/movement/movement.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBatch } from './checks.js';
import { checkDiffusion, extract, type GaussianDiffusion } from './gaussian-diffusion.js';

/** The moments of a Gaussian whose elements are independent; all of one shape. */
export interface GaussianMoments<S extends Shape = Shape, D extends DType = DType> {
  readonly mean: Tensor<S, D>;
  readonly variance: Tensor<S, D>;
  readonly logVariance: Tensor<S, D>;
}

/** Coefficients spread over the samples. */
export const extractFull = <S extends Shape, D extends DType>(
  coefficients: readonly number[],
  t: Tensor,
  like: Tensor<S, D>,
): Tensor<S, D> => broadcastTo(extract(coefficients, t, like), like.shape as Shape) as Tensor<S, D>;

/** A sample times a coefficient by timestep. */
const scaled = (coefficients: readonly number[], t: Tensor, x: Tensor): Tensor => mul(extract(coefficients, t, x), x);

/**
 * The distribution q(xₜ | x₀) = N(√ᾱₜ x₀, (1 − ᾱₜ) I).
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 4.
 *
 * @param xStart x₀, float [N, …]
 * @param t int32 [N]; 0 is one step of noise
 * @returns mean, variance and its logarithm, in shape and dtype of xStart
 * @throws ShapeError, DTypeError when t is not int32 [N] or xStart no float
 * @throws ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, qMeanVariance } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * const { mean, variance } = qMeanVariance(diffusion, tensor([[2, 4]]), tensor([0], { dtype: 'int32' }));
 * mean.toArray(); // => [[1, 2]]
 * variance.toArray(); // => [[0.75, 0.75]]
 * ```
 */
export const qMeanVariance = <S extends Shape, D extends DType>(
  diffusion: GaussianDiffusion,
  xStart: Tensor<S, D>,
  t: Tensor,
): GaussianMoments<S, D> => {
  checkDiffusion('qMeanVariance', diffusion);
  checkBatch('qMeanVariance', { xStart }, t);
  const oneMinus = diffusion.alphasCumprod.map(alpha => 1 - alpha);
  return Object.freeze({
    mean: scaled(diffusion.sqrtAlphasCumprod, t, xStart) as Tensor<S, D>,
    variance: extractFull(oneMinus, t, xStart),
    logVariance: extractFull(diffusion.logOneMinusAlphasCumprod, t, xStart),
  });
};

/**
 * Data after t + 1 steps of noise at once: xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε, a sample of q(xₜ | x₀) for standard normal ε.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 4 reparameterised (section 3.2).
 *
 * @param xStart x₀, float [N, …]
 * @param t int32 [N]; 0 is one step of noise
 * @param noise ε, in shape and dtype of xStart
 * @returns xₜ, in shape and dtype of xStart
 * @throws ShapeError, DTypeError when xStart and noise differ in shape or dtype, or t is not int32 [N]
 * @throws ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, qSample } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * qSample(diffusion, tensor([[2, 4]]), tensor([0], { dtype: 'int32' }), tensor([[0, 0]])).toArray(); // => [[1, 2]]
 * ```
 */
export const qSample = <S extends Shape, D extends DType>(
  diffusion: GaussianDiffusion,
  xStart: Tensor<S, D>,
  t: Tensor,
  noise: Tensor,
): Tensor<S, D> => {
  checkDiffusion('qSample', diffusion);
  checkBatch('qSample', { xStart, noise }, t);
  const { sqrtAlphasCumprod, sqrtOneMinusAlphasCumprod } = diffusion;
  return add(scaled(sqrtAlphasCumprod, t, xStart), scaled(sqrtOneMinusAlphasCumprod, t, noise)) as Tensor<S, D>;
};

/**
 * The posterior q(xₜ₋₁ | xₜ, x₀) = N(μ̃ₜ, β̃ₜ I) with μ̃ₜ = √ᾱₜ₋₁ βₜ / (1 − ᾱₜ) x₀ + √(1 − βₜ) (1 − ᾱₜ₋₁) / (1 − ᾱₜ) xₜ.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eqs. 6 and 7.
 *
 * @param xStart x₀, float [N, …]
 * @param xT xₜ, in shape and dtype of xStart
 * @param t int32 [N]
 * @returns mean, variance, and its logarithm, which at t = 0, where the variance is 0, is that of t = 1
 * @throws ShapeError, DTypeError when xStart and xT differ in shape or dtype, or t is not int32 [N]
 * @throws ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, qPosteriorMeanVariance } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * const t = tensor([0], { dtype: 'int32' });
 * qPosteriorMeanVariance(diffusion, tensor([[2, 4]]), tensor([[1, 1]]), t).mean.toArray(); // => [[2, 4]]
 * ```
 */
export const qPosteriorMeanVariance = <S extends Shape, D extends DType>(
  diffusion: GaussianDiffusion,
  xStart: Tensor<S, D>,
  xT: Tensor,
  t: Tensor,
): GaussianMoments<S, D> => {
  checkDiffusion('qPosteriorMeanVariance', diffusion);
  checkBatch('qPosteriorMeanVariance', { xStart, xT }, t);
  const { posteriorMeanCoef1, posteriorMeanCoef2 } = diffusion;
  return Object.freeze({
    mean: add(scaled(posteriorMeanCoef1, t, xStart), scaled(posteriorMeanCoef2, t, xT)) as Tensor<S, D>,
    variance: extractFull(diffusion.posteriorVariance, t, xStart),
    logVariance: extractFull(diffusion.posteriorLogVarianceClipped, t, xStart),
  });
};

/**
 * x₀ from xₜ and the noise in it: √(1 / ᾱₜ) xₜ − √(1 / ᾱₜ − 1) ε.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 15.
 *
 * @param xT xₜ, float [N, …]
 * @param t int32 [N]
 * @param eps ε, in shape and dtype of xT
 * @returns shape and dtype of xT
 * @throws ShapeError, DTypeError when xT and eps differ in shape or dtype, or t is not int32 [N]
 * @throws ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, predictXStartFromEps } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * const t = tensor([0], { dtype: 'int32' });
 * predictXStartFromEps(diffusion, tensor([[1, 2]]), t, tensor([[0, 0]])).toArray(); // => [[2, 4]]
 * ```
 */
export const predictXStartFromEps = <S extends Shape, D extends DType>(
  diffusion: GaussianDiffusion,
  xT: Tensor<S, D>,
  t: Tensor,
  eps: Tensor,
): Tensor<S, D> => {
  checkDiffusion('predictXStartFromEps', diffusion);
  checkBatch('predictXStartFromEps', { xT, eps }, t);
  const { sqrtRecipAlphasCumprod, sqrtRecipm1AlphasCumprod } = diffusion;
  return sub(scaled(sqrtRecipAlphasCumprod, t, xT), scaled(sqrtRecipm1AlphasCumprod, t, eps)) as Tensor<S, D>;
};

/**
 * The noise in xₜ, given x₀: (xₜ − √ᾱₜ x₀) / √(1 − ᾱₜ). Unlike (√(1 / ᾱₜ) xₜ − x₀) / √(1 / ᾱₜ − 1), which is the same,
 * it holds where no signal is left (ᾱₜ = 0).
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 15 solved for ε.
 *
 * @param xT xₜ, float [N, …]
 * @param t int32 [N]
 * @param predXStart x₀ or a prediction of it, in shape and dtype of xT
 * @returns shape and dtype of xT
 * @throws ShapeError, DTypeError when xT and predXStart differ in shape or dtype, or t is not int32 [N]
 * @throws ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, predictEpsFromXStart } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * const t = tensor([0], { dtype: 'int32' });
 * predictEpsFromXStart(diffusion, tensor([[1, 2]]), t, tensor([[2, 4]])).toArray(); // => [[0, 0]]
 * ```
 */
export const predictEpsFromXStart = <S extends Shape, D extends DType>(
  diffusion: GaussianDiffusion,
  xT: Tensor<S, D>,
  t: Tensor,
  predXStart: Tensor,
): Tensor<S, D> => {
  checkDiffusion('predictEpsFromXStart', diffusion);
  checkBatch('predictEpsFromXStart', { xT, predXStart }, t);
  const { sqrtAlphasCumprod, sqrtOneMinusAlphasCumprod } = diffusion;
  const [noisy, divisor]: readonly Tensor[] = [xT, extract(sqrtOneMinusAlphasCumprod, t, xT)];
  return div(sub(noisy!, scaled(sqrtAlphasCumprod, t, predXStart)), divisor!) as Tensor<S, D>;
};

/**
 * x₀ from xₜ and the mean of xₜ₋₁: (xₜ₋₁ − c₂ xₜ) / c₁ with the coefficients of the posterior mean.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 7 solved for x₀.
 *
 * @param xT xₜ, float [N, …]
 * @param t int32 [N]
 * @param xPrev the mean of xₜ₋₁, in shape and dtype of xT
 * @returns shape and dtype of xT
 * @throws ShapeError, DTypeError when xT and xPrev differ in shape or dtype, or t is not int32 [N]
 * @throws ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { gaussianDiffusion, predictXStartFromXPrev } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion([0.75, 0.5]);
 * const t = tensor([0], { dtype: 'int32' });
 * predictXStartFromXPrev(diffusion, tensor([[1, 1]]), t, tensor([[2, 4]])).toArray(); // => [[2, 4]]
 * ```
 */
export const predictXStartFromXPrev = <S extends Shape, D extends DType>(
  diffusion: GaussianDiffusion,
  xT: Tensor<S, D>,
  t: Tensor,
  xPrev: Tensor,
): Tensor<S, D> => {
  checkDiffusion('predictXStartFromXPrev', diffusion);
  checkBatch('predictXStartFromXPrev', { xT, xPrev }, t);
  const { posteriorMeanCoef1: c1, posteriorMeanCoef2: c2 } = diffusion;
  const recip = c1.map(c => 1 / c);
  const ratio = c1.map((c, i) => c2[i]! / c);
  return sub(scaled(recip, t, xPrev), scaled(ratio, t, xT)) as Tensor<S, D>;
};
