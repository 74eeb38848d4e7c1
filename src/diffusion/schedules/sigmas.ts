/**
 * Sigmas to sample at: n noise-to-signal ratios that fall from the largest to the smallest, without the 0 at the end.
 * In float64 on the host.
 */
import { ScheduleError } from '../../tensor/errors.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { betaQuantile } from './beta-quantile.js';
import { checkNumbers, checkSteps, linspace } from './numbers.js';

/** Where sigmas begin and end. */
export interface SigmaRange {
  /** The last sigma, above 0; default 0.002. */
  readonly min?: number;
  /** The first sigma, above min; default 80. */
  readonly max?: number;
}

/** As {@link SigmaRange}, and how the sigmas are spread. */
export interface RhoOptions extends SigmaRange {
  /** ρ, above 0: the larger, the more of the sigmas are small. */
  readonly rho?: number;
}

/** As {@link SigmaRange}, and the distribution of the sigmas. */
export interface BetaSigmasOptions extends SigmaRange {
  /** α of the beta distribution, from 0.01 to 1000; default 0.6. Below 1 there are more sigmas at the small end. */
  readonly alpha?: number;
  /** β of the beta distribution, from 0.01 to 1000; default 0.6. Below 1 there are more sigmas at the large end. */
  readonly beta?: number;
}

const rangeOf = (operation: string, n: number, { min = 0.002, max = 80 }: SigmaRange): Required<SigmaRange> => {
  checkSteps(operation, n);
  checkNumbers(operation, 'positive', { min, max });
  if (min < max) return { min, max };
  throw new ScheduleError({
    operation,
    given: `min ${min} and max ${max}`,
    rule: 'min lies below max',
    hint: 'Leave both out for those of Karras et al., 0.002 and 80.',
  });
};

/** n sigmas along a curve over [0, 1]. */
const along = (
  operation: string,
  n: number,
  { min, max }: Required<SigmaRange>,
  curve: (ramp: number) => number,
): readonly number[] => {
  // The ends are set: a power of a root, and an exponential of a logarithm, need not be what it was.
  const sigmas = linspace(0, 1, n).map((ramp, i) => (i === 0 ? max : i === n - 1 ? min : curve(ramp)));
  const flat = sigmas.findIndex((sigma, i) => i > 0 && !(sigma < sigmas[i - 1]!));
  if (flat < 0) return Object.freeze(sigmas);
  throw new ScheduleError({
    operation,
    given: `${n} sigmas from ${max} to ${min}, of which that at ${flat} is not below the one before`,
    rule: 'sigmas fall strictly, in float64',
    hint: 'Take fewer of them, or options nearer to the defaults.',
  });
};

/**
 * The sigmas of Karras et al.: σ^(1/ρ) falls evenly. With ρ = 1 they fall evenly themselves, as those of a flow do.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, eq. 5.
 *
 * @param n how many, a positive integer
 * @param options see {@link RhoOptions}; ρ is 7 by default
 * @returns n sigmas, falling strictly; the largest alone when n is 1
 * @throws ScheduleError when n is no positive integer, an option is no finite number above 0, min is not below max, or
 *   two sigmas are the same in float64, ArgumentError for unknown options
 * @example
 * ```js
 * import { karrasSigmas } from 'tenfold/diffusion';
 * karrasSigmas(3, { min: 1, max: 4, rho: 2 }); // => [4, 2.25, 1]
 * ```
 */
export const karrasSigmas = (n: number, options: RhoOptions = {}): readonly number[] => {
  checkOptions('karrasSigmas', ['min', 'max', 'rho'], options);
  const range = rangeOf('karrasSigmas', n, options);
  const { rho = 7 } = options;
  checkNumbers('karrasSigmas', 'positive', { rho });
  const [first, last] = [range.max ** (1 / rho), range.min ** (1 / rho)];
  return along('karrasSigmas', n, range, ramp => (first + ramp * (last - first)) ** rho);
};

