/** Betas: how much noise each step of a chain adds, by formulas of the timestep; in float64 on the host. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { checkNumbers, checkSteps, linspace, sigmoid } from './numbers.js';

/** Where betas begin and end. */
export interface BetaRange {
  /** The first beta, in (0, 1]. */
  readonly start?: number;
  /** The last beta, in (0, 1]. */
  readonly end?: number;
}

/** From Ho et al. 2020, section 4. */
const usual = { start: 0.0001, end: 0.02 } as const;

const rangeOf = (operation: string, options: BetaRange, defaults: Required<BetaRange>): Required<BetaRange> => {
  checkOptions(operation, ['start', 'end'], options);
  // What is given alone: the defaults of the linear schedule exceed 1 below T = 20.
  checkNumbers(operation, 'beta', Object.fromEntries(Object.entries(options).filter(([, beta]) => beta !== undefined)));
  const { start = defaults.start, end = defaults.end } = options;
  return { start, end };
};

/**
 * The linear schedule: βₜ rises evenly from 0.0001·s to 0.02·s, where s = 1000 / T keeps the noise at the end of the
 * chain about the same for every T; or from and to other values.
 *
 * Below T = 20 the last of the default values exceed 1. They are returned as they are; {@link diffusionCoefficients}
 * refuses them.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, section 4; the scale s is that of the code of Nichol & Dhariwal 2021. The
 * `linear` of diffusers is `linearBetas(T, { start: 0.0001, end: 0.02 })`.
 *
 * @param T number of timesteps, a positive integer
 * @param options see {@link BetaRange}; as they are given they hold for every T
 * @returns T betas; the first alone when T is 1
 * @throws ScheduleError when T is no positive integer or a given beta lies outside (0, 1], ArgumentError for unknown
 *   options
 * @example
 * ```js
 * import { linearBetas } from 'tenfold/diffusion';
 * linearBetas(1000)[0]; // => 0.0001
 * linearBetas(3, { start: 0.1, end: 0.2 }); // => [0.1, 0.15, 0.2]
 * ```
 */
export const linearBetas = (T: number, options: BetaRange = {}): readonly number[] => linear('linearBetas', T, options);

/** @internal {@link linearBetas} in the name of another function. */
export const linear = (operation: string, T: number, options: BetaRange = {}): readonly number[] => {
  checkSteps(operation, T);
  const scale = 1000 / T;
  const { start, end } = rangeOf(operation, options, { start: scale * usual.start, end: scale * usual.end });
  return Object.freeze(linspace(start, end, T));
};

/**
 * The scaled linear schedule: √βₜ rises evenly. It is the schedule of latent diffusion, and the one called `quad` in
 * the code of Ho et al.
 *
 * Source: Rombach et al. 2022, arXiv:2112.10752, whose models have `start: 0.0015, end: 0.0195`; those of Stable
 * Diffusion have `start: 0.00085, end: 0.012`.
 *
 * @param T number of timesteps, a positive integer
 * @param options see {@link BetaRange}; by default from 0.0001 to 0.02
 * @returns T betas; the first alone when T is 1
 * @throws ScheduleError when T is no positive integer or a beta lies outside (0, 1], ArgumentError for unknown options
 * @example
 * ```js
 * import { scaledLinearBetas } from 'tenfold/diffusion';
 * scaledLinearBetas(3, { start: 0.01, end: 0.09 }); // => [0.01, 0.04, 0.09]
 * ```
 */
export const scaledLinearBetas = (T: number, options: BetaRange = {}): readonly number[] =>
  scaledLinear('scaledLinearBetas', T, options);

/** @internal {@link scaledLinearBetas} in the name of another function. */
export const scaledLinear = (operation: string, T: number, options: BetaRange = {}): readonly number[] => {
  checkSteps(operation, T);
  const { start, end } = rangeOf(operation, options, usual);
  const roots = linspace(Math.sqrt(start), Math.sqrt(end), T);
  // The square of a rounded root may miss the ends by an ulp.
  return Object.freeze(roots.map((root, t) => (t === 0 ? start : t === T - 1 ? end : root * root)));
};

/**
 * The sigmoid schedule: βₜ rises along a logistic curve, from close to the start to close to the end.
 *
 * Source: Xu et al. 2022, arXiv:2203.02923 (GeoDiff), as the `sigmoid` of diffusers: the curve from −6 to 6.
 *
 * @param T number of timesteps, a positive integer
 * @param options see {@link BetaRange}; by default from 0.0001 to 0.02
 * @returns T betas, strictly between both ends unless these are the same
 * @throws ScheduleError when T is no positive integer or a beta lies outside (0, 1], ArgumentError for unknown options
 * @example
 * ```js
 * import { sigmoidBetas } from 'tenfold/diffusion';
 * sigmoidBetas(3, { start: 0.1, end: 0.3 })[1]; // => 0.2
 * ```
 */
export const sigmoidBetas = (T: number, options: BetaRange = {}): readonly number[] =>
  logistic('sigmoidBetas', T, options);

/** @internal {@link sigmoidBetas} in the name of another function. */
export const logistic = (operation: string, T: number, options: BetaRange = {}): readonly number[] => {
  checkSteps(operation, T);
  const { start, end } = rangeOf(operation, options, usual);
  return Object.freeze(linspace(-6, 6, T).map(x => sigmoid(x) * (end - start) + start));
};
