/**
 * Noise schedules and everything that follows from them, in float64 on the host.
 *
 * The coefficients are differences of numbers close to 1, so they are worked out once in float64 and only then
 * rounded to whatever the tensors are; deriving them in float32 loses most digits of the first timesteps.
 */
import { ScheduleError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFunctions, showNumber } from './checks.js';

/** The schedules that have a name. */
export type ScheduleName = 'linear' | 'cosine';

/** All per-timestep coefficients of a Gaussian diffusion; every array has one entry a timestep and is frozen. */
export interface DiffusionCoefficients {
  /** βₜ, the variance of the noise that step t adds. */
  readonly betas: readonly number[];
  /** ᾱₜ = ∏ₛ≤ₜ (1 − βₛ), the share of the signal's variance that is left after step t. */
  readonly alphasCumprod: readonly number[];
  /** ᾱₜ₋₁, with 1 before the first step. */
  readonly alphasCumprodPrev: readonly number[];
  /** ᾱₜ₊₁, with 0 after the last step. */
  readonly alphasCumprodNext: readonly number[];
  /** √ᾱₜ: what x₀ is multiplied by in q(xₜ | x₀). */
  readonly sqrtAlphasCumprod: readonly number[];
  /** √(1 − ᾱₜ): the standard deviation of q(xₜ | x₀). */
  readonly sqrtOneMinusAlphasCumprod: readonly number[];
  /** log(1 − ᾱₜ): the log variance of q(xₜ | x₀). */
  readonly logOneMinusAlphasCumprod: readonly number[];
  /** √(1 / ᾱₜ): what xₜ is multiplied by when x₀ is recovered from a predicted noise. */
  readonly sqrtRecipAlphasCumprod: readonly number[];
  /** √(1 / ᾱₜ − 1): what the predicted noise is multiplied by there. */
  readonly sqrtRecipm1AlphasCumprod: readonly number[];
  /** β̃ₜ = βₜ (1 − ᾱₜ₋₁) / (1 − ᾱₜ), the variance of q(xₜ₋₁ | xₜ, x₀); 0 at the first step. */
  readonly posteriorVariance: readonly number[];
  /** log β̃ₜ, where the first entry repeats the second, since log 0 is of no use to a network that interpolates. */
  readonly posteriorLogVarianceClipped: readonly number[];
  /** βₜ √ᾱₜ₋₁ / (1 − ᾱₜ): the weight of x₀ in the mean of q(xₜ₋₁ | xₜ, x₀). */
  readonly posteriorMeanCoef1: readonly number[];
  /** (1 − ᾱₜ₋₁) √(1 − βₜ) / (1 − ᾱₜ): the weight of xₜ in the mean of q(xₜ₋₁ | xₜ, x₀). */
  readonly posteriorMeanCoef2: readonly number[];
}

const checkSteps = (operation: string, T: number): void => {
  if (Number.isSafeInteger(T) && T >= 1 && T < 2 ** 31) return;
  throw new ScheduleError({
    operation,
    given: `${showNumber(T)} as the number of timesteps`,
    rule: 'the number of timesteps is a positive integer',
    hint: 'Ho et al. use 1000.',
  });
};

/**
 * The linear schedule: βₜ rises evenly from 0.0001·s to 0.02·s, where s = 1000 / T keeps the noise at the end of the
 * chain about the same for every T.
 *
 * Below T = 20 the last values exceed 1. They are returned as they are; {@link diffusionCoefficients} refuses them.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, section 4; the scale s is that of the code of Nichol & Dhariwal 2021.
 *
 * @param T number of timesteps, a positive integer
 * @throws ScheduleError when T is no positive integer
 * @example
 * ```js
 * import { linearBetas } from 'tenfold/diffusion';
 * linearBetas(1000)[0]; // => 0.0001
 * ```
 */
export const linearBetas = (T: number): readonly number[] => linear('linearBetas', T);

const linear = (operation: string, T: number): readonly number[] => {
  checkSteps(operation, T);
  const scale = 1000 / T;
  const start = scale * 0.0001;
  const stop = scale * 0.02;
  const step = (stop - start) / (T - 1);
  // The last value is set rather than computed, as numpy.linspace does: i·step may miss it by an ulp.
  return Object.freeze(Array.from({ length: T }, (_, t) => (t === 0 ? start : t === T - 1 ? stop : t * step + start)));
};

