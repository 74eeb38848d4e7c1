/** The boundary condition of consistency models: at the data, the data are what is predicted. */
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, mul, square } from '../../tensor/ops/elementwise/arithmetic.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFinite } from '../checks.js';
import type { Denoiser, DenoiserModifier } from '../denoiser.js';
import { combine, scaleOf } from '../level.js';
import { agreeing } from '../prediction.js';
import type { NoiseTreatment } from './clipping.js';
import { withParts } from './parts.js';

/** Options of {@link consistencyBoundary}. */
export interface ConsistencyBoundaryOptions extends NoiseTreatment {
  /** What times are multiplied with, positive. Default 10, for timesteps up to 1000. */
  readonly timestepScaling?: number;
  /** The standard deviation of the data, positive. Default 0.5. */
  readonly sigmaData?: number;
}

/**
 * Mixes the prediction of x₀ with the sample so that it is the sample at time 0: c_out x̂₀ + c_skip x, where, with
 * τ = `timestepScaling` · t, c_skip = σ_d² / (τ² + σ_d²) and c_out = τ / √(τ² + σ_d²). The sample is taken as one of a
 * variance preserving process.
 *
 * Source: Luo et al. 2023, arXiv:2310.04378, eq. 9, with the coefficients of its code.
 *
 * @param options see {@link ConsistencyBoundaryOptions}
 * @returns a modifier of denoisers
 * @throws ArgumentError for what is no positive number or flag, and for an unknown option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { consistencyBoundary, denoiser } from 'tenfold/diffusion';
 * const atData = { alpha: tensor(1), sigma: tensor(0), time: tensor(0) };
 * const bounded = consistencyBoundary()(denoiser(x => x, { prediction: 'epsilon' }));
 * bounded(tensor([[4]]), atData, { inputs: null, previous: tensor([[0]]) }).x0.toArray(); // => [[4]]
 * ```
 */
export const consistencyBoundary = <E = unknown>(options: ConsistencyBoundaryOptions = {}): DenoiserModifier<E> => {
  const operation = 'consistencyBoundary';
  checkOptions(operation, ['timestepScaling', 'sigmaData', 'keepNoise'], options);
  const { timestepScaling = 10, sigmaData = 0.5, keepNoise = false } = options;
  checkFlag(operation, 'keepNoise', keepNoise);
  for (const [name, value] of Object.entries({ timestepScaling, sigmaData })) {
    checkFinite(operation, name, value, 'positive');
  }
  return (denoiser: Denoiser<E>) => (x, level, context) => {
    const denoised = denoiser(x, level, context);
    const tau = mul(level.time, timestepScaling) as Tensor;
    const whole = add(square(tau), sigmaData ** 2) as Tensor;
    const skip = div(sigmaData ** 2, mul(whole, scaleOf(level, 'preserving'))) as Tensor;
    const x0 = combine([div(tau, sqrt(whole)), denoised.x0], [skip, x]);
    return withParts(denoised, keepNoise ? { x0, eps: denoised.eps } : agreeing('x0', x0, x, level, denoised));
  };
};
