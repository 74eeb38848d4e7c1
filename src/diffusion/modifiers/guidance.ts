/** Guidance: towards what a classifier says, and away from what a model without the condition, or a worse one, says. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, mul, neg, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal, where } from '../../tensor/ops/elementwise/comparison.js';
import { reciprocal } from '../../tensor/ops/elementwise/elementary.js';
import { std } from '../../tensor/ops/reduction/statistics.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkAlike, checkFunctions, checkOneOf, eachFlat } from '../checks.js';
import { type Denoised, type Denoiser, type DenoiserModifier, timesFor } from '../denoiser.js';
import { checkScaling, combine, type NoiseLevel, type Scaling, scaleOf } from '../level.js';
import { agreeing, checkPrediction, orOne, type Parts, type PredictionType, predictionOf } from '../prediction.js';
import { checkCoefficient, checkCount, withParts } from './parts.js';
import { checkRange, type LevelRange, restrictTo } from './restriction.js';

/** ∇ₓ log p(y | x) for samples [N, …], in their shape and dtype: of x, times [N] and what conditions the samples. */
export type GuidanceGradient<E = unknown> = (x: Tensor, time: Tensor, inputs: E) => Tensor;

/** Options of {@link classifierGuidance}. */
export interface ClassifierGuidanceOptions {
  /** How much it counts; a number, a float scalar, or floats [N]. Default 1. */
  readonly scale?: number | Tensor;
  /**
   * `score`: it is added to the score, for every sampler. `mean`: it moves the mean of random steps by its share of
   * their variance, which `ddpm` does. Default `score`.
   */
  readonly on?: 'score' | 'mean';
  /** How the samples that the classifier was trained on are scaled. Default as they come. */
  readonly scaling?: Scaling;
}

/**
 * The parts of x when `gradient` is added to its score: ε − σ g, and x₀ + σ² / α g. Where there is no signal, x says
 * nothing of what is guided, and nothing is changed.
 */
export const withScore = (parts: Parts, gradient: Tensor, { alpha, sigma }: NoiseLevel): Parts => {
  const none = equal(alpha, 0);
  const share = (value: Tensor): Tensor => where(none, 0, value) as Tensor;
  return {
    x0: combine([1, parts.x0], [share(div(square(sigma), orOne(alpha))), gradient]),
    eps: combine([1, parts.eps], [share(neg(sigma)), gradient]),
  };
};

/**
 * Classifier guidance: the score is that of p(x) p(y | x)ˢ.
 *
 * Source: Dhariwal & Nichol 2021, arXiv:2105.05233, algorithms 2 (`score`) and 1 (`mean`).
 *
 * @param gradient see {@link GuidanceGradient}: the gradient of the log probability that a classifier of noisy samples
 *   gives
 * @param options see {@link ClassifierGuidanceOptions}
 * @returns a modifier of denoisers
 * @throws ArgumentError for what is no function, scale or option, DTypeError for a scale of other dtypes; the denoiser:
 *   ShapeError, DTypeError when the gradient is not like x
 * @example
 * ```js
 * import { ones, sub, tensor } from 'tenfold';
 * import { classifierGuidance, denoiser } from 'tenfold/diffusion';
 * const towardsOne = classifierGuidance(x => sub(1, x), { scale: 2 });
 * const level = { alpha: tensor(1), sigma: tensor(0.5), time: tensor(0) };
 * towardsOne(denoiser(x => x, { prediction: 'x0', scaling: 'exploding' }))(tensor([[3]]), level, { inputs: null
 * }).x0.item(); // => 2
 * ```
 */
export const classifierGuidance = <E = unknown>(
  gradient: GuidanceGradient<E>,
  options: ClassifierGuidanceOptions = {},
): DenoiserModifier<E> => {
  checkFunctions('classifierGuidance', { gradient });
  checkOptions('classifierGuidance', ['scale', 'on', 'scaling'], options);
  const { scale = 1, on = 'score', scaling } = options;
  checkCoefficient('classifierGuidance', 'scale', scale);
  checkOneOf('classifierGuidance', 'what it acts on', ['score', 'mean'], on);
  if (scaling !== undefined) checkScaling('classifierGuidance', scaling);
  return (denoiser: Denoiser<E>) => (x, level, context) => {
    checkCount('classifierGuidance', 'scale', scale, x);
    const denoised = denoiser(x, level, context);
    const per = scaling === undefined ? undefined : reciprocal(scaleOf(level, scaling));
    const seen = per === undefined ? x : combine([per, x]);
    const found = gradient(seen, timesFor(level, x), context.inputs);
    checkAlike('classifierGuidance', { x, 'the gradient': found });
    // The derivative by x is that by the scaled sample, divided by the scale once more.
    const scaled = combine([per === undefined ? scale : (mul(per, scale as Tensor) as Tensor), found]);
    if (on === 'score') return withParts(denoised, withScore(denoised, scaled, level));
    const before = denoised.gradient;
    return Object.freeze({ ...denoised, gradient: before === undefined ? scaled : (add(before, scaled) as Tensor) });
  };
};

