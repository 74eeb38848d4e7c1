/** The variational bound on the log likelihood, term by term, in bits per dimension. */
import type { DType } from '../tensor/dtype.js';
import { full, tensor } from '../tensor/ops/creation/creation.js';
import { add, div, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { equal, where } from '../tensor/ops/elementwise/comparison.js';
import { broadcastTo, transpose } from '../tensor/ops/movement/movement.js';
import { mean, sum } from '../tensor/ops/reduction/reduction.js';
import { range, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { scan } from '../tensor/transform/loops.js';
import { checkAlike, checkBatch } from './checks.js';
import { predictEpsFromXStart, qMeanVariance, qPosteriorMeanVariance, qSample } from './forward-process.js';
import { checkDiffusion, type GaussianDiffusion } from './gaussian-diffusion.js';
import { discretizedGaussianLogLikelihood, normalKl } from './likelihood.js';
import { checkSource, checkStack, type NoiseOptions, timestepNoise } from './noise.js';
import {
  checkModel,
  type DenoiseOptions,
  extraOf,
  type Model,
  type PMeanVariance,
  pMeanVarianceFrom,
  predict,
} from './reverse-process.js';

/** The mean over all axes but the first. */
export const meanFlat = (x: Tensor): Tensor => mean(x, { axis: range(x.shape.length).slice(1) });

/** The mean per element, in bits. */
const bitsPerDimension = (nats: Tensor): Tensor => div(meanFlat(nats), Math.LN2);

/** {@link vbTermsBpd} from the distribution that the network stands for. */
export const vbTermFrom = (
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

/** Options of {@link vbTermsBpd}. */
export type BoundOptions<E = unknown> = Omit<DenoiseOptions<E>, 'denoisedFn'>;

/** A term of the variational bound. */
export interface VbTerm<S extends Shape = Shape, D extends DType = DType> {
  /** Bits per dimension, one a sample: [N]. */
  readonly output: Tensor<readonly [number], D>;
  /** The prediction of x₀ behind it. */
  readonly predXStart: Tensor<S, D>;
}

/** {@link vbTermsBpd} in the name of another function. */
const vbTermFor = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  xStart: Tensor,
  xT: Tensor,
  t: Tensor,
  { clipDenoised, modelInputs }: BoundOptions<E>,
) => {
  const prediction = predict(operation, diffusion, model, xT, t, extraOf({ modelInputs }));
  const p = pMeanVarianceFrom(operation, diffusion, prediction, xT, t, { clipDenoised });
  return { output: vbTermFrom(diffusion, p, xStart, xT, t), predXStart: p.predXStart };
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
 * @throws ArgumentError for what is no diffusion, model or option
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
  options: BoundOptions<E> = {},
): VbTerm<S, D> => {
  checkModel('vbTermsBpd', diffusion, model, options);
  checkBatch('vbTermsBpd', { xStart, xT }, t);
  return Object.freeze(vbTermFor('vbTermsBpd', diffusion, model, xStart, xT, t, options)) as VbTerm<S, D>;
};

const priorFor = (operation: string, diffusion: GaussianDiffusion, xStart: Tensor): Tensor => {
  checkDiffusion(operation, diffusion);
  checkAlike(operation, { xStart });
  const t = full([xStart.shape[0] ?? 0], diffusion.numTimesteps - 1, { dtype: 'int32' });
  checkBatch(operation, { xStart }, t);
  const q = qMeanVariance(diffusion, xStart, t);
  return bitsPerDimension(normalKl(q.mean, q.logVariance, 0, 0));
};

/**
 * The term of the variational bound that no model changes, in bits per dimension: KL(q(x_T | x₀) ‖ N(0, I)).
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 5 (L_T).
 *
 * @param xStart x₀, float [N, …]
 * @returns [N], in the dtype of xStart
 * @throws ShapeError, DTypeError when xStart is no float [N, …], ArgumentError for what is no diffusion or no tensor
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { gaussianDiffusion, priorBpd } from 'tenfold/diffusion';
 * priorBpd(gaussianDiffusion([0.75, 1]), zeros([2, 3])).toArray(); // => [0, 0]
 * ```
 */
export const priorBpd = <D extends DType>(
  diffusion: GaussianDiffusion,
  xStart: Tensor<Shape, D>,
): Tensor<readonly [number], D> => priorFor('priorBpd', diffusion, xStart) as Tensor<readonly [number], D>;

/** The whole variational bound, in bits per dimension; the columns stand for t = T − 1 … 0. */
export interface BpdTerms<D extends DType = DType> {
  /** The sum of all terms: [N]. */
  readonly totalBpd: Tensor<readonly [number], D>;
  /** See {@link priorBpd}: [N]. */
  readonly priorBpd: Tensor<readonly [number], D>;
  /** See {@link vbTermsBpd}: [N, T]. */
  readonly vb: Tensor<readonly [number, number], D>;
  /** The mean of (x̂₀ − x₀)²: [N, T]. */
  readonly xstartMse: Tensor<readonly [number, number], D>;
  /** The mean of (ε̂ − ε)²: [N, T]. */
  readonly mse: Tensor<readonly [number, number], D>;
}

/**
 * The whole variational bound on −log p(x₀), in bits per dimension, with fresh noise for every timestep: all terms of
 * {@link vbTermsBpd}, from t = T − 1 to 0, as one scan, and {@link priorBpd}.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 5; the two errors beside it are those of the code of Nichol &
 * Dhariwal 2021, arXiv:2102.09672.
 *
 * @param xStart x₀, float [N, C, …], values k / 127.5 − 1
 * @param options a `key`, or the `noise` of all steps [T, N, C, …], that of t = T − 1 first
 * @returns the terms and their sum, in the dtype of xStart
 * @throws ShapeError, DTypeError when noise or the model's output do not fit xStart
 * @throws ArgumentError for what is no diffusion, model or option, and unless there is either noise or a key
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { calcBpdLoop, gaussianDiffusion, linearBetas } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = gaussianDiffusion(linearBetas(20));
 * calcBpdLoop(diffusion, x => mul(x, 0), zeros([2, 3]), { key: key(0) }).vb.shape; // => [2, 20]
 * ```
 */
export const calcBpdLoop = <D extends DType, E = unknown>(
  diffusion: GaussianDiffusion,
  model: Model<E>,
  xStart: Tensor<Shape, D>,
  options: BoundOptions<E> & NoiseOptions,
): BpdTerms<D> => {
  const operation = 'calcBpdLoop';
  checkModel(operation, diffusion, model, options);
  checkSource(operation, options);
  const { numTimesteps } = diffusion;
  const prior = priorFor(operation, diffusion, xStart);
  const { noise, key, firstSample, ...rest } = options;
  if (noise !== undefined) checkStack(operation, noise, xStart, numTimesteps);
  const step = (_: null, at: { readonly t: Tensor; readonly noise?: Tensor }) => {
    const t = broadcastTo(at.t, [xStart.shape[0]!]);
    const eps = at.noise ?? timestepNoise(key!, xStart, t, firstSample);
    const xT: Tensor = qSample(diffusion, xStart, t, eps);
    const { output, predXStart } = vbTermFor(operation, diffusion, model, xStart, xT, t, rest);
    const predEps = predictEpsFromXStart(diffusion, xT, t, predXStart);
    const xstartMse = meanFlat(square(sub(predXStart, xStart as Tensor)));
    return [null, { vb: output, xstartMse, mse: meanFlat(square(sub(predEps, eps))) }] as const;
  };
  const t = tensor(range(numTimesteps).reverse(), { dtype: 'int32' });
  const [, rows] = scan(step)(null, noise === undefined ? { t } : { t, noise });
  const [vb, xstartMse, mse] = [rows.vb, rows.xstartMse, rows.mse].map(row => transpose(row as Tensor));
  const totalBpd = add(sum(vb!, { axis: 1 }), prior);
  return Object.freeze({ totalBpd, priorBpd: prior, vb, xstartMse, mse }) as BpdTerms<D>;
};
