/** Schedules by their names. */
import { ScheduleError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { cosine, exponential, sqrt } from './alpha-bar.js';
import { linear, logistic, scaledLinear } from './betas.js';

const schedules = {
  linear,
  cosine,
  scaledLinear,
  sigmoid: logistic,
  sqrt,
  exponential,
} satisfies Readonly<Record<string, (operation: string, T: number) => readonly number[]>>;

/** The schedules that have a name. */
export type ScheduleName = keyof typeof schedules;

/**
 * The betas of a schedule by its name, for configurations that name it; all with their default options.
 *
 * Sources: {@link linearBetas}, {@link cosineBetas} (the `squaredcos_cap_v2` of diffusers), {@link scaledLinearBetas},
 * {@link sigmoidBetas}, {@link sqrtBetas}, {@link exponentialBetas}.
 *
 * @param name `'linear'`, `'cosine'`, `'scaledLinear'`, `'sigmoid'`, `'sqrt'` or `'exponential'`
 * @param T number of timesteps, a positive integer
 * @throws ScheduleError when there is no such schedule or T is no positive integer
 * @example
 * ```js
 * import { namedBetas } from 'tenfold/diffusion';
 * namedBetas('cosine', 1000).length; // => 1000
 * ```
 */
export const namedBetas = (name: ScheduleName, T: number): readonly number[] => {
  // `hasOwn`, because a name from a configuration file may well be 'toString'.
  if (typeof name === 'string' && Object.hasOwn(schedules, name)) return schedules[name]('namedBetas', T);
  throw new ScheduleError({
    operation: 'namedBetas',
    given: `${typeof name === 'string' ? `the name '${name}'` : `${kindOf(name)} as the name`}`,
    rule: `the named schedules are ${Object.keys(schedules).join(', ')}`,
    hint: 'For a schedule of your own use betasForAlphaBar.',
  });
};