/**
 * Sigmas with logarithms that fall evenly: each is the same share of the one before. These are also steps of one size
 * in λ = log(α / σ), the `use_lu_lambdas` of diffusers.
 *
 * Source: Lu et al. 2022, arXiv:2206.00927 (uniform steps of λ); `get_sigmas_exponential` of k-diffusion.
 *
 * @param n how many, a positive integer
 * @param options see {@link SigmaRange}
 * @returns n sigmas, falling strictly; the largest alone when n is 1
 * @throws ScheduleError when n is no positive integer, an option is no finite number above 0, min is not below max, or
 *   two sigmas are the same in float64, ArgumentError for unknown options
 * @example
 * ```js
 * import { exponentialSigmas } from 'tenfold/diffusion';
 * exponentialSigmas(3, { min: 1, max: 4 }); // => [4, 2, 1]
 * ```
 */
export const exponentialSigmas = (n: number, options: SigmaRange = {}): readonly number[] => {
  checkOptions('exponentialSigmas', ['min', 'max'], options);
  return polynomialIn('exponentialSigmas', n, rangeOf('exponentialSigmas', n, options), 1);
};

/**
 * Sigmas with logarithms that fall like a power: log σ runs from the largest to the smallest as (1 − i / (n − 1))^ρ
 * falls from 1 to 0.
 *
 * Source: `get_sigmas_polyexponential` of k-diffusion, by the first author of Crowson et al. 2024, arXiv:2401.11605.
 *
 * @param n how many, a positive integer
 * @param options see {@link RhoOptions}; ρ is 1 by default, for which they are {@link exponentialSigmas}
 * @returns n sigmas, falling strictly; the largest alone when n is 1
 * @throws ScheduleError when n is no positive integer, an option is no finite number above 0, min is not below max, or
 *   two sigmas are the same in float64, ArgumentError for unknown options
 * @example
 * ```js
 * import { polyexponentialSigmas } from 'tenfold/diffusion';
 * polyexponentialSigmas(3, { min: 1, max: 16, rho: 2 }); // => [16, 2, 1]
 * ```
 */
export const polyexponentialSigmas = (n: number, options: RhoOptions = {}): readonly number[] => {
  checkOptions('polyexponentialSigmas', ['min', 'max', 'rho'], options);
  const range = rangeOf('polyexponentialSigmas', n, options);
  const { rho = 1 } = options;
  checkNumbers('polyexponentialSigmas', 'positive', { rho });
  return polynomialIn('polyexponentialSigmas', n, range, rho);
};

const polynomialIn = (operation: string, n: number, range: Required<SigmaRange>, rho: number): readonly number[] => {
  const [first, last] = [Math.log(range.max), Math.log(range.min)];
  return along(operation, n, range, ramp => Math.exp((1 - ramp) ** rho * (first - last) + last));
};

/**
 * Sigmas at quantiles of a beta distribution: by default dense at both ends and sparse between them.
 *
 * Source: Lee et al. 2024, arXiv:2407.12173 (Beta sampling), as the `use_beta_sigmas` of diffusers.
 *
 * @param n how many, a positive integer
 * @param options see {@link BetaSigmasOptions}
 * @returns n sigmas, falling strictly; the largest alone when n is 1
 * @throws ScheduleError when n is no positive integer, min or max is no finite number above 0, min is not below max,
 *   alpha or beta lies outside [0.01, 1000], or two sigmas are the same in float64, ArgumentError for unknown options
 * @example
 * ```js
 * import { betaSigmas } from 'tenfold/diffusion';
 * // The beta distribution with both parameters 1 is the uniform one.
 * betaSigmas(3, { min: 1, max: 4, alpha: 1, beta: 1 }); // => [4, 2.5, 1]
 * ```
 */
export const betaSigmas = (n: number, options: BetaSigmasOptions = {}): readonly number[] => {
  checkOptions('betaSigmas', ['min', 'max', 'alpha', 'beta'], options);
  const range = rangeOf('betaSigmas', n, options);
  const { alpha = 0.6, beta = 0.6 } = options;
  checkNumbers('betaSigmas', 'shape', { alpha, beta });
  return along(
    'betaSigmas',
    n,
    range,
    ramp => range.min + (range.max - range.min) * betaQuantile(1 - ramp, alpha, beta),
  );
};
