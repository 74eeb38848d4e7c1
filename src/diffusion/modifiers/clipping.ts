/** Modifiers that keep the prediction of x₀ where data are. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { abs, clamp, div, maximum, minimum, neg } from '../../tensor/ops/elementwise/arithmetic.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { quantile } from '../../tensor/ops/reduction/statistics.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkAlike, checkFunctions, eachFlat, showNumber } from '../checks.js';
import type { Denoiser, DenoiserModifier } from '../denoiser.js';
import { agreeing } from '../prediction.js';
import { withParts } from './parts.js';

/** What becomes of the predicted noise where the prediction of x₀ is changed. */
export interface NoiseTreatment {
  /**
   * Leave the prediction of the noise as it was. Without, it becomes the noise that agrees with the new x₀, which is
   * that of Nichol & Dhariwal's code; diffusers keeps it. Default false.
   */
  readonly keepNoise?: boolean;
}

/**
 * A denoiser with another prediction of x₀: `f` of it.
 *
 * @param f in shape and dtype of its argument, [N, …]
 * @param options see {@link NoiseTreatment}
 * @returns a modifier of denoisers
 * @throws ArgumentError for what is no function or option; the denoiser: ShapeError, DTypeError when `f` changes them
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, mapX0 } from 'tenfold/diffusion';
 * const halved = mapX0(x0 => mul(x0, 0.5))(denoiser(x => x, { prediction: 'x0' }));
 * const level = { alpha: tensor(0.6), sigma: tensor(0.8), time: tensor(0) };
 * halved(tensor([[4]]), level, { inputs: null, previous: tensor([[0]]) }).x0.toArray(); // => [[2]]
 * ```
 */
export const mapX0 = <E = unknown>(f: (x0: Tensor) => Tensor, options: NoiseTreatment = {}): DenoiserModifier<E> => {
  checkOptions('mapX0', ['keepNoise'], options);
  return mapX0For('mapX0', f, options);
};

/** {@link mapX0} in the name of another function. */
const mapX0For = <E>(
  operation: string,
  f: (x0: Tensor) => Tensor,
  { keepNoise = false }: NoiseTreatment,
): DenoiserModifier<E> => {
  checkFunctions(operation, { f });
  checkFlag(operation, 'keepNoise', keepNoise);
  return (denoiser: Denoiser<E>) => (x, level, context) => {
    const denoised = denoiser(x, level, context);
    const x0 = f(denoised.x0);
    checkAlike(operation, { x, 'the new x0': x0 });
    return withParts(denoised, keepNoise ? { x0, eps: denoised.eps } : agreeing('x0', x0, x, level, denoised));
  };
};

/** Options of {@link clipDenoised}. */
export interface ClipOptions extends NoiseTreatment {
  /** x₀ is kept within −range … range. Default 1. */
  readonly range?: number;
}

/**
 * Keeps the prediction of x₀ within the range of the data.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, its code.
 *
 * @param options see {@link ClipOptions}
 * @returns a modifier of denoisers
 * @throws ArgumentError for a range that is not positive, and for an unknown option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { clipDenoised, denoiser } from 'tenfold/diffusion';
 * const level = { alpha: tensor(0.6), sigma: tensor(0.8), time: tensor(0) };
 * const clipped = clipDenoised()(denoiser(x => x, { prediction: 'x0' }));
 * clipped(tensor([[4]]), level, { inputs: null, previous: tensor([[0]]) }).x0.toArray(); // => [[1]]
 * ```
 */
export const clipDenoised = <E = unknown>(options: ClipOptions = {}): DenoiserModifier<E> => {
  checkOptions('clipDenoised', ['range', 'keepNoise'], options);
  const { range = 1, ...treatment } = options;
  checkNumber('clipDenoised', 'range', range, 'positive');
  return mapX0For('clipDenoised', x0 => clamp(x0, -range, range) as Tensor, treatment);
};

/** Options of {@link dynamicThreshold}. */
export interface DynamicThresholdOptions extends NoiseTreatment {
  /** Which share of a sample's absolute values the threshold covers. Default 0.995. */
  readonly ratio?: number;
  /** The largest threshold. Default unbounded. */
  readonly max?: number;
}

/**
 * Keeps the prediction of x₀ within −s … s and divides it by s, where s is a quantile of the sample's absolute values,
 * at least 1: strong guidance no longer saturates images.
 *
 * Source: Saharia et al. 2022, arXiv:2205.11487, section 2.3.
 *
 * @param options see {@link DynamicThresholdOptions}
 * @returns a modifier of denoisers
 * @throws ArgumentError for a ratio outside [0, 1], a max below 1, and for an unknown option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { denoiser, dynamicThreshold } from 'tenfold/diffusion';
 * const level = { alpha: tensor(0.6), sigma: tensor(0.8), time: tensor(0) };
 * const kept = dynamicThreshold({ ratio: 1 })(denoiser(x => x, { prediction: 'x0' }));
 * kept(tensor([[4, 2]]), level, { inputs: null, previous: tensor([[0, 0]]) }).x0.toArray(); // => [[1, 0.5]]
 * ```
 */
export const dynamicThreshold = <E = unknown>(options: DynamicThresholdOptions = {}): DenoiserModifier<E> => {
  checkOptions('dynamicThreshold', ['ratio', 'max', 'keepNoise'], options);
  const { ratio = 0.995, max = Number.POSITIVE_INFINITY, ...treatment } = options;
  checkArgument(
    typeof ratio === 'number' && ratio >= 0 && ratio <= 1,
    'dynamicThreshold',
    `ratio = ${showNumber(ratio)}`,
    'the ratio lies in [0, 1]',
    'The paper takes 0.995.',
  );
  checkArgument(
    typeof max === 'number' && max >= 1,
    'dynamicThreshold',
    `max = ${showNumber(max)}`,
    'the largest threshold is at least 1',
    'Leave it out for no bound.',
  );
  const threshold = (x0: Tensor): Tensor => {
    const count = x0.shape[0]!;
    const sizes = quantile(eachFlat(abs(x0) as Tensor), ratio, { axis: 1 }) as Tensor;
    const s = reshape(clamp(sizes, 1, max), [count, ...x0.shape.slice(1).fill(1)]) as Tensor;
    return div(clampTo(x0, s), s) as Tensor;
  };
  return mapX0For('dynamicThreshold', threshold, treatment);
};

const clampTo = (x: Tensor, bound: Tensor): Tensor => minimum(maximum(x, neg(bound)), bound) as Tensor;
