/**
 * Schedules in continuous time, given by λ(t) = log(α² / σ²), the logarithm of the signal-to-noise ratio at time t,
 * which falls from data at t = 0 to noise at t = 1; in float64. The ratio σ / α is e^(−λ/2), and ᾱ of a
 * variance preserving process 1 / (1 + e^−λ).
 */
import { ScheduleError } from '../../tensor/errors.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { tensor } from '../../tensor/ops/creation/creation.js';
import { abs, add, div, maximum, mul, neg, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { less, where } from '../../tensor/ops/elementwise/comparison.js';
import { exp, expm1, log, log1p, sqrt, tan } from '../../tensor/ops/elementwise/elementary.js';
import { atan } from '../../tensor/ops/elementwise/hyperbolic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFunctions } from '../checks.js';
import { discretise } from './alpha-bar.js';
import { checkNumbers, sigmoid } from './numbers.js';

/** λ at a time t in [0, 1]. */
export type LogSnr = (t: number) => number;

/** Log signal-to-noise ratio log(α² / σ²) over time in [0, 1], and back; both of float64 tensors, falling. */
export interface LogSnrSchedule {
  readonly logSnr: (time: Tensor) => Tensor;
  readonly time: (logSnr: Tensor) => Tensor;
}

/** A schedule that can also be asked for single numbers. */
export type ClosedLogSnr = LogSnr & LogSnrSchedule;

const closed = (operation: string, { logSnr, time }: LogSnrSchedule): ClosedLogSnr => {
  const at = (t: number): number => {
    checkNumbers(operation, 'share', { t });
    return logSnr(tensor(t, { dtype: 'float64' }) as Tensor).item() as number;
  };
  return Object.freeze(Object.assign(at, { logSnr, time }));
};

const checkRange = (operation: string, min: number, max: number): void => {
  checkNumbers(operation, 'finite', { min, max });
  if (min < max) return;
  throw new ScheduleError({
    operation,
    given: `min ${min} and max ${max}`,
    rule: 'min lies below max: the signal-to-noise ratio falls with time',
    hint: 'Swap them.',
  });
};

/** Where λ ends. */
export interface LogSnrRange {
  /** λ at t = 1. */
  readonly min?: number;
  /** λ at t = 0. */
  readonly max?: number;
}

/** As {@link LogSnrRange}, and what is added. */
export interface CosineLogSnrOptions extends LogSnrRange {
  /** What is added to λ everywhere; default 0. */
  readonly shift?: number;
}

/**
 * The cosine schedule: λ(t) = −2·log tan(π·t/2) where t runs over the part of [0, 1] where λ goes from max to min, and
 * a shift: with 2·log(64 / d) images of d × d pixels lose what they look like as fast as those of 64 × 64 do without
 * one.
 *
 * Source: Hoogeboom et al. 2023, arXiv:2301.11093 (simple diffusion), section 3.1 and appendix; Nichol & Dhariwal 2021.
 *
 * @param options min (default −15) and max (default 15) are those before the shift (default 0) is added
 * @throws ScheduleError when an option is no finite number, min is not below max, or t lies outside [0, 1],
 *   ArgumentError for unknown options
 * @example
 * ```js
 * import { cosineLogSnr } from 'tenfold/diffusion';
 * const shifted = cosineLogSnr({ min: -10, max: 10, shift: 2 * Math.log(64 / 256) });
 * [cosineLogSnr()(0), shifted(1)]; // => [15, -10 - 4 * Math.log(2)]
 * ```
 */
export const cosineLogSnr = (options: CosineLogSnrOptions = {}): ClosedLogSnr => {
  checkOptions('cosineLogSnr', ['min', 'max', 'shift'], options);
  const { min = -15, max = 15, shift = 0 } = options;
  checkRange('cosineLogSnr', min, max);
  checkNumbers('cosineLogSnr', 'finite', { shift });
  // From 0 and from π/2, since near either the tangent is right only of the angle from there.
  const angles = [-max, -min, max, min].map(end => Math.atan(Math.exp(end / 2))) as [number, number, number, number];
  const [first, last, firstRest, lastRest] = angles;
  const between = (from: number, to: number, t: Tensor): Tensor => add(mul(sub(1, t), from), mul(t, to)) as Tensor;
  return closed('cosineLogSnr', {
    logSnr: t => {
      const [angle, rest] = [between(first, last, t), between(firstRest, lastRest, t)];
      const half = where(less(angle, rest), neg(log(tan(angle))), log(tan(rest))) as Tensor;
      return add(mul(half, 2), shift) as Tensor;
    },
    time: lambda => {
      const angle = atan(exp(mul(sub(lambda, shift), -0.5))) as Tensor;
      return div(sub(angle, first), last - first) as Tensor;
    },
  });
};

/**
 * λ(t) falls evenly from max to min.
 *
 * Source: Kingma et al. 2021, arXiv:2107.00630 (variational diffusion models), of which these ends are the initial
 * ones, as in its code.
 *
 * @param options see {@link LogSnrRange}; by default from 13.3 to −5
 * @throws ScheduleError when an option is no finite number, min is not below max, or t lies outside [0, 1],
 *   ArgumentError for unknown options
 * @example
 * ```js
 * import { linearLogSnr } from 'tenfold/diffusion';
 * linearLogSnr({ min: -10, max: 14 })(0.25); // => 8
 * ```
 */
export const linearLogSnr = (options: LogSnrRange = {}): ClosedLogSnr => {
  checkOptions('linearLogSnr', ['min', 'max'], options);
  const { min = -5, max = 13.3 } = options;
  checkRange('linearLogSnr', min, max);
  return closed('linearLogSnr', {
    logSnr: t => add(mul(sub(1, t), max), mul(t, min)) as Tensor,
    time: lambda => div(sub(max, lambda), max - min) as Tensor,
  });
};

/** The rates of noise at both ends. */
export interface VpLogSnrOptions {
  /** β(0), above 0; default 0.1. */
  readonly betaMin?: number;
  /** β(1), above 0; default 20. */
  readonly betaMax?: number;
}

/**
 * The linear schedule in continuous time: β(t) rises evenly from betaMin to betaMax, and log ᾱ(t) is −∫β.
 *
 * Source: Song et al. 2021, arXiv:2011.13456, appendix C (the VP SDE); {@link linearBetas} are its discretisation.
 *
 * @param options see {@link VpLogSnrOptions}
 * @returns λ, which is infinite at t = 0
 * @throws ScheduleError when an option is no number above 0, or t lies outside [0, 1], ArgumentError for unknown
 *   options
 * @example
 * ```js
 * import { vpLogSnr } from 'tenfold/diffusion';
 * vpLogSnr()(1); // => -Math.log(Math.exp(10.05) - 1)
 * ```
 */
export const vpLogSnr = (options: VpLogSnrOptions = {}): ClosedLogSnr => {
  checkOptions('vpLogSnr', ['betaMin', 'betaMax'], options);
  const { betaMin = 0.1, betaMax = 20 } = options;
  checkNumbers('vpLogSnr', 'positive', { betaMin, betaMax });
  const slope = betaMax - betaMin;
  return closed('vpLogSnr', {
    logSnr: t => {
      const decay = mul(t, add(mul(t, slope / 2), betaMin)) as Tensor;
      // log(e^x − 1) without overflow.
      return neg(add(decay, log(neg(expm1(neg(decay)))))) as Tensor;
    },
    time: lambda => {
      // log(1 + e^−λ) without overflow; then the positive root of slope t² / 2 + betaMin t.
      const decay = add(maximum(neg(lambda), 0), log1p(exp(neg(abs(lambda))))) as Tensor;
      return div(mul(decay, 2), add(sqrt(add(mul(decay, 2 * slope), betaMin ** 2)), betaMin)) as Tensor;
    },
  });
};

/** The distribution of λ at a random time. */
export interface LaplaceLogSnrOptions {
  /** Its centre, λ(½); default 0. */
  readonly mu?: number;
  /** Its width, above 0; default 0.5. */
  readonly b?: number;
}

/**
 * The Laplace schedule: at times drawn evenly λ has a Laplace distribution, most of it near the middle, so that
 * training sees middle levels of noise the most. λ(t) = μ − b·sgn(½ − t)·log(1 − 2·|½ − t| + 10⁻⁶), of which the last
 * summand, that of diffusers, keeps the ends finite.
 *
 * Source: Hang et al. 2024, arXiv:2407.03297, table 1. Where diffusers discretises it, ᾱ is taken to be the square root
 * of what belongs to λ: `betasForAlphaBar(T, t => (1 + Math.exp(-laplaceLogSnr()(t))) ** -0.5)`.
 *
 * @param options see {@link LaplaceLogSnrOptions}
 * @throws ScheduleError when mu is no finite number, b no number above 0, or t lies outside [0, 1], ArgumentError for
 *   unknown options
 * @example
 * ```js
 * import { laplaceLogSnr } from 'tenfold/diffusion';
 * laplaceLogSnr()(0.25); // => -0.5 * Math.log(0.500001)
 * ```
 */
export const laplaceLogSnr = (options: LaplaceLogSnrOptions = {}): ClosedLogSnr => {
  checkOptions('laplaceLogSnr', ['mu', 'b'], options);
  const { mu = 0, b = 0.5 } = options;
  checkNumbers('laplaceLogSnr', 'finite', { mu });
  checkNumbers('laplaceLogSnr', 'positive', { b });
  const offset = 1e-6;
  const early = (t: Tensor, x: Tensor): Tensor => where(less(0.5, t), neg(x), x) as Tensor;
  return closed('laplaceLogSnr', {
    logSnr: t => {
      const depth = log(add(sub(1, mul(abs(sub(0.5, t)), 2)), offset)) as Tensor;
      return sub(mu, early(t, mul(depth, b))) as Tensor;
    },
    time: lambda => {
      const distance = sub(lambda, mu) as Tensor;
      const share = exp(div(neg(abs(distance)), b)) as Tensor;
      const away = maximum(mul(sub(1 + offset, share), 0.5), 0) as Tensor;
      return where(less(distance, 0), add(0.5, away), sub(0.5, away)) as Tensor;
    },
  });
};

/** How the times of a flow are shifted. */
export interface FlowLogSnrOptions {
  /** As that of {@link flowShift}, above 0; default 1, none. */
  readonly shift?: number;
}

/**
 * The schedule of flow matching: λ(t) = 2·log((1 − t) / (s·t)), since α = 1 − t and σ = t before the shift s.
 *
 * Source: Esser et al. 2024, arXiv:2403.03206, section 2 and eq. 23.
 *
 * @param options see {@link FlowLogSnrOptions}
 * @returns λ, which is infinite at both ends
 * @throws ScheduleError when shift is no number above 0, or t lies outside [0, 1], ArgumentError for unknown options
 * @example
 * ```js
 * import { flowLogSnr } from 'tenfold/diffusion';
 * flowLogSnr({ shift: 3 })(0.25); // => 0
 * ```
 */
export const flowLogSnr = (options: FlowLogSnrOptions = {}): ClosedLogSnr => {
  checkOptions('flowLogSnr', ['shift'], options);
  const { shift = 1 } = options;
  checkNumbers('flowLogSnr', 'positive', { shift });
  return closed('flowLogSnr', {
    logSnr: t => mul(sub(sub(log1p(neg(t)), log(t)), Math.log(shift)), 2) as Tensor,
    time: lambda => div(1, add(1, mul(exp(mul(lambda, 0.5)), shift))) as Tensor,
  });
};

/**
 * The betas of a schedule in continuous time: those of ᾱ(t) = 1 / (1 + e^−λ(t)).
 *
 * Source: Kingma et al. 2021, arXiv:2107.00630, section 3.2; discretised as in {@link betasForAlphaBar}.
 *
 * @param T number of timesteps, a positive integer
 * @param logSnr λ(t) for t in [0, 1], falling: one of these schedules, or a function of numbers
 * @param maxBeta largest beta, in (0, 1]
 * @throws ScheduleError when T is no positive integer, maxBeta lies outside (0, 1], or λ is no number or −∞ too early,
 *   ArgumentError when logSnr is no function
 * @example
 * ```js
 * import { betasForLogSnr, cosineLogSnr, flowLogSnr } from 'tenfold/diffusion';
 * betasForLogSnr(2, flowLogSnr()); // => [0.5, 0.999]
 * // A network for images of 256 × 256 pixels.
 * const shift = 2 * Math.log(64 / 256);
 * betasForLogSnr(1000, cosineLogSnr({ shift })).length; // => 1000
 * ```
 */
export const betasForLogSnr = (T: number, logSnr: LogSnr, maxBeta = 0.999): readonly number[] => {
  checkFunctions('betasForLogSnr', { logSnr });
  const alphaBar = (t: number): number => {
    const value: unknown = logSnr(t);
    return typeof value === 'number' ? sigmoid(value) : Number.NaN;
  };
  return discretise('betasForLogSnr', T, alphaBar, maxBeta);
};
