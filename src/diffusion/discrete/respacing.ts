/** Sampling states with fewer timesteps than were trained on: the chain that visits only some of them. */
import { ScheduleError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { showNumber } from '../checks.js';
import { checkDiscrete, type DiscreteDiffusion, frozen, product } from './discrete-diffusion.js';

const keptTimesteps = (operation: string, useTimesteps: Iterable<number>, numTimesteps: number): readonly number[] => {
  const isIterable = typeof useTimesteps?.[Symbol.iterator] === 'function';
  const kept = isIterable ? [...new Set(useTimesteps)] : [];
  const outside = kept.findIndex(t => !(Number.isInteger(t) && t >= 0 && t < numTimesteps));
  if (kept.length > 0 && outside < 0) return kept.sort((a, b) => a - b);
  throw new ScheduleError({
    operation,
    given:
      outside < 0
        ? `no timesteps${isIterable ? '' : `, but ${kindOf(useTimesteps)}`}`
        : `timestep ${showNumber(kept[outside])} of ${numTimesteps} timesteps`,
    rule: 'at least one timestep is kept, and each is an integer from 0 to one below the number of timesteps',
    hint: 'Use spaceTimesteps(diffusion.numTimesteps, 50).',
  });
};

/**
 * The diffusion over states that visits only some of the timesteps, as {@link respace} does for a Gaussian one: q(xₜ | x₀) at each of them
 * is what it was, and a step is the product Qₛ₊₁ … Qₜ of those from one to the next. Of the uniform and the absorbing kind that is a step
 * of the same kind, with 1 − β = (1 − βₛ₊₁) … (1 − βₜ). The network is shown the original timesteps.
 *
 * Keep the last timestep, as `spaceTimesteps(T, n)` with n from 2 on does: sampling starts from the limit, which is where the whole process leads.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 3 and appendix A.2, for the products; which timesteps to keep as Nichol & Dhariwal
 * 2021, arXiv:2102.09672, section 4.
 *
 * @param diffusion a diffusion over states, which may have been respaced before
 * @param useTimesteps the timesteps to keep, in any order (repeats count once), at least one: what `spaceTimesteps` returns
 * @returns a frozen value; with all timesteps kept it is the same to the last bit
 * @throws ArgumentError for what is no diffusion over states, ScheduleError when a timestep lies outside the process or none is kept
 * @example
 * ```js
 * import { discreteDiffusion, respaceDiscrete, spaceTimesteps } from 'tenfold/diffusion';
 * const long = discreteDiffusion({ states: 3, betas: [0.25, 0.5, 0.5, 1], kind: 'absorbing' });
 * const short = respaceDiscrete(long, spaceTimesteps(4, 2));
 * short.timestepMap; // => [0, 3]
 * respaceDiscrete(long, [2, 3]).betas; // => [0.8125, 1]
 * ```
 */
export const respaceDiscrete = (diffusion: DiscreteDiffusion, useTimesteps: Iterable<number>): DiscreteDiffusion => {
  const operation = 'respaceDiscrete';
  checkDiscrete(operation, diffusion);
  const { numTimesteps, betas, alphasCumprod, matrices, matricesCumprod, timestepMap } = diffusion;
  const kept = keptTimesteps(operation, useTimesteps, numTimesteps);
  /** What the steps from each timestep that is kept to the next are together. */
  const together = <S>(steps: readonly S[], both: (first: S, second: S) => S): readonly S[] =>
    kept.map((t, i) => {
      const before = i === 0 ? 0 : kept[i - 1]! + 1;
      return steps.slice(before, t + 1).reduce(both);
    });
  const at = <S>(values: readonly S[]): readonly S[] => kept.map(t => values[t]!);
  return Object.freeze({
    ...diffusion,
    numTimesteps: kept.length,
    // 1 − (1 − β)(1 − γ) without a difference, so that a step which stays alone keeps its bits.
    betas: betas && Object.freeze(together(betas, (beta, gamma) => beta + gamma * (1 - beta))),
    alphasCumprod: alphasCumprod && Object.freeze(at(alphasCumprod)),
    matrices: matrices && frozen(together(matrices, product)),
    matricesCumprod: matricesCumprod && frozen(at(matricesCumprod)),
    timestepMap: Object.freeze(at(timestepMap)),
  });
};
