/** Which of the timesteps of training to sample at. */
import { ScheduleError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { roundHalfEven } from '../../tensor/primitives/special.js';
import { showNumber } from '../checks.js';
import { checkSteps, linspace } from './numbers.js';

/** How timesteps are spread over the chain; see {@link inferenceTimesteps}. */
export type TimestepSpacing = 'linspace' | 'leading' | 'trailing';

/** Which timesteps to take. */
export interface InferenceTimestepsOptions {
  /** Default `leading`. */
  readonly spacing?: TimestepSpacing;
  /** What is added to each timestep of the spacing `leading`, a non-negative integer; default 0. */
  readonly offset?: number;
}

const spacings: Readonly<Record<TimestepSpacing, (T: number, n: number, offset: number) => number[]>> = {
  linspace: (T, n) =>
    linspace(0, T - 1, n)
      .map(roundHalfEven)
      .reverse(),
  leading: (T, n, offset) => Array.from({ length: n }, (_, i) => (n - 1 - i) * Math.floor(T / n) + offset),
  trailing: (T, n) => {
    // What numpy.arange(T, 0, −T / n) holds: a position next to a half rounds by its last bit.
    const stride = T - T / n - T;
    return Array.from({ length: n }, (_, i) => roundHalfEven(T + i * stride) - 1);
  },
};

/**
 * The timesteps of a run of n steps through a chain of T timesteps, from noise to data:
 *
 * - `leading`: the multiples of ⌊T / n⌋ from 0 on, plus the offset; it leaves out the last timesteps;
 * - `trailing`: every (T / n)th timestep down from the last, which it needs to be where the chain ends without signal;
 * - `linspace`: the first, the last and what lies evenly between them; the first alone when n is 1.
 *
 * Positions are rounded half to even. Samplers that add a last step of their own to the n ones of `linspace` or
 * `leading` (DPM-Solver, UniPC and DEIS in diffusers) take n + 1 timesteps and leave out the last: `.slice(0, -1)`.
 *
 * Source: Lin et al. 2023, arXiv:2305.08891, table 2; rounded as in the schedulers of diffusers.
 *
 * @param T timesteps of the chain, a positive integer
 * @param n timesteps to take, a positive integer, at most T
 * @param options see {@link InferenceTimestepsOptions}
 * @returns n integers, falling strictly, each in 0 … T − 1
 * @throws ScheduleError when T or n is no positive integer, n exceeds T, there is no such spacing, or the offset is no
 *   non-negative integer, leads out of the chain or comes with another spacing than `leading`, ArgumentError for
 *   unknown options
 * @example
 * ```js
 * import { inferenceTimesteps } from 'tenfold/diffusion';
 * inferenceTimesteps(1000, 4); // => [750, 500, 250, 0]
 * inferenceTimesteps(1000, 4, { spacing: 'leading', offset: 1 }); // => [751, 501, 251, 1]
 * inferenceTimesteps(1000, 4, { spacing: 'trailing' }); // => [999, 749, 499, 249]
 * inferenceTimesteps(1000, 4, { spacing: 'linspace' }); // => [999, 666, 333, 0]
 * ```
 */
export const inferenceTimesteps = (
  T: number,
  n: number,
  options: InferenceTimestepsOptions = {},
): readonly number[] => {
  const operation = 'inferenceTimesteps';
  checkSteps(operation, T);
  checkSteps(operation, n);
  checkOptions(operation, ['spacing', 'offset'], options);
  const { spacing = 'leading', offset = 0 } = options;
  const refuse = (given: string, rule: string, hint: string): never => {
    throw new ScheduleError({ operation, given, rule, hint });
  };
  if (n > T) refuse(`${n} of ${T} timesteps`, 'no more timesteps are taken than there are', 'Take fewer.');
  if (typeof spacing !== 'string' || !Object.hasOwn(spacings, spacing)) {
    const shown = typeof spacing === 'string' ? `the spacing '${String(spacing)}'` : `${kindOf(spacing)} as spacing`;
    refuse(shown, `a spacing is one of ${Object.keys(spacings).join(', ')}`, "Take 'trailing' for few steps.");
  }
  const most = spacing === 'leading' ? T - 1 - (n - 1) * Math.floor(T / n) : 0;
  if (!(Number.isInteger(offset) && offset >= 0 && offset <= most)) {
    refuse(
      `${showNumber(offset)} as offset for ${n} of ${T} timesteps with the spacing '${spacing}'`,
      `the offset is here an integer from 0 to ${most}`,
      "Leave it out; with the spacing 'leading' it may be 1 where n is below T.",
    );
  }
  return Object.freeze(spacings[spacing](T, n, offset));
};
