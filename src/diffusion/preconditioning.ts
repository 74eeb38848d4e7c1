/** The preconditioning of EDM: what a network is shown of a sample, and how the prediction of x₀ is made of its output. */
import { checkOptions } from '../tensor/ops/common/options.js';
import { add, div, mul, neg, square } from '../tensor/ops/elementwise/arithmetic.js';
import { log, reciprocal, sqrt } from '../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFinite, checkFunctions, checkOneOf } from './checks.js';
import { checkCall, type Denoiser, type DenoiserModel, halves, timesFor } from './denoiser.js';
import { checkLevel, combine, type NoiseLevel, noiseToSignal } from './level.js';

/** The data of EDM. */
const usual = 0.5;

/** α² σ_data² + σ², the variance of a sample. */
const varianceOf = ({ alpha, sigma }: NoiseLevel, sigmaData: number): Tensor =>
  add(mul(square(alpha), sigmaData ** 2), square(sigma)) as Tensor;

/**
 * c_skip, the share of a sample in the prediction of x₀: σ_data² / (σ² + σ_data²) where α is 1.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, table 1 and eq. 7; here for samples α x₀ + σ ε of any scaling.
 *
 * @param level float64 [] or [N]
 * @param sigmaData the standard deviation of the data; default 0.5
 * @returns of the level's shape
 * @throws ArgumentError, ShapeError for what is no level, and for a sigmaData that is no finite number above 0
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cSkip, edmProcess } from 'tenfold/diffusion';
 * cSkip(edmProcess().levelAt(tensor(0.5))).item(); // => 0.5
 * ```
 */
export const cSkip = (level: NoiseLevel, sigmaData: number = usual): Tensor => {
  checkLevel('cSkip', level);
  checkFinite('cSkip', 'sigmaData', sigmaData, 'positive');
  return div(mul(level.alpha, sigmaData ** 2), varianceOf(level, sigmaData)) as Tensor;
};

/**
 * c_out, the share of the network's output in the prediction of x₀: σ σ_data / √(σ² + σ_data²) where α is 1.
 *
 * Source: as {@link cSkip}.
 *
 * @param level float64 [] or [N]
 * @param sigmaData the standard deviation of the data; default 0.5
 * @returns of the level's shape
 * @throws ArgumentError, ShapeError for what is no level, and for a sigmaData that is no finite number above 0
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cOut, edmProcess } from 'tenfold/diffusion';
 * cOut(edmProcess().levelAt(tensor(4)), 3).item(); // => 2.4
 * ```
 */
export const cOut = (level: NoiseLevel, sigmaData: number = usual): Tensor => {
  checkLevel('cOut', level);
  checkFinite('cOut', 'sigmaData', sigmaData, 'positive');
  return div(mul(level.sigma, sigmaData), sqrt(varianceOf(level, sigmaData))) as Tensor;
};

/**
 * c_in, by which a sample is scaled for the network, to variance 1: 1 / √(σ² + σ_data²) where α is 1.
 *
 * Source: as {@link cSkip}.
 *
 * @param level float64 [] or [N]
 * @param sigmaData the standard deviation of the data; default 0.5
 * @returns of the level's shape
 * @throws ArgumentError, ShapeError for what is no level, and for a sigmaData that is no finite number above 0
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cIn, edmProcess } from 'tenfold/diffusion';
 * cIn(edmProcess().levelAt(tensor(4)), 3).item(); // => 0.2
 * ```
 */
export const cIn = (level: NoiseLevel, sigmaData: number = usual): Tensor => {
  checkLevel('cIn', level);
  checkFinite('cIn', 'sigmaData', sigmaData, 'positive');
  return reciprocal(sqrt(varianceOf(level, sigmaData))) as Tensor;
};

/**
 * c_noise, the time that the network is shown: log(σ / α) / 4.
 *
 * Source: as {@link cSkip}.
 *
 * @param level float64 [] or [N]
 * @returns of the level's shape; not finite where there is no noise, or no signal
 * @throws ArgumentError, ShapeError for what is no level
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cNoise, edmProcess } from 'tenfold/diffusion';
 * cNoise(edmProcess().levelAt(tensor(1))).item(); // => 0
 * ```
 */
export const cNoise = (level: NoiseLevel): Tensor => {
  checkLevel('cNoise', level);
  return div(log(noiseToSignal(level)), 4) as Tensor;
};

/** Options of {@link preconditioned}. */
export interface PreconditioningOptions {
  /** The standard deviation of the data. Default 0.5. */
  readonly sigmaData?: number;
  /**
   * The sign of the network's output F: `epsilon`, x̂₀ = c_skip x + c_out F, as in the paper; `v`, x̂₀ = c_skip x − c_out F,
   * of which F is the v-prediction where σ_data is 1. The names are those of diffusers' EDM schedulers. Default `epsilon`.
   */
  readonly prediction?: 'epsilon' | 'v';
}

/**
 * The denoiser of a network with the preconditioning of EDM: x̂₀ = c_skip x + c_out F(c_in x, c_noise).
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, eq. 7 and table 1.
 *
 * @param model F, `(x, time, inputs, previous)`: c_in x [N, …], c_noise [N] in the dtype of x, what conditions the samples,
 *   and the last prediction of x₀
 * @param options see {@link PreconditioningOptions}
 * @returns a denoiser, for processes of any scaling
 * @throws ArgumentError for what is no model or option; the denoiser: ShapeError, DTypeError when the output does not fit x
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { edmProcess, levelsOf, heun, preconditioned, sample } from 'tenfold/diffusion';
 * // A network that gives 0 is that of normal data, with standard deviation sigmaData.
 * const normalData = preconditioned(x => mul(x, 0), { sigmaData: 1 });
 * const levels = levelsOf(edmProcess(), [1, 0.5]);
 * sample(heun(), normalData, levels, tensor([[2]])).shape; // => [1, 1]
 * ```
 */
export const preconditioned = <E = unknown>(
  model: DenoiserModel<E>,
  options: PreconditioningOptions = {},
): Denoiser<E> => {
  checkFunctions('preconditioned', { model });
  checkOptions('preconditioned', ['sigmaData', 'prediction'], options);
  const { sigmaData = usual, prediction = 'epsilon' } = options;
  checkFinite('preconditioned', 'sigmaData', sigmaData, 'positive');
  checkOneOf('preconditioned', 'the prediction', ['epsilon', 'v'], prediction);
  const signed = (coefficient: Tensor): Tensor => (prediction === 'v' ? (neg(coefficient) as Tensor) : coefficient);
  return (x, level, context) => {
    checkCall('preconditioned', x, level, context);
    const { inputs, previous } = context;
    const shown = combine([cIn(level, sigmaData), x]);
    const time = timesFor({ ...level, time: cNoise(level) }, x);
    const [output] = halves('preconditioned', model(shown, time, inputs, previous), x, false);
    const variance = varianceOf(level, sigmaData);
    const x0 = combine([cSkip(level, sigmaData), x], [signed(cOut(level, sigmaData)), output!]);
    // (x − α x̂₀) / σ, of which σ is divided out: it holds without noise, too.
    const share = mul(level.alpha, div(sigmaData, sqrt(variance))) as Tensor;
    const eps = combine([div(level.sigma, variance) as Tensor, x], [neg(signed(share)) as Tensor, output!]);
    return Object.freeze({ x0, eps });
  };
};
