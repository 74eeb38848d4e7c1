/**
 * Weightings: how much a sample's loss counts at a noise level.
 *
 * The squared errors of all predictions are one another times a function of the level, so a weighting is written for one of
 * them and serves any: a loss tells it what it compares.
 */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { onesLike } from '../../tensor/ops/creation/creation.js';
import { add, div, minimum, mul, pow, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { log, reciprocal, sigmoid } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type NoiseLevel, noiseToSignal, scaleOf } from '../level.js';
import { checkPrediction, type PredictionType } from '../prediction.js';
import { checkLevel } from './loss.js';

/** The weight of a loss that compares predictions of a type: of the shape of the level, float64. */
export type Weighting = (level: NoiseLevel, target: PredictionType) => Tensor;

/** The squared errors of x₀ and of ε that belong to a squared error 1 of the prediction. */
interface SquaredErrors {
  readonly x0: Tensor;
  readonly eps: Tensor;
}

const squaredErrors: Readonly<Record<PredictionType, (level: NoiseLevel) => SquaredErrors>> = {
  epsilon: level => ({ x0: square(noiseToSignal(level)), eps: onesLike(level.sigma) }),
  x0: level => ({ x0: onesLike(level.sigma), eps: reciprocal(square(noiseToSignal(level))) }),
  v: level => {
    const scale = scaleOf(level, 'preserving');
    return { x0: square(div(level.sigma, scale)), eps: square(div(level.alpha, scale)) };
  },
  score: level => ({ x0: square(mul(noiseToSignal(level), level.sigma)), eps: square(level.sigma) }),
  velocity: level => {
    const scale = scaleOf(level, 'flow');
    return { x0: square(div(level.sigma, scale)), eps: square(div(level.alpha, scale)) };
  },
};

const errorsOf = (operation: string, level: NoiseLevel, target: PredictionType): SquaredErrors => {
  checkPrediction(operation, 'the target', target);
  checkLevel(operation, level);
  return squaredErrors[target](level);
};

/** α² / σ². */
const snrOf = (level: NoiseLevel): Tensor => square(div(level.alpha, level.sigma));

/**
 * Min-SNR-γ: min(SNR, γ) on the squared error of x₀, which is min(SNR, γ) / SNR on that of ε and min(SNR, γ) / (SNR + 1) on
 * that of v; SNR = α² / σ².
 *
 * Source: Hang et al. 2023, arXiv:2303.09556, section 3.4.
 *
 * @param gamma γ above 0; default 5
 * @throws ArgumentError for another γ; the weighting, for what is no level or prediction type
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { edmProcess, minSnrWeighting } from 'tenfold/diffusion';
 * const level = edmProcess().levelAt(tensor([2, 0.25]));
 * minSnrWeighting()(level, 'x0').toArray(); // => [0.25, 5]
 * minSnrWeighting()(level, 'epsilon').toArray(); // => [1, 0.3125]
 * ```
 */
export const minSnrWeighting = (gamma = 5): Weighting => {
  checkNumber('minSnrWeighting', 'gamma', gamma, 'positive');
  return (level, target) => {
    // SNR times the squared error of x₀ is the squared error of ε.
    const { x0, eps } = errorsOf('minSnrWeighting', level, target);
    return minimum(eps, mul(x0, gamma)) as Tensor;
  };
};

/** Options of {@link p2Weighting}. */
export interface P2Options {
  /** How strongly little noise is passed over. Default 1. */
  readonly gamma?: number;
  /** Keeps the weight finite at much noise. Default 1. */
  readonly k?: number;
}

/**
 * P2: (k + SNR)^−γ on the squared error of ε, so that what is learned at little noise, details one cannot see, counts less.
 *
 * Source: Choi et al. 2022, arXiv:2204.00227, eq. 6.
 *
 * @param options `gamma` (1) and `k` (1)
 * @throws ArgumentError for a γ below 0, a k not above 0 and unknown options; the weighting, for what is no level or
 *   prediction type
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { edmProcess, p2Weighting } from 'tenfold/diffusion';
 * p2Weighting({ gamma: 2 })(edmProcess().levelAt(tensor([1, 0.5])), 'epsilon').toArray(); // => [0.25, 0.04]
 * ```
 */
export const p2Weighting = (options: P2Options = {}): Weighting => {
  checkOptions('p2Weighting', ['gamma', 'k'], options);
  const { gamma = 1, k = 1 } = options;
  checkNumber('p2Weighting', 'gamma', gamma, 'notNegative');
  checkNumber('p2Weighting', 'k', k, 'positive');
  return (level, target) => {
    const { eps } = errorsOf('p2Weighting', level, target);
    return mul(eps, pow(add(snrOf(level), k) as Tensor, -gamma) as Tensor);
  };
};

/**
 * The weighting of EDM: (σ² + σ_data²) / (σ σ_data)² on the squared error of x₀, with the noise-to-signal ratio as σ. At the
 * start of training the loss of a preconditioned network is then 1 at every level.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, table 1 and eq. 8.
 *
 * @param sigmaData standard deviation of the data; default 0.5
 * @throws ArgumentError unless it is above 0; the weighting, for what is no level or prediction type
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { edmProcess, edmWeighting } from 'tenfold/diffusion';
 * edmWeighting(1)(edmProcess().levelAt(tensor([1, 0.5])), 'x0').toArray(); // => [2, 5]
 * ```
 */
export const edmWeighting = (sigmaData = 0.5): Weighting => {
  checkNumber('edmWeighting', 'sigmaData', sigmaData, 'positive');
  return (level, target) => {
    // (σ² + σ_data²) / (σ σ_data)² = 1 / σ_data² + SNR.
    const { x0, eps } = errorsOf('edmWeighting', level, target);
    return add(mul(x0, sigmaData ** -2), eps);
  };
};

/**
 * The sigmoid weighting: 1 / (1 + exp(log SNR − bias)) on the squared error of ε.
 *
 * Sources: Kingma & Gao 2023, arXiv:2303.00848, section 5.1 (with a bias of 2); Hoogeboom et al. 2024, arXiv:2410.19324.
 *
 * @param bias the log SNR at which the weight is one half; default 2
 * @throws ArgumentError for a bias that is no number; the weighting, for what is no level or prediction type
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { edmProcess, sigmoidWeighting } from 'tenfold/diffusion';
 * sigmoidWeighting(0)(edmProcess().levelAt(tensor([1, 2])), 'epsilon').toArray(); // => [0.5, 0.8]
 * ```
 */
export const sigmoidWeighting = (bias = 2): Weighting => {
  checkNumber('sigmoidWeighting', 'bias', bias);
  return (level, target) => {
    const { eps } = errorsOf('sigmoidWeighting', level, target);
    return mul(eps, sigmoid(sub(bias, log(snrOf(level)))) as Tensor);
  };
};
