/** Betas by what they leave: schedules given by ᾱ(t), the share of the signal's variance that is left at time t. */
import { ScheduleError } from '../../tensor/errors.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { checkFunctions, showNumber } from '../checks.js';
import { checkNumbers, checkSteps, sigmoid } from './numbers.js';

/** @internal {@link betasForAlphaBar} in the name of another function. */
export const discretise = (
  operation: string,
  T: number,
  alphaBar: (t: number) => number,
  maxBeta: number,
): readonly number[] => {
  checkSteps(operation, T);
  if (!(typeof maxBeta === 'number' && maxBeta > 0 && maxBeta <= 1)) {
    throw new ScheduleError({
      operation,
      given: `maxBeta = ${showNumber(maxBeta)}`,
      rule: 'maxBeta lies in (0, 1]',
      hint: 'The papers use 0.999.',
    });
  }
  const beta = (_: unknown, step: number): number => {
    const before = alphaBar(step / T);
    const after = alphaBar((step + 1) / T);
    // Typed before they are divided: what is no number may refuse to be, in the name of another function.
    const raw = Number.isFinite(before) && Number.isFinite(after) ? 1 - after / before : Number.NaN;
    if (Number.isFinite(raw)) return Math.min(raw, maxBeta);
    const [shown, next] = [before, after].map(showNumber);
    throw new ScheduleError({
      operation,
      given: `an alphaBar of ${shown} at t = ${step / T} and of ${next} at t = ${(step + 1) / T}`,
      rule: 'alphaBar is finite on [0, 1] and not 0 before t = 1, since each beta divides by it',
      hint: 'Let alphaBar fall from about 1 to about 0; only its last value may be 0.',
    });
  };
  return Object.freeze(Array.from({ length: T }, beta));
};

/**
 * The betas that follow a given ᾱ: βₜ = min(1 − ᾱ((t + 1) / T) / ᾱ(t / T), maxBeta).
 *
 * The cap keeps the end of the chain, where ᾱ nears 0, from being a singularity.
 *
 * Source: Nichol & Dhariwal 2021, arXiv:2102.09672, section 3.2.
 *
 * @param T number of timesteps, a positive integer
 * @param alphaBar share of signal variance left at time t in [0, 1]; falls from about 1 to about 0. If it rises
 *   somewhere, the beta there is negative and {@link diffusionCoefficients} refuses it
 * @param maxBeta largest beta, in (0, 1]
 * @throws ScheduleError when T is no positive integer, maxBeta lies outside (0, 1], or alphaBar is not finite or 0 too
 *   early, ArgumentError when alphaBar is no function
 * @example
 * ```js
 * import { betasForAlphaBar } from 'tenfold/diffusion';
 * betasForAlphaBar(100, t => Math.exp(-5 * t))[0]; // => 1 - Math.exp(-0.05)
 * ```
 */
export const betasForAlphaBar = (T: number, alphaBar: (t: number) => number, maxBeta = 0.999): readonly number[] => {
  checkFunctions('betasForAlphaBar', { alphaBar });
  return discretise('betasForAlphaBar', T, alphaBar, maxBeta);
};

/** The offset keeps the first betas from being too small for the network to see any noise. */
const nicholAlphaBar = (t: number): number => {
  const cos = Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2);
  return cos * cos;
};

/**
 * The cosine schedule: ᾱ(t) = cos²((t + 0.008) / 1.008 · π / 2), betas capped at 0.999. It destroys small images more
 * slowly than the linear one.
 *
 * Source: Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 17.
 *
 * @param T number of timesteps, a positive integer
 * @throws ScheduleError when T is no positive integer
 * @example
 * ```js
 * import { cosineBetas } from 'tenfold/diffusion';
 * cosineBetas(1000).at(-1); // => 0.999
 * ```
 */
export const cosineBetas = (T: number): readonly number[] => cosine('cosineBetas', T);

/** @internal {@link cosineBetas} in the name of another function. */
export const cosine = (operation: string, T: number): readonly number[] =>
  discretise(operation, T, nicholAlphaBar, 0.999);

/**
 * The sqrt schedule: ᾱ(t) = 1 − √(t + 0.0001), betas capped at 0.999. It destroys much at once and then slowly, for
 * text, of which the words are still told apart under some noise.
 *
 * Source: Li et al. 2022, arXiv:2205.14217 (Diffusion-LM), appendix A.
 *
 * @param T number of timesteps, a positive integer
 * @throws ScheduleError when T is no positive integer
 * @example
 * ```js
 * import { diffusionCoefficients, sqrtBetas } from 'tenfold/diffusion';
 * diffusionCoefficients(sqrtBetas(100)).alphasCumprod[24]; // => (1 - Math.sqrt(0.2501)) / 0.99
 * ```
 */
export const sqrtBetas = (T: number): readonly number[] => sqrt('sqrtBetas', T);

/** @internal {@link sqrtBetas} in the name of another function. */
export const sqrt = (operation: string, T: number): readonly number[] =>
  discretise(operation, T, t => 1 - Math.sqrt(t + 0.0001), 0.999);

/** How fast the signal decays. */
export interface ExponentialBetasOptions {
  /** The decay of log ᾱ over all timesteps; default 12. */
  readonly rate?: number;
}