/** Options of {@link classifierFreeGuidance}. */
export interface ClassifierFreeGuidanceOptions {
  /**
   * w in ε_u + w (ε_c − ε_u): 0 is unconditional, 1 conditional, more is guided. A number, a float scalar, or floats
   * [N]. The paper's w is one less.
   */
  readonly weight: number | Tensor;
  /**
   * φ: how far the standard deviation of each guided prediction is brought back to that of the conditional one. Default
   * 0.
   */
  readonly rescale?: number;
  /** The prediction whose standard deviation that is: what the network predicts. Default `epsilon`. */
  readonly prediction?: PredictionType;
  /** The levels at which to guide; at others, only the conditional denoiser is called. Default all. */
  readonly interval?: LevelRange;
}

/** How far each sample's prediction is to be scaled so that its standard deviation is that of another, by a share. */
const rescaling = (given: Tensor, wanted: Tensor, share: number): Tensor => {
  const spread = (x: Tensor): Tensor => std(eachFlat(x), { axis: 1 }) as Tensor;
  const before = spread(given);
  const ratio = where(equal(before, 0), 1, div(spread(wanted), where(equal(before, 0), 1, before) as Tensor)) as Tensor;
  return add(mul(ratio, share), 1 - share) as Tensor;
};

/**
 * Classifier-free guidance: of a denoiser with its condition away from one without. With negative conditions the other
 * one is the same network with other inputs (see `withInputs`); with a smaller or less trained network it is
 * autoguidance.
 *
 * Sources: Ho & Salimans 2022, arXiv:2207.12598, eq. 6; the rescaling: Lin et al. 2023, arXiv:2305.08891, section 3.4;
 * the interval: Kynkäänniemi et al. 2024, arXiv:2404.07724; autoguidance: Karras et al. 2024, arXiv:2406.02507.
 *
 * @param unconditional the denoiser to be led away from
 * @param options see {@link ClassifierFreeGuidanceOptions}
 * @returns a modifier of denoisers, which takes the conditional one
 * @throws ArgumentError for what is no denoiser, weight, range or option, for a rescale outside [0, 1]; DTypeError for
 *   a weight of other dtypes; the denoiser: ShapeError for a weight of another number of samples
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { classifierFreeGuidance, denoiser, withInputs } from 'tenfold/diffusion';
 * const network = denoiser((x, time, label) => mul(x, label), { prediction: 'x0', scaling: 'exploding' });
 * const guided = classifierFreeGuidance(withInputs(tensor(1))(network), { weight: 3 })(network);
 * const level = { alpha: tensor(1), sigma: tensor(1), time: tensor(0) };
 * guided(tensor([[1]]), level, { inputs: tensor(2) }).x0.item(); // => 4
 * ```
 */
export const classifierFreeGuidance = <E = unknown>(
  unconditional: Denoiser<E>,
  options: ClassifierFreeGuidanceOptions,
): DenoiserModifier<E> => {
  checkFunctions('classifierFreeGuidance', { unconditional });
  checkOptions('classifierFreeGuidance', ['weight', 'rescale', 'prediction', 'interval'], options ?? null);
  const { weight, rescale = 0, prediction = 'epsilon', interval } = options;
  checkCoefficient('classifierFreeGuidance', 'weight', weight);
  checkNumber('classifierFreeGuidance', 'rescale', rescale);
  checkArgument(
    rescale >= 0 && rescale <= 1,
    'classifierFreeGuidance',
    `rescale = ${rescale}`,
    'rescale lies in [0, 1]',
    'The paper takes 0.7.',
  );
  checkPrediction('classifierFreeGuidance', 'prediction', prediction);
  if (interval !== undefined) checkRange('classifierFreeGuidance', interval);
  const rest = typeof weight === 'number' ? 1 - weight : (sub(1, weight) as Tensor);
  // A score is the noise by a factor that all samples of a level have in common.
  const type = prediction === 'score' ? 'epsilon' : prediction;
  const guide: DenoiserModifier<E> = conditional => (x, level, context) => {
    checkCount('classifierFreeGuidance', 'weight', weight, x);
    const [yes, no] = [conditional(x, level, context), unconditional(x, level, context)];
    checkAlike('classifierFreeGuidance', { x, conditional: yes.x0, unconditional: no.x0 });
    // Both parts are led the same way, so that they agree with x at every level.
    const led = (name: 'x0' | 'eps'): Tensor => combine([rest, no[name]], [weight, yes[name]]);
    const parts = { x0: led('x0'), eps: led('eps') };
    return withParts(yes, rescale === 0 ? parts : rescaled(parts, yes, x, level));
  };
  const rescaled = (parts: Parts, conditional: Denoised, x: Tensor, level: NoiseLevel): Parts => {
    const guided = predictionOf(type, parts, level);
    const factor = rescaling(guided, predictionOf(type, conditional, level), rescale);
    return agreeing(type, combine([factor, guided]), x, level, parts);
  };
  return interval === undefined ? guide : restrictTo(interval, guide);
};