const discretise = (
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
const cosineAlphaBar = (t: number): number => {
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

const cosine = (operation: string, T: number): readonly number[] => discretise(operation, T, cosineAlphaBar, 0.999);

const schedules: Readonly<Record<ScheduleName, (operation: string, T: number) => readonly number[]>> = {
  linear,
  cosine,
};

/**
 * The betas of a schedule by its name, for configurations that name it.
 *
 * Sources: {@link linearBetas}, {@link cosineBetas}.
 *
 * @param name `'linear'` or `'cosine'`
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
    rule: `the named schedules are ${Object.keys(schedules).join(' and ')}`,
    hint: 'For a schedule of your own use betasForAlphaBar.',
  });
};

const isList = (values: unknown): values is ArrayLike<number> =>
  Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView));

/** @internal A copy of numbers in an array or typed array; none of what is neither. */
export const numbersOf = (values: ArrayLike<number>): number[] => (isList(values) ? Array.from(values) : []);

/**
 * A frozen copy of betas that came from outside.
 *
 * @internal shared with `respacing.ts`
 * @throws ScheduleError when there is none, or one lies outside (0, 1]
 */
export const checkBetas = (operation: string, betas: ArrayLike<number>): readonly number[] => {
  const checked = numbersOf(betas);
  const bad = checked.findIndex(beta => !(typeof beta === 'number' && beta > 0 && beta <= 1));
  if (checked.length > 0 && bad < 0) return Object.freeze(checked);
  throw new ScheduleError({
    operation,
    given:
      checked.length > 0
        ? `a beta of ${showNumber(checked[bad])} at timestep ${bad}`
        : `no betas${isList(betas) ? '' : `, but ${kindOf(betas)}`}`,
    rule: 'betas are a vector of at least one number, each in (0, 1]',
    hint: 'The linear schedule leaves this range with fewer than 20 timesteps: take more, or the cosine schedule.',
  });
};

/**
 * ᾱ, multiplied up from the first step to the last.
 *
 * @internal shared with `respacing.ts`
 */
export const cumulativeAlphas = (betas: readonly number[]): readonly number[] => {
  let product = 1;
  return betas.map(beta => {
    product *= 1 - beta;
    return product;
  });
};

/**
 * All coefficients of a diffusion with the given betas, in float64.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eqs. 4 (q(xₜ | x₀)), 6 and 7 (posterior), 15 (x₀ from noise); the log
 * variance is clipped as in the code of both Ho et al. and Nichol & Dhariwal 2021, arXiv:2102.09672.
 *
 * @param betas one a timestep, each in (0, 1], at least two. A beta of 1 leaves no signal: the coefficients that divide
 *   by ᾱ are infinite from there on
 * @throws ScheduleError when there are fewer than two betas, one lies outside (0, 1], or the first is lost in 1 − β
 * @example
 * ```js
 * import { diffusionCoefficients, linearBetas } from 'tenfold/diffusion';
 * const { posteriorVariance } = diffusionCoefficients(linearBetas(1000));
 * // The last step back is certain.
 * posteriorVariance[0]; // => 0
 * ```
 */
export const diffusionCoefficients = (betas: ArrayLike<number>): DiffusionCoefficients =>
  coefficientsFor('diffusionCoefficients', betas);

/** @internal {@link diffusionCoefficients} in the name of another function. */
export const coefficientsFor = (operation: string, betas: ArrayLike<number>): DiffusionCoefficients => {
  const beta = checkBetas(operation, betas);
  if (beta.length === 1) {
    throw new ScheduleError({
      operation,
      given: 'a single beta',
      rule: 'at least two timesteps are needed: the log variance of the first is clipped to that of the second',
      hint: 'Take a schedule of two or more timesteps.',
    });
  }
  const alphasCumprod = cumulativeAlphas(beta);
  if (alphasCumprod[0] === 1) {
    throw new ScheduleError({
      operation,
      given: `a beta of ${beta[0]} at timestep 0`,
      rule: 'the posterior divides by 1 - (1 - beta), which must not be 0 in float64',
      hint: 'Start with a beta above 1e-15.',
    });
  }
  const alphasCumprodPrev = [1, ...alphasCumprod.slice(0, -1)];
  const posteriorVariance = beta.map((b, t) => (b * (1 - alphasCumprodPrev[t]!)) / (1 - alphasCumprod[t]!));
  return Object.freeze({
    betas: beta,
    alphasCumprod: Object.freeze(alphasCumprod),
    alphasCumprodPrev: Object.freeze(alphasCumprodPrev),
    alphasCumprodNext: Object.freeze([...alphasCumprod.slice(1), 0]),
    sqrtAlphasCumprod: Object.freeze(alphasCumprod.map(Math.sqrt)),
    sqrtOneMinusAlphasCumprod: Object.freeze(alphasCumprod.map(a => Math.sqrt(1 - a))),
    logOneMinusAlphasCumprod: Object.freeze(alphasCumprod.map(a => Math.log(1 - a))),
    sqrtRecipAlphasCumprod: Object.freeze(alphasCumprod.map(a => Math.sqrt(1 / a))),
    sqrtRecipm1AlphasCumprod: Object.freeze(alphasCumprod.map(a => Math.sqrt(1 / a - 1))),
    posteriorVariance: Object.freeze(posteriorVariance),
    posteriorLogVarianceClipped: Object.freeze(
      posteriorVariance.map((v, t) => Math.log(t === 0 ? posteriorVariance[1]! : v)),
    ),
    posteriorMeanCoef1: Object.freeze(
      beta.map((b, t) => (b * Math.sqrt(alphasCumprodPrev[t]!)) / (1 - alphasCumprod[t]!)),
    ),
    posteriorMeanCoef2: Object.freeze(
      beta.map((b, t) => ((1 - alphasCumprodPrev[t]!) * Math.sqrt(1 - b)) / (1 - alphasCumprod[t]!)),
    ),
  });
};