/**
 * The exponential schedule: ᾱ(t) = e^(−rate·t), so that all betas are the same; capped at 0.999.
 *
 * Source: the `exp` of diffusers, for which the rate is 12.
 *
 * @param T number of timesteps, a positive integer
 * @param options see {@link ExponentialBetasOptions}
 * @throws ScheduleError when T is no positive integer or the rate is not above 0, ArgumentError for unknown options
 * @example
 * ```js
 * import { exponentialBetas } from 'tenfold/diffusion';
 * exponentialBetas(1000)[500]; // => 1 - Math.exp(-0.012)
 * ```
 */
export const exponentialBetas = (T: number, options: ExponentialBetasOptions = {}): readonly number[] =>
  exponential('exponentialBetas', T, options);

/** @internal {@link exponentialBetas} in the name of another function. */
export const exponential = (operation: string, T: number, options: ExponentialBetasOptions = {}): readonly number[] => {
  checkSteps(operation, T);
  checkOptions(operation, ['rate'], options);
  const { rate = 12 } = options;
  checkNumbers(operation, 'positive', { rate });
  // Not by quotients of ᾱ, which is 0 in float64 long before t = 1 when the rate is high.
  return Object.freeze(new Array<number>(T).fill(Math.min(-Math.expm1(-rate / T), 0.999)));
};

/** The part of a curve that is ᾱ. */
export interface AlphaBarOptions {
  /** Where on the curve t = 0 is. */
  readonly start?: number;
  /** Where t = 1 is; above start. */
  readonly end?: number;
  /** τ, above 0. */
  readonly tau?: number;
}

const curved = (
  operation: string,
  options: AlphaBarOptions,
  defaults: Required<AlphaBarOptions>,
  curve: (x: number, tau: number) => number,
): ((t: number) => number) => {
  checkOptions(operation, ['start', 'end', 'tau'], options);
  const { start = defaults.start, end = defaults.end, tau = defaults.tau } = options;
  checkNumbers(operation, 'finite', { start, end });
  checkNumbers(operation, 'positive', { tau });
  const [first, last] = [curve(start, tau), curve(end, tau)];
  if (!(start < end && first > last)) {
    throw new ScheduleError({
      operation,
      given: `start ${start} and end ${end}, between which the curve goes from ${first} to ${last}`,
      rule: 'the start lies below the end, and the curve falls between them',
      hint: `The defaults are start ${defaults.start} and end ${defaults.end}.`,
    });
  }
  return t => {
    checkNumbers(operation, 'share', { t });
    return (curve(t === 1 ? end : t * (end - start) + start, tau) - last) / (first - last);
  };
};

/**
 * ᾱ(t) along a logistic curve: σ(−x / τ) for x from start to end, scaled to fall from 1 to 0. It
 * suits large images with, say, `start: 0` and a small τ.
 *
 * Source: Jabri et al. 2022, arXiv:2212.11972; Chen 2023, arXiv:2301.10972, section 2.1.
 *
 * @param options see {@link AlphaBarOptions}; by default from −3 to 3 with τ = 1
 * @returns ᾱ as a function of t in [0, 1], for {@link betasForAlphaBar}
 * @throws ScheduleError when a number is not finite, τ not above 0, the curve does not fall, or t lies outside [0, 1],
 *   ArgumentError for unknown options
 * @example
 * ```js
 * import { betasForAlphaBar, sigmoidAlphaBar } from 'tenfold/diffusion';
 * sigmoidAlphaBar()(0.5); // => 0.5
 * betasForAlphaBar(1000, sigmoidAlphaBar({ start: 0, end: 3, tau: 0.9 })).length; // => 1000
 * ```
 */
export const sigmoidAlphaBar = (options: AlphaBarOptions = {}): ((t: number) => number) =>
  curved('sigmoidAlphaBar', options, { start: -3, end: 3, tau: 1 }, (x, tau) => sigmoid(-x / tau));

/**
 * ᾱ(t) along a cosine: cos(x·π/2)^(2τ) for x from start to end, scaled to fall from 1 to 0.
 *
 * Source: Chen 2023, arXiv:2301.10972, section 2.1; the offset of {@link cosineBetas} is another.
 *
 * @param options see {@link AlphaBarOptions}; by default from 0 to 1 with τ = 1
 * @returns ᾱ as a function of t in [0, 1], for {@link betasForAlphaBar}
 * @throws ScheduleError when a number is not finite, τ not above 0, the curve does not fall, start or end lie outside
 *   [0, 1], or t does, ArgumentError for unknown options
 * @example
 * ```js
 * import { cosineAlphaBar } from 'tenfold/diffusion';
 * cosineAlphaBar()(0.5); // => 0.5
 * cosineAlphaBar({ tau: 2 })(0.5); // => 0.25
 * ```
 */
export const cosineAlphaBar = (options: AlphaBarOptions = {}): ((t: number) => number) =>
  // Outside of a quarter of the period the curve rises somewhere, or is a power of negative numbers. As a sine it is 0
  // at 1, and not a rounding error that a small τ makes large.
  curved('cosineAlphaBar', options, { start: 0, end: 1, tau: 1 }, (x, tau) =>
    x >= 0 && x <= 1 ? Math.sin(((1 - x) * Math.PI) / 2) ** (2 * tau) : Number.NaN,
  );
