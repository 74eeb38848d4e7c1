/** Sigmas of a flow, which are times too: shifted towards noise, and stretched; in float64 on the host. */
import { ScheduleError } from '../../tensor/errors.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { checkFlowSigmas, checkNumbers } from './numbers.js';

/**
 * Sigmas of a flow, shifted: σ′ = s·σ / (1 + (s − 1)·σ), that is σ′ / (1 − σ′) = s·σ / (1 − σ). Shifts above 1 spend
 * more of the steps at high noise, which large images need: of m pixels instead of n, s = √(m / n). One shift after
 * another is that by their product.
 *
 * Source: Esser et al. 2024, arXiv:2403.03206, eq. 23. Of the dynamic shifts of diffusers by μ the `exponential` one is
 * that by e^μ (see {@link resolutionShift}), the `linear` one that by μ.
 *
 * @param sigmas in [0, 1], at least one
 * @param shift s, above 0
 * @returns as many in [0, 1], where 0 and 1 stay what they are
 * @throws ScheduleError when there are no sigmas, one lies outside [0, 1], or shift is no finite number above 0
 * @example
 * ```js
 * import { flowShift } from 'tenfold/diffusion';
 * flowShift([1, 0.5, 0.25, 0], 3); // => [1, 0.75, 0.5, 0]
 * ```
 */
export const flowShift = (sigmas: ArrayLike<number>, shift: number): readonly number[] => {
  const checked = checkFlowSigmas('flowShift', sigmas);
  checkNumbers('flowShift', 'positive', { shift });
  // The larger of both parts is divided out, so that neither overflows. Written with 1 − σ it is exact at 0 and 1.
  return Object.freeze(
    checked.map(sigma =>
      shift > 1 ? sigma / ((1 - sigma) / shift + sigma) : (shift * sigma) / (1 - sigma + shift * sigma),
    ),
  );
};

/** The shifts of two lengths, between and beyond which the shift is linear. */
export interface ResolutionShiftOptions {
  /** The shorter length, in tokens; default 256. */
  readonly baseLength?: number;
  /** The longer length, in tokens; default 4096. */
  readonly maxLength?: number;
  /** μ of the shorter length; default 0.5. */
  readonly baseShift?: number;
  /** μ of the longer length; default 1.15. */
  readonly maxShift?: number;
}

/**
 * μ for images of a resolution, linear in the number of their tokens; the shift is e^μ.
 *
 * Source: the inference code of FLUX.1 (Black Forest Labs 2024), of which the defaults are, as `calculate_shift` of
 * diffusers.
 *
 * @param imageSequenceLength number of tokens of an image, above 0
 * @param options see {@link ResolutionShiftOptions}
 * @returns μ
 * @throws ScheduleError when a length is no finite number above 0, a shift no finite number, or both lengths are the
 *   same, ArgumentError for unknown options
 * @example
 * ```js
 * import { flowShift, karrasSigmas, resolutionShift } from 'tenfold/diffusion';
 * resolutionShift(4096); // => 1.15
 * const even = karrasSigmas(4, { min: 0.25, max: 1, rho: 1 });
 * flowShift(even, Math.exp(resolutionShift(4096))).length; // => 4
 * ```
 */
export const resolutionShift = (imageSequenceLength: number, options: ResolutionShiftOptions = {}): number => {
  const operation = 'resolutionShift';
  checkOptions(operation, ['baseLength', 'maxLength', 'baseShift', 'maxShift'], options);
  const { baseLength = 256, maxLength = 4096, baseShift = 0.5, maxShift = 1.15 } = options;
  checkNumbers(operation, 'positive', { imageSequenceLength, baseLength, maxLength });
  checkNumbers(operation, 'finite', { baseShift, maxShift });
  if (baseLength === maxLength) {
    throw new ScheduleError({
      operation,
      given: `${baseLength} as both lengths`,
      rule: 'baseLength and maxLength differ',
      hint: 'They are 256 and 4096 by default.',
    });
  }
  const share = (imageSequenceLength - baseLength) / (maxLength - baseLength);
  return baseShift * (1 - share) + maxShift * share;
};

/**
 * Sigmas of a flow, stretched to end at another sigma: the distances from 1 are scaled.
 *
 * Source: HaCohen et al. 2024, arXiv:2501.00103 (LTX-Video), as the `shift_terminal` of diffusers.
 *
 * @param sigmas in [0, 1], at least one; the last is the smallest, and below 1
 * @param terminal the new last sigma, in [0, 1)
 * @returns as many, in [0, 1]
 * @throws ScheduleError when there are no sigmas, one lies outside [0, 1] or below the last, the last is 1, or terminal
 *   lies outside [0, 1)
 * @example
 * ```js
 * import { stretchToTerminal } from 'tenfold/diffusion';
 * stretchToTerminal([1, 0.75, 0.5], 0.1); // => [1, 0.55, 0.1]
 * ```
 */
export const stretchToTerminal = (sigmas: ArrayLike<number>, terminal: number): readonly number[] => {
  const operation = 'stretchToTerminal';
  const checked = checkFlowSigmas(operation, sigmas);
  checkNumbers(operation, 'share', { terminal });
  const last = checked.at(-1)!;
  const below = checked.findIndex(sigma => sigma < last);
  if (below >= 0 || last === 1 || terminal === 1) {
    throw new ScheduleError({
      operation,
      given: below >= 0 ? `sigma ${checked[below]!} before the last, ${last}` : `sigmas from ${last} to ${terminal}`,
      rule: 'the last sigma is the smallest, and neither it nor what it becomes is 1',
      hint: 'Take falling sigmas, such as those of karrasSigmas, and a terminal like 0.1.',
    });
  }
  const scale = (1 - terminal) / (1 - last);
  return Object.freeze(checked.map(sigma => (sigma === last ? terminal : 1 - (1 - sigma) * scale)));
};
