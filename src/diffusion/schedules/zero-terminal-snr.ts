/** Schedules that end in noise alone. */
import { ScheduleError } from '../../tensor/errors.js';
import { checkBetas, cumulativeAlphas } from './coefficients.js';

/**
 * The betas of the same schedule with no signal left at the end: √ᾱ is shifted by what it ends with, and scaled so that
 * it begins as it did. A network that predicts noise learns nothing at the last timestep then: let it predict v or x₀,
 * and sample from the last timestep on (`spacing: 'trailing'`).
 *
 * Source: Lin et al. 2023, arXiv:2305.08891, algorithm 1.
 *
 * @param betas one a timestep, each in (0, 1], at least two
 * @returns as many; the first as it was, the last exactly 1
 * @throws ScheduleError when there are fewer than two betas, one lies outside (0, 1], or √ᾱ does not fall at each
 *   timestep in float64, since a beta is lost in 1 − β or one before the last is 1
 * @example
 * ```js
 * import { diffusionCoefficients, linearBetas, rescaleZeroTerminalSnr } from 'tenfold/diffusion';
 * const { alphasCumprod } = diffusionCoefficients(rescaleZeroTerminalSnr(linearBetas(1000)));
 * [alphasCumprod[0], alphasCumprod[999]]; // => [0.9999, 0]
 * ```
 */
export const rescaleZeroTerminalSnr = (betas: ArrayLike<number>): readonly number[] => {
  const operation = 'rescaleZeroTerminalSnr';
  const checked = checkBetas(operation, betas);
  const roots = cumulativeAlphas(checked).map(Math.sqrt);
  const flat = roots.findIndex((root, t) => !(root < (t === 0 ? 1 : roots[t - 1]!)));
  if (checked.length < 2 || flat >= 0) {
    throw new ScheduleError({
      operation,
      given: checked.length < 2 ? 'a single beta' : `a beta of ${checked[flat]!} at timestep ${flat}`,
      rule: 'there are at least two timesteps, and the signal that is left falls at each of them in float64',
      hint: 'Take betas above 1e-15, of which only the last may be 1.',
    });
  }
  const [first, last] = [roots[0]!, roots.at(-1)!];
  const moved = roots.map(root => (root - last) * (first / (first - last)));
  return Object.freeze(checked.map((beta, t) => (t === 0 ? beta : 1 - (moved[t]! / moved[t - 1]!) ** 2)));
};
