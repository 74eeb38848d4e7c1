/**
 * Everything that follows from betas, in float64 on the host.
 *
 * The coefficients are differences of numbers close to 1, so they are worked out once in float64 and only then
 * rounded to whatever the tensors are; deriving them in float32 loses most digits of the first timesteps.
 */
import { ScheduleError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { showNumber } from '../checks.js';
import { isList, numbersOf } from './numbers.js';

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

/**
 * A frozen copy of betas that came from outside.
 *
 * @internal shared with the files beside it and `respacing.ts`
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
 * @internal shared with the files beside it and `respacing.ts`
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
